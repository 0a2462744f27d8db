"""The strict look at raw bytes: what must hold before a parser may read them (RFC 4180, and what the dialect declares).

Works on bytes in any ASCII-compatible encoding and on whole records, so that a chunk always begins outside quotes.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from passerelle.contract import Dialect
from passerelle.errors import UsageError
from passerelle.intake.limits import KIB, MAX_RECORD_BYTES

Positions = npt.NDArray[np.int64]

LF: Final = 0x0A
CR: Final = 0x0D
BOM: Final = codecs.BOM_UTF8

ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "ascii",
    "cp1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "mac-roman": "mac-roman",
}
"""Declared encoding to Python codec. ``utf-8-sig`` requires the byte order mark, every other refuses it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some bytes, never the bytes: ``line`` and ``byte`` count from 1, within the chunk."""

    message: str
    line: int
    byte: int = 1


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of a chunk begin and where its lines end."""

    starts: Positions
    line_ends: Positions

    def line(self, offset: int) -> int:
        """The line of ``offset``, from 1."""
        return int(np.searchsorted(self.line_ends, offset)) + 1


@dataclass(frozen=True, slots=True)
class Rules:
    """A CSV dialect as bytes."""

    separator: int
    quote: int | None
    line_end: str
    codec: str
    undefined: bytes

    @classmethod
    def of(cls, dialect: Dialect) -> Rules:
        """Raises UsageError when the dialect itself cannot be carried out."""
        if dialect.encoding not in ENCODINGS:
            raise UsageError(
                f"dialect {dialect.id}: encoding {dialect.encoding} is not one of {', '.join(sorted(ENCODINGS))}"
            )
        marks = [dialect.separator] if dialect.quote is None else [dialect.separator, dialect.quote]
        if any(len(mark) != 1 or not mark.isascii() or mark in "\r\n\0" for mark in marks) or len(set(marks)) < len(
            marks
        ):
            raise UsageError(f"dialect {dialect.id}: separator and quote must be two different ASCII characters")
        codec = ENCODINGS[dialect.encoding]
        single = codec not in {"utf-8", "ascii"}
        if single and not all(mark.isascii() for mark in dialect.nulls):
            raise UsageError(f"dialect {dialect.id}: null marks must be ASCII where the encoding is {dialect.encoding}")
        return cls(
            separator=ord(dialect.separator),
            quote=None if dialect.quote is None else ord(dialect.quote),
            line_end=dialect.line_end,
            codec=codec,
            undefined=bytes(i for i in range(128, 256) if not _defined(i, codec)) if single else b"",
        )


