"""The calendar of the conventions: as a table, or for a calendar program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from portal.render import Screen, Text, day
from portal.words import ground

LINE_OCTETS = 75  # RFC 5545 §3.1: lines are folded above


def show_calendar(out: Screen, entries: Sequence[Mapping[str, Any]]) -> None:
    """The entries as a table."""
    if not entries:
        out.say(Text("Rien dans cette période.", "Nothing in this period."))
        return
    titles = [Text("date", "date"), Text("convention", "convention"), Text("quoi", "what"), Text("fondement", "basis")]
    rows = [
        (
            day(date.fromisoformat(entry["date"]), out.lang),
            entry["convention"],
            entry["title"][out.lang],
            ground(entry["basis"], entry["article"]),
        )
        for entry in entries
    ]
    out.table(titles, rows)


def as_ics(entries: Sequence[Mapping[str, Any]], now: datetime, lang: str) -> str:
    """The entries as an iCalendar file (RFC 5545): whole-day events, stable identifiers."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//Passerelle//calendar//{lang.upper()}", "CALSCALE:GREGORIAN"]
    for entry in entries:
        start = date.fromisoformat(entry["date"])
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry['convention']}.{entry['kind']}.{entry.get('subject') or 'convention'}.{entry['date']}@passerelle",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
            f"DTEND;VALUE=DATE:{start + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(entry['title'][lang])} ({_escaped(entry['convention'])})",
            f"DESCRIPTION:{_escaped(entry['arithmetic'][lang])}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    parts: list[str] = []
    current = ""
    for letter in line:
        limit = LINE_OCTETS - (1 if parts else 0)
        if len((current + letter).encode()) > limit:
            parts.append(current)
            current = ""
        current += letter
    return "\r\n ".join([*parts, current]) + "\r\n"
