"""The extract as people read it in a spreadsheet: a copy in which no cell is a formula (OWASP, CSV injection).

UTF-8 with a byte-order mark, semicolons and CRLF, every cell in quotes: what a French or Swiss Excel opens by itself. A cell that begins
as a formula does gets an apostrophe before it, which spreadsheets show as text. Numbers stay numbers, negative ones too. The
machine format is left as it is.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from passerelle.errors import ParcelError
from passerelle.formulas import STARTS, as_shown
from passerelle.keys.files import sync_folder

NAME: Final = "extract.people.csv"
BLOCK_BYTES: Final = 8 << 20  # of the extract read at a time; a longer row is refused
_NUMBER: Final = r"^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
NUMERIC: Final = frozenset({"integer", "number"})


def write_for_people(extract: Path, types: Sequence[str], delimiter: str = ",") -> tuple[Path, int]:
    """Write ``extract.people.csv`` beside ``extract``; gives its path and how many cells were neutralised.

    Args:
        extract: the opened extract, CSV with a header, as its manifest says.
        types: the type of each of its fields in the manifest.
        delimiter: as the manifest says.

    Raises:
        ParcelError: the file is not CSV with these columns, or a row is longer than ``BLOCK_BYTES``.
    """
    path = extract.with_name(NAME)
    temporary = path.with_name(f".{NAME}.part")
    changed = 0
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for place, batch in enumerate(_batches(extract, delimiter)):
                if batch.num_columns != len(types):
                    raise ParcelError(f"expected {len(types)} columns", where=extract.name)
                table, cells = neutralised(batch, types)
                file.write(_written(table, header=place == 0))
                changed += cells
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return path, changed


def neutralised(batch: pa.Table, types: Sequence[str]) -> tuple[pa.Table, int]:
    """``batch`` (text columns) with an apostrophe before each cell, and column name, that begins as a formula does; how many cells.

    In a column whose type is a number, what is written as a number is none.
    """
    import polars as pl

    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 -- a table gives a frame
    cells, changed = [], 0
    for name, kind in zip(frame.columns, types, strict=True):
        column = frame.get_column(name)
        formula = column.str.contains(STARTS)
        if kind in NUMERIC:
            formula &= ~column.str.contains(_NUMBER)
        changed += int(formula.sum() or 0)
        apostrophes = pl.Series(["", "'"]).gather(formula.fill_null(value=False).cast(pl.UInt32))
        cells.append((apostrophes + column).alias(as_shown(name)))
    return pl.DataFrame(cells).to_arrow(), changed


def _batches(extract: Path, delimiter: str) -> Iterator[pa.Table]:
    """The rows of ``extract`` as text, at least one batch."""
    from pyarrow import csv

    header = _header(extract, delimiter)
    reading = csv.ReadOptions(block_size=BLOCK_BYTES, column_names=header, skip_rows_after_names=1)
    parsing = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    typing = csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False)
    empty = pa.table({name: pa.array([], pa.string()) for name in header})
    failed = False
    try:
        with csv.open_csv(extract, reading, parsing, typing) as reader:
            yield empty
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except (pa.ArrowInvalid, UnicodeDecodeError):  # its message may hold a row
        failed = True
    if failed:
        raise ParcelError(f"expected CSV with {len(header)} columns", where=extract.name)


def _header(extract: Path, delimiter: str) -> list[str]:
    import csv

    with extract.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file, delimiter=delimiter), [])


def _written(table: pa.Table, *, header: bool) -> bytes:
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 -- a table gives a frame
    output = io.BytesIO()
    frame.write_csv(
        output, include_header=header, include_bom=header, separator=";", line_terminator="\r\n", quote_style="always"
    )
    return output.getvalue()
