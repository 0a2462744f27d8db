"""Removing many files: their names go at once, the disk gets their blocks back behind.

A disk that is told of each freed block (mount option ``discard``, no journal) makes unlink(2) wait about 1 ms for every
megabyte. A file that is open keeps its blocks until it is closed: so it is opened, unlinked, and closed by a thread; the kernel
closes it when the process ends, however that ends.
"""

from __future__ import annotations

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore
from typing import Self

from passerelle.workspace.files import erase

SIDE_BY_SIDE = 8
THREADS = "freeing"  # what their names begin with
MOST_OPEN = 4_096


class Freeing:
    """Removes names; leaving it waits for no block."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(min(MOST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._pool.shutdown(wait=False)

    def erase(self, path: Path) -> None:
        """Unlink ``path``; a file that is gone already is fine."""
        held = self._hold(path)
        try:
            erase(path)
        finally:
            if held is not None:
                self._pool.submit(self._free, held)

    def _hold(self, path: Path) -> int | None:
        """The file, open; None when it is not ours to open, or no file."""
        self._room.acquire()
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            self._room.release()
            return None

    def _free(self, held: int) -> None:
        os.close(held)
        self._room.release()
