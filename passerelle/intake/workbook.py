"""Office Open XML workbooks (ECMA-376), row by row: the sheet is never in memory, only its table of shared strings.

Cells come out as text: numbers without ".0", booleans as 1 or 0, errors and cached results of formulas as written; nothing
is evaluated and no link is followed. Dates are Excel's serial numbers here: turning them into dates is the contract's part.
"""

from __future__ import annotations

import itertools
import math
import posixpath
import re
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake.archive import Opener, open_archive, refuse, stream
from passerelle.intake.cells import Cells, Rows, SharedStrings
from passerelle.intake.chunks import Parsed, check_closing
from passerelle.intake.content import Content, See
from passerelle.intake.limits import (
    BATCH_ROWS,
    MAX_SHARED_STRINGS_BYTES,
    MAX_SHEETS,
    MAX_SMALL_PART_BYTES,
    MAX_STYLES_BYTES,
)
from passerelle.intake.markup import Reader, local, parse
from passerelle.intake.recognise import WORKBOOK, choose, first_difference
from passerelle.intake.styles import StyledRows, Styles


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the rows are: the archive's member."""

    member: str


Top = Mapping[int, Cells]
"""The first rows of a sheet by their number; a blank one may not be there."""


TITLE_ROWS: Final = 20
"""How far down a header is looked for in a proposal."""


class _Attributes:
    """Collects the attributes of every element called ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[dict[str, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._name:
            self.found.append({local(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None: ...
    def text(self, data: str) -> None: ...


def recognise(opener: Opener, dialects: Sequence[Dialect]) -> tuple[Dialect, Sheet]:
    """The dialect and the sheet whose first row is its header; a dialect that names its sheet is looked for there only.

    Raises:
        IntakeError: not a workbook, or none or several of its sheets fit.
    """
    rows = max(len(dialect.lead) for dialect in dialects) + 1
    with open_archive(opener) as archive:
        strings = _shared_strings(archive)
        sheets = {name: (member, _top(archive, member, strings, rows)) for name, member in _sheets(archive).items()}
        epoch = _epoch(archive)
    candidates: list[tuple[Dialect, Sequence[str | None] | None]] = []
    places: dict[str, list[Sheet]] = {}
    for dialect in dialects:
        looked = [
            (first_difference(dialect, header), member, header) for member, header in _candidates(sheets, dialect)
        ]
        places[dialect.id] = [Sheet(member) for difference, member, _ in looked if difference is None]
        nearest = max(looked, key=lambda found: math.inf if found[0] is None else found[0], default=None)
        candidates.append((dialect, None if nearest is None else nearest[2]))
    dialect = choose(candidates, WORKBOOK)
    if len(places[dialect.id]) > 1:
        raise IntakeError(f"{len(places[dialect.id])} sheets have the header of dialect {dialect.id}", where="input")
    if dialect.serial_dates and dialect.serial_epoch != epoch:
        raise IntakeError(
            f"expected days counted from {dialect.serial_epoch}, came a workbook that counts them from {epoch} (dialect {dialect.id})",
            where="input",
        )
    return dialect, places[dialect.id][0]


def _candidates(sheets: Mapping[str, tuple[str, Top]], dialect: Dialect) -> list[tuple[str, list[str]]]:
    """The members of the sheets that may be meant and whose first rows are as declared, with their headers."""
    looked = [(member, top) for name, (member, top) in sheets.items() if dialect.sheet in {None, name}]
    return [(member, header) for member, top in looked if (header := _header(top, dialect.lead))]


def read(content: Content, sheet: Sheet, dialect: Dialect, wanted: Sequence[str], see: See | None) -> Iterator[Parsed]:
    """The rows of one sheet. Raises IntakeError like ``tables``."""
    content.see_all(see)
    for table in tables(content.file, sheet, dialect, wanted):
        yield Parsed(table, 0)


def tables(opener: Opener, sheet: Sheet, dialect: Dialect, wanted: Sequence[str]) -> Iterator[pa.Table]:
    """The rows under the header as text columns. Empty rows at the end are no rows; one between two rows is a fault.

    Raises:
        IntakeError: the workbook is damaged, over a limit, or a row has more cells than the header.
    """
    positions = {target: place for place, target in enumerate(dialect.columns.values()) if target is not None}
    with open_archive(opener) as archive:
        listener = Rows(_shared_strings(archive))
        rows = _checked(_rows(archive, sheet.member, listener), listener.merged, dialect)
        while kept := list(itertools.islice(rows, BATCH_ROWS)):
            yield _table(kept, positions, wanted, dialect.nulls)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a proposal is made of: how many sheets, which is looked at (from 1) and how many are like it, and its first rows.

    ``days`` counts by column (from 1) the cells that are shown as dates, ``timed`` those of them that have a time of day.
    """

    sheets: int
    hidden: int
    sheet: int
    name: str
    alike: int
    rows: list[tuple[int, Cells]]
    whole: bool
    epoch: Literal[1900, 1904]
    days: Mapping[int, int]
    timed: Mapping[int, int]


