"""Opening age files as a stream, in constant memory: pyrage, once the grammar of the header is checked.

The check is ours because pyrage passes over two header faults of the public test vectors. Only binary files are opened:
nothing in the gateway is armored.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel

from passerelle.errors import EvidenceError, UsageError
from passerelle.keys.age import STANZA, Writable
from passerelle.keys.recipient import Identity

MAX_HEADER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
BLOCK = 1024 * 1024
QUEUED_BLOCKS = 4
MAC_LINE = re.compile(rb"--- [A-Za-z0-9+/]{43}\n")
VERSION_LINE = b"age-encryption.org/v1\n"


class Readable(Protocol):
    """What an age file is read from."""

    def read(self, size: int = -1, /) -> bytes: ...


def decrypt(file: Readable, sink: Writable, identities: Sequence[Identity]) -> None:
    """Write to ``sink`` what ``file`` hides.

    What was written before an error is authentic but not whole: callers MUST throw it away.

    Raises:
        UsageError: no identity.
        EvidenceError: not an age file, no identity opens it, or it was altered or cut.
    """
    if not identities:
        raise UsageError("expected at least one identity, none came")
    source, target = _Source(file), _Target(sink)
    try:
        pyrage.decrypt_io(source, target, [one.native() for one in identities])
    except (pyrage.DecryptError, OSError, ValueError) as error:
        kept = source.error or target.error
        message = _reason(error)
    else:
        return
    raise kept or EvidenceError(message, where="age file")


def _reason(error: Exception) -> str:
    if not isinstance(error, pyrage.DecryptError):
        return "the payload was altered or cut"
    if "No matching keys" in str(error):
        return "no identity given opens it"
    return "the header's MAC is wrong" if "MAC" in str(error) else "the header is malformed"


class _Source:
    """Hands the header over once its grammar is checked, then the rest; keeps the reader's own error."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._start: bytes | None = None
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            if self._start is None:
                self._start = _checked_start(self._file)
            if self._start:
                taken, self._start = self._start[:size], self._start[size:]
                return taken
            return self._file.read(size)
        except BaseException as error:
            self.error = error
            raise


class _Target:
    """Writes on; keeps the writer's own error."""

    def __init__(self, sink: Writable) -> None:
        self._sink = sink
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            self._sink.write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: the sink is flushed by who owns it."""


def _checked_start(file: Readable) -> bytes:
    """The first bytes of ``file``, the whole header among them, in the grammar of C2SP/age.md."""
    start = b""
    while b"\n--- " not in start and len(start) < MAX_HEADER_BYTES and (more := file.read(READ_BYTES)):
        start += more
    while start and len(start) < start.find(b"\n--- ") + 49 and (more := file.read(READ_BYTES)):
        start += more
    at = len(VERSION_LINE) if start.startswith(VERSION_LINE) else len(start)
    stanzas = 0
    while match := STANZA.match(start, at):
        at, stanzas = match.end(), stanzas + 1
    if not stanzas or not MAC_LINE.match(start, at):
        raise EvidenceError("the header is malformed", where="age file")
    return start


class AgeSource:
    """Plain bytes are read from it while a thread opens the age file; leave it with ``with``, so that the thread ends."""

    def __init__(self, file: Readable, identities: Sequence[Identity]) -> None:
        self._blocks: queue.Queue[bytes | None] = queue.Queue(QUEUED_BLOCKS)
        self._rest = memoryview(b"")
        self.error: BaseException | None = None
        self._done = False
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._open, args=(file, identities), daemon=True)
        self._thread.start()

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, all that is left for -1; empty only at the end of a file that is whole and authentic."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK), b""))
        if not self._rest and not self._done:
            block = self._blocks.get()
            self._rest, self._done = memoryview(block or b""), block is None
        if self._done and self.error is not None:
            raise self.error
        taken, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return taken

    def close(self) -> None:
        """Stop the thread, wherever it is."""
        self._abandoned.set()
        while self._thread.is_alive():
            try:
                self._blocks.get(timeout=0.05)
            except queue.Empty:
                continue
        self._done = True

    @property
    def closed(self) -> bool:
        return self._abandoned.is_set()

    def readable(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _open(self, file: Readable, identities: Sequence[Identity]) -> None:
        gather = _Gather(self._blocks, self._abandoned)
        try:
            decrypt(file, gather, identities)
            gather.flush()
        except BaseException as error:  # raised again where it is read
            self.error = error
        self._blocks.put(None)


class _Gather:
    """Hands chunks over in blocks of about 1 MiB."""

    def __init__(self, blocks: queue.Queue[bytes | None], abandoned: threading.Event) -> None:
        self._blocks = blocks
        self._abandoned = abandoned
        self._block = bytearray()

    def write(self, data: bytes) -> None:
        if self._abandoned.is_set():
            raise UsageError("the reader left")
        self._block += data
        if len(self._block) >= BLOCK:
            self.flush()

    def flush(self) -> None:
        self._blocks.put(bytes(self._block))
        self._block = bytearray()


def age_source(file: Readable, identities: Sequence[Identity]) -> AgeSource:
    """A readable stream of what ``file`` hides.

    ``read`` raises as ``decrypt`` does. What was read before an error is authentic but not whole.
    """
    return AgeSource(file, identities)
