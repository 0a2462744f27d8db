"""What the elements of a sheet say: rows of text (ECMA-376 §18.3)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from passerelle.errors import IntakeError
from passerelle.intake.archive import refuse
from passerelle.intake.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS, MAX_MERGED_CELLS, MAX_SHARED_STRINGS

Cells = list[str | None]

_PLAIN_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_WRITTEN_OUT: Final = 10**16
"""Numbers below it come out digit by digit, others with an exponent, as Python writes a double."""
_MERGED: Final = re.compile(r"[A-Z]{1,3}([1-9][0-9]{0,6})(?::[A-Z]{1,3}([1-9][0-9]{0,6}))?")
_LAST_COLUMN: Final = 16_384
_MAX_DIGITS: Final = 7
"""Of a row number or the index of a shared string."""


class SharedStrings:
    """Collects the shared strings; phonetic readings (``rPh``) are not part of a string."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._taking = self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 -- the listener's form
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._taking = not self._phonetic

    def end(self, name: str) -> None:
        if name == "t":
            self._taking = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self.strings.append("".join(self._parts))
            if len(self.strings) > MAX_SHARED_STRINGS:
                raise refuse(f"the workbook has more than {MAX_SHARED_STRINGS} shared strings")

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)


class Rows:
    """Turns a sheet's elements into rows of text, each with its number in the sheet."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._ready: list[tuple[int, Cells]] = []
        self._strings = strings
        self._cells: Cells = []
        self._row = self._column = self._length = 0
        self._kind = "n"
        self._parts: list[str] = []
        self._taking = self._phonetic = self._formula = self._computed = False
        self.merged: list[tuple[int, int]] = []
        """First and last row of each area of merged cells; the sheet says them after its rows."""

    def take(self) -> list[tuple[int, Cells]]:
        """The rows that ended since it was last asked."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            reference = attributes.get("r")
            self._column = _column_number(reference) if reference else self._column + 1
            self._kind = attributes.get("t", "n")
            self._parts, self._length = [], 0
            self._formula = self._computed = False
        elif name in {"v", "t"}:
            self._taking = not self._phonetic
            self._formula = False
        elif name == "f":
            self._formula = self._computed = True
        elif name == "row":
            number = attributes.get("r", "")
            row = self._row + 1 if (given := _index(number)) is None else given
            if row <= self._row:
                raise refuse("the rows of the sheet are not in order")
            self._row, self._column, self._cells = row, 0, []
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif name == "rPh":
            self._phonetic = True

    def _merge(self, reference: str) -> None:
        found = _MERGED.fullmatch(reference)
        if found is None or len(self.merged) >= MAX_MERGED_CELLS:
            raise refuse("merged cells whose place cannot be read, or too many of them")
        self.merged.append((int(found[1]), int(found[2] or found[1])))

    def end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._taking = False
        elif name == "c":
            if self._formula or (self._computed and not self._parts and self._kind != "str"):
                raise IntakeError("a formula without its result", where=f"row {self._row}, column {self._column}")
            if self._parts:
                self._put("".join(self._parts))
        elif name == "row":
            self._ready.append((self._row, self._cells))
        elif name == "rPh":
            self._phonetic = False

    def text(self, data: str) -> None:
        if self._taking:
            self._length += len(data)
            if self._length > MAX_CELL_CHARACTERS:
                raise IntakeError(
                    f"a cell of more than {MAX_CELL_CHARACTERS} characters",
                    where=f"row {self._row}, column {self._column}",
                )
            self._parts.append(data)

    def _put(self, raw: str) -> None:
        if self._column <= len(self._cells):
            raise IntakeError("two cells in one place", where=f"row {self._row}, column {self._column}")
        if self._column > MAX_COLUMNS:
            raise IntakeError(f"a value beyond column {MAX_COLUMNS}", where=f"row {self._row}")
        self._cells.extend([None] * (self._column - len(self._cells) - 1))
        self._cells.append(self._value(raw))

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            if (index := _index(raw)) is not None and index < len(self._strings):
                return self._strings[index]
        elif self._kind != "n":
            return raw
        elif (number := number_text(raw)) is not None:
            return number
        raise IntakeError("a cell that is not what it says", where=f"row {self._row}, column {self._column}")


def number_text(raw: str) -> str | None:
    """A workbook's number as people write it: ``101`` for 101.0, ``0.04`` for 4.0000000000000001E-2; None: not a number."""
    if _PLAIN_INTEGER.fullmatch(raw):
        return raw
    try:
        number = float(raw)
    except ValueError:
        return None
    if not raw.isascii() or not math.isfinite(number) or "_" in raw:
        return None
    return str(int(number)) if number.is_integer() and abs(number) < _WRITTEN_OUT else repr(number)


def _column_number(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
        if not "A" <= letter <= "Z" or number > _LAST_COLUMN:
            raise refuse("a cell whose place in the sheet cannot be read")
    if not number:
        raise refuse("a cell whose place in the sheet cannot be read")
    return number


def _index(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
