"""The writer of the trail: appends in the caller's transaction, signs heads, proves entries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from threading import RLock
from typing import Any, ClassVar, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import CompoundSelect, Connection, Select, bindparam, insert, select, union_all

from passerelle.clock import iso
from passerelle.errors import TrailError
from passerelle.trail import merkle
from passerelle.trail.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from passerelle.trail.entry import MAX_LEAF_BYTES, Entry
from passerelle.trail.nodes import Nodes, complete_tiles
from passerelle.trail.note import VerifierKey
from passerelle.trail.proof import Proof
from passerelle.trail.rows import Row, extend, grow, lock_head, store_head
from passerelle.trail.tables import trail_checkpoint, trail_entry, trail_head

BATCH_ROWS = 4096
PIECE_ROWS = 256
MAX_UNSIGNED = 256  # entries, and the time below: how much may stand that no signed head vouches for
MAX_UNSIGNED_MINUTES = 60
MAX_STEP_BACK = timedelta(minutes=5)  # a writer that waited for its turn may be this late; more is a clock set back


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry and its place in the trail."""

    index: int
    entry: Entry


class Telling(Protocol):
    """What the entries of ``KINDS`` tell, once it has taken each of them in its order."""

    KINDS: ClassVar[frozenset[str]]

    def take(self, found: Recorded) -> None:
        """Add one entry."""


T = TypeVar("T", bound=Telling)


