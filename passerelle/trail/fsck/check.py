"""The check itself: one pass over the entries, in memory that grows by no more than the checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from passerelle.errors import TrailError
from passerelle.trail.fsck import entries
from passerelle.trail.fsck.naming import named
from passerelle.trail.fsck.notes import Head, Key, NoteFault, read_head, within
from passerelle.trail.fsck.witnesses import KIND, Witnesses

PAGE_ROWS = 4096
TILE = 256
NOT_TEXT = "Could not decode to UTF-8"  # what SQLite's driver says of such a column; PostgreSQL keeps none
MAX_FAULTS = 100  # told; more are only counted
EMPTY = hashlib.sha256(b"").digest()

_ENTRIES = text(
    'SELECT "index", kind, leaf_hash, body FROM trail_entry WHERE "index" > :after ORDER BY "index" LIMIT :rows'
)
_TILE = text('SELECT root, hashes FROM trail_tile WHERE level = :level AND "index" = :index')
_TILES = text("SELECT count(*) FROM trail_tile")
_CHECKPOINTS = text("SELECT size, root, note, at FROM trail_checkpoint ORDER BY size")
_HEADS = text("SELECT id, size, frontier, at FROM trail_head ORDER BY id")


class TrailFaultsError(TrailError):
    """The trail does not hold: the message is the first fault, ``faults`` the first hundred, ``count`` their number.

    ``named`` says in a word what was done: edited, deleted, truncated, reordered, inserted, forked, re-chained, key swapped,
    back-dated.
    """

    def __init__(self, faults: Sequence[str], count: int, done: tuple[str, str]) -> None:
        english, french = done
        several = "s" if count > 1 else ""
        super().__init__(
            faults[0],
            where="trail",
            hint=f"what was done: {english}; {count} fault{several} in all; keep the receipt or checkpoint in hand, it proves it",
            fr=f"le registre a été altéré : {french} ({faults[0]})",
            hint_fr=f"{count} anomalie{several} en tout ; gardez l'accusé ou le jalon en main, il le prouve",
        )
        self.faults = tuple(faults)
        self.count = count
        self.named = english


@dataclass(frozen=True, slots=True)
class Report:
    """A trail that holds: entries, root (hex), last instant; how many entries the last checkpoint does not yet cover."""

    size: int
    root: str
    at: str
    checkpoints: int
    unsigned: int
    receipts: int
    cosignatures: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def check(
    connection: Connection,
    verifier_key: str,
    receipts: Sequence[str | bytes] = (),
    verified: Callable[[int], None] | None = None,
) -> Report:
    """Check the whole trail, and that it continues the checkpoints that others hold; ``verified`` is told now and then how many entries were read.

        1. Read the trusted key, the stored checkpoints, and the checkpoints in hand (``receipts``: signed notes, proofs or
           receipts).
        2. Read the entries in order: form, kind, time; hash them, grow the tree, compare each stored tile.
        3. At each size that a checkpoint names, compare the root; the same of heads that witnesses cosigned, and who they are.
        4. Compare the stored head.

    Raises:
        TrailFaultsError: something was altered; each fault says what and where.
        TrailError: the key or a checkpoint in hand cannot be read at all.
    """
    key = Key.read(verifier_key)
    held = [_in_hand(note, key, number) for number, note in enumerate(receipts, 1)]
    try:
        return _Check(connection, key, verified).run(held)
    except DBAPIError as error:
        if NOT_TEXT not in str(error.orig):
            raise
    raise TrailFaultsError(["a column holds text that is not UTF-8"], 1, ("edited", "modifié"))


def _in_hand(note: str | bytes, key: Key, number: int) -> Head:
    fault = ""
    try:
        return read_head(within(note if isinstance(note, str) else note.decode()), key, sole=False)
    except UnicodeDecodeError as error:
        fault = f"byte {error.start} is not UTF-8"
    except NoteFault as error:
        fault = str(error)
    raise TrailError(
        fault, where=f"checkpoint in hand {number}", hint="is it of this trail, and is this the trail's key?"
    )


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@dataclass(slots=True)
class _Tree:
    """A Merkle tree (RFC 6962) that grows: perfect subtrees as (height, hash), the largest first."""

    size: int = 0
    stack: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, digest: bytes) -> None:
        height = 0
        while self.stack and self.stack[-1][0] == height:
            digest = _sha(b"\x01" + self.stack.pop()[1] + digest)
            height += 1
        self.stack.append((height, digest))
        self.size += 1

    def root(self) -> bytes:
        result = b""
        for _, digest in reversed(self.stack):
            result = _sha(b"\x01" + digest + result) if result else digest
        return result or EMPTY


class _Check:
    def __init__(self, connection: Connection, key: Key, verified: Callable[[int], None] | None) -> None:
        self.connection = connection
        self.verified = verified
        self.key = key
        self.faults: list[str] = []
        self.count = 0
        self.tree = _Tree()
        self.at = ""
        self.roots: dict[int, bytes] = {0: EMPTY}  # at the sizes that a checkpoint names
        self.times: dict[int, str] = {}  # of the entries just before and just after those sizes
        self.levels: list[list[bytes]] = [[]]  # the hashes of the tile that is being filled, level by level
        self.full_tiles = 0
        self.suspects: list[int] = []  # entries whose body and stored leaf hash differ
        self.witnesses = Witnesses(connection, key)

    def fault(self, message: str) -> None:
        self.count += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(message)

    def run(self, held: Sequence[Head]) -> Report:
        # 1. The stored checkpoints.
        stored = self._checkpoints()
        cosigned = self.witnesses.heads
        # 2. The entries.
        self._entries({head.size for head in (*stored, *held, *(head for _, head in cosigned))})
        # 3. The roots.
        good = [head for head in stored if self.roots.get(head.size) == head.root]
        self._tell_suspects(max((head.size for head in good), default=0))
        for head in stored:
            self._compare(f"checkpoint {head.size}", head, "the entries do not give its root")
        for number, head in enumerate(held, 1):
            self._compare(f"checkpoint in hand {number}, of {head.size} entries", head, _named(head, good))
        for name, head in cosigned:
            self._compare(self.witnesses.place(name, head.size), head, "the entries do not give its root")
        for fault in self.witnesses.faults():
            self.fault(fault)
        # 4. The head.
        self._head(stored)
        if self.faults:
            heads = self.connection.execute(_HEADS).all()
            size = heads[0][1] if heads and isinstance(heads[0][1], int) else self.tree.size
            raise TrailFaultsError(self.faults, self.count, named(_rows(self.connection), size, self.faults))
        signed = stored[-1].size if stored else 0
        return Report(
            self.tree.size,
            self.tree.root().hex(),
            self.at,
            len(stored),
            self.tree.size - signed,
            len(held),
            len(cosigned),
        )

    def _checkpoints(self) -> list[Head]:
        heads: list[Head] = []
        for size, root, note, at in self.connection.execute(_CHECKPOINTS):
            try:
                head = read_head(str(note), self.key, sole=True)
            except NoteFault as error:
                self.fault(f"checkpoint {size}: {error}")
                continue
            for column, found, said in (("size", size, head.size), ("root", root, head.root), ("at", at, head.at)):
                if found != said:
                    self.fault(f"checkpoint {head.size}: the column {column} is not what the signed note says")
            heads.append(head)
        heads.sort(key=lambda head: head.size)
        for earlier, head in pairwise(heads):
            if head.at < earlier.at:
                self.fault(
                    f"checkpoint {head.size}: signed at {head.at}, before the checkpoint of {earlier.size} entries"
                )
        return heads

    def _entries(self, sizes: set[int]) -> None:
        beside = sizes | {size - 1 for size in sizes}
        for index, kind, stored, body in _rows(self.connection):
            place = self.tree.size
            if index != place:
                self.fault(f"entry {place}: missing, the next one stored is {index}")
            data = body if isinstance(body, bytes) else b""
            readable = self._entry(place, kind, data)
            leaf = _sha(b"\x00" + data)
            if readable and leaf != stored:
                self.suspects.append(place)
            self.tree.add(leaf)
            self._into_tile(0, leaf)
            if place in beside:
                self.times[place] = self.at
            if self.tree.size in sizes:
                self.roots[self.tree.size] = self.tree.root()
            if self.verified is not None and self.tree.size % PAGE_ROWS == 0:
                self.verified(self.tree.size)
        if self.connection.execute(_TILES).scalar_one() > self.full_tiles:
            self.fault(f"trail_tile: more rows than the {self.full_tiles} full tiles of {self.tree.size} entries")

    def _entry(self, place: int, kind: Any, data: bytes) -> bool:
        """Check the form of an entry, its column and its time; tell whether its form is right."""
        fault, at, said = entries.read(data)
        if fault:
            self.fault(f"entry {place}: {fault}")
        elif kind != said:
            self.fault(f"entry {place}: the column kind is not what the entry says")
        elif said == KIND:
            self.witnesses.tell(data)
        if at is not None:
            if at < self.at:
                self.fault(f"entry {place}: dated {at}, after one of {self.at}: back-dated or out of order")
            self.at = at
        return fault is None

    def _into_tile(self, level: int, digest: bytes) -> None:
        if level == len(self.levels):
            self.levels.append([])
        tile = self.levels[level]
        tile.append(digest)
        if len(tile) < TILE:
            return
        self.levels[level] = []
        self.full_tiles += 1
        index = (self.tree.size - 1) // TILE ** (level + 1)
        subtree = _Tree()
        for item in tile:
            subtree.add(item)
        row = self.connection.execute(_TILE, {"level": level, "index": index}).one_or_none()
        where = f"tile {level}/{index}"
        if row is None:
            self.fault(f"{where}: missing")
        else:
            self._compare_tile(where, level, index, tile, row[1] if isinstance(row[1], bytes) else b"")
            if row[0] != subtree.root():
                self.fault(f"{where}: the entries do not give its root")
        self._into_tile(level + 1, subtree.root())

    def _compare_tile(self, where: str, level: int, index: int, tile: list[bytes], stored: bytes) -> None:
        if len(stored) != TILE * 32:
            self.fault(f"{where}: {len(stored)} bytes of hashes, expected {TILE * 32}")
            return
        for place, digest in enumerate(tile):
            if stored[place * 32 : place * 32 + 32] != digest:
                what = f"entry {index * TILE + place}" if level == 0 else f"tile {level - 1}/{index * TILE + place}"
                self.fault(f"{where}: hash {place}, of {what}, is not what is stored there")

    def _tell_suspects(self, vouched: int) -> None:
        """Say, before what follows from it, which of body and leaf hash was altered, where a signed root tells."""
        body, leaf_hash = "its body is not that of its leaf hash: altered", "its stored leaf hash was altered"
        told = [f"entry {place}: {leaf_hash if place < vouched else body}" for place in self.suspects[:MAX_FAULTS]]
        self.count += len(self.suspects)
        self.faults = [*told, *self.faults][:MAX_FAULTS]

    def _compare(self, where: str, head: Head, differs: str) -> None:
        """Compare a signed head with the entries; ``differs`` says what another root means."""
        if head.size > self.tree.size:
            self.fault(f"{where}: truncated, it was signed over {head.size} entries and {self.tree.size} are left")
            return
        if self.roots[head.size] != head.root:
            self.fault(f"{where}: {differs}")
        before, after = self.times.get(head.size - 1, ""), self.times.get(head.size, head.at)
        if before > head.at:
            self.fault(f"{where}: signed at {head.at}, before its last entry of {before}")
        if after < head.at:
            self.fault(f"{where}: entry {head.size} came after it, but is back-dated to {after}, before {head.at}")

    def _head(self, stored: Sequence[Head]) -> None:
        if self.tree.size and not stored:
            self.fault(f"trail_checkpoint: nothing vouches for the {self.tree.size} entries")
        rows = self.connection.execute(_HEADS).all()
        if len(rows) != 1:
            self.fault(f"trail_head: expected one row, found {len(rows)}")
            return
        last = max(self.at, stored[-1].at if stored else "")
        frontier = b"".join(digest for _, digest in self.tree.stack)
        expected = (("id", 1), ("size", self.tree.size), ("frontier", frontier), ("at", last))
        for (column, value), found in zip(expected, rows[0], strict=True):
            if found != value:
                self.fault(f"trail_head: the column {column} is not what the entries give")


def _named(head: Head, good: Sequence[Head]) -> str:
    """What it means that the entries do not give the root of a checkpoint in hand."""
    later = [other.size for other in good if other.size >= head.size]
    if later:
        return f"forked, the same key signed another history at size {later[0]}"
    return "rewritten, its entries are not those that are stored"


def _rows(connection: Connection) -> Iterator[tuple[int, Any, Any, Any]]:
    after = -(2**63)
    while rows := connection.execute(_ENTRIES, {"after": after, "rows": PAGE_ROWS}).all():
        for row in rows:
            yield tuple(row)
        after = rows[-1][0]
