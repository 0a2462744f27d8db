"""The extract as machines read it: CSV per RFC 4180, UTF-8, a header, CRLF, ISO dates, a decimal point, ``*`` kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from passerelle.errors import UsageError
from passerelle.formulas import is_formula

_LINE_END: Final = "\r\n"
_LEADS: Final = b"\xc2\xe1\xe2\xe3\xef"  # in UTF-8, of spaces, marks of the byte order and full-width signs
_MAY_START: Final = np.array(
    [byte in _LEADS or (bytes([byte]).isascii() and is_formula(f"{byte:c}=")) for byte in range(256)]
)
"""First bytes of cells that may be formulas."""


def select(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The columns that the exchange allows, in its order.

    Raises:
        UsageError: no column (an empty list allows nothing), or one that the batch has not.
    """
    if not columns:
        raise UsageError("an extract needs at least one allowed column")
    if unknown := [name for name in columns if name not in table.column_names]:
        raise UsageError(f"the batch has no column {', '.join(unknown)}")
    return table.select(list(columns))


class CsvSink:
    """Writes tables of one schema as one CSV file. Nulls are empty, empty texts are ``""``.

    A cell that a spreadsheet would take for a formula is written as it is, for machines, and counted in ``formulas``.
    """

    def __init__(self, write: Callable[[bytes], object], columns: Sequence[str]) -> None:
        if not columns:
            raise UsageError("an extract needs at least one column")
        self._write = write
        self._columns = list(columns)
        self._formulas = dict.fromkeys(self._columns, 0)
        self._rows = 0
        header = io.StringIO()
        csv.writer(header, lineterminator=_LINE_END).writerow(self._columns)
        write(header.getvalue().encode())

    @property
    def rows(self) -> int:
        """How many rows were written."""
        return self._rows

    @property
    def formulas(self) -> Mapping[str, int]:
        """How many text cells of each column a spreadsheet would take for formulas (columns that have some)."""
        return {name: count for name, count in self._formulas.items() if count}

    def write(self, table: pa.Table) -> None:
        """Append the rows of ``table``.

        Raises:
            UsageError: its columns are not the sink's, in order.
        """
        if table.column_names != self._columns:
            raise UsageError("the table's columns are not those of the extract")
        if not table.num_rows:
            return
        for name in self._columns:
            self._formulas[name] += sum(_formulas(chunk) for chunk in table[name].chunks)
        self._rows += table.num_rows
        self._write(_encoded(table))


def _encoded(table: pa.Table) -> bytes:
    """The rows of ``table``: the same bytes however a file was cut into tables, for only cells that need quotes have them."""
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 -- a table gives a frame
    output = io.BytesIO()
    frame.write_csv(output, include_header=False, line_terminator=_LINE_END, quote_style="necessary")
    return output.getvalue()


def _formulas(chunk: pa.Array) -> int:
    if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
        return 0
    _, offsets_buffer, data = chunk.buffers()
    if data is None or not len(chunk):
        return 0
    width = np.dtype(np.int64 if pa.types.is_large_string(chunk.type) else np.int32)
    offsets = np.frombuffer(offsets_buffer, width)[chunk.offset : chunk.offset + len(chunk) + 1]
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    candidates = filled[_MAY_START[np.frombuffer(data, np.uint8)[offsets[filled]]]]
    return sum(map(is_formula, chunk.take(pa.array(candidates)).to_pylist())) if len(candidates) else 0
