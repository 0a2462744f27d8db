"""The extract as machines read it: CSV per RFC 4180, UTF-8, a header, CRLF, ISO dates, a decimal point, ``*`` kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from passerelle.errors import UsageError

_LINE_END: Final = "\r\n"
FORMULA_STARTS: Final = b"=+-@\t\r"
_STARTS_FORMULA: Final = np.isin(np.arange(256), np.frombuffer(FORMULA_STARTS, np.uint8))


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
        """How many text cells of each column begin with ``=``, ``+``, ``-``, ``@``, TAB or CR (columns that have some)."""
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
    encoded = None if _has_empty_text(table) else _unquoted(table)
    return _quoted_where_needed(table) if encoded is None else encoded


def _unquoted(table: pa.Table) -> bytes | None:
    """Pyarrow's own writing, the fast way; None where a cell needs quotes (its message, which has the cell, is dropped)."""
    output = pa.BufferOutputStream()
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none", eol=_LINE_END)
    try:
        arrow_csv.write_csv(table, output, options)
    except pa.ArrowInvalid:
        return None
    encoded: bytes = output.getvalue().to_pybytes()
    return encoded


def _has_empty_text(table: pa.Table) -> bool:
    texts = (
        column for column in table.columns if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    )
    return any(pc.min(pc.binary_length(column)).as_py() == 0 for column in texts)


def _quoted_where_needed(table: pa.Table) -> bytes:
    columns = []
    for column in table.columns:
        text = column.cast(pa.large_string())
        needed = pc.or_(pc.match_substring_regex(text, r'[",\r\n]'), pc.equal(pc.binary_length(text), 0))
        if pc.any(needed).as_py():
            doubled = pc.replace_substring(text, '"', '""')
            text = pc.if_else(needed, pc.binary_join_element_wise(_large('"'), doubled, _large('"'), _large("")), text)
        columns.append(text)
    rows = pc.binary_join_element_wise(*columns, _large(","), null_handling="replace", null_replacement="")
    ended = pc.binary_join_element_wise(rows, _large(""), _large(_LINE_END))
    return b"".join(chunk.buffers()[2].to_pybytes() for chunk in ended.chunks)


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _formulas(chunk: pa.Array) -> int:
    if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
        return 0
    _, offsets_buffer, data = chunk.buffers()
    if data is None or not len(chunk):
        return 0
    width = np.dtype(np.int64 if pa.types.is_large_string(chunk.type) else np.int32)
    offsets = np.frombuffer(offsets_buffer, width)[chunk.offset : chunk.offset + len(chunk) + 1]
    first = offsets[:-1][offsets[1:] > offsets[:-1]]
    return int(_STARTS_FORMULA[np.frombuffer(data, np.uint8)[first]].sum())