def preview(opener: Opener, limit: int) -> Preview:
    """The sheet that has the widest row near its top, the first of those that are shown where they can be told apart."""
    with open_archive(opener) as archive:
        strings = _shared_strings(archive)
        members, epoch, hidden = _sheets(archive), _epoch(archive), _hidden(archive)
        if not members:
            return Preview(0, 0, 0, "", 0, [], True, epoch, {}, {})
        tops = {name: _top(archive, member, strings, TITLE_ROWS) for name, member in members.items()}
        best = max(tops, key=lambda name: (_widest(tops[name]), name not in hidden))
        listener = StyledRows(strings, _dated(archive))
        rows = list(itertools.islice(_rows(archive, members[best], listener), limit + 1))
        return Preview(
            len(members),
            len(hidden),
            list(members).index(best) + 1,
            best,
            sum(_first(top) == _first(tops[best]) for top in tops.values()),
            rows[:limit],
            len(rows) <= limit,
            epoch,
            dict(listener.days),
            dict(listener.timed),
        )


def _first(top: Top) -> Cells:
    return next((top[number] for number in sorted(top) if any(top[number])), [])


def _hidden(archive: zipfile.ZipFile) -> set[str]:
    listener = _Attributes("sheet")
    parse(stream(archive, _main_part(archive), MAX_SMALL_PART_BYTES), listener)
    return {found.get("name", "") for found in listener.found if found.get("state", "visible") != "visible"}


def _dated(archive: zipfile.ZipFile) -> frozenset[str]:
    listener = Styles()
    for member in _targets(archive, _main_part(archive), "styles").values():
        parse(stream(archive, member, MAX_STYLES_BYTES), listener)
    return listener.dated()


def _widest(top: Top) -> int:
    return max((sum(1 for cell in cells if cell) for cells in top.values()), default=0)


def _checked(rows: Iterator[tuple[int, Cells]], merged: Sequence[tuple[int, int]], dialect: Dialect) -> Iterator[Cells]:
    """The rows between the header and the closing rows, each as wide as the header.

    ``merged`` is complete once ``rows`` has ended.
    """
    width, header = len(dialect.columns), len(dialect.lead) + 1
    last = header
    for number, cells in _between(rows, header, width, dialect):
        if len(cells) > width:
            raise IntakeError(
                f"expected {width} columns, came {len(cells)} (dialect {dialect.id})", where=f"row {number}"
            )
        last = number
        cells.extend([None] * (width - len(cells)))
        yield cells
    for first, end in merged:
        if first <= last and end >= header:
            raise IntakeError(f"merged cells in the table (dialect {dialect.id})", where=f"row {max(first, header)}")


def _between(
    rows: Iterator[tuple[int, Cells]], header: int, width: int, dialect: Dialect
) -> Iterator[tuple[int, Cells]]:
    """The rows after the header but the closing ones, which are checked. Blank rows at the end are no rows."""
    closing = len(dialect.trail)
    held: deque[tuple[int, Cells]] = deque()
    expected, count = header + 1, 0
    for number, cells in rows:
        _strip(cells, width)
        if number <= header or not any(cells):
            continue
        held.extend((blank, []) for blank in range(expected, min(number, expected + closing + 1)))
        held.append((number, cells))
        expected = number + 1
        while len(held) > closing:
            place, kept = held.popleft()
            if not kept:
                raise IntakeError(f"a blank row (dialect {dialect.id})", where=f"row {place}")
            count += 1
            yield place, kept
    texts = [" ".join(cell for cell in cells if cell) for _, cells in held]
    check_closing(texts, count, dialect, f"row {held[0][0] if held else expected}")


