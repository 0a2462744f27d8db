"""JSON (RFC 8259): one array of objects at a declared path, or one object a line. Strict, streaming, numbers as written."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake.chunks import Parsed, opening, rows_of
from passerelle.intake.content import Content, See
from passerelle.intake.limits import KIB, MAX_JSON_DEPTH, MAX_RECORD_BYTES, MAX_RECORD_TEXT, MIB, MIN_PIECE_BYTES
from passerelle.intake.records import (
    Misfit,
    Plan,
    Row,
    Tree,
    escaped,
    first_header,
    gathered,
    table,
    text_length,
    tokens,
)
from passerelle.intake.scan import BOM, Fault, Rules, examine

_SPACE: Final = " \t\r\n"
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_HALF: Final = re.compile("[\ud800-\udfff]")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Misfit("one name twice in an object")
    return found


def _constant(_: str) -> NoReturn:
    raise Misfit("a number that JSON does not have")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant, strict=True
)


def _decoded(text: str, at: int) -> tuple[Tree, int]:
    """The value at ``at`` and where it ends.

    Raises:
        Misfit: it is no JSON, or not all there; the message holds no word of it.
    """
    try:
        value, end = _DECODER.raw_decode(text, at)
        fault = ""
    except RecursionError:
        fault = _TOO_DEEP
    except (ValueError, IndexError):
        fault = "expected JSON, came something else"
    if fault:
        raise Misfit(fault)
    if text.count("[", at, end) + text.count("{", at, end) > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise Misfit(_TOO_DEEP)
    return _texts(value), end


_TOO_DEEP: Final = f"more than {MAX_JSON_DEPTH} lists and objects inside one another"


def _depth(value: Tree) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_JSON_DEPTH:
        inner = [item for item in level if isinstance(item, (dict, list))]
        depth += bool(inner)
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _texts(value: Tree) -> Tree:
    """``value`` with its booleans as text and no half of a character (RFC 8259 §8.2)."""
    if isinstance(value, str):
        if not value.isascii() and _HALF.search(value):
            raise Misfit("half of a surrogate pair")
        return value
    if isinstance(value, dict):
        return {name: child if child is None else _texts(child) for name, child in value.items()}
    if isinstance(value, bool):
        return "true" if value else "false"
    return [_texts(child) for child in value] if isinstance(value, list) else value


class LineParser:
    """Reads chunks of JSON lines; holds no state between them but what threads may share."""

    def __init__(self, dialect: Dialect, wanted: Sequence[str]) -> None:
        self._dialect, self._wanted = dialect, wanted
        self._rules = _line_rules(dialect)

    def __call__(self, raw: bytes) -> Parsed | Fault:
        """The text columns of ``raw``, or its first fault."""
        records = examine(raw, self._rules)
        if isinstance(records, Fault):
            return records
        plan = Plan(self._dialect)
        rows: list[Row] = []
        size = 0
        for start, end in zip(records.starts.tolist(), records.ends.tolist(), strict=True):
            try:
                for row in plan.rows(_line(raw[start:end].decode(self._rules.codec))):
                    rows.append(row)
                    size += text_length(row)
            except Misfit as misfit:
                return Fault(str(misfit), records.line(start))
            if size > len(raw) + MAX_RECORD_TEXT:
                return Fault(f"rows of more than {MAX_RECORD_TEXT // MIB} Mi characters", records.line(start))
        repairs = {"blank_lines": records.blank} if records.blank else {}
        return Parsed(table(rows, plan, self._dialect, self._wanted), len(records.line_ends), repairs)


def _line_rules(dialect: Dialect) -> Rules:
    rules = Rules.of(dialect)
    return Rules(
        rules.separator, None, rules.line_end, rules.codec, rules.undefined, escape=None, blank_lines=rules.blank_lines
    )


def _line(text: str) -> Tree:
    text = text.strip(_SPACE)
    value, end = _decoded(text, 0)
    if end < len(text):
        raise Misfit("something after the object of the line")
    return value


def read_lines(
    content: Content, dialect: Dialect, start: int, wanted: Sequence[str], see: See | None
) -> Iterator[Parsed]:
    """The rows of JSON lines that begin at byte ``start``. Raises IntakeError: they are not what ``dialect`` declares."""
    return rows_of(content, dialect, start, see, LineParser(dialect, wanted))


def line_header(head: bytes, dialect: Dialect) -> tuple[list[str | None] | None, int]:
    """What the first line is recognised by (None: it cannot be read), and where the lines begin."""
    start = opening(head, dialect)
    if start is None:
        return None, 0
    line = head[start:].split(b"\n", 1)[0].strip()
    if not line:
        return None, 0
    try:
        return Plan(dialect).header(_line(line.decode(Rules.of(dialect).codec))), start
    except (UnicodeDecodeError, Misfit):
        return None, 0


def read(content: Content, dialect: Dialect, wanted: Sequence[str], see: See | None) -> Iterator[Parsed]:
    """The rows of a JSON document. Raises IntakeError: it is not what ``dialect`` declares."""
    return gathered(_elements(content, dialect, see), Plan(dialect), dialect, wanted)


def header(content: Content, dialect: Dialect) -> list[str | None]:
    """What the document's first record is recognised by. Raises IntakeError: it has none to read."""
    return first_header(lambda: _elements(content, dialect, None), Plan(dialect), dialect)


