"""Office Open XML workbooks (ECMA-376), row by row: the sheet is never in memory, only its table of shared strings.

Cells come out as text: numbers without ".0", booleans as 1 or 0, errors and cached results of formulas as written; nothing
is evaluated and no link is followed. Dates are Excel's serial numbers here: turning them into dates is the contract's part.
"""

from __future__ import annotations

import itertools
import math
import posixpath
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake.archive import Opener, open_archive, refuse, stream
from passerelle.intake.cells import Cells, Rows, SharedStrings
from passerelle.intake.chunks import Parsed
from passerelle.intake.content import Content, See
from passerelle.intake.limits import (
    BATCH_ROWS,
    MAX_SHARED_STRINGS_BYTES,
    MAX_SHEETS,
    MAX_SMALL_PART_BYTES,
)
from passerelle.intake.markup import Reader, local, parse
from passerelle.intake.recognise import WORKBOOK, choose, first_difference


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the rows are: the archive's member."""

    member: str


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
    with open_archive(opener) as archive:
        strings = _shared_strings(archive)
        sheets = {name: (member, _header(archive, member, strings)) for name, member in _sheets(archive).items()}
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
    return dialect, places[dialect.id][0]


def _candidates(sheets: Mapping[str, tuple[str, Cells]], dialect: Dialect) -> list[tuple[str, Cells]]:
    return [found for name, found in sheets.items() if dialect.sheet in {None, name} and found[1]]


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
        rows = _checked(_rows(archive, sheet.member, _shared_strings(archive)), dialect)
        while kept := list(itertools.islice(rows, BATCH_ROWS)):
            yield _table(kept, positions, wanted, dialect.nulls)


def preview(opener: Opener, limit: int) -> tuple[int, int, list[Cells], bool]:
    """How many sheets there are, which has the widest first row (from 1), its first rows, and whether these are all."""
    with open_archive(opener) as archive:
        strings = _shared_strings(archive)
        members = list(_sheets(archive).values())
        widths = [len(_header(archive, member, strings)) for member in members]
        if not any(widths):
            return len(members), 0, [], True
        best = max(range(len(members)), key=lambda place: widths[place])
        rows = [cells for _, cells in itertools.islice(_rows(archive, members[best], strings), limit + 1)]
        return len(members), best + 1, rows[:limit], len(rows) <= limit


def _checked(rows: Iterator[tuple[int, Cells]], dialect: Dialect) -> Iterator[Cells]:
    """The rows after the header, each as wide as it."""
    width = len(dialect.columns)
    previous, blank = 1, 0
    for number, cells in rows:
        if number > previous + 1:
            blank = blank or previous + 1
        previous = number
        _strip(cells, width)
        if not any(cells):
            blank = blank or number
            continue
        if number == 1:
            continue
        if blank:
            raise IntakeError(f"a blank row (dialect {dialect.id})", where=f"row {blank}")
        if len(cells) > width:
            raise IntakeError(
                f"expected {width} columns, came {len(cells)} (dialect {dialect.id})", where=f"row {number}"
            )
        cells.extend([None] * (width - len(cells)))
        yield cells


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


def _rows(archive: zipfile.ZipFile, member: str, strings: Sequence[str]) -> Iterator[tuple[int, Cells]]:
    listener = Rows(strings)
    reader = Reader(listener)
    for block in stream(archive, member):
        reader.feed(block)
        yield from listener.take()
    reader.feed(b"", last=True)
    yield from listener.take()


def _header(archive: zipfile.ZipFile, member: str, strings: Sequence[str]) -> Cells:
    number, cells = next(_rows(archive, member, strings), (1, []))
    _strip(cells, 0)
    return cells if number == 1 else []


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
    if len(found) != 1:
        raise refuse("the archive is not a workbook")
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
