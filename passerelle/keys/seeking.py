"""Reading anywhere in an age file without opening the whole: its chunks are sealed one by one (C2SP/age.md, Payload).

What a convention keeps at rest is read again through this, so that nothing lies in the clear, neither on disk nor whole in
memory. X25519 identities only: it is their files that the gateway keeps.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag

from passerelle.errors import EvidenceError
from passerelle.keys.age import BLOCK_CHUNKS, CHUNK, NONCE_BYTES, TAG, chunk_nonce, payload_cipher
from passerelle.keys.opening import MAX_HEADER_BYTES, checked_header
from passerelle.keys.recipient import Identity

SEALED_CHUNK = CHUNK + TAG
BLOCK = BLOCK_CHUNKS * CHUNK


class AgeFile:
    """The plain bytes of an age file, by place. Close it; not safe to share between threads.

    Its length is authentic once it is open: only the last chunk opens as the last.
    """

    def __init__(self, path: Path, identities: Sequence[Identity]) -> None:
        """Open the age file at ``path``.

        Raises:
            EvidenceError: it cannot be read, no identity opens it, or it was altered or cut.
        """
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise EvidenceError(f"it cannot be read ({type(error).__name__})", where="age file") from None
        try:
            self._open(identities)
        except BaseException:
            self.close()
            raise

    def _open(self, identities: Sequence[Identity]) -> None:
        start = os.pread(self._descriptor, MAX_HEADER_BYTES, 0)
        header, file_key = checked_header(io.BytesIO(start), identities)
        self._cipher = payload_cipher(file_key, os.pread(self._descriptor, NONCE_BYTES, len(header)))
        self._payload = len(header) + NONCE_BYTES
        sealed = os.fstat(self._descriptor).st_size - self._payload
        self._chunks = -(-sealed // SEALED_CHUNK)
        self.size_bytes = sealed - self._chunks * TAG
        self._block, self._held = -1, b""
        last = self._chunk(self._chunks - 1) if self._chunks > 0 else None
        if last is None or (not last and self._chunks > 1):
            raise _altered()

    def pread(self, size: int, place: int) -> bytes:
        """Up to ``size`` bytes from ``place``; fewer at the end only.

        Raises:
            EvidenceError: they were altered.
        """
        parts = []
        while size > 0 and place < self.size_bytes:
            number, offset = divmod(place, BLOCK)
            piece = self._block_of(number)[offset : offset + size]
            parts.append(piece)
            place, size = place + len(piece), size - len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def identity(self) -> tuple[int, ...]:
        """What changes when the file does."""
        state = os.fstat(self._descriptor)
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def file(self) -> BinaryIO:
        """The same bytes as a file to seek in."""
        return io.BufferedReader(_Seekable(self), BLOCK)

    def close(self) -> None:
        """Let go of the file; harmless twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _block_of(self, number: int) -> bytes:
        if number != self._block:
            first = number * BLOCK_CHUNKS
            chunks = range(first, min(first + BLOCK_CHUNKS, self._chunks))
            self._block, self._held = number, b"".join(self._chunk(one) for one in chunks)
        return self._held

    def _chunk(self, number: int) -> bytes:
        sealed = os.pread(self._descriptor, SEALED_CHUNK, self._payload + number * SEALED_CHUNK)
        final = number == self._chunks - 1
        try:
            return self._cipher.decrypt(chunk_nonce(number, final=final), sealed, None)
        except (InvalidTag, ValueError):
            pass
        raise _altered()


class _Seekable(io.RawIOBase):
    def __init__(self, source: AgeFile) -> None:
        self._source = source
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as BufferedReader calls it
        data = self._source.pread(len(buffer), self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._source.size_bytes}[whence]
        self._place = max(base + offset, 0)
        return self._place


def _altered() -> EvidenceError:
    return EvidenceError("the payload was altered or cut", where="age file")
