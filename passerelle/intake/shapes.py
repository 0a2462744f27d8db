"""What kind of text the cells of a column hold: counts of known shapes, never a value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NULL_MARKS: Final = ("NULL", "null", "<null>", "NA", "N/A", "#N/A", "NR", "nd", "n.d.", "ND", "None", "NaN", "-", "\\N")
SECRECY_MARKS: Final = ("*", "s", "ns", "c", "(s)")
DATES: Final = {
    "%d/%m/%Y": r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4}",
    "%Y-%m-%d": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "%d-%m-%Y": r"(0[1-9]|[12]\d|3[01])-(0[1-9]|1[0-2])-\d{4}",
    "%d.%m.%Y": r"(0[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])\.\d{4}",
    "%Y%m%d": r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
    "%d/%m/%Y %H:%M": r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4} [0-2]\d:[0-5]\d",
    "%d/%m/%Y %H:%M:%S": r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4} [0-2]\d:[0-5]\d:[0-5]\d",
    "%Y-%m-%d %H:%M:%S": r"\d{4}-(0[1-9]|1[0-2])-\d\d [0-2]\d:[0-5]\d:[0-5]\d",
    "%Y-%m-%d 00:00:00.0": r"\d{4}-(0[1-9]|1[0-2])-\d\d 00:00:00\.0",
    "%Y-%m-%dT%H:%M:%S": r"\d{4}-(0[1-9]|1[0-2])-\d\dT[0-2]\d:[0-5]\d:[0-5]\d",
}
_SHAPES: Final = [
    *((f"date {pattern}", re.compile(text, re.ASCII)) for pattern, text in DATES.items()),
    ("integer with leading zero", re.compile(r"0\d+", re.ASCII)),
    ("day number of Excel", re.compile(r"[1-5]\d{4}", re.ASCII)),
    ("integer", re.compile(r"-?\d+", re.ASCII)),
    ("integer written with .0", re.compile(r"-?\d+\.0", re.ASCII)),
    ("decimal with comma", re.compile(r"-?\d+,\d+", re.ASCII)),
    ("decimal with point", re.compile(r"-?\d+\.\d+", re.ASCII)),
]


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """One column: its place from 1, its name (``None``: not known), how many cells have each shape, mark and flaw."""

    place: int
    name: str | None
    shapes: dict[str, int]
    marks: dict[str, int]
    flaws: dict[str, int]

    @property
    def main(self) -> str:
        """The most frequent shape among the cells that say something."""
        said = {shape: count for shape, count in self.shapes.items() if shape != "empty"}
        return max(said, key=lambda shape: said[shape]) if said else "empty"


def shape(cell: str) -> str:
    """The first known shape that the whole cell has."""
    if not cell:
        return "empty"
    return next((name for name, pattern in _SHAPES if pattern.fullmatch(cell)), "text")


def guess(place: int, name: str | None, cells: Iterable[str]) -> ColumnGuess:
    """Count what the cells of one column look like."""
    shapes: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    flaws: Counter[str] = Counter()
    for cell in cells:
        bare = cell.strip()
        if cell != bare:
            flaws["spaces around"] += 1
        if "\u00a0" in cell or "\u202f" in cell:
            flaws["no-break space"] += 1
        if bare in NULL_MARKS or bare in SECRECY_MARKS:
            marks[bare] += 1
        else:
            shapes[shape(bare)] += 1
    return ColumnGuess(place, name, dict(shapes), dict(marks), dict(flaws))
