"""Which cells of a workbook are shown as dates (ECMA-376 §18.8): for a proposal only, a reader goes by what is declared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from passerelle.intake.cells import Rows

_BUILT_IN: Final = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(50, 59))))
"""Formats of dates that need no code (ECMA-376 §18.8.30)."""
_TEXT: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
"""What in a format's code is no mark of a date: texts, padding, colours and conditions."""
_DATE: Final = re.compile(r"[dy]", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[0-9]+(\.0*)?")


class Styles:
    """Collects which styles of cells are dates."""

    def __init__(self) -> None:
        self._formats: set[str] = set()
        self._numbers: list[str] = []
        self._cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt" and _DATE.search(_TEXT.sub("", attributes.get("formatCode", ""))):
            self._formats.add(attributes.get("numFmtId", ""))
        elif name == "cellXfs":
            self._cells = True
        elif name == "xf" and self._cells:
            self._numbers.append(attributes.get("numFmtId", "0"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._cells = False

    def text(self, data: str) -> None: ...

    def dated(self) -> frozenset[str]:
        """The styles, by their number, that show a number as a date."""
        dates = _BUILT_IN | self._formats
        return frozenset(str(place) for place, number in enumerate(self._numbers) if number in dates)


class StyledRows(Rows):
    """Rows of text that also count the numbers shown as dates, by column (from 1)."""

    def __init__(self, strings: Sequence[str], dated: frozenset[str]) -> None:
        super().__init__(strings)
        self._dated = dated
        self._is_date = False
        self.days: Counter[int] = Counter()
        self.timed: Counter[int] = Counter()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._is_date = attributes.get("s", "") in self._dated and attributes.get("t", "n") == "n"
        super().start(name, attributes)

    def _put(self, raw: str) -> None:
        if self._is_date:
            self.days[self._column] += 1
            if not _WHOLE.fullmatch(raw):
                self.timed[self._column] += 1
        super()._put(raw)
