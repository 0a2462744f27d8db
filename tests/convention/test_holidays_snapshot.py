"""The holiday tables that working days are counted with, year by year (D12)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dateutil.easter import easter

from passerelle.convention import Convention, calendar_entries, destruction_deadline, internal_purge_target
from passerelle.convention.dates import WorkingCalendar, calendar_of, holidays_version
from passerelle.convention.due import Case, due, not_before, rights
from tests.convention.conftest import history

YEARS = range(2014, 2036)
SNAPSHOT = Path(__file__).with_name("holidays_2014_2035.txt")
Tables = dict[tuple[str, int], list[date]]

MOVABLE = {"good friday": -2, "easter monday": 1, "ascension": 39, "whit monday": 50}
EMAIL = {"e": "vacancy_email_received", "on": "2025-04-14", "vacancy": "v1"}
REQUEST = {"e": "rights_request", "received_on": "2026-04-02"}
NOTICE = {"e": "study_finalised_or_published", "on": "2018-05-09"}


@pytest.fixture(scope="module")
def snapshot() -> Tables:
    """The committed tables: the holidays of a calendar and a year."""
    lines = [line.split() for line in SNAPSHOT.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {(name, int(year)): [date.fromisoformat(f"{year}-{day}") for day in days] for name, year, *days in lines}


def _closed(calendar: WorkingCalendar, year: int) -> list[date]:
    """The days of a year that a calendar without weekends does not count."""
    every = calendar._replace(week=frozenset(range(7)))
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return [day for day in days if day.year == year and not every.is_open(day)]


def test_the_library_gives_the_committed_holidays(conventions: dict[str, Convention], snapshot: Tables) -> None:
    """The calendars of the five conventions close on the committed days from 2014 to 2035, and on no other."""
    calendars = {calendar.name: calendar for calendar in map(calendar_of, conventions.values())}
    assert snapshot.keys() == {(name, year) for name in calendars for year in YEARS}
    told = {(name, year): _closed(calendar, year) for name, calendar in calendars.items() for year in YEARS}
    assert told == snapshot


def test_the_snapshot_is_what_the_acts_say(snapshot: Tables) -> None:
    """The committed days are the eleven of the French labour code and the nine of the Geneva act J 1 45."""
    for year in YEARS:
        movable = {name: easter(year) + timedelta(days=days) for name, days in MOVABLE.items()}
        first_sunday = next(day for n in range(1, 8) if (day := date(year, 9, n)).isoweekday() == 7)
        france = [date(year, *day) for day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))]
        geneva = [date(year, *day) for day in ((1, 1), (8, 1), (12, 25), (12, 31))] + [first_sunday + timedelta(days=4)]
        france += [movable[name] for name in ("easter monday", "ascension", "whit monday")]
        assert snapshot["FR", year] == sorted(set(france))
        assert snapshot["CH-GE", year] == sorted({*geneva, *movable.values()})


def test_every_date_counted_in_working_days_names_the_tables(conventions: dict[str, Convention]) -> None:
    """A deadline that rests on working days says with which version of the tables it was counted, in both languages."""
    oce, paca = conventions["oce-ge-charter"], conventions["paca-pe-2016"]
    form = oce.exchange("follow-up-form")
    assert form is not None
    answers = [
        due(Case(oce, history(EMAIL), None, {"exchange": "candidate-profiles"})),
        not_before(Case(oce, history(EMAIL), None, {}), form),
        due(Case(paca, history(NOTICE), None, {"exchange": "studies"})),
        due(Case(paca, (), None, {"exchange": "brea-monthly-report", "period": "2017-04"})),
        internal_purge_target(paca, (), None),
        rights(history(REQUEST), paca.zone),
    ]
    assert holidays_version().split()[0] == "holidays"
    for told in answers:
        assert isinstance(told.value, date)
        assert holidays_version() in told.arithmetic.fr
        assert holidays_version() in told.arithmetic.en


def test_a_date_counted_in_months_names_no_table(conventions: dict[str, Convention]) -> None:
    """The legal deadline of a destruction rests on no holiday table (D11)."""
    told = destruction_deadline(conventions["paca-pe-2016"], (), None)
    assert "holidays" not in told.arithmetic.fr


def test_the_calendar_of_a_convention_names_the_tables(conventions: dict[str, Convention]) -> None:
    """The day that a purge aims at carries the version of the tables into the calendar."""
    found: list[dict[str, Any]] = calendar_entries(
        conventions["geiq-amilaura-2024"], (), date(2025, 1, 1), date(2026, 12, 31)
    )
    aimed = [entry for entry in found if entry["kind"] == "purge_target"]
    assert [entry["date"] for entry in aimed] == ["2026-01-06"]
    assert holidays_version() in aimed[0]["arithmetic"]["fr"]
