"""Which rows of a whole file repeat a key, in bounded memory.

Keyed 16-byte digests are sorted in runs, in a file without a name under a given folder: gone when closed, or when the process
dies. Digests are evenly spread, so a run is cut into slices by their first bits and the same slices of all runs are looked at together.
Memory: some tens of megabytes for ``RUN_ROWS`` rows at a time, one bit a row, and 8 KiB a run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from passerelle.errors import UsageError

TAG_BYTES: Final = 16
RUN_ROWS: Final = 1 << 18
_SLICE_BITS: Final = 10
_RECORD: Final = np.dtype([("high", "<u8"), ("low", "<u8"), ("row", "<i8")])

Records = np.ndarray[tuple[int], np.dtype[np.void]]
Tags = npt.NDArray[np.uint8]


class Repeats:
    """The rows that repeat the key of an earlier row, by number from 1."""

    def __init__(self, bits: npt.NDArray[np.uint8], rows: int) -> None:
        self._bits = bits
        self._rows = rows
        self.count = int(np.bitwise_count(bits).sum())

    def within(self, first_row: int, rows: int) -> npt.NDArray[np.int64]:
        """Offsets, ascending, of the repeating rows among ``rows`` rows from ``first_row`` on."""
        start, stop = first_row, min(first_row + rows, self._rows + 1)
        if start >= stop:
            return np.empty(0, np.int64)
        bits = np.unpackbits(self._bits[start // 8 : stop // 8 + 1])
        return np.flatnonzero(bits[start % 8 : start % 8 + stop - start])

    def __iter__(self) -> Iterator[int]:
        for start in range(1, self._rows + 1, RUN_ROWS):
            yield from (self.within(start, RUN_ROWS) + start).tolist()


class Digests:
    """Keyed digests of the rows of one file, one key. Use as a context manager.

    Callers MUST give digests under a key that nobody keeps.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 -- closed by close()
        self._pending: list[Records] = []
        self._pending_rows = 0
        self._runs: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._size = 0
        self._last_row = 0
        self._repeats = np.zeros(0, np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go, with all that it holds; harmless twice."""
        self._file.close()

    def add(self, digests: Tags, rows: int | npt.NDArray[np.int64]) -> None:
        """Take the digests of some rows.

        Args:
            digests: (n, 16) uint8.
            rows: the number, from 1, of the first row when they follow one another, or the (n,) ascending numbers of the
                rows; after every row added before. Rows without a key are left out: they repeat nothing.

        Raises:
            UsageError: another shape, or rows out of order.
        """
        if digests.ndim != 2 or digests.shape[1] != TAG_BYTES or digests.dtype != np.uint8:  # noqa: PLR2004 -- a matrix
            raise UsageError(f"expected digests of shape (n, {TAG_BYTES}) of bytes")
        numbers = np.arange(rows, rows + len(digests)) if isinstance(rows, int) else rows
        if len(numbers) != len(digests) or (np.diff(numbers, prepend=self._last_row) < 1).any():
            raise UsageError(f"expected the numbers of {len(digests)} rows, ascending, after row {self._last_row}")
        if not len(digests):
            return
        self._last_row = int(numbers[-1])
        words = np.ascontiguousarray(digests).view(">u8")
        records = np.empty(len(digests), _RECORD)
        records["high"], records["low"], records["row"] = words[:, 0], words[:, 1], numbers
        for start in range(0, len(records), RUN_ROWS):
            self._pending.append(records[start : start + RUN_ROWS])
            self._pending_rows += len(self._pending[-1])
            if self._pending_rows >= RUN_ROWS:
                self._flush()

    def duplicates(self) -> Repeats:
        """The rows whose digest an earlier row had; the first of them is not one."""
        self._grow()
        for records in self._slices():
            order = _sorted(records)
            self._mark(order["row"][1:][_same(order)])
        return Repeats(self._repeats, self._last_row)

    def _flush(self) -> None:
        if not self._pending_rows:
            return
        order = _sorted(np.concatenate(self._pending))
        self._pending, self._pending_rows = [], 0
        same = _same(order)
        self._grow()
        self._mark(order["row"][1:][same])
        kept = order[np.concatenate((np.ones(1, np.bool_), ~same))]
        bounds = np.arange(1 << _SLICE_BITS, dtype=np.uint64) << np.uint64(64 - _SLICE_BITS)
        cuts = np.append(np.searchsorted(kept["high"], bounds), len(kept))
        data = memoryview(kept.tobytes())
        self._runs.append((self._size, cuts))
        self._size += len(data)
        while data:
            data = data[self._file.write(data) :]

    def _slices(self) -> Iterator[Records]:
        self._flush()
        slices = 1 << _SLICE_BITS
        # As many slices at once as make about one run.
        step = max(1, min(slices, slices * RUN_ROWS * _RECORD.itemsize // max(1, self._size)))
        for place in range(0, slices, step):
            last = min(place + step, slices)
            parts = [self._part(start, int(cuts[place]), int(cuts[last])) for start, cuts in self._runs]
            if parts:
                yield np.concatenate(parts)

    def _part(self, start: int, first: int, last: int) -> Records:
        size = (last - first) * _RECORD.itemsize
        data = os.pread(self._file.fileno(), size, start + first * _RECORD.itemsize)
        return np.frombuffer(data, _RECORD)

    def _grow(self) -> None:
        missing = self._last_row // 8 + 1 - len(self._repeats)
        if missing > 0:
            self._repeats = np.concatenate((self._repeats, np.zeros(missing, np.uint8)))

    def _mark(self, rows: npt.NDArray[np.int64]) -> None:
        np.bitwise_or.at(self._repeats, rows // 8, (0x80 >> (rows % 8)).astype(np.uint8))


def _sorted(records: Records) -> Records:
    """By digest, then by row. The first half of a digest nearly always settles it."""
    order = records[np.argsort(records["high"])]
    equal = order["high"][1:] == order["high"][:-1]
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        part = order[tied]
        order[tied] = part[np.lexsort((part["row"], part["low"], part["high"]))]
    return order


def _same(order: Records) -> npt.NDArray[np.bool_]:
    """Whether each record but the first has the digest of the one before it."""
    same: npt.NDArray[np.bool_] = (order["high"][1:] == order["high"][:-1]) & (order["low"][1:] == order["low"][:-1])
    return same
