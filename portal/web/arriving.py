"""A body that is taken as it arrives: never whole in memory, no longer and no slower than its limits, a few at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from threading import Lock

from anyio import from_thread
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from passerelle.store import accounts
from passerelle.store.accounts import Account
from passerelle.workspace import Workspace
from portal.web.visit import AbsentError

FILE_BYTES = 4 << 30
WAIT = 30.0  # seconds for the next block
SLOWEST = 16 << 10  # bytes a second on the whole, once WAIT is over
AT_ONCE, AT_ONCE_FOR_ONE = 8, 2
FIELD_BYTES = 4 << 10  # all fields before the file
LENGTH_DIGITS = 19  # of a length that is read as a number at all
BOUNDARY_BYTES = 70  # RFC 2046 section 5.1.1


class UnreadError(Exception):
    """A body that was not read to its end, and the status that says why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status}")
        self.status = status


class Slots:
    """Who is sending a file now."""

    def __init__(self) -> None:
        self._busy: list[str] = []
        self._lock = Lock()

    @contextmanager
    def one(self, who: str) -> Iterator[None]:
        """A place while a file arrives.

        Raises:
            UnreadError: there is none (429).
        """
        with self._lock:
            if len(self._busy) >= AT_ONCE or self._busy.count(who) >= AT_ONCE_FOR_ONE:
                raise UnreadError(429)
            self._busy.append(who)
        try:
            yield
        finally:
            with self._lock:
                self._busy.remove(who)


def blocks_of(request: Request, most: int = FILE_BYTES) -> Iterator[bytes]:
    """The blocks of a body, for a page or a call on a thread of its own.

    Raises:
        UnreadError: it is longer than ``most`` (413), slower than ``SLOWEST`` or silent for ``WAIT`` (408), or broken off (400).
    """
    told = request.headers.get("content-length", "0")
    if not (told.isascii() and told.isdigit() and len(told) <= LENGTH_DIGITS) or int(told) > most:
        raise UnreadError(413)
    stream, came, began = request.stream(), 0, time.monotonic()
    while block := from_thread.run(_next, stream):
        came += len(block)
        if came > most:
            raise UnreadError(413)
        late = time.monotonic() - began - WAIT
        if late > 0 and came < late * SLOWEST:
            raise UnreadError(408)
        yield block


def of_the_same(blocks: Iterator[bytes], workspace: Workspace, account: Account) -> Iterator[bytes]:
    """``blocks``, whose end is given only to an account that is still what it was when they began to arrive, hours ago perhaps.

    Raises:
        AbsentError: it was closed meanwhile, or works for someone else.
    """
    yield from blocks
    with workspace.database.read() as connection:
        if accounts.by_id(connection, account.id) != account:
            raise AbsentError


async def _next(stream: AsyncIterator[bytes]) -> bytes:
    """The next block that is not empty; empty at the end."""
    try:
        async with asyncio.timeout(WAIT):
            async for block in stream:
                if block:
                    return block
    except TimeoutError:
        raise UnreadError(408) from None
    except ClientDisconnect:
        raise UnreadError(400) from None
    return b""


class FormWithFile:
    """A multipart form (RFC 7578): small fields, then one file that is given out as it arrives. Its name is not read."""

    def __init__(self, request: Request, file: str) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= BOUNDARY_BYTES:
            raise UnreadError(400)
        self.fields: dict[str, str] = {}
        self._file, self._reached, self._ended = file, False, False
        self._name, self._header, self._value = "", b"", b""
        self._kept, self._part = bytearray(), bytearray()
        self._parser = MultipartParser(boundary, {
            "on_header_field": self._on_header_field, "on_header_value": self._on_header_value, "on_header_end": self._on_header_end,
            "on_part_begin": self._on_part_begin, "on_part_data": self._on_part_data, "on_part_end": self._on_part_end, "on_end": self._on_end,
        })  # fmt: skip
        self._blocks = blocks_of(request)

    def read_fields(self) -> None:
        """Read up to the file: what ``fields`` has is then all that comes before it."""
        came = 0
        for block in self._blocks:
            self._feed(block)
            if self._reached:
                return
            came += len(block)
            if came > FIELD_BYTES:
                break
        raise UnreadError(400)

    def content(self) -> Iterator[bytes]:
        """The file, block by block."""
        yield self._take()
        for block in self._blocks:
            self._feed(block)
            yield self._take()
        if not self._ended:
            raise UnreadError(400)

    def _feed(self, block: bytes) -> None:
        try:
            read = self._parser.write(block)
        except ValueError:
            read = -1
        if read != len(block) or len(self._part) + len(self._value) + len(self._header) > FIELD_BYTES:
            raise UnreadError(400)

    def _take(self) -> bytes:
        taken = bytes(self._kept)
        self._kept.clear()
        return taken

    def _on_part_begin(self) -> None:
        if self._reached:  # nothing comes after the file
            raise UnreadError(400)
        self._name = ""
        self._part.clear()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = parse_options_header(self._value)[1].get(b"name", b"").decode("ascii", "replace")
            self._reached = self._reached or self._name == self._file
        self._header = self._value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        (self._kept if self._name == self._file else self._part).extend(data[start:end])

    def _on_part_end(self) -> None:
        if self._name != self._file and not self._reached:
            self.fields[self._name] = self._part.decode("utf-8", "replace").strip()
            self._part.clear()

    def _on_end(self) -> None:
        self._ended = True
