"""A shard of the person index: the distinct tags of one run, sorted, in one file that is searched without being read.

A tag is the first 8 bytes of a keyed 16-byte digest (NIST SP 800-38B lets a CMAC be cut to 64 bits). Asked about somebody who
is not in it, a shard of n tags says yes by chance once in 2**64 / n times: for ten million tags, once in 1.8e12.

Tags wait sorted in runs, in a file without a name: gone when closed, or when the process dies. Memory: some tens of megabytes.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from passerelle.errors import UsageError

TAG_BYTES: Final = 8
DIGEST_BYTES: Final = 16
RUN_TAGS: Final = 1 << 20
_SLICE_BITS: Final = 8

Words = npt.NDArray[np.uint64]


class Writer(Protocol):
    """Where sorted tags go."""

    def write(self, data: bytes, /) -> object: ...


class Shard:
    """Gathers digests in any order. Use as a context manager; ``folder`` is where they wait."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 -- closed by close()
        self._pending: list[Words] = []
        self._waiting = 0
        self._runs: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go, with all that it holds; harmless twice."""
        self._file.close()

    def add(self, digests: npt.NDArray[np.uint8]) -> None:
        """Take digests, (n, 16) bytes.

        Raises:
            UsageError: another shape.
        """
        if digests.ndim != 2 or digests.shape[1] != DIGEST_BYTES or digests.dtype != np.uint8:  # noqa: PLR2004 -- a matrix
            raise UsageError(f"expected digests of shape (n, {DIGEST_BYTES}) of bytes")
        words = np.ascontiguousarray(digests).view(">u8")[:, 0].astype(np.uint64)
        self._pending.append(words)
        self._waiting += len(words)
        if self._waiting >= RUN_TAGS:
            self._flush()

    def write(self, writer: Writer) -> int:
        """Write every distinct tag once, in ascending order, 8 bytes each, big-endian; gives how many."""
        count = 0
        for words in self._slices():
            tags = _distinct(words)
            writer.write(tags.astype(">u8").tobytes())
            count += len(tags)
        return count

    def _flush(self) -> None:
        if not self._waiting:
            return
        run = _distinct(np.concatenate(self._pending))
        self._pending, self._waiting = [], 0
        bounds = np.arange(1 << _SLICE_BITS, dtype=np.uint64) << np.uint64(64 - _SLICE_BITS)
        self._runs.append((self._size, np.append(np.searchsorted(run, bounds), len(run))))
        data = memoryview(run.tobytes())
        self._size += len(data)
        while data:
            data = data[os.write(self._file.fileno(), data) :]

    def _slices(self) -> Iterator[Words]:
        self._flush()
        for place in range(1 << _SLICE_BITS):
            parts = [self._part(start, int(cuts[place]), int(cuts[place + 1])) for start, cuts in self._runs]
            if parts:
                yield np.concatenate(parts)

    def _part(self, start: int, first: int, last: int) -> Words:
        data = os.pread(self._file.fileno(), (last - first) * TAG_BYTES, start + first * TAG_BYTES)
        return np.frombuffer(data, np.uint64)


def _distinct(words: Words) -> Words:
    """Sorted, each once; by sorting, which for random words is many times faster than the hash table of ``np.unique``."""
    order = np.sort(words)
    keep = np.ones(len(order), np.bool_)
    np.not_equal(order[1:], order[:-1], out=keep[1:])
    return order[keep]


def holds(path: Path, digest: bytes) -> bool:
    """Whether the shard at ``path`` has the tag of ``digest``: binary search, without reading the file into memory.

    Raises:
        UsageError: ``digest`` is not 16 bytes, or the file is not a whole number of tags.
    """
    size = path.stat().st_size
    if len(digest) != DIGEST_BYTES or size % TAG_BYTES:
        raise UsageError(f"expected a digest of {DIGEST_BYTES} bytes and a file of tags of {TAG_BYTES}")
    if not size:
        return False
    tag = digest[:TAG_BYTES]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as tags:
        low, high = 0, size // TAG_BYTES
        while low < high:
            middle = (low + high) // 2
            if tags[middle * TAG_BYTES : (middle + 1) * TAG_BYTES] < tag:
                low = middle + 1
            else:
                high = middle
        return tags[low * TAG_BYTES : (low + 1) * TAG_BYTES] == tag
