"""A list that is read, searched, exported and printed: each is declared as a ``Listing`` and shown in one way.

``?format=csv`` and ``?format=json`` give the same rows to programs; the next page begins after a cursor, never at an offset.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from passerelle.formulas import as_shown
from portal.render import Lang, Text

Row = TypeVar("Row")
Kind = Literal["text", "code", "words", "number", "share", "size", "day", "moment"]
PAGE_ROWS = 50
EXPORTED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``key`` of the row, ``title`` for people.

    A row's ``key + "_href"`` makes the cell a link, its ``key + "_tone"`` (good, warn, bad) a badge.
    """

    key: str
    title: Text
    kind: Kind = "text"

    @property
    def right(self) -> bool:
        """Whether figures stand on the right."""
        return self.kind in {"number", "share", "size"}


@dataclass(frozen=True, slots=True)
class Filter:
    """One field of the search: free text, a date, or one of ``choices`` (value, label)."""

    key: str
    title: Text
    kind: Literal["text", "date", "choice"] = "text"
    choices: Sequence[tuple[str, Text]] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows with what is said of them; ``cursor`` begins the next page, ``empty`` says what to do when there is nothing."""

    title: Text
    lead: Text
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    empty: Text
    filters: Sequence[Filter] = ()
    cursor: str | None = None
    facts: Sequence[tuple[Text, Any]] = field(default=())


def paged(rows: Sequence[Row], after: str, size: int, key: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """The ``size`` rows that follow the one of key ``after``, and the key that the next page begins after."""
    names = [key(row) for row in rows]
    start = names.index(after) + 1 if after in names else 0
    shown = rows[start : start + size]
    return shown, names[start + size - 1] if start + size < len(rows) else None


def as_csv(listing: Listing, lang: Lang) -> bytes:
    """The rows for a spreadsheet: UTF-8 with its mark, semicolons in French, no cell that a spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang == "fr" else ",", lineterminator="\r\n")
    writer.writerow([getattr(column.title, lang) for column in listing.columns])
    writer.writerows(
        [as_shown(_value(row.get(column.key), lang)) for column in listing.columns] for row in listing.rows
    )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_json(listing: Listing, lang: Lang) -> bytes:
    """The rows as one JSON list of objects."""
    rows = [{column.key: _value(row.get(column.key), lang) for column in listing.columns} for row in listing.rows]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def _value(value: Any, lang: Lang) -> Any:
    if isinstance(value, Text):
        return getattr(value, lang)
    return value.isoformat() if isinstance(value, date | datetime) else value
