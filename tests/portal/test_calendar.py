"""The calendar of the conventions, read back as a calendar program reads it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cli import run
from portal.life import as_ics

YEARS = ["--from", "2016-01-01", "--to", "2027-12-31"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Found = dict[str, str]


def _read(document: str) -> list[Found]:
    """The events of an iCalendar document (RFC 5545 sections 3.1 and 3.3.11), strictly."""
    assert re.fullmatch(r"(?:[^\r\n]+\r\n)+", document), "every line ends with CRLF"
    assert all(len(line.encode()) <= 75 for line in document.split("\r\n")), "a line is longer than 75 octets"
    lines = document.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-1] == "END:VCALENDAR"
    events: list[Found] = []
    for line in lines[1:-1]:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and line != "END:VEVENT":
            assert name not in events[-1], f"{name} comes twice"
            assert not re.search(r"(?<!\\)(?:\\\\)*[,;]", value), "a comma or a semicolon is not escaped"
            events[-1][name] = re.sub(r"\\(.)", lambda mark: "\n" if mark[1] == "n" else mark[1], value)
    return events


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new workspace, and a French reader."""
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path_factory.mktemp("calendar") / "ws"))
    monkeypatch.setenv("PASSERELLE_LANG", "fr")
    assert run(["init"]) == 0


@pytest.mark.usefixtures("workspace")
def test_the_calendar_says_the_same_to_people_programs_and_calendars(capsys: pytest.CaptureFixture[str]) -> None:
    """Table, JSON and iCalendar have the same days, each event of one day, with an id of its own."""
    capsys.readouterr()
    assert run(["calendar", *YEARS, "--format", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert run(["calendar", *YEARS, "--format", "ics"]) == 0
    events = _read(capsys.readouterr().out)
    assert run(["calendar", *YEARS]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(entries) == len(events) == len(table) - 1 > 20
    assert {entry["kind"] for entry in entries} >= {"renews", "ends", "due", "destruction", "purge_target", "starts"}
    assert len({event["UID"] for event in events}) == len(events)
    for entry, event in zip(entries, events, strict=True):
        day = date.fromisoformat(entry["date"])
        assert event["DTSTART;VALUE=DATE"] == f"{day:%Y%m%d}"
        assert event["DTEND;VALUE=DATE"] == f"{day + timedelta(days=1):%Y%m%d}"
        assert event["SUMMARY"] == f"{entry['title']['fr']} ({entry['convention']})"
        assert event["DESCRIPTION"] == entry["arithmetic"]["fr"]
    assert "11 décembre 2026" in next(line for line in table if "Dernier jour sûr" in line)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=300))
def test_no_title_breaks_a_calendar(title: str) -> None:
    """Any words of a title come back as they were."""
    entry = {
        "date": "2024-02-29", "convention": "x", "kind": "due", "subject": None, "title": {"fr": title},
        "arithmetic": {"fr": title},
    }  # fmt: skip
    (event,) = _read(as_ics([entry], NOW, "fr"))
    assert event["SUMMARY"] == f"{title} (x)"
    assert event["DESCRIPTION"] == title
