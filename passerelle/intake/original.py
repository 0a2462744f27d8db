"""The bytes that a file came as, wherever they are kept: a file on disk, or a raw copy that opens in memory only."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, Protocol


class Original(Protocol):
    """Bytes by place. Implementations MUST put none of them on a disk in the clear."""

    size_bytes: int

    def pread(self, size: int, place: int) -> bytes: ...
    def identity(self) -> tuple[int, ...]: ...
    def file(self) -> BinaryIO: ...
    def close(self) -> None: ...


class OnDisk:
    """A sender's file, by an open descriptor, which this closes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size

    def pread(self, size: int, place: int) -> bytes:
        """Up to ``size`` bytes from ``place``."""
        return os.pread(self._descriptor, size, place)

    def identity(self) -> tuple[int, ...]:
        """What changes when the file does."""
        state = os.fstat(self._descriptor)
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def file(self) -> BinaryIO:
        """The same bytes as a file to seek in."""
        return os.fdopen(os.dup(self._descriptor), "rb")

    def close(self) -> None:
        """Let go of the file; harmless twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class InMemory:
    """Bytes that are held."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)

    def pread(self, size: int, place: int) -> bytes:
        """Up to ``size`` bytes from ``place``."""
        return self._data[place : place + size]

    def identity(self) -> tuple[int, ...]:
        """They do not change."""
        return (self.size_bytes,)

    def file(self) -> BinaryIO:
        """The same bytes as a file to seek in."""
        return io.BytesIO(self._data)

    def close(self) -> None:
        """Nothing is open."""