def _defined(byte: int, codec: str) -> bool:
    try:
        bytes([byte]).decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def records_end(data: bytes, quote: int | None) -> int:
    """Where the last whole record of ``data`` ends (0: there is none). ``data`` begins at a record."""
    if quote is None or quote not in data:
        return data.rfind(b"\n") + 1
    array = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(array == quote)
    lines = np.flatnonzero(array == LF)
    outside = lines[np.searchsorted(quotes, lines) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def first_record_end(data: bytes, quote: int | None) -> int:
    """Where the first record of ``data`` ends (all of it, when no line end is found)."""
    end = data.find(b"\n")
    while quote is not None and end >= 0 and data.count(quote, 0, end) % 2:
        end = data.find(b"\n", end + 1)
    return end + 1 if end >= 0 else len(data)


def examine(raw: bytes, rules: Rules) -> Records | Fault:
    """Check the records in ``raw`` and say where they begin, or what is wrong first."""
    array = np.frombuffer(raw, np.uint8)
    lines = np.flatnonzero(array == LF)
    found = _bad_bytes(raw, rules)
    if found is not None:
        return _fault(*found, lines)
    ends = lines
    quotes = np.empty(0, np.int64)
    if rules.quote is not None and rules.quote in raw:
        quotes = np.flatnonzero(array == rules.quote)
        found = _misplaced_quote(array, quotes, rules)
        if found is not None:
            return _fault(*found, lines)
        ends = lines[np.searchsorted(quotes, lines) % 2 == 0]
    found = _wrong_line_end(array, ends, quotes, rules.line_end) if CR in raw or rules.line_end == "crlf" else None
    if found is not None:
        return _fault(*found, lines)
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
    if starts[-1] == len(raw):
        starts = starts[:-1]
    found = _wrong_length(array, starts)
    return Records(starts, lines) if found is None else _fault(*found, lines)


def widths(raw: bytes, records: Records, rules: Rules) -> Positions:
    """How many fields each record of ``raw`` has."""
    array = np.frombuffer(raw, np.uint8)
    separators = np.flatnonzero(array == rules.separator)
    if rules.quote is not None:
        quotes = np.flatnonzero(array == rules.quote)
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    bounds = np.append(records.starts, len(raw))
    return np.diff(np.searchsorted(separators, bounds)) + 1


def _fault(message: str, offset: int, lines: Positions) -> Fault:
    before = int(np.searchsorted(lines, offset))
    line_start = int(lines[before - 1]) + 1 if before else 0
    return Fault(message, before + 1, offset - line_start + 1)


def _bad_bytes(raw: bytes, rules: Rules) -> tuple[str, int] | None:
    if (at := raw.find(b"\0")) >= 0:
        return "a NUL byte", at
    if raw.isascii():
        return None
    if rules.undefined:
        places = [at for byte in rules.undefined if (at := raw.find(byte)) >= 0]
        return (f"a byte that {rules.codec} does not define", min(places)) if places else None
    if rules.codec == "utf-8" and _is_utf8(raw):
        return None
    if rules.codec not in {"utf-8", "ascii"}:
        return None
    try:
        raw.decode(rules.codec)
    except UnicodeDecodeError as error:
        at = error.start
    return f"bytes that are not {rules.codec}", at


def _is_utf8(raw: bytes) -> bool:
    offsets = pa.py_buffer(np.array([0, len(raw)], np.int64))
    text = pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(raw))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _misplaced_quote(array: npt.NDArray[np.uint8], quotes: Positions, rules: Rules) -> tuple[str, int] | None:
    """RFC 4180 §2: a quote opens at the start of a field, closes at its end, and is doubled in between."""
    if len(quotes) % 2:
        return f"a quote that is not closed within {MAX_RECORD_BYTES // KIB} KiB", int(quotes[-1])
    opening, closing = quotes[0::2], quotes[1::2]
    before = array[np.maximum(opening - 1, 0)]
    allowed = (opening == 0) | (before == rules.separator) | (before == LF) | (before == rules.quote)
    bad = opening[~allowed]
    after = array[np.minimum(closing + 1, len(array) - 1)]
    allowed = (
        (closing == len(array) - 1)
        | (after == rules.separator)
        | (after == LF)
        | (after == CR)
        | (after == rules.quote)
    )
    late = closing[~allowed]
    places = [int(found[0]) for found in (bad, late) if len(found)]
    return ("a quote inside a field that is not doubled", min(places)) if places else None


def _wrong_line_end(
    array: npt.NDArray[np.uint8], ends: Positions, quotes: Positions, declared: str
) -> tuple[str, int] | None:
    returns = np.flatnonzero(array == CR)
    if len(quotes):
        returns = returns[np.searchsorted(quotes, returns) % 2 == 0]
    if declared == "lf" and len(returns):
        return "a CR where the dialect declares LF line ends", int(returns[0])
    alone = returns[array[np.minimum(returns + 1, len(array) - 1)] != LF]
    if len(alone):
        return "a CR that no LF follows", int(alone[0])
    if declared == "crlf" and len(bare := ends[array[np.maximum(ends - 1, 0)] != CR]):
        return "a line that ends with LF where the dialect declares CRLF", int(bare[0])
    return None


def _wrong_length(array: npt.NDArray[np.uint8], starts: Positions) -> tuple[str, int] | None:
    if len(blank := starts[(array[starts] == LF) | (array[starts] == CR)]):
        return "a blank line", int(blank[0])
    lengths = np.diff(starts, append=len(array))
    if len(long := starts[lengths > MAX_RECORD_BYTES]):
        return f"a row of more than {MAX_RECORD_BYTES // KIB} KiB", int(long[0])
    return None