def _elements(content: Content, dialect: Dialect, see: See | None) -> Iterator[tuple[Tree, str]]:
    cursor = _Cursor(_text(content.blocks(see, MIN_PIECE_BYTES), dialect), dialect)
    yield from _inside(cursor, dialect, tokens(dialect.path), "")
    if cursor.peek():
        raise cursor.fault("something after the end of the document")


def _inside(cursor: _Cursor, dialect: Dialect, names: list[str], path: str) -> Iterator[tuple[Tree, str]]:
    if not names:
        yield from _array(cursor)
        return
    cursor.expect("{")
    seen: set[str] = set()
    while cursor.peek() != "}":
        if seen:
            cursor.expect(",")
        name = cursor.value()
        if not isinstance(name, str) or name in seen:
            raise cursor.fault("one name twice in an object" if isinstance(name, str) else "an object without name")
        seen.add(name)
        cursor.expect(":")
        below = f"{path}/{escaped(name)}" if path else escaped(name)
        if name == names[0]:
            yield from _inside(cursor, dialect, names[1:], below)
        elif below in dialect.beside:
            cursor.value()
        else:
            raise cursor.fault("something that the dialect does not declare")
    cursor.expect("}")
    if names[0] not in seen:
        raise cursor.fault(f"no {dialect.path}")


def _array(cursor: _Cursor) -> Iterator[tuple[Tree, str]]:
    cursor.expect("[")
    number = 0
    while cursor.peek() != "]":
        if number:
            cursor.expect(",")
        cursor.peek()
        number += 1
        place = f"record {number}, {cursor.place()}"
        yield cursor.value(), place
    cursor.expect("]")


def _text(blocks: Iterator[bytes], dialect: Dialect) -> Iterator[str]:
    codec = Rules.of(dialect).codec
    decoder = codecs.getincrementaldecoder(codec)("strict")
    first, line = True, 1
    for block in _ended(blocks):
        if first:
            if block.startswith(BOM) != (dialect.encoding == "utf-8-sig"):
                raise IntakeError(f"expected {dialect.encoding}, came a byte order mark or none", where="line 1")
            block = block.removeprefix(BOM)  # noqa: PLW2901 -- the mark is no text
            first = False
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            text = None
        if text is None:
            raise IntakeError(f"bytes that are not {codec} (dialect {dialect.id})", where=f"after line {line}")
        line += text.count("\n")
        yield text


def _ended(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks
    yield b""


class _Cursor:
    """A place in a JSON text that is never wholly in memory."""

    def __init__(self, pieces: Iterator[str], dialect: Dialect) -> None:
        self._pieces, self._dialect = pieces, dialect
        self._text, self._at, self._counted = "", 0, 0
        self._line, self._column = 1, 1
        self._ended = False

    def place(self) -> str:
        """Where it is, for a message."""
        passed = self._text[self._counted : self._at]
        if lines := passed.count("\n"):
            self._line += lines
            self._column = len(passed) - passed.rfind("\n")
        else:
            self._column += len(passed)
        self._counted = self._at
        return f"line {self._line}, column {self._column}"

    def fault(self, message: str) -> IntakeError:
        return IntakeError(f"{message} (dialect {self._dialect.id})", where=self.place())

    def _fill(self) -> None:
        """Drop what is behind, and read at least as much as is ahead."""
        self.place()
        parts = [self._text[self._at :]]
        wanted, came = max(1, len(parts[0])), 0
        while came < wanted and not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            parts.append(piece or "")
            came += len(parts[-1])
        self._text, self._at, self._counted = "".join(parts), 0, 0

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._fill()

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise self.fault(f"expected {character} in the JSON, came something else")
        self._at += 1

    def value(self) -> Tree:
        """The next value, at most ``MAX_RECORD_BYTES`` characters long."""
        self.peek()
        while True:
            try:
                found, end = _decoded(self._text, self._at)
                misfit = ""
            except Misfit as fault:
                misfit = str(fault)
            ahead = len(self._text) - self._at
            if misfit and (self._ended or ahead > MAX_RECORD_BYTES or not misfit.startswith("expected")):
                raise self.fault(misfit)
            if not misfit and (end < len(self._text) or self._ended):
                if end - self._at > MAX_RECORD_BYTES:
                    raise self.fault(f"a record of more than {MAX_RECORD_BYTES // KIB} KiB")
                self._at = end
                return found
            self._fill()
