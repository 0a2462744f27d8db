"""The strict look at raw bytes: what must hold before a parser may read them (RFC 4180, and what the dialect declares).

Works on bytes in any ASCII-compatible encoding and on whole records, so that a chunk always begins outside quotes.
"""

from __future__ import annotations

import codecs
import functools
import re
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
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "mac-roman": "mac-roman",
}
"""Declared encoding to Python codec. ``utf-8-sig`` requires the byte order mark, every other refuses it."""
SWAP: Final = bytes.maketrans(b"\r\n", b"\n\r")
"""Files whose lines end with CR are read with CR and LF exchanged, and their cells exchanged back."""
_FIRST_GRAPHIC: Final = 0xA0
"""ISO 8859 leaves 80 to 9F to control codes: in a text, such a byte is a mistaken encoding."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with some bytes, never the bytes: ``line`` and ``byte`` count from 1, within the chunk."""

    message: str
    line: int
    byte: int = 1


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of a chunk begin and end (line end included), where its lines end, how many blank ones it has."""

    starts: Positions
    ends: Positions
    line_ends: Positions
    blank: int = 0

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
    escape: int | None = None
    blank_lines: bool = False

    @classmethod
    def of(cls, dialect: Dialect) -> Rules:
        """Raises UsageError when the dialect itself cannot be carried out."""
        if dialect.encoding not in ENCODINGS:
            raise UsageError(
                f"dialect {dialect.id}: encoding {dialect.encoding} is not one of {', '.join(sorted(ENCODINGS))}"
            )
        marks = [mark for mark in (dialect.separator, dialect.quote, dialect.escape) if mark is not None]
        if any(len(mark) != 1 or not mark.isascii() or mark in "\r\n\0" for mark in marks) or len(set(marks)) < len(
            marks
        ):
            raise UsageError(f"dialect {dialect.id}: separator, quote and escape must be different ASCII characters")
        codec = ENCODINGS[dialect.encoding]
        single = codec not in {"utf-8", "ascii"}
        if single and not all(mark.isascii() for mark in dialect.nulls):
            raise UsageError(f"dialect {dialect.id}: null marks must be ASCII where the encoding is {dialect.encoding}")
        return cls(
            separator=ord(dialect.separator),
            quote=None if dialect.quote is None else ord(dialect.quote),
            line_end=dialect.line_end,
            codec=codec,
            undefined=_undefined(codec) if single else b"",
            escape=None if dialect.escape is None else ord(dialect.escape),
            blank_lines=dialect.blank_lines,
        )


@functools.cache
def _undefined(codec: str) -> bytes:
    return bytes(byte for byte in range(128, 256) if not _defined(byte, codec))


def _defined(byte: int, codec: str) -> bool:
    if codec.startswith("iso-8859") and byte < _FIRST_GRAPHIC:
        return False
    try:
        bytes([byte]).decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def escaped(raw: bytes, array: npt.NDArray[np.uint8], escape: int | None) -> npt.NDArray[np.bool_] | None:
    """Which bytes stand after an escape that is not itself escaped; None: none. One longer than ``raw``, for its end."""
    if escape is None or escape not in raw:
        return None
    at = np.flatnonzero(array == escape)
    opens = np.diff(at, prepend=-2) != 1
    run = at[opens][np.cumsum(opens) - 1]
    after = np.zeros(len(array) + 1, np.bool_)
    after[at[(at - run) % 2 == 0] + 1] = True
    return after


def _places(array: npt.NDArray[np.uint8], byte: int, text: npt.NDArray[np.bool_] | None) -> Positions:
    """Where ``byte`` stands and is no escaped text."""
    found = np.flatnonzero(array == byte)
    return found if text is None else found[~text[found]]


def records_end(data: bytes, rules: Rules) -> int:
    """Where the last whole record of ``data`` ends (0: there is none). ``data`` begins at a record."""
    array = np.frombuffer(data, np.uint8)
    text = escaped(data, array, rules.escape)
    if text is None:
        end = data.rfind(b"\n") + 1
        if rules.quote is None or np.count_nonzero(array[:end] == rules.quote) % 2 == 0:
            return end
    ends = _places(array, LF, text)
    if rules.quote is not None:
        ends = ends[np.searchsorted(_places(array, rules.quote, text), ends) % 2 == 0]
    return int(ends[-1]) + 1 if len(ends) else 0


def first_record_end(data: bytes, rules: Rules) -> int:
    """Where the first record of ``data`` ends (all of it, when no line end is found)."""
    if rules.quote is None and rules.escape is None:
        return data.find(b"\n") + 1 or len(data)
    array = np.frombuffer(data, np.uint8)
    text = escaped(data, array, rules.escape)
    ends = _places(array, LF, text)
    if rules.quote is not None:
        ends = ends[np.searchsorted(_places(array, rules.quote, text), ends) % 2 == 0]
    return int(ends[0]) + 1 if len(ends) else len(data)


def examine(raw: bytes, rules: Rules) -> Records | Fault:
    """Check the records in ``raw`` and say where they begin, or what is wrong first."""
    array = np.frombuffer(raw, np.uint8)
    lines = np.flatnonzero(array == LF)
    found = wrong_encoding(raw, rules)
    if found is not None:
        return _fault(*found, lines)
    text = escaped(raw, array, rules.escape)
    if text is not None and text[-1]:
        return _fault("an escape that nothing follows", len(raw) - 1, lines)
    ends = lines if text is None else _places(array, LF, text)
    quotes = np.empty(0, np.int64)
    if rules.quote is not None and rules.quote in raw:
        quotes = _places(array, rules.quote, text)
        found = _misplaced_quote(array, quotes, rules)
        if found is not None:
            return _fault(*found, lines)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if CR in raw or rules.line_end == "crlf":
        found = _wrong_line_end(array, ends, (quotes, text), rules.line_end)
        if found is not None:
            return _fault(*found, lines)
    return _records(array, ends, lines, rules)


def _records(array: npt.NDArray[np.uint8], ends: Positions, lines: Positions, rules: Rules) -> Records | Fault:
    starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
    if starts[-1] == len(array):
        starts = starts[:-1]
    bounds = np.append(starts[1:], len(array))
    blank = (array[starts] == LF) | (array[starts] == CR)
    if blank.any() and not rules.blank_lines:
        return _fault("a blank line", int(starts[blank][0]), lines)
    if len(long := starts[bounds - starts > MAX_RECORD_BYTES]):
        return _fault(f"a row of more than {MAX_RECORD_BYTES // KIB} KiB", int(long[0]), lines)
    return Records(starts[~blank], bounds[~blank], lines, int(blank.sum()))


def widths(raw: bytes, records: Records, rules: Rules) -> Positions:
    """How many fields each record of ``raw`` has."""
    array = np.frombuffer(raw, np.uint8)
    text = escaped(raw, array, rules.escape)
    separators = _places(array, rules.separator, text)
    if rules.quote is not None:
        quotes = _places(array, rules.quote, text)
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    return np.searchsorted(separators, records.ends) - np.searchsorted(separators, records.starts) + 1


def _fault(message: str, offset: int, lines: Positions) -> Fault:
    before = int(np.searchsorted(lines, offset))
    line_start = int(lines[before - 1]) + 1 if before else 0
    return Fault(message, before + 1, offset - line_start + 1)


def wrong_encoding(raw: bytes, rules: Rules) -> tuple[str, int] | None:
    """What in ``raw`` is not in the declared encoding, and where; None when nothing is."""
    if (at := raw.find(b"\0")) >= 0:
        return "a NUL byte", at
    if raw.isascii():
        return None
    if rules.codec not in {"utf-8", "ascii"} and (at := raw.find(LATIN_LEAD)) >= 0 and _is_utf8(raw):
        return f"text in UTF-8, where {rules.codec} is declared", at
    if rules.codec == "cp1252" and b"\x8e" in raw and (found := MAC_ACUTE.search(raw)):
        return "text in MacRoman, where cp1252 is declared", found.start() + 1
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


# The first byte of é, è, à… in UTF-8. In a single-byte code it is Ã, which no word has before a sign of the upper half; so a
# block that has it and is UTF-8 throughout was not written in that code, though every byte of it could be read so.
LATIN_LEAD = b"\xc3"
# é in MacRoman is Ž in cp1252, which no word has after a small letter.
MAC_ACUTE = re.compile(rb"[a-z]\x8e")


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
    array: npt.NDArray[np.uint8],
    ends: Positions,
    inside: tuple[Positions, npt.NDArray[np.bool_] | None],
    declared: str,
) -> tuple[str, int] | None:
    quotes, text = inside
    returns = _places(array, CR, text)
    if len(quotes):
        returns = returns[np.searchsorted(quotes, returns) % 2 == 0]
    if declared == "cr" and len(returns):
        return "an LF where the dialect declares CR line ends", int(returns[0])
    if declared == "lf" and len(returns):
        return "a CR where the dialect declares LF line ends", int(returns[0])
    alone = returns[array[np.minimum(returns + 1, len(array) - 1)] != LF]
    if len(alone):
        return "a CR that no LF follows", int(alone[0])
    if declared == "crlf" and len(bare := ends[array[np.maximum(ends - 1, 0)] != CR]):
        return "a line that ends with LF where the dialect declares CRLF", int(bare[0])
    return None