def _strip(cells: Cells, width: int) -> None:
    while len(cells) > width and not cells[-1]:
        cells.pop()


def _table(rows: list[Cells], positions: Mapping[str, int], wanted: Sequence[str], nulls: Sequence[str]) -> pa.Table:
    marks = pa.array(list(nulls), pa.string())
    nothing = pa.scalar(None, pa.string())
    names = list(wanted) or list(positions)[:1]
    table = {}
    for name in names:
        column = pa.array([row[positions[name]] for row in rows], pa.string())
        table[name] = pc.if_else(pc.is_in(column, value_set=marks), nothing, column)
    return pa.table(table).select(list(wanted))


def _rows(archive: zipfile.ZipFile, member: str, listener: Rows) -> Iterator[tuple[int, Cells]]:
    reader = Reader(listener)
    for block in stream(archive, member):
        reader.feed(block)
        yield from listener.take()
    reader.feed(b"", last=True)
    yield from listener.take()


def _top(archive: zipfile.ZipFile, member: str, strings: Sequence[str], count: int) -> Top:
    """The rows of a sheet that are among its ``count`` first, by number."""
    return dict(itertools.takewhile(lambda row: row[0] <= count, _rows(archive, member, Rows(strings))))


def _header(top: Top, lead: Sequence[str] = ()) -> list[str]:
    """The names in the row after those that match ``lead``; none where they do not."""
    for number, pattern in enumerate(lead, 1):
        if not re.fullmatch(pattern, " ".join(cell for cell in top.get(number, ()) if cell)):
            return []
    cells = list(top.get(len(lead) + 1, ()))
    _strip(cells, 0)
    return [cell or "" for cell in cells]


def _epoch(archive: zipfile.ZipFile) -> Literal[1900, 1904]:
    """The year from which the workbook counts days (ECMA-376 §18.2.28)."""
    listener = _Attributes("workbookPr")
    parse(stream(archive, _main_part(archive), MAX_SMALL_PART_BYTES), listener)
    return 1904 if any(found.get("date1904") in {"1", "true"} for found in listener.found) else 1900


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    listener = SharedStrings()
    for member in _targets(archive, _main_part(archive), "sharedStrings").values():
        parse(stream(archive, member, MAX_SHARED_STRINGS_BYTES), listener)
    return listener.strings


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name to member, in the workbook's order; chart sheets are left out."""
    main = _main_part(archive)
    listener = _Attributes("sheet")
    parse(stream(archive, main, MAX_SMALL_PART_BYTES), listener)
    if len(listener.found) > MAX_SHEETS:
        raise refuse(f"the workbook has more than {MAX_SHEETS} sheets")
    targets = _targets(archive, main, "worksheet")
    return {found.get("name", ""): targets[found["id"]] for found in listener.found if found.get("id") in targets}


def _main_part(archive: zipfile.ZipFile) -> str:
    found = list(_targets(archive, "", "officeDocument").values())
    if len(found) != 1 or found[0].startswith(("word/", "ppt/", "visio/")):
        raise refuse("the archive is not a workbook")
    if found[0].endswith(".bin"):
        raise refuse("expected a workbook in .xlsx, came one in .xlsb")
    return found[0]


def _targets(archive: zipfile.ZipFile, part: str, kind: str) -> dict[str, str]:
    """Relationship id to member, for the relationships of ``part`` whose type ends in ``kind`` (ECMA-376 part 2 §9)."""
    folder, _, name = part.rpartition("/")
    listener = _Attributes("Relationship")
    parse(stream(archive, posixpath.join(folder, "_rels", f"{name}.rels"), MAX_SMALL_PART_BYTES), listener)
    return {
        found.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, found["Target"])).lstrip("/")
        for found in listener.found
        if found.get("Type", "").endswith(f"/{kind}") and found.get("TargetMode") != "External" and "Target" in found
    }
