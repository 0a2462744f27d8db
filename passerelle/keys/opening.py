"""Opening age files as a stream, in constant memory.

The grammar of the header is checked here, because pyrage passes over two header faults of the public test vectors; all
else about the header pyrage judges. The payload is opened by our own code where an age identity opens the file, at
several times the pace, and by pyrage where an SSH key does. Only binary files are opened: nothing in the gateway is armored.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel
from cryptography.exceptions import InvalidTag

from passerelle.errors import EvidenceError, UsageError
from passerelle.keys.age import (
    BLOCK,
    BLOCK_CHUNKS,
    CHUNK,
    NONCE_BYTES,
    STANZA,
    TAG,
    Writable,
    chunk_nonce,
    payload_cipher,
    unwrap_file_key,
)
from passerelle.keys.recipient import Identity

MAX_HEADER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
SEALED_BLOCK = BLOCK_CHUNKS * (CHUNK + TAG)
QUEUED_BLOCKS = 2
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
    start, header_end = _checked_start(file)
    header = start[:header_end]
    secrets = [one.secret for one in identities if one.kind == "x25519"]
    file_key = unwrap_file_key(header[: header.rindex(b"\n--- ") + 1], secrets)
    if file_key is None:
        _by_pyrage(_Source(start, file), _Target(sink), identities)
        return
    _judge_header(header, file_key, identities)
    _open_payload(_Source(start[header_end:], file), sink, file_key)


def _judge_header(header: bytes, file_key: bytes, identities: Sequence[Identity]) -> None:
    """Let pyrage open the header with an empty payload that we seal to its file key: it opens if the header is right."""
    nonce = bytes(NONCE_BYTES)
    empty = payload_cipher(file_key, nonce).encrypt(chunk_nonce(0, final=True), b"", None)
    try:
        pyrage.decrypt(header + nonce + empty, [one.native() for one in identities])
    except (pyrage.DecryptError, ValueError) as error:
        message = _reason(error)
    else:
        return
    raise EvidenceError(message, where="age file")


def checked_header(file: Readable, identities: Sequence[Identity]) -> tuple[bytes, bytes]:
    """The header of an age file and the file key that one of ``identities`` opens, judged as ``decrypt`` judges it.

    Raises:
        EvidenceError: it is malformed, its MAC is wrong, or no X25519 identity opens it.
    """
    start, header_end = _checked_start(file)
    header = start[:header_end]
    secrets = [one.secret for one in identities if one.kind == "x25519"]
    file_key = unwrap_file_key(header[: header.rindex(b"\n--- ") + 1], secrets)
    if file_key is None:
        raise EvidenceError("no identity given opens it", where="age file")
    _judge_header(header, file_key, identities)
    return header, file_key


def _open_payload(source: _Source, sink: Writable, file_key: bytes) -> None:
    """Open the chunks, a block of them at a time; the last one must say that it is, and only an empty file ends with an empty one."""
    if len(nonce := source.exactly(NONCE_BYTES)) < NONCE_BYTES:
        raise EvidenceError("the header is malformed", where="age file")
    cipher = payload_cipher(file_key, nonce)
    out, number = memoryview(bytearray(BLOCK)), 0
    block = source.exactly(SEALED_BLOCK)
    while block:
        following = source.exactly(SEALED_BLOCK) if len(block) == SEALED_BLOCK else b""
        filled, view = 0, memoryview(block)
        for place in range(0, len(block), CHUNK + TAG):
            sealed = view[place : place + CHUNK + TAG]
            final = not following and place + len(sealed) == len(block)
            size = len(sealed) - TAG
            try:
                cipher.decrypt_into(chunk_nonce(number, final=final), sealed, None, out[filled : filled + max(size, 0)])
            except (InvalidTag, ValueError):
                size = -1
            if size < 0 or (size == 0 and number):
                raise _altered()
            filled, number = filled + size, number + 1
        sink.write(bytes(out[:filled]))
        block = following
    if not number:
        raise _altered()


def _altered() -> EvidenceError:
    return EvidenceError("the payload was altered or cut", where="age file")


def _by_pyrage(source: _Source, target: _Target, identities: Sequence[Identity]) -> None:
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
    """Hands over what was read of a file, then the rest; keeps the reader's own error."""

    def __init__(self, start: bytes, file: Readable) -> None:
        self._file = file
        self._start = start
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        if self._start:
            taken, self._start = self._start[:size], self._start[size:]
            return taken
        try:
            return self._file.read(size)
        except BaseException as error:
            self.error = error
            raise

    def exactly(self, size: int) -> bytes:
        """``size`` bytes; fewer only at the end of the file."""
        parts, missing = [], size
        while missing and (part := self.read(missing)):
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


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


def _checked_start(file: Readable) -> tuple[bytes, int]:
    """The first bytes of ``file``, and where the header ends in them, in the grammar of C2SP/age.md."""
    start = b""
    while b"\n--- " not in start and len(start) < MAX_HEADER_BYTES and (more := file.read(READ_BYTES)):
        start += more
    while start and len(start) < start.find(b"\n--- ") + 49 and (more := file.read(READ_BYTES)):
        start += more
    at = len(VERSION_LINE) if start.startswith(VERSION_LINE) else len(start)
    stanzas = 0
    while match := STANZA.match(start, at):
        at, stanzas = match.end(), stanzas + 1
    end = MAC_LINE.match(start, at)
    if not stanzas or end is None:
        raise EvidenceError("the header is malformed", where="age file")
    return start, end.end()


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
