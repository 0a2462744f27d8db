"""What a picture shows: marks on days, pieces of the term, rows of like marks, lines of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from portal.picture.words import said, short
from portal.render import Lang, day

DAY = timedelta(days=1)
SHORT_LIST = 8  # dates that a line of the table enumerates

TERM = ("starts", "renews", "ends")
OPT_OUT = ("opt_out_reminder", "opt_out_safe_day", "opt_out_last_valid_day")
PURGE = ("purge_target", "destruction", "purged")
LANES = {*TERM, *OPT_OUT, *PURGE}


class Mark(NamedTuple):
    """One entry of the calendar, in one language."""

    day: date
    kind: str
    subject: str
    title: str
    basis: str
    article: str
    arithmetic: str


class Piece(NamedTuple):
    """A piece of the term's line; None where its beginning or its end is not known; what is ``sure`` is drawn solid."""

    first: date | None
    last: date | None
    words: str
    sure: bool


class Row(NamedTuple):
    """The marks of one exchange, obligation or instrument."""

    name: str
    marks: list[Mark]

    def days(self) -> list[date]:
        return sorted({mark.day for mark in self.marks})


class Line(NamedTuple):
    """One line of the table; ``mark`` gives its sign and its ground."""

    mark: Mark
    when: str
    what: str
    arithmetic: str


def read(entry: Mapping[str, Any], lang: Lang) -> Mark:
    """An entry as ``calendar_entries`` gives it."""
    title = entry["title"][lang]
    return Mark(
        date.fromisoformat(entry["date"]), entry["kind"], entry.get("subject") or title, title, entry["basis"],
        entry["article"] or "", entry["arithmetic"][lang],
    )  # fmt: skip


def _known(value: Mapping[str, Any], name: str) -> date | None:
    found = value["dates"][name]["value"]
    return None if found is None else date.fromisoformat(found)


def pieces(value: Mapping[str, Any], marks: Sequence[Mark], lang: Lang) -> list[Piece]:
    """The terms one after the other; a term without a known end goes on to the end of the picture."""
    starts, told = _known(value, "starts"), value["dates"]["last_day_in_force"]
    contested = _known(value, "last_day_in_force") if told["status"] == "disputed" else None
    end = max((mark.day for mark in marks if mark.kind == "ends" and mark.day != contested), default=None)
    if starts is None:
        return [] if end is None else [Piece(None, end, said("unknown_start", lang), sure=False)]
    if told["value"] is None and end is None:
        open_ended = told["status"] == "no"
        return [Piece(starts, None, said("open" if open_ended else "unstated", lang), sure=open_ended)]
    firsts = [starts, *(mark.day for mark in marks if mark.kind == "renews")]
    lasts = [first - DAY for first in firsts[1:]] + [end]
    found = []
    for number, (first, last) in enumerate(zip(firsts, lasts, strict=True), 1):
        name = "only" if len(firsts) == 1 else "first" if number == 1 else "nth"
        words = said(name, lang, number)
        sure = contested is None or first <= contested
        found.append(Piece(first, last, words if sure else said("contested", lang, words), sure=sure))
    return found


def rows(marks: Iterable[Mark], lang: Lang) -> list[Row]:
    """Due dates, then deliveries: a row for each exchange, obligation, instrument, in the order of their first marks."""
    others = sorted((mark for mark in marks if mark.kind not in LANES), key=lambda mark: (mark.kind, mark.subject))
    found = []
    for (kind, _), group in groupby(others, key=lambda mark: (mark.kind, mark.subject)):
        row = sorted(group)
        found.append(Row(said("delivered", lang, row[0].title) if kind == "delivered" else row[0].title, row))
    return sorted(found, key=lambda row: (row.marks[0].kind == "delivered", row.marks[0].day, row.name))


def lines(marks: Iterable[Mark], found: Iterable[Row], lang: Lang) -> list[Line]:
    """The table: a line for each mark of the term's own life, one for each row."""
    table = [Line(mark, day(mark.day, lang), mark.title, mark.arithmetic) for mark in marks]
    for row in found:
        days = row.days()
        if len(days) == 1:
            table.append(Line(row.marks[0], day(days[0], lang), row.name, row.marks[0].arithmetic))
            continue
        words = ", ".join(short(one, lang) for one in days)
        if len(days) > SHORT_LIST:
            words = said("many", lang, len(days), day(days[0], lang), day(days[-1], lang))
        table.append(Line(row.marks[0], said("count", lang, len(days)), row.name, words))
    return sorted(table, key=lambda line: (line.mark.day, line.mark.kind, line.what))
