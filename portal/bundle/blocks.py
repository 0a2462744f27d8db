"""What a page is made of: sections with paragraphs, lists and tables, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from portal.render import Lang, Text, day, number
from portal.words import PARIS, moment

LONGEST = 300  # rows of a table on the page; the document beside it has them all


class Cell(NamedTuple):
    """One cell: its words, and how they are set: ``n`` a figure, ``code`` an id or a hash."""

    words: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its title, the heads of its columns, its rows; ``more`` says how many are left out and where they are."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    more: str = ""


@dataclass(slots=True)
class Section:
    """One part of the page, in reading order."""

    name: str
    title: str
    paragraphs: list[str] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    picture: str = ""


class Tongue:
    """Says things in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def say(self, fr: str, en: str) -> str:
        """One of the two."""
        return fr if self.lang == "fr" else en

    def text(self, words: Text | str | None) -> str:
        """A text of the portal's words; a dash for nothing."""
        return "–" if words is None else words if isinstance(words, str) else getattr(words, self.lang)

    def count(self, value: int, fr: tuple[str, str], en: tuple[str, str]) -> str:
        """A count with its noun, singular or plural: French counts zero and one as one."""
        noun = fr[value > 1] if self.lang == "fr" else en[value != 1]
        return f"{number(value, self.lang)} {noun}"

    def figure(self, value: int | None) -> Cell:
        """A count in a table."""
        return Cell("–" if value is None else number(value, self.lang), "n")

    def grid(self, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], document: str) -> Grid:
        """A table of at most ``LONGEST`` rows, the last ones; ``document`` has them all."""
        cells = [[one if isinstance(one, Cell) else Cell(one or "–") for one in row] for row in rows]
        if any(len(row) != len(heads) for row in cells):
            raise ValueError(f"expected {len(heads)} cells in each row of {document}")
        left = len(cells) - LONGEST
        more = ""
        if left > 0:
            more = self.say(
                f"Les {number(left, 'fr')} premières lignes ne sont pas reprises ici ; {document} les a toutes.",
                f"The first {number(left, 'en')} rows are not repeated here; {document} has them all.",
            )
        return Grid(title, heads, cells[-LONGEST:], more)


def code(words: str | None) -> Cell:
    """An id or a hash in a table."""
    return Cell(words or "–", "code" if words else "")


def on(t: Tongue, value: str | None) -> str:
    """A day, or the day of an instant, as people write it."""
    return "–" if value is None else day(civil(value), t.lang)


def civil(value: str) -> date:
    """A day, or that of an instant where the conventions live."""
    return datetime.fromisoformat(value).astimezone(PARIS).date() if "T" in value else date.fromisoformat(value)


def when(t: Tongue, value: str | None) -> str:
    """An instant as people write it."""
    return moment(value, t.lang) or "–"
