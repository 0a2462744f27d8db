"""CSV, strictly: bytes to text columns, chunk by chunk; the chunks of a file are independent of one another.

The parser is pyarrow's. It is lenient where a partner's file must not be (blank lines become rows of nulls, quotes may stand
anywhere, a byte order mark is dropped at the head of any chunk), so ``scan`` looks at the bytes first.
"""

from __future__ import annotations

import csv
import functools
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from passerelle.contract import Dialect
from passerelle.intake.chunks import Parsed, opening, rows_of
from passerelle.intake.content import Content, See
from passerelle.intake.scan import BOM, CR, LF, SWAP, Fault, Records, Rules, examine, first_record_end, widths

_DROPPED: Final = "\0{}"
ASCII_LAST: Final = 0x7F


def header_names(head: bytes, dialect: Dialect) -> tuple[list[str] | None, int]:
    """The names in the first record of ``head`` as ``dialect`` reads them (None: it cannot), and where the rows begin.

    Without a header, the names are the declared ones where the first record has as many fields and is not the names.
    """
    rules = Rules.of(dialect)
    if dialect.line_end == "cr":
        head = head.translate(SWAP)
    start = opening(head, dialect)
    if start is None:
        return None, 0
    end = start + first_record_end(head[start:], rules)
    # csv.reader ends a record at a CR alone: without this check the lines of such a file would be taken for its header.
    if isinstance(examine(head[start:end], rules), Fault):
        return None, 0
    names = _fields(head[start:end], dialect, rules.codec)
    if dialect.header or names is None:
        return names, end
    declared = list(dialect.columns)
    return (declared, start) if len(names) == len(declared) and names != declared else (None, 0)


def _fields(record: bytes, dialect: Dialect, codec: str) -> list[str] | None:
    try:
        reader = csv.reader(
            io.StringIO(record.decode(codec), newline=""),
            delimiter=dialect.separator,
            quotechar=dialect.quote,
            escapechar=dialect.escape,
            quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
            strict=True,
        )
        return next(reader, None)
    except (UnicodeDecodeError, csv.Error):
        return None


def read(content: Content, dialect: Dialect, start: int, wanted: Sequence[str], see: See | None) -> Iterator[Parsed]:
    """The rows of a CSV file that begin at byte ``start``.

    Raises:
        IntakeError: the bytes are not what ``dialect`` declares.
    """
    return rows_of(content, dialect, start, see, ChunkParser(dialect, wanted))


