"""A rehearsal plays years day by day with the real gate, and says what changed on which day and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from passerelle.convention import Convention, Event
from passerelle.planning import Change, rehearse
from tests.planning.conftest import CSP, GEIQ, OCE, PACA, SIGNED, SIGNED_OCE


def played(convention: Convention, start: str, end: str, *rows: dict[str, Any]) -> list[Change]:
    events = [Event.from_json(row) for row in rows]
    return list(rehearse(convention, events, date.fromisoformat(start), date.fromisoformat(end)))


def told(changes: list[Change], *kinds: str) -> list[tuple[str, str | None, str | None, str]]:
    return [(one.day.isoformat(), one.subject, one.before, one.after) for one in changes if one.kind in kinds]


@pytest.fixture(scope="module")
def paca(conventions: dict[str, Convention]) -> list[Change]:
    """The convention of 2016 from its signature to the destruction."""
    return played(conventions[PACA], "2016-03-01", "2020-03-31", SIGNED)


def test_a_convention_lives_from_its_signature_to_its_end(paca: list[Change]) -> None:
    """Undetermined, in force from the day of the signature to the stated end, then out of force."""
    assert told(paca, "status") == [
        ("2016-03-01", None, None, "undetermined"),
        ("2016-03-31", None, "undetermined", "yes"),
        ("2020-01-01", None, "yes", "no"),
    ]


def test_the_gate_opens_and_shuts_on_its_days(paca: list[Change]) -> None:
    """Entries wait for their processing record even once their earliest day has come; outcomes run until the end."""
    assert [one for one in told(paca, "gate") if one[1] == "training-outcomes"] == [
        ("2016-03-01", "training-outcomes", None, "block: start_undetermined"),
        ("2016-03-31", "training-outcomes", "block: start_undetermined", "allow"),
        ("2020-01-01", "training-outcomes", "allow", "block: not_in_force"),
    ]
    entries = [one for one in told(paca, "gate") if one[1] == "training-entries"]
    assert [after for *_, after in entries] == [
        "block: start_undetermined", "block: missing_precondition:processing-record", "block: not_in_force",
    ]  # fmt: skip


def test_what_is_due_is_delivered_or_refused(paca: list[Change]) -> None:
    """Each quarter is delivered at its close; the report that falls due after the end is refused."""
    delivered = [(one.subject, one.period) for one in paca if one.kind == "delivered"]
    assert [period for name, period in delivered if name == "training-outcomes"] == [
        f"{year}-Q{quarter}" for year in range(2016, 2020) for quarter in range(1, 5)
    ]
    last = [one for one in paca if one.kind == "refused" and one.subject == "brea-monthly-report"][-1]
    assert (last.day.isoformat(), last.period, last.after) == ("2020-01-08", "2019-12", "out_of_force_at_delivery")


def test_the_data_are_destroyed_on_the_working_day_before_the_deadline(paca: list[Change]) -> None:
    """Two months after the end, on the last working day before; then nothing more is destroyed."""
    assert told(paca, "purge", "purged") == [
        ("2016-03-01", None, None, "refused: not_due"),
        ("2020-02-28", None, "refused: not_due", "allowed: deadline_reached"),
        ("2020-02-28", None, None, "deadline_reached"),
    ]
    assert [one.after for one in paca if one.kind == "destruction"] == ["done"]


def test_every_change_says_why(paca: list[Change]) -> None:
    """Each change has a title and its arithmetic in both languages, and a basis."""
    assert len(paca) > 100
    for one in paca:
        line = one.as_json()
        assert line["title"]["fr"] and line["title"]["en"]  # noqa: PT018 - one title in two languages
        assert line["arithmetic"]["fr"] and line["arithmetic"]["en"]  # noqa: PT018 - one sentence in two languages
        assert line["basis"] in ("stated", "interpreted", "hub_policy")


def test_nothing_is_told_twice(paca: list[Change]) -> None:
    """Each thing is told once for each state it takes."""
    lines = [(one.kind, one.subject, one.period, one.after, one.before, one.day) for one in paca]
    assert len(set(lines)) == len(lines)


def test_meetings_that_nobody_holds_are_late_the_day_after(conventions: dict[str, Convention]) -> None:
    """What people must do is due on its day, late on the next, unless the record shows it."""
    held = {"e": "meeting_held", "id": "annual-webinar", "on": "2025-03-01", "recorded_at": "2025-03-02T09:00:00+01:00"}
    changes = played(conventions[GEIQ], "2025-10-01", "2025-12-31", held)
    assert [one for one in told(changes, "obligation") if one[1] == "semester-review"] == [
        ("2025-11-06", "semester-review", None, "due"),
        ("2025-11-07", "semester-review", None, "late"),
    ]
    assert [one[-1] for one in told(changes, "obligation") if one[1] == "annual-webinar"] == ["done"]


def test_an_event_is_known_from_its_own_day(conventions: dict[str, Convention]) -> None:
    """A denunciation recorded years later is played on the day on which it was received."""
    denounced = {"e": "denounced", "by": "unml", "received_on": "2026-10-01", "recorded_at": "2030-01-01T09:00:00+01:00"}  # fmt: skip
    changes = played(conventions[CSP], "2026-09-01", "2027-06-01", denounced)
    assert ("2026-10-01", None, None, "denounced") in told(changes, "event")
    assert told(changes, "opt_out_alert") == [("2026-09-11", "6_months", None, "note")]
    assert told(changes, "status")[-1] == ("2027-03-12", None, "yes", "no")


def test_a_letter_at_noon_shuts_the_gate_of_the_next_morning(conventions: dict[str, Convention]) -> None:
    """A breach letter received during the day is played at the next morning's plan, and its instant is in the reason."""
    letter = {"e": "breach_notice", "by": "pole-emploi", "form": "registered_letter_ar", "received_at": "2018-05-14T14:32:00+02:00"}  # fmt: skip
    changes = played(conventions[PACA], "2018-05-01", "2018-08-31", SIGNED, letter)
    (shut,) = [one for one in changes if one.kind == "status" and one.after == "no"]
    assert shut.day == date(2018, 5, 15)
    assert "14:32" in shut.arithmetic.en
    assert told(changes, "purged") == [("2018-07-13", None, None, "deadline_reached")]


