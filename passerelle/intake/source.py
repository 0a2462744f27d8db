"""A partner's file, opened once and read twice: its bytes and keys first, its rows second.

Two passes, because a row that repeats a key of an earlier row must be rejected before the extract is sealed, and the set of
keys of a whole file does not fit in bounded memory; nor may rows wait on disk in the clear. The first pass sees every byte:
hash, encrypted raw copy, strict decoding, keys. The second reads the rows. Both read the same open file, and a one-time
authenticator (RFC 8439 Poly1305, under a key that lives as long as the source) shows that they read the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from cryptography.hazmat.primitives.poly1305 import Poly1305

from passerelle.contract import Batch, Dialect, Packing
from passerelle.errors import IntakeError, UsageError
from passerelle.intake.chunks import THREADED_BYTES
from passerelle.intake.content import Content, changed
from passerelle.intake.explain import explaining
from passerelle.intake.formats import recognised
from passerelle.intake.limits import BATCH_BYTES, GIB, MAX_BATCH_BYTES, MAX_CELLS, MAX_FILE_BYTES, MIN_BATCH_BYTES
from passerelle.intake.original import OnDisk, Original
from passerelle.intake.recognise import check_declared
from passerelle.intake.repairs import mended


class Writer(Protocol):
    """Where raw bytes go. Implementations MUST encrypt before anything reaches a disk."""

    def write(self, data: bytes, /) -> object: ...


class Source:
    """One file in one recognised dialect. Use as a context manager; not safe to share between threads.

    Attributes:
        dialect: the declared dialect that the header is of.
        columns: the contract's columns that the file brings, in the file's order.
        size_bytes: of the file.
    """

    def __init__(self, original: Original, dialects: Sequence[Dialect], batch_bytes: int) -> None:
        self._original = original
        self._batch_bytes = batch_bytes
        self._identity = original.identity()
        self.size_bytes = original.size_bytes
        self._mac_key = os.urandom(32)
        self._mac: bytes | None = None
        self._sha256: str | None = None
        self._rows: int | None = None
        self._repairs: Counter[str] = Counter()
        self._content = Content(original, batch_bytes)
        self.dialect, self._rows_of = recognised(self._content, dialects)
        self.columns = tuple(target for target in self.dialect.columns.values() if target is not None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; harmless twice."""
        self._original.close()

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hex. Raises UsageError before ``digest_pass`` has ended."""
        if self._sha256 is None:
            raise UsageError("the hash of the input is known once digest_pass has ended")
        return self._sha256

    @property
    def rows(self) -> int:
        """How many rows the file has. Raises UsageError before a pass has ended."""
        if self._rows is None:
            raise UsageError("the rows of the input are counted once a pass has ended")
        return self._rows

    @property
    def repairs(self) -> Mapping[str, int]:
        """What the latest pass of ``batches`` repaired, by ``repair:column``, or ``repair`` alone where whole lines are."""
        return dict(self._repairs)

    def digest_pass(self, key_columns: Sequence[str], raw_sink: Writer | None = None) -> Iterator[Batch]:
        """First pass: every byte to the hash and to ``raw_sink``, every row through the strict checks.

        Yields:
            Batches that hold ``key_columns`` only, as ``batches`` would give them; of no column when none is asked.

        Raises:
            IntakeError: the bytes are not what the dialect declares, or changed under way.
            UsageError: a key column that the file does not bring.
        """
        digest = hashlib.sha256()
        with explaining():
            yield from self._read(key_columns, Counter(), digest.update, raw_sink)
        self._sha256 = digest.hexdigest()

    def batches(self) -> Iterator[Batch]:
        """Second pass, from the first row each time it is called: text columns under the contract's names.

        Declared null marks are null, quoted or not. Where the dialect trims, whitespace around a cell (no-break spaces
        included) is dropped and counted in ``repairs``, and a cell that is then a null mark is null.

        Raises:
            IntakeError: the bytes are not what the dialect declares, or changed since an earlier pass.
        """
        self._repairs = Counter()
        with explaining():
            yield from self._read(self.columns, self._repairs, None, None)

    @property
    def packing(self) -> Packing:
        """What the rows came in."""
        return self._content.packing

    def _read(
        self, wanted: Sequence[str], repairs: Counter[str], digest: Callable[[bytes], None] | None, raw: Writer | None
    ) -> Iterator[Batch]:
        if unknown := [name for name in wanted if name not in self.columns]:
            raise UsageError(f"dialect {self.dialect.id} does not bring {', '.join(unknown)}")
        mac = Poly1305(self._mac_key)
        rows = 0
        with _Observer((mac.update,) if digest is None else (mac.update, digest), raw) as observer:
            for piece in self._rows_of(list(wanted), observer.see):
                repairs.update(piece.repairs)
                yield Batch(mended(piece.table, self.dialect, repairs), rows + 1)
                rows += piece.table.num_rows
                if rows * len(self.dialect.columns) > MAX_CELLS:
                    raise IntakeError(f"expected at most {MAX_CELLS} cells, came more", where="input")
        self._check_unchanged(mac.finalize())
        self._rows = rows

    def _check_unchanged(self, mac: bytes) -> None:
        if self._original.identity() != self._identity or self._mac not in {None, mac}:
            raise changed()
        self._mac = mac


class _Observer:
    """Shows blocks to the hashes on a thread of their own while the caller goes on."""

    def __init__(self, updates: Sequence[Callable[[bytes], None]], raw: Writer | None) -> None:
        self._updates = updates
        self._raw = raw
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def see(self, block: bytes) -> None:
        if self._last is not None:
            self._last.result()
            self._last = None
        if len(block) < THREADED_BYTES:
            self._update(block)
        else:
            self._last = self._pool.submit(self._update, block)
        if self._raw is not None:
            self._raw.write(block)

    def _update(self, block: bytes) -> None:
        for update in self._updates:
            update(block)


def open_source(path: Path, dialects: Sequence[Dialect], *, batch_bytes: int = BATCH_BYTES) -> Source:
    """Open ``path`` and recognise, by its exact header, the one of ``dialects`` that it is in.

    Args:
        path: a regular file; its name is never shown.
        dialects: what the sender may send; none of them is ever guessed or adapted.
        batch_bytes: how much of a CSV file makes one batch; peak memory is some 30 times that, whatever the file.

    Raises:
        IntakeError: not a readable regular file, over a limit, or in none or several of the dialects.
        UsageError: a dialect that cannot be carried out.
    """
    with explaining():
        opened = open_file(path)
    return open_original(OnDisk(opened), dialects, batch_bytes=batch_bytes)


def open_original(original: Original, dialects: Sequence[Dialect], *, batch_bytes: int = BATCH_BYTES) -> Source:
    """As ``open_source``, from bytes that are open already; the source closes them."""
    try:
        check_declared(dialects)
        _check_batch(batch_bytes)
        with explaining():
            return Source(original, dialects, batch_bytes)
    except BaseException:
        original.close()
        raise


def _check_batch(batch_bytes: int) -> None:
    if not MIN_BATCH_BYTES <= batch_bytes <= MAX_BATCH_BYTES:
        raise UsageError(f"batch_bytes must be {MIN_BATCH_BYTES} to {MAX_BATCH_BYTES}")


def open_file(path: Path) -> int:
    """A descriptor of a regular file, which the caller closes. Raises IntakeError, without the file's name: it is none."""
    descriptor, fault = -1, ""
    try:
        # O_NONBLOCK: a named pipe must be refused, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        fault = "there is no such file"
    except PermissionError:
        fault = "the file may not be read by this account"
    except (OSError, ValueError):
        fault = "the file cannot be opened"
    if not fault:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            fault = "expected a regular file"
        elif state.st_size > MAX_FILE_BYTES:
            fault = f"expected at most {MAX_FILE_BYTES // GIB} GiB, came more"
        if fault:
            os.close(descriptor)
    if fault:
        raise IntakeError(fault, where="input")
    return descriptor