class ChunkParser:
    """Reads chunks of one dialect; holds no state between them, so that threads may share it."""

    def __init__(self, dialect: Dialect, wanted: Sequence[str]) -> None:
        self._rules = Rules.of(dialect)
        self._wanted = list(wanted)
        names = [target or _DROPPED.format(place) for place, target in enumerate(dialect.columns.values())]
        self._names = names
        self._dialect = dialect
        self._convert = arrow_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(dialect.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            include_columns=self._wanted or names[:1],
        )

    def __call__(self, raw: bytes) -> Parsed | Fault:
        """The text columns of ``raw``, or its first fault."""
        records = examine(raw, self._rules)
        if isinstance(records, Fault):
            return records
        repairs = Counter(blank_lines=records.blank)
        table = self._parse(raw)
        if table is None and self._dialect.short_rows:
            raw, repairs["short_rows"] = self._lengthened(raw, records)
            table = self._parse(raw)
        if table is None or table.num_rows != len(records.starts):
            return self._ragged(raw, records)
        if self._rules.codec not in {"utf-8", "ascii"}:
            table = pa.table({name: to_utf8(table[name], self._rules.codec) for name in table.column_names})
        if self._dialect.line_end == "cr" and (b"\r" in raw or len(records.line_ends) > len(records.starts)):
            table = pa.table({name: _swapped(table[name]) for name in table.column_names})
        return Parsed(table.select(self._wanted), len(records.line_ends), +repairs)

    def _parse(self, raw: bytes) -> pa.Table | None:
        """What pyarrow reads; None where a row is ragged. Its own message, which quotes the row, goes no further."""
        guarded = BOM + raw if raw.startswith(BOM) else raw
        quote, escape = self._dialect.quote, self._dialect.escape
        try:
            return arrow_csv.read_csv(
                pa.BufferReader(guarded),
                arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(guarded) + 1),
                arrow_csv.ParseOptions(
                    delimiter=self._dialect.separator,
                    quote_char=quote if quote is not None else False,
                    double_quote=quote is not None,
                    escape_char=escape if escape is not None else False,
                    newlines_in_values=quote is not None or escape is not None,
                    ignore_empty_lines=self._dialect.blank_lines,
                ),
                self._convert,
            )
        except pa.ArrowInvalid:
            return None

    def _lengthened(self, raw: bytes, records: Records) -> tuple[bytes, int]:
        """``raw`` with the separators that its short records lack, and how many records those are."""
        lacking = len(self._names) - widths(raw, records, self._rules)
        short = (lacking > 0) & (lacking <= self._dialect.short_rows)
        array = np.frombuffer(raw, np.uint8)
        ends = records.ends[short]
        for mark in (LF, CR):
            ends = ends - (array[ends - 1] == mark)
        return np.insert(array, np.repeat(ends, lacking[short]), self._rules.separator).tobytes(), int(short.sum())

    def _ragged(self, raw: bytes, records: Records) -> Fault:
        # Not pyarrow's invalid_row_handler: it decodes the row as UTF-8 and prints to stderr where it cannot.
        again = examine(raw, self._rules)
        came = widths(raw, again if isinstance(again, Records) else records, self._rules)
        wrong = np.flatnonzero(came != len(self._names))
        if not len(wrong):
            return Fault("rows that cannot be told apart", 1)
        line = records.line(int(records.starts[wrong[0]]))
        return Fault(f"expected {_columns(len(self._names))}, came {came[wrong[0]]}", line)


def _swapped(column: pa.ChunkedArray) -> pa.Array:
    """Text with CR and LF exchanged."""
    array = pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    validity, offsets, data = array.buffers()
    if data is None:
        return array
    text = pa.py_buffer(data.to_pybytes().translate(SWAP))
    return pa.StringArray.from_buffers(len(array), offsets, text, validity, array.null_count, array.offset)


def _columns(count: int) -> str:
    return f"{count} column" if count == 1 else f"{count} columns"


@functools.cache
def _extra_bytes(codec: str) -> npt.NDArray[np.int64]:
    """For each byte of ``codec``, how many more bytes its character takes in UTF-8."""
    text = [bytes([byte]).decode(codec, "replace") for byte in range(256)]
    return np.array([len(character.encode()) - 1 for character in text], np.int64)


@functools.cache
def _as_latin(codec: str) -> npt.NDArray[np.bool_]:
    """Which bytes mean in ``codec`` what they mean in ISO 8859-1, which is decoded by copying."""
    return np.array([bytes([byte]).decode(codec, "replace") == chr(byte) for byte in range(256)])


def to_utf8(column: pa.ChunkedArray, codec: str) -> pa.Array:
    """Text whose bytes are in a single-byte ``codec``, as UTF-8; columns of ASCII are given back untouched."""
    array = pa.concat_arrays(column.chunks) if column.num_chunks != 1 else column.chunk(0)
    _, offsets_buffer, data = array.buffers()
    if data is None:
        return array
    offsets = np.frombuffer(offsets_buffer, np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    raw = bytes(memoryview(data)[offsets[0] : offsets[-1]])
    if raw.isascii():
        return array
    octets = np.frombuffer(raw, np.uint8)
    high = np.flatnonzero(octets > ASCII_LAST)
    grown = np.concatenate((np.zeros(1, np.int64), np.cumsum(_extra_bytes(codec)[octets[high]])))
    begins = offsets - offsets[0]
    moved = (begins + grown[np.searchsorted(high, begins)]).astype(np.int32)
    validity = array.is_valid().buffers()[1] if array.null_count else None
    text = raw.decode("iso-8859-1" if _as_latin(codec)[octets[high]].all() else codec).encode()
    return pa.StringArray.from_buffers(len(array), pa.py_buffer(moved), pa.py_buffer(text), validity, array.null_count)
