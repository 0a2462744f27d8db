"""The readers of each format, and which declared dialect a file is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import delimited, jsonrows, workbook, xmlrows
from passerelle.intake.chunks import Parsed
from passerelle.intake.content import Content, See
from passerelle.intake.limits import MAX_ENVELOPE_BYTES, MAX_HEADER_BYTES, MAX_RECORD_BYTES
from passerelle.intake.recognise import choose, is_workbook, kind_of

Rows = Callable[[list[str], See | None], Iterator[Parsed]]
"""Reads the rows: the columns that are wanted, and who sees the bytes as received."""
Header = Sequence[str | None] | None


def recognised(content: Content, dialects: Sequence[Dialect]) -> tuple[Dialect, Rows]:
    """The one of ``dialects`` that the file is in, and what reads its rows.

    Raises:
        IntakeError: it is empty, in a packing that is not declared, or in none or several of the dialects.
        UsageError: a dialect that cannot be carried out.
    """
    allowed = [dialect for dialect in dialects if content.packing in dialect.packings]
    if not allowed:
        declared = sorted({packing for dialect in dialects for packing in dialect.packings})
        raise IntakeError(f"expected a file packed as {' or '.join(declared)}, came {content.packing}", where="input")
    head = content.head(MAX_HEADER_BYTES)
    if not head:
        raise IntakeError("expected a header, came an empty file", where="input")
    if is_workbook(head):
        return _workbook(content, allowed, head)
    found: dict[str, tuple[Header, Rows]] = {}
    for dialect in allowed:
        found[dialect.id] = _reading(content, dialect, head, alone=len(allowed) == 1)
    dialect = choose([(dialect, found[dialect.id][0]) for dialect in allowed], head)
    return dialect, found[dialect.id][1]


def _workbook(content: Content, dialects: Sequence[Dialect], head: bytes) -> tuple[Dialect, Rows]:
    workbooks = [dialect for dialect in dialects if dialect.format == "xlsx"]
    if not workbooks:
        return choose([(dialect, None) for dialect in dialects], head), _no_rows
    dialect, sheet = workbook.recognise(content.file, workbooks)
    return dialect, partial(workbook.read, content, sheet, dialect)


def _reading(content: Content, dialect: Dialect, head: bytes, *, alone: bool) -> tuple[Header, Rows]:
    if dialect.format == "csv":
        names, start = delimited.header_names(head, dialect)
        return names, partial(delimited.read, content, dialect, start)
    if dialect.format == "jsonl":
        header, start = jsonrows.line_header(content.head(MAX_ENVELOPE_BYTES + MAX_RECORD_BYTES), dialect)
        return header, partial(jsonrows.read_lines, content, dialect, start)
    if dialect.format == "json":
        alone = alone and kind_of(head) == "JSON"
        return _header(partial(jsonrows.header, content, dialect), alone=alone), partial(
            jsonrows.read, content, dialect
        )
    if dialect.format == "xml":
        alone = alone and kind_of(head).startswith("XML")
        return _header(partial(xmlrows.header, content, dialect), alone=alone), partial(xmlrows.read, content, dialect)
    return None, _no_rows


def _header(read: Callable[[], Header], *, alone: bool) -> Header:
    """What a document is recognised by; where no other dialect may be meant, its first fault is the answer."""
    try:
        return read()
    except IntakeError:
        if alone:
            raise
    return None


def _no_rows(_wanted: list[str], _see: See | None) -> Iterator[Parsed]:
    return iter(())
