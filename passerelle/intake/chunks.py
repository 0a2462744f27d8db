"""A file cut into chunks of whole records that threads read, and the lines around its records."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from passerelle.contract import Dialect
from passerelle.errors import IntakeError, UsageError
from passerelle.intake.content import Content, See
from passerelle.intake.limits import KIB, MAX_ENVELOPE_BYTES, MAX_RECORD_BYTES
from passerelle.intake.scan import BOM, SWAP, Fault, Rules, records_end

PARSERS: Final = 2
"""Threads that parse chunks; the bytes are hashed by one more."""
THREADED_BYTES: Final = 16 * KIB
"""What is smaller costs less to do at once than to hand to a thread."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One chunk read: text columns under the contract's names, how many lines it took, and what was mended."""

    table: pa.Table
    lines: int
    repairs: Mapping[str, int] = field(default_factory=dict)


Parser = Callable[[bytes], Parsed | Fault]


def rows_of(content: Content, dialect: Dialect, start: int, see: See | None, parser: Parser) -> Iterator[Parsed]:
    """The rows between byte ``start`` and the closing lines, in the order of the file.

    Raises:
        IntakeError: a chunk has a fault, or the closing lines are not what ``dialect`` declares.
    """
    blocks = content.blocks(see)
    if dialect.line_end == "cr":
        blocks = (block.translate(SWAP) for block in blocks)
    head, blocks = _after(blocks, start)
    closing = Closing(dialect)
    line, rows = 1 + head.count(b"\n"), 0
    for outcome in _outcomes(split(closing.cut(blocks), Rules.of(dialect)), parser):
        if isinstance(outcome, Fault):
            where = f"line {line + outcome.line - 1}, byte {outcome.byte}"
            raise IntakeError(f"{outcome.message} (dialect {dialect.id})", where=where)
        line += outcome.lines
        rows += outcome.table.num_rows
        yield outcome
    closing.check(line, rows)


def _outcomes(chunks: Iterable[bytes], parser: Parser) -> Iterator[Parsed | Fault]:
    """Parse chunks on threads, at most ``PARSERS`` ahead, and give the outcomes in the order of the file."""
    ahead: deque[Future[Parsed | Fault]] = deque()
    with ThreadPoolExecutor(PARSERS) as pool:
        for chunk in chunks:
            if not ahead and len(chunk) < THREADED_BYTES:
                yield parser(chunk)
                continue
            ahead.append(pool.submit(parser, chunk))
            if len(ahead) > PARSERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _after(blocks: Iterator[bytes], start: int) -> tuple[bytes, Iterator[bytes]]:
    """The first ``start`` bytes, and the blocks after them."""
    head = b""
    while len(head) < start and (block := next(blocks, b"")):
        head += block
    return head[:start], _with(head[start:], blocks)


def _with(first: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from blocks


def split(blocks: Iterable[bytes], rules: Rules) -> Iterator[bytes]:
    """Regroup ``blocks`` into chunks of whole records; the last record may lack its line end.

    A record over the limit, such as a quote that is never closed makes, comes out as it stands, for the parser to refuse, and
    ends the iteration: it would otherwise swallow the rest of the file.
    """
    rest = b""
    for block in blocks:
        data = rest + block if rest else block
        end = records_end(data, rules)
        if not end and len(data) > MAX_RECORD_BYTES:
            yield data
            return
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest


def opening(head: bytes, dialect: Dialect) -> int | None:
    """Where the record after the byte order mark and the declared first lines begins; None: they are not these."""
    marked = head.startswith(BOM)
    if marked != (dialect.encoding == "utf-8-sig"):
        return None
    place = len(BOM) if marked else 0
    for pattern in dialect.lead:
        end = head.find(b"\n", place, place + MAX_ENVELOPE_BYTES)
        text = _text(head[place:end], dialect) if end >= 0 else None
        if text is None or not re.fullmatch(pattern, text):
            return None
        place = end + 1
    return place


class Closing:
    """Holds back the declared last lines from a stream, and checks them once it has ended."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._patterns = dialect.trail
        self._held = b""

    def cut(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks without the last lines."""
        if not self._patterns:
            yield from blocks
            return
        for block in blocks:
            data = self._held + block
            place = self._begin(data)
            if place:
                yield data[:place]
            self._held = data[place:]

    def _begin(self, data: bytes) -> int:
        """Where the last lines of ``data`` begin, as many as declared."""
        place = len(data) - 1 if data.endswith(b"\n") else len(data)
        for _ in self._patterns:
            place = data.rfind(b"\n", max(0, len(data) - MAX_ENVELOPE_BYTES), max(0, place))
        return place + 1 if place >= 0 else max(0, len(data) - MAX_ENVELOPE_BYTES)

    def check(self, line: int, rows: int) -> None:
        """Check the lines held back, and the number of rows where one of them announces it (group ``rows``).

        Raises:
            IntakeError: they are not what the dialect declares.
        """
        lines = self._held.removesuffix(b"\n").split(b"\n") if self._held else []
        check_closing([_text(one, self._dialect) for one in lines], rows, self._dialect, f"line {line}")


def check_closing(lines: Sequence[str | None], rows: int, dialect: Dialect, where: str) -> None:
    """Check the last lines or rows of a file, and the number of rows where one of them announces it (group ``rows``).

    Raises:
        IntakeError: they are not what the dialect declares.
    """
    for place, pattern in enumerate(dialect.trail):
        line = lines[place] if len(lines) == len(dialect.trail) else None
        found = None if line is None else re.fullmatch(pattern, line)
        if found is None:
            raise IntakeError(
                f"expected the closing lines of dialect {dialect.id}, came something else", where=where,
                hint="the file may be cut short: ask the sender for it again",
            )  # fmt: skip
        announced = found.groupdict().get("rows")
        if announced is not None and announced.lstrip("0") != (str(rows) if rows else ""):
            raise IntakeError(
                f"the closing line announces another number of rows than the {rows} that came (dialect {dialect.id})",
                where=where,
            )


def _text(line: bytes, dialect: Dialect) -> str | None:
    try:
        return line.removesuffix(b"\r").decode(Rules.of(dialect).codec)
    except UnicodeDecodeError:
        return None


def check_envelope(dialect: Dialect) -> None:
    """Refuse envelope lines that cannot be matched.

    Raises:
        UsageError: one is no regular expression, or they may not stand in this format.
    """
    lines = (*dialect.lead, *dialect.trail)
    if lines and dialect.format not in {"csv", "jsonl", "xlsx"}:
        raise UsageError(f"dialect {dialect.id}: JSON and XML have no lines before and after their rows")
    if len(lines) > MAX_ENVELOPE_BYTES // KIB:
        raise UsageError(f"dialect {dialect.id}: at most {MAX_ENVELOPE_BYTES // KIB} lines before and after the rows")
    for pattern in lines:
        try:
            re.compile(pattern)
        except re.error:
            raise UsageError(f"dialect {dialect.id}: an envelope line is no regular expression") from None
