"""Removing many files: their names go at once, the disk gets their blocks back behind.

A disk that is told of each freed block (mount option ``discard``, no journal) makes unlink(2) wait about 1 ms for every
megabyte, and every sync meanwhile. A file that is open keeps its blocks until it is closed: so it is opened and unlinked, and
closed by a thread when all is done; the kernel closes it when the process ends, however that ends.
"""

from __future__ import annotations

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from passerelle.workspace.files import erase

SIDE_BY_SIDE = 8
THREADS = "freeing"  # what their names begin with
MOST_OPEN = 4_096


class Freeing:
    """Removes names; leaving it begins to free the blocks and waits for none. More files than may be open are freed at once."""

    def __init__(self) -> None:
        self._most = min(MOST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._held: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        pool = ThreadPoolExecutor(SIDE_BY_SIDE, THREADS)
        for held in self._held:
            pool.submit(os.close, held)
        pool.shutdown(wait=False)

    def erase(self, path: Path) -> None:
        """Unlink ``path``; a file that is gone already is fine."""
        if len(self._held) < self._most:
            self._hold(path)
        erase(path)

    def _hold(self, path: Path) -> None:
        """Keep it open, unless it is not ours to open, or no file."""
        try:
            self._held.append(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        except OSError:
            return