def test_a_template_stays_blank(conventions: dict[str, Convention]) -> None:
    """A blank template changes nothing, a signed one opens on the day of its signature and waits for announcements."""
    assert told(played(conventions[OCE], "2025-01-01", "2025-12-31"), "delivered", "obligation") == []
    vacancy = {"e": "vacancy_email_received", "at": "2025-04-17T10:00:00+02:00", "vacancy": "v1"}
    changes = played(conventions[OCE], "2025-01-01", "2025-06-30", SIGNED_OCE, vacancy)
    assert [(one.day.isoformat(), one.after) for one in changes if one.kind == "refused"] == [
        ("2025-04-28", "missing_precondition:processing-record")
    ]
    assert ("2025-05-06", "follow-up-form", None, "note") in told(changes, "opens")


@pytest.mark.slow
def test_five_years_of_the_five_conventions_take_seconds(conventions: dict[str, Convention]) -> None:
    """Every day of five years of each shipped convention is played in less than twenty seconds of processor time."""
    from time import process_time

    began, days = process_time(), 0
    for name, start, rows in (
        (CSP, 2024, ()), (PACA, 2016, (SIGNED,)), (GEIQ, 2024, ()), (OCE, 2024, (SIGNED_OCE,)), ("face-pe-2014", 2014, ()),
    ):  # fmt: skip
        changes = played(conventions[name], f"{start}-01-01", f"{start + 4}-12-31", *rows)
        days += len({one.day for one in changes})
    assert process_time() - began < 20
    assert days > 100