class Ledger:
    """The trail under one origin and one key.

    Every method takes the caller's connection, inside a transaction that the caller begins and commits: state change and
    entry commit together or not at all. On SQLite that transaction MUST hold the write lock (``tables.begin_immediate``); on
    PostgreSQL the row of the head is locked until the caller commits. So entries have one order, that of the commits.
    """

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self.origin = origin
        self._key = key
        self.verifier_key = str(VerifierKey.of(origin, key))
        self._folds: dict[type[Telling], _Fold] = {}
        self._folding = RLock()

    def append(self, connection: Connection, entry: Entry) -> int:
        """Append one entry and return its index; ``append_many`` tells the rest."""
        head = _lock(connection)
        (row,) = head.take_all([entry])
        if not grow(connection, row, head.as_row()):
            raise _moved()
        complete_tiles(connection, row[0], [row[2]])
        return row[0]

    def append_many(self, connection: Connection, entries: Iterable[Entry]) -> range:
        """Append entries in their order, all or none, and return their indexes.

        An entry is recorded at its own instant, or at that of the one before when it waited for its turn. The entries are
        taken while earlier ones are written: to give them MUST NOT need the connection.

        Raises:
            TrailError: an entry's clock is more than ``MAX_STEP_BACK`` behind the trail, or an entry is too large.
        """
        head = _lock(connection)
        start = head.frontier.size
        source = iter(entries)
        with connection.begin_nested():
            while _extend(connection, head, islice(source, BATCH_ROWS)) == BATCH_ROWS:
                pass
            _store(connection, head, start)
        return range(start, head.frontier.size)

    def hold(self, connection: Connection) -> None:
        """Let nobody else append until the caller commits: what is read from now on stands still, on PostgreSQL too."""
        _lock(connection)

    def size(self, connection: Connection) -> int:
        """The number of entries."""
        return int(connection.execute(select(trail_head.c.size)).scalar_one())

    def checkpoint(self, connection: Connection, at: datetime) -> str:
        """Sign the head at the current size, store it, and return the note; once signed, a size keeps its note.

        Raises:
            TrailError: the stored hashes do not continue the last head that was signed (c2sp.org/tlog-checkpoint: a log
                MUST NOT sign then), or the clock was set back.
        """
        head = _lock(connection)
        size, root = head.frontier.size, head.frontier.root()
        last = self.latest(connection)
        nodes = Nodes(connection, size)
        if last is not None and (last.size > size or nodes.root(last.size) != last.root):
            raise _not_signing(f"the entries do not continue the head signed at size {last.size}")
        if nodes.root(size) != root:
            raise _not_signing(f"the stored hashes do not give the head at size {size}")
        if last is not None and last.size == size:
            return last.note
        when = head.advance(iso(at))
        note = sign_checkpoint(self.origin, size, root, self._key, datetime.fromisoformat(when))
        connection.execute(insert(trail_checkpoint).values(size=size, root=root, note=note, at=when))
        _store(connection, head, size)
        return note

    def sign_when_due(
        self,
        connection: Connection,
        at: datetime,
        *,
        entries: int = MAX_UNSIGNED,
        age: timedelta = timedelta(minutes=MAX_UNSIGNED_MINUTES),
    ) -> str | None:
        """Sign the head when ``entries`` stand unsigned, or the oldest of them is ``age`` old; None when nothing is due.

        Raises:
            TrailError: as ``checkpoint``.
        """
        last = self.latest(connection)
        signed = last.size if last else 0
        unsigned = self.size(connection) - signed
        if not unsigned:
            return None
        oldest = next(self.entries(connection, signed, signed + 1)).entry.at
        if unsigned < entries and at - datetime.fromisoformat(oldest) < age:
            return None
        return self.checkpoint(connection, at)

    def latest(self, connection: Connection) -> Checkpoint | None:
        """The last head that was signed, verified; None before the first.

        Raises:
            TrailError: its note does not verify under the ledger's key.
        """
        query = select(trail_checkpoint.c.note).order_by(trail_checkpoint.c.size.desc()).limit(1)
        note = connection.scalar(query)
        return None if note is None else open_checkpoint(note, self.verifier_key)

    def confirm(self, connection: Connection, checkpoint: Checkpoint) -> Checkpoint:
        """Check that the stored hashes give the root of a verified head that someone else holds.

        Raises:
            TrailError: the trail is shorter than it, or has another history.
        """
        size = self.size(connection)
        if checkpoint.size > size:
            raise TrailError(
                f"truncated: a head over {checkpoint.size} entries was signed, and {size} are left", where="trail"
            )
        if Nodes(connection, size).root(checkpoint.size) != checkpoint.root:
            raise TrailError(
                f"forked: the entries do not give the head signed at size {checkpoint.size}", where="trail"
            )
        return checkpoint

    def prove_consistency(self, connection: Connection, older: int, newer: int) -> tuple[bytes, ...]:
        """The hashes (RFC 6962, 2.1.2) that prove that the tree of ``newer`` entries continues that of ``older``.

        Raises:
            TrailError: unless 0 < older <= newer <= size of the trail; or stored hashes are missing.
        """
        size = self.size(connection)
        if newer > size:
            raise TrailError(f"expected at most {size} entries, got {newer}", where="consistency proof")
        ranges = merkle.consistency_ranges(older, newer)
        nodes = Nodes(connection, newer)
        return tuple(merkle.range_root(start, end, nodes.subtree) for start, end in ranges)

    def prove(self, connection: Connection, index: int) -> bytes:
        """A tlog-proof of the entry against the latest checkpoint; its ``extra`` line carries the entry.

        Raises:
            TrailError: no checkpoint covers the entry, or stored hashes are missing or do not lead to its root.
        """
        last = self.latest(connection)
        if last is None or not 0 <= index < last.size:
            raise TrailError(f"no checkpoint covers entry {index}", where="trail", hint="sign a checkpoint after it")
        leaf = connection.scalar(select(trail_entry.c.body).where(trail_entry.c.index == index)) or b""
        path = Nodes(connection, last.size).inclusion_proof(index)
        merkle.verify_inclusion(index, last.size, merkle.leaf_hash(leaf), path, last.root)
        return Proof(index, path, last.note, leaf).write()

    def entries(self, connection: Connection, start: int = 0, stop: int | None = None) -> Iterator[Recorded]:
        """The entries ``[start, stop)`` in order, a page at a time.

        Raises:
            TrailError: a stored entry is not well formed.
        """
        yield from _read(connection, start, stop, ())

    def of_kinds(self, connection: Connection, kinds: Collection[str]) -> Iterator[Recorded]:
        """The entries of some kinds in order; raises as ``entries`` does."""
        yield from _read(connection, 0, None, kinds)

    @contextmanager
    def folded(self, connection: Connection, telling: type[T], *, anew: bool = False) -> Iterator[T]:
        """What the entries tell, in this view of the trail; nobody else has it meanwhile, and the next caller need only add to it.

        It is kept as long as the stored hashes give the root that they gave when it was made: a shorter trail, or another, is
        read from its first entry. Not seen by that: an entry edited in place whose stored hash was left as it was, which
        ``fsck`` finds. What decides MUST ask for it ``anew``, with every entry read again.

        Raises:
            TrailError: a stored entry is not well formed, or stored hashes are missing.
        """
        with self._folding:
            size = self.size(connection)
            nodes = Nodes(connection, size)
            kept = self._folds.pop(telling, None)
            if kept is None or anew or kept.size > size or nodes.root(kept.size) != kept.root:
                kept = _Fold(telling(), 0, merkle.EMPTY_ROOT)
            for found in _read(connection, kept.size, size, telling.KINDS):
                kept.told.take(found)
            if kept.size < size:
                kept.size, kept.root = size, nodes.root(size)
            told: T = kept.told
            self._folds[telling] = kept
            yield told

    def find(
        self,
        connection: Connection,
        kind: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        **fields: Any,
    ) -> Iterator[Recorded]:
        """The entries of a kind, from ``since`` (included) to ``until`` (excluded), whose fields equal ``fields``."""
        for found in _read(connection, 0, None, (kind,) if kind else ()):
            entry = found.entry
            if (since and entry.at < iso(since)) or (until and entry.at >= iso(until)):
                continue
            if all(entry.body.get(name) == value for name, value in fields.items()):
                yield found


