"""From text to typed columns: declared repairs, then strict typing. No value leaves in an error; what fails is named by row."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.identifiers import Digits, Mask, fitting, full_match
from contracts.rules import BETWEEN
from passerelle.contract import Column, Dialect, Failure, Kind
from passerelle.errors import OurWayError

SECRET = "*"  # noqa: S105  (the statistical secrecy mark of Kind.COUNT, not a secret)
ARROW: dict[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.CODE: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.DECIMAL: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.COUNT: pa.string(),
}
"""How each kind is typed once accepted; a count stays text because ``*`` is a value of its own."""

_INTEGER = r"-?[0-9]{1,18}"
_DECIMAL = {".": r"-?[0-9]{1,15}(?:\.[0-9]{1,20})?", ",": r"-?[0-9]{1,15}(?:,[0-9]{1,20})?"}
_COUNT = r"[0-9]{1,15}"
_TRUE, _FALSE = ("true", "oui", "o", "1"), ("false", "non", "n", "0")
_CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
_WIDTHS = {"Y": 4, "m": 2, "d": 2}
_MONTHS, _FIRST_YEAR, _NINE = 12, 1000, 9
_SPACE, _DELETE = 0x20, 0x7F


@dataclass(slots=True)
class Reading:
    """A batch once typed: the table, what failed to be typed, the repairs counted by name."""

    table: pa.Table
    failures: list[Failure] = field(default_factory=list)
    repairs: dict[str, int] = field(default_factory=dict)


def _one(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _numpy(mask: pa.Array) -> Mask:
    return pc.fill_null(mask, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]  # pyarrow has no types


def _layout(pattern: str) -> tuple[int, dict[str, int], list[tuple[int, str]]]:
    """Width of a fixed-width date pattern, where each field starts, and its literal characters."""
    fields: dict[str, int] = {}
    literals: list[tuple[int, str]] = []
    position = 0
    for part in re.findall(r"%.|.", pattern, flags=re.DOTALL):
        if part[0] == "%" and part[1:] in _WIDTHS and part[1:] not in fields:
            fields[part[1:]] = position
            position += _WIDTHS[part[1:]]
        elif part.isascii() and not part.startswith("%"):
            literals.append((position, part))
            position += 1
        else:
            raise OurWayError(f"a date format uses %Y, %m and %d once each and plain characters; {pattern!r} does not")
    if fields.keys() != _WIDTHS.keys():
        raise OurWayError(f"a date format needs %Y, %m and %d; {pattern!r} lacks one")
    return position, fields, literals


def _number(digits: Digits, start: int, width: int) -> npt.NDArray[np.int32]:
    value = np.zeros(digits.shape[1], dtype=np.int32)
    for row in digits[start : start + width]:
        value = value * 10 + row
    return value


def _days(digits: Digits, pattern: str) -> tuple[Mask, npt.NDArray[np.int32]]:
    """Which values are dates written as ``pattern``, and their days since 1970 (proleptic Gregorian, from 1000 on)."""
    _, fields, literals = _layout(pattern)
    ok: Mask = np.ones(digits.shape[1], dtype=np.bool_)
    for name, start in fields.items():
        ok &= (digits[start : start + _WIDTHS[name]] <= _NINE).all(axis=0)
    for position, literal in literals:
        ok &= digits[position] == np.uint8((ord(literal) - 48) % 256)
    year, month, day = (_number(digits, fields[name], _WIDTHS[name]) for name in "Ymd")
    ok &= (year >= _FIRST_YEAR) & (month >= 1) & (month <= _MONTHS) & (day >= 1)
    starts = _month_starts()
    month_number = (np.where(ok, year, _FIRST_YEAR) - _FIRST_YEAR) * _MONTHS + np.where(ok, month, 1) - 1
    first = starts[month_number]
    ok &= day <= starts[month_number + 1] - first
    return ok, first + day - 1


@functools.cache
def _month_starts() -> npt.NDArray[np.int32]:
    """Days since 1970 on which each month starts, from January 1000 to January 10000."""
    months = np.arange("1000-01", "10000-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)


def dates(column: pa.Array, formats: tuple[str, ...]) -> tuple[pa.Array, Mask]:
    """Days since 1970, and which non-null values are no date in any of ``formats`` (tried in that order).

    Strict: fixed width, so ``1/2/2024``, a time where none is declared, or ``31/02/2024`` is no date.
    """
    days = np.zeros(len(column), dtype=np.int32)
    done: Mask = np.zeros(len(column), dtype=np.bool_)
    present = _numpy(pc.is_valid(column))
    for pattern in formats:
        if (done | ~present).all():
            break
        fits, digits = fitting(column, _layout(pattern)[0])
        rows = np.arange(len(column)) if fits is None else np.flatnonzero(fits)
        ok, found = _days(digits, pattern)
        ok &= ~done[rows]
        days[rows[ok]] = found[ok]
        done[rows[ok]] = True
    return pa.array(days, mask=~done).view(pa.date32()), present & ~done


def _numbers(column: pa.Array, pattern: str, type_: pa.DataType) -> tuple[pa.Array, Mask]:
    good = full_match(column, pattern)
    wrong: Mask = _numpy(pc.is_valid(column)) & ~good
    kept = pc.if_else(pa.array(good), column, pa.scalar(None, column.type)) if wrong.any() else column
    if type_ == pa.float64():
        kept = pc.replace_substring(kept, ",", ".")
    return pc.cast(kept, type_), wrong


def _booleans(column: pa.Array) -> tuple[pa.Array, Mask]:
    lowered = pc.ascii_lower(column)
    yes = pc.is_in(lowered, value_set=pa.array(_TRUE, lowered.type))
    no = pc.is_in(lowered, value_set=pa.array(_FALSE, lowered.type))
    known = pc.or_(yes, no)
    wrong: Mask = _numpy(pc.is_valid(column)) & ~_numpy(known)
    return pc.if_else(known, yes, pa.scalar(None, pa.bool_())), wrong


def _counts(column: pa.Array, dialect: Dialect) -> tuple[pa.Array, Mask]:
    number = full_match(column, _COUNT)
    secret: Mask = np.zeros(len(column), dtype=np.bool_)
    if dialect.secrecy:
        secret = _numpy(pc.is_in(column, value_set=pa.array(dialect.secrecy, column.type)))
    wrong: Mask = _numpy(pc.is_valid(column)) & ~number & ~secret
    out = column
    if secret.any() and dialect.secrecy != (SECRET,):
        out = pc.if_else(pa.array(secret), pa.scalar(SECRET, column.type), out)
    if wrong.any():
        out = pc.if_else(pa.array(wrong), pa.scalar(None, column.type), out)
    return out, wrong


def _texts(column: pa.Array) -> tuple[pa.Array, Mask]:
    """Text as it is; control characters other than tab and line ends are found, first by one look at all bytes at once."""
    none: Mask = np.zeros(len(column), dtype=np.bool_)
    _, offsets, buffer = column.buffers()
    if buffer is None or len(column) == 0:
        return column, none
    first, last = np.frombuffer(offsets, dtype=np.int32)[[column.offset, column.offset + len(column)]]
    data = np.frombuffer(buffer, dtype=np.uint8)[first:last]
    if not data.size or (data.min() >= _SPACE and not (data == _DELETE).any()):
        return column, none
    return column, _numpy(pc.match_substring_regex(column, _CONTROL))


def _typed(column: pa.Array, kind: Kind, dialect: Dialect) -> tuple[pa.Array, Mask, str]:
    if kind is Kind.DATE:
        return *dates(column, dialect.date_formats), "date"
    if kind is Kind.INTEGER:
        return *_numbers(column, _INTEGER, pa.int64()), "integer"
    if kind is Kind.DECIMAL:
        return *_numbers(column, _DECIMAL[dialect.decimal], pa.float64()), "decimal"
    if kind is Kind.BOOLEAN:
        return *_booleans(column), "boolean"
    if kind is Kind.COUNT:
        return *_counts(column, dialect), "count"
    return *_texts(column), "text"


def _whole(column: pa.Array) -> tuple[pa.Array, int]:
    """Give back their writing to codes that became numbers with a decimal part (``11.0``), and count them."""
    written = full_match(column, r"[0-9]{1,14}\.0")
    repaired = int(written.sum())
    return (pc.replace_substring_regex(column, r"^([0-9]{1,14})\.0$", r"\1"), repaired) if repaired else (column, 0)


def _zero_filled(column: pa.Array, width: int) -> tuple[pa.Array, int]:
    """Give back their lost leading zeros to the numbers of ``column`` shorter than ``width``, and count them."""
    short = full_match(column, f"[0-9]{{1,{width - 1}}}") if width > 1 else np.zeros(len(column), dtype=np.bool_)
    repaired = int(short.sum())
    if not repaired:
        return column, 0
    return pc.if_else(pa.array(short), pc.utf8_lpad(column, width, "0"), column), repaired


def read(rows: pa.Table, columns: tuple[Column, ...], dialect: Dialect) -> Reading:
    """Type the text columns of ``rows`` as ``columns`` say; a column that the dialect does not have is null.

    Raises:
        OurWayError: ``rows`` has a column that the contract does not name, or the dialect declares an unusable date format.
    """
    if unknown := set(rows.column_names) - {column.name for column in columns}:
        raise OurWayError(f"a batch has {len(unknown)} columns that the contract does not name")
    reading = Reading(pa.table({}))
    reading.table = pa.table(dict(_columns(rows, columns, dialect, reading)))
    return reading


def _columns(
    rows: pa.Table, columns: tuple[Column, ...], dialect: Dialect, reading: Reading
) -> Iterator[tuple[str, pa.Array]]:
    for column in columns:
        if column.name not in rows.column_names:
            yield column.name, pa.nulls(rows.num_rows, ARROW[column.kind])
            continue
        text = _mended(rows[column.name], column.name, dialect, reading.repairs)
        if column.many:
            text, wrong = _listed(text, dialect.multivalue.get(column.name))
            _fail(reading, "list", column, wrong)
        typed, wrong, rule = _typed(text, column.kind, dialect)
        _fail(reading, rule, column, wrong)
        yield column.name, typed


def _fail(reading: Reading, rule: str, column: Column, wrong: Mask) -> None:
    if wrong.any():
        reading.failures.append(Failure(rule, column.name, np.flatnonzero(wrong).astype(np.int64)))


def _mended(column: pa.ChunkedArray, name: str, dialect: Dialect, repairs: dict[str, int]) -> pa.Array:
    """The column as one array of text, with its lost leading zeros where ``dialect`` declares that repair."""
    text = _one(column)
    if text.type != pa.string():
        text = pc.cast(text, pa.string())
    if name not in dialect.zero_fill:
        return text
    text, whole = _whole(text)
    text, filled = _zero_filled(text, dialect.zero_fill[name])
    made = {f"whole_number:{name}": whole, f"zero_fill:{name}": filled}
    repairs |= {repair: count for repair, count in made.items() if count}
    return text


def _listed(column: pa.Array, mark: str | None) -> tuple[pa.Array, Mask]:
    """Lists with ``;`` between their values, and which cells cannot be cut at ``mark`` without loss (null then)."""
    wrong: Mask = np.zeros(len(column), dtype=np.bool_)
    if mark != BETWEEN:
        wrong |= _numpy(pc.match_substring(column, BETWEEN))
    if mark is not None:
        empty = pc.or_(pc.starts_with(column, mark), pc.ends_with(column, mark))
        wrong |= _numpy(pc.or_(empty, pc.match_substring(column, mark + mark)))
    if wrong.any():
        column = pc.if_else(pa.array(wrong), pa.scalar(None, column.type), column)
    if mark not in {None, BETWEEN}:
        column = pc.replace_substring(column, mark, BETWEEN)
    return column, wrong


def compared(rows: pa.Table, columns: tuple[Column, ...], dialect: Dialect) -> pa.Table:
    """``columns`` of ``rows`` as keys are compared: text, repaired, and in one writing where the dialect allows several.

    A value that cannot be typed is null: its row is rejected, so nothing may be said of its key.
    """
    return pa.table({column.name: _comparable(rows[column.name], column, dialect) for column in columns})


def _comparable(column: pa.ChunkedArray, means: Column, dialect: Dialect) -> pa.Array:
    text = _mended(column, means.name, dialect, {})
    if means.kind in {Kind.TEXT, Kind.CODE} or (means.kind is Kind.DATE and len(dialect.date_formats) == 1):
        return text
    typed, _, _ = _typed(text, means.kind, dialect)
    return pc.cast(typed, pa.string())
