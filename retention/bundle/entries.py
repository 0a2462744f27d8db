"""The entries of the trail that are about one convention, each with its proof (docs/spec/bundle.md, "Which entries")."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from passerelle.trail import Checkpoint, merkle
from passerelle.trail.nodes import Nodes
from passerelle.trail.proof import Proof
from passerelle.trail.tables import trail_checkpoint, trail_entry

PAGE = 4096  # entries read at once; hashes that were read are let go after as many proofs
HOUSE = frozenset({"workspace_created", "signing_key_rotated", "root_rotated", "checkpoints_set"})
BACKUP = "backup_"  # a backup holds every convention
PARTNER_KEY = "partner_key_"
IDS = ("run", "parcel", "delivery", "by", "resends", "purge", "request", "notice", "hold", "attestation")


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry that the bundle shows; ``leaf`` is its canonical JSON."""

    index: int
    at: str
    kind: str
    body: dict[str, Any]
    leaf: bytes

    def line(self) -> bytes:
        """As a line of entries.jsonl."""
        value = {"at": self.at, "body": self.body, "index": self.index, "kind": self.kind}
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def entries_about(connection: Connection, convention: str, parties: Collection[str], size: int) -> Iterator[Shown]:
    """The entries about ``convention`` and its ``parties`` among the first ``size``, in order, a page at a time."""
    ids: set[str] = set()
    for one in _entries(connection, size):
        if one.body.get("convention") == convention:
            ids.update(one.body[name] for name in IDS if name in one.body)
    for one in _entries(connection, size):
        if one.body.get("convention", convention) == convention and _is_about(one, ids, parties):
            yield one


def _is_about(one: Shown, ids: Collection[str], parties: Collection[str]) -> bool:
    if "convention" in one.body or any(one.body[name] in ids for name in IDS if name in one.body):
        return True
    if one.kind.startswith(PARTNER_KEY):
        return one.body["party"] in parties
    return one.kind in HOUSE or one.kind.startswith(BACKUP)


def _entries(connection: Connection, size: int) -> Iterator[Shown]:
    query = select(trail_entry.c.index, trail_entry.c.body).order_by(trail_entry.c.index).limit(PAGE)
    start = 0
    while rows := connection.execute(query.where(trail_entry.c.index >= start, trail_entry.c.index < size)).all():
        for index, leaf in rows:
            one = json.loads(leaf)
            yield Shown(index, one["at"], one["kind"], one["body"], leaf)
        start = rows[-1][0] + 1


class Prover:
    """Proofs against one head, which MUST have been verified."""

    def __init__(self, connection: Connection, head: Checkpoint) -> None:
        self._connection, self._head = connection, head
        self._nodes, self._made = Nodes(connection, head.size), 0

    def proof(self, one: Shown) -> bytes:
        """The tlog-proof of an entry, the entry in its ``extra`` line.

        Raises:
            TrailError: the stored hashes do not lead from the entry to the head.
        """
        self._made += 1
        if self._made % PAGE == 0:
            self._nodes = Nodes(self._connection, self._head.size)
        path = self._nodes.inclusion_proof(one.index)
        merkle.verify_inclusion(one.index, self._head.size, merkle.leaf_hash(one.leaf), path, self._head.root)
        return Proof(one.index, path, self._head.note, one.leaf).write()

    def heads(self, indexes: Collection[int], notes: Collection[str] = ()) -> Iterator[bytes]:
        """The heads that first covered some entries, and ``notes`` that others hold, each proven to be continued by this one.

        A line of heads.jsonl each: ``note``, and ``consistency``, the hashes of RFC 6962, 2.1.2, in base64.
        """
        sizes = list(self._connection.scalars(select(trail_checkpoint.c.size).order_by(trail_checkpoint.c.size)))
        for size in sorted(_first_covering(sizes, sorted(indexes), self._head.size)):
            note = self._connection.scalar(select(trail_checkpoint.c.note).where(trail_checkpoint.c.size == size))
            yield self._line(size, note or "")
        for note in sorted(notes):
            yield self._line(int(note.split("\n")[1]), note)

    def _line(self, size: int, note: str) -> bytes:
        ranges = merkle.consistency_ranges(size, self._head.size)
        path = [merkle.range_root(start, end, self._nodes.subtree) for start, end in ranges]
        value = {"consistency": [base64.b64encode(one).decode() for one in path], "note": note}
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _first_covering(sizes: list[int], indexes: list[int], last: int) -> set[int]:
    """For each index the smallest signed size above it; both lists ascend."""
    found, place = set(), 0
    for index in indexes:
        while place < len(sizes) and sizes[place] <= index:
            place += 1
        if place < len(sizes) and sizes[place] <= last:
            found.add(sizes[place])
    return found