@dataclass(slots=True)
class _Fold:
    """What was told by the first ``size`` entries, whose root is ``root``."""

    told: Any
    size: int
    root: bytes


@dataclass(slots=True)
class _Head:
    """The head as it is locked, and as it grows."""

    frontier: merkle.Frontier
    at: str

    def as_row(self) -> tuple[int, bytes, str]:
        """As it is stored."""
        return self.frontier.size, self.frontier.to_bytes(), self.at

    def advance(self, at: str) -> str:
        """The instant to record: ``at``, or the last one when ``at`` is a little behind it."""
        if at < self.at:
            late = datetime.fromisoformat(self.at) - datetime.fromisoformat(at)
            if late > MAX_STEP_BACK:
                raise TrailError(
                    f"the clock is {late} behind the trail",
                    where="trail",
                    hint=f"set the clock right: the trail was last written at {self.at}",
                )
            return self.at
        self.at = at
        return at

    def pieces(self, entries: Iterable[Entry]) -> Iterator[list[Row]]:
        """The rows of the next entries, some at a time."""
        source = iter(entries)
        while piece := list(islice(source, PIECE_ROWS)):
            yield self.take_all(piece)

    def take_all(self, entries: Sequence[Entry]) -> list[Row]:
        """The rows of the next entries."""
        leaves = [self._leaf(entry) for entry in entries]
        hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        start = self.frontier.size
        self.frontier.extend(hashes)
        kinds = [entry.kind for entry in entries]
        return list(zip(range(start, self.frontier.size), kinds, hashes, leaves, strict=True))

    def _leaf(self, entry: Entry) -> bytes:
        at = self.advance(entry.at)
        leaf = (entry if at == entry.at else Entry(entry.kind, at, entry.body)).leaf()
        if len(leaf) > MAX_LEAF_BYTES:
            raise TrailError(f"expected an entry of at most {MAX_LEAF_BYTES} bytes, got {len(leaf)}", where=entry.kind)
        return leaf


def _extend(connection: Connection, head: _Head, entries: Iterable[Entry]) -> int:
    """Write entries and the tiles that they complete; how many there were."""
    start = head.frontier.size
    hashes: list[bytes] = []

    def rows() -> Iterator[list[Row]]:
        for piece in head.pieces(entries):
            hashes.extend(leaf_hash for _, _, leaf_hash, _ in piece)
            yield piece

    extend(connection, rows())
    complete_tiles(connection, start, hashes)
    return len(hashes)


def _lock(connection: Connection) -> _Head:
    row = lock_head(connection)
    if row is None:
        raise TrailError("the trail has no head", where="trail_head", hint="passerelle trail verify")
    size, frontier, at = row
    return _Head(merkle.Frontier.from_bytes(size, frontier), at)


def _store(connection: Connection, head: _Head, old_size: int) -> None:
    """Write the head back; another writer in between means that the transaction did not hold the lock."""
    if not store_head(connection, old_size, head.as_row()):
        raise _moved()


def _moved() -> TrailError:
    return TrailError("the head moved during the transaction", where="trail_head", hint="begin it with the write lock")


def _not_signing(message: str) -> TrailError:
    return TrailError(
        f"{message}; no head is signed", where="trail", hint="passerelle trail verify says what was altered"
    )


def _read(connection: Connection, start: int, stop: int | None, kinds: Collection[str]) -> Iterator[Recorded]:
    query, full = _page(frozenset(kinds)), True
    while full:
        rows = connection.execute(query, {"start": start, "stop": merkle.MAX_SIZE if stop is None else stop}).all()
        for index, body in rows:
            yield Recorded(index, Entry.parse(body))
        full = len(rows) == BATCH_ROWS
        start = rows[-1][0] + 1 if full else start


@cache
def _page(kinds: frozenset[str]) -> Select[Any] | CompoundSelect[Any]:
    """The next entries from ``start`` on. Each kind is read in the order of its index and they are merged: nothing is sorted."""
    every = select(trail_entry.c.index, trail_entry.c.body).where(
        trail_entry.c.index >= bindparam("start"), trail_entry.c.index < bindparam("stop")
    )
    if not kinds:
        return every.order_by(trail_entry.c.index).limit(BATCH_ROWS)
    merged = union_all(*(every.where(trail_entry.c.kind == kind) for kind in sorted(kinds)))
    return merged.order_by(merged.selected_columns.index).limit(BATCH_ROWS)
