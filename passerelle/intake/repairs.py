"""Declared repairs of cells: vectorised, counted by column, and none that is not declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Dialect

_NO_BREAK: Final = "[\u00a0\u202f]"
_SERIAL: Final = "^[1-9][0-9]{0,6}$"
_LAST_SERIAL: Final = 2_958_465
"""31 December 9999 in Excel's count from 1900."""
_NO_DAY: Final = 60
"""Excel's 29 February 1900, which never was (ECMA-376 §18.17.4.1); days before it count from a day later."""
_EPOCHS: Final = {1900: -25_569, 1904: -24_107}
"""Day 0 of each count, as days from 1970."""


def mended(table: pa.Table, dialect: Dialect, repairs: Counter[str]) -> pa.Table:
    """``table`` with the repairs that ``dialect`` declares, in the order nbsp, trim, serial_date; counted ``name:column``."""
    if dialect.nbsp:
        table = _each(table, table.column_names, "nbsp", _plain_spaces, repairs)
    if dialect.trim:
        table = trimmed(table, dialect.nulls, repairs)
    if dialect.serial_dates:
        names = [name for name in table.column_names if name in dialect.serial_dates]
        table = _each(table, names, "serial_date", lambda column: _dated(column, dialect), repairs)
    return table


Repair = Callable[[pa.ChunkedArray], tuple[pa.ChunkedArray, int]]


def _each(table: pa.Table, names: Sequence[str], repair: str, mend: Repair, repairs: Counter[str]) -> pa.Table:
    for name in names:
        after, count = mend(table[name])
        if count:
            repairs[f"{repair}:{name}"] += count
            table = table.set_column(table.column_names.index(name), name, after)
    return table


def _plain_spaces(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    count = pc.sum(pc.match_substring_regex(column, _NO_BREAK)).as_py()
    return (pc.replace_substring_regex(column, _NO_BREAK, " "), count) if count else (column, 0)


def _dated(column: pa.ChunkedArray, dialect: Dialect) -> tuple[pa.ChunkedArray, int]:
    """Excel's day numbers as dates of the dialect's first format; every other text stays as it is."""
    digits = pc.match_substring_regex(column, _SERIAL)
    number = pc.cast(pc.if_else(digits, column, pa.scalar(None, pa.string())), pa.int32())
    known = pc.less_equal(number, _LAST_SERIAL)
    days = pc.add(number, _EPOCHS[dialect.serial_epoch])
    if dialect.serial_epoch == 1900:  # noqa: PLR2004 -- the count that has a day too many
        known = pc.and_(known, pc.not_equal(number, _NO_DAY))
        days = pc.add(days, pc.cast(pc.less(number, _NO_DAY), pa.int32()))
    known = pc.fill_null(known, False)
    count = pc.sum(known).as_py()
    if not count:
        return column, 0
    text = pc.strftime(pc.cast(pc.cast(days, pa.int32()), pa.date32()), format=dialect.date_formats[0], locale="C")
    return pc.if_else(known, text, column), count


def trimmed(table: pa.Table, nulls: Sequence[str], repairs: Counter[str]) -> pa.Table:
    """Drop the whitespace around each cell, Unicode's included, and count the cells that had some."""
    marks = pa.array(list(nulls), pa.string())
    for place, name in enumerate(table.column_names):
        before = table[name]
        after = pc.utf8_trim_whitespace(before)
        count = pc.sum(pc.not_equal(pc.binary_length(before), pc.binary_length(after))).as_py()
        if count:
            repairs[f"trim:{name}"] += count
            after = pc.if_else(pc.is_in(after, value_set=marks), pa.scalar(None, pa.string()), after)
            table = table.set_column(place, name, after)
    return table
