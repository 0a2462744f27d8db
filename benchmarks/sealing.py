"""Measure sealing and opening against pyrage alone and against the age program, on the same random payload.

python benchmarks/sealing.py [MEBIBYTES]        default: 256
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel

from passerelle.keys import AgeSink, Identity, age_sink, decrypt

ROUNDS = 3
MIB = 1 << 20
AIMS = {"one lock": 0.9, "two locks": 0.45}


def best(act: Callable[[], object]) -> float:
    """The shortest of some rounds, in seconds."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return min(found)


class Discard(io.RawIOBase):
    """Takes everything and keeps nothing, so that no disk is measured."""

    def write(self, data: object, /) -> int:
        return len(data)  # type: ignore[arg-type]  # bytes or a memoryview of bytes

    def writable(self) -> bool:
        return True


class Work:
    """A payload in memory, and what is made of it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.recipient, self.release = folder, Identity.generate(), Identity.generate()
        self.plain = os.urandom(MIB) * size
        self.sealed = io.BytesIO()
        pyrage.encrypt_io(io.BytesIO(self.plain), self.sealed, [self.recipient.recipient.native()])
        (folder / "identity").write_text(self.recipient.secret + "\n")
        (folder / "plain").write_bytes(self.plain)
        (folder / "sealed").write_bytes(self.sealed.getvalue())

    def seal(self) -> None:
        """One lock, ours."""
        with age_sink(Discard(), [self.recipient.recipient]) as sink:
            self._into(sink)

    def seal_twice(self) -> None:
        """Two locks, ours, in one pass."""
        with (
            age_sink(Discard(), [self.release.recipient]) as outer,
            age_sink(outer, [self.recipient.recipient]) as inner,
        ):
            self._into(inner)

    def _into(self, sink: AgeSink) -> None:
        view = memoryview(self.plain)
        for start in range(0, len(view), MIB):
            sink.write(view[start : start + MIB])

    def open(self) -> None:
        """One lock, ours."""
        self.sealed.seek(0)
        decrypt(self.sealed, Discard(), [self.recipient])

    def pyrage_seal(self) -> None:
        """One lock, by pyrage alone."""
        pyrage.encrypt_io(io.BytesIO(self.plain), Discard(), [self.recipient.recipient.native()])

    def pyrage_open(self) -> None:
        """One lock, by pyrage alone."""
        self.sealed.seek(0)
        pyrage.decrypt_io(self.sealed, Discard(), [self.recipient.native()])

    def age_seal(self) -> None:
        """One lock, by the age program."""
        self._age("-r", self.recipient.recipient.text, self.folder / "plain")

    def age_open(self) -> None:
        """One lock, by the age program."""
        self._age("-d", "-i", self.folder / "identity", self.folder / "sealed")

    @staticmethod
    def _age(*arguments: str | Path) -> None:
        subprocess.run(["age", *arguments], check=True, stdout=subprocess.DEVNULL)


def told(name: str, took: float, size: int, reference: float, aim: float | None = None) -> None:
    """Print one line: MB a second, and the share of pyrage's pace."""
    wanted = f" (aim: at least {aim})" if aim else ""
    print(f"  {name:<24}{size * MIB / took / 1e6:>8,.0f} MB/s   {reference / took:5.2f} of pyrage{wanted}")


def main() -> None:
    """Seal and open by each, and compare."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
        work = Work(Path(name), size)
        print(f"\nsealing {size} MiB, best of {ROUNDS}")
        base = best(work.pyrage_seal)
        told("pyrage alone", base, size, base)
        if shutil.which("age"):
            told("age program", best(work.age_seal), size, base)
        told("one lock", best(work.seal), size, base, AIMS["one lock"])
        told("two locks", best(work.seal_twice), size, base, AIMS["two locks"])
        print(f"opening {size} MiB, best of {ROUNDS}")
        base = best(work.pyrage_open)
        told("pyrage alone", base, size, base)
        if shutil.which("age"):
            told("age program", best(work.age_open), size, base)
        told("one lock", best(work.open), size, base)


if __name__ == "__main__":
    main()
