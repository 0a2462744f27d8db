"""Witnesses (c2sp.org/tlog-cosignature): partners who cosign heads, and how many of them a purge needs. Pure but for the tables.

A cosignature says: as of this instant, the largest head I saw of this log has this root. Enough of them from different
parties, and nobody can show one history to some and another to others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from passerelle.clock import iso
from passerelle.errors import RefusedError, TrailError
from passerelle.trail.checkpoint import Checkpoint, open_checkpoint
from passerelle.trail.ledger import Ledger
from passerelle.trail.note import TIMED, VerifierKey, open_note, split_note
from passerelle.trail.tables import trail_cosignature, trail_witness

WHERE = "witness"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One witness's word over the head of ``size`` entries, given at ``at``."""

    witness: str
    size: int
    at: datetime


def require(required: int, size: int, cosignatures: Sequence[Cosignature]) -> tuple[str, ...]:
    """The witnesses who saw at least ``size`` entries, at least ``required`` of them. Pure: the policy k of n.

    Raises:
        RefusedError: fewer did; the message says how many are missing.
    """
    seen = tuple(sorted({one.witness for one in cosignatures if one.size >= size}))
    if len(seen) < required:
        raise RefusedError(
            f"expected {required} witnesses of the trail up to entry {size}, found {len(seen)}",
            where=WHERE,
            hint="hand the latest checkpoint to the witnesses, then passerelle trail witness record FILE",
            fr=f"il faut {required} témoins du journal jusqu'à l'écriture {size}, il y en a {len(seen)}",
            hint_fr="remettez le dernier point de contrôle aux témoins, puis : passerelle trail witness record FICHIER",
        )
    return seen


def read_cosignatures(note: str | bytes, head: Checkpoint, keys: Sequence[VerifierKey]) -> list[Cosignature]:
    """The cosignatures of known witnesses that a note over ``head`` carries; lines of others are passed over.

    Raises:
        TrailError: none is there, or one of a known witness does not verify.
    """
    found = []
    lines = {(name, data[:4]) for name, data in split_note(note)[1]}
    for key in keys:
        if (key.name, key.id) not in lines:
            continue
        at = open_note(note, key).at
        assert at is not None  # noqa: S101 - a timestamped key vouches for an instant
        found.append(Cosignature(key.name, head.size, at))
    if not found:
        raise TrailError("expected a cosignature of an enrolled witness, none came", where=WHERE)
    return found


def read_witness(text: str) -> VerifierKey:
    """The verifier key of a witness: ``name+id+base64(0x04 || key)``.

    Raises:
        TrailError: it is not one, or its signatures would bear no time.
    """
    key = VerifierKey.parse(text.strip())
    if key.kind != TIMED:
        raise TrailError("expected a key that signs with a time (type 4), a plain one came", where=WHERE)
    return key


def enrol(connection: Connection, ledger: Ledger, key: VerifierKey, party: str, at: datetime) -> bool:
    """Enrol a witness for ``party``; False when it was enrolled already.

    Raises:
        RefusedError: the name or the key is that of another witness, or of the trail itself.
    """
    rows = connection.execute(select(trail_witness.c.name, trail_witness.c.key, trail_witness.c.party)).all()
    if any((row.name, row.key, row.party) == (key.name, str(key), party) for row in rows):
        return False
    own = VerifierKey.parse(ledger.verifier_key).public
    known = {VerifierKey.parse(row.key).public for row in rows} | {own}
    if key.public in known or key.name in {row.name for row in rows} | {ledger.origin}:
        raise RefusedError(
            "this name or key belongs to another witness or to the trail",
            where=WHERE,
            hint="each witness makes a key of its own",
            fr="ce nom ou cette clé est celle d'un autre témoin, ou du journal lui-même",
        )
    connection.execute(insert(trail_witness).values(name=key.name, key=str(key), party=party, enrolled_at=iso(at)))
    return True


def enrolled(connection: Connection) -> list[tuple[VerifierKey, str]]:
    """The witnesses and the party of each, in the order of their enrolment."""
    query = select(trail_witness.c.key, trail_witness.c.party).order_by(
        trail_witness.c.enrolled_at, trail_witness.c.name
    )
    return [(VerifierKey.parse(row.key), row.party) for row in connection.execute(query)]


def record(connection: Connection, ledger: Ledger, note: str | bytes, at: datetime) -> list[Cosignature]:
    """Keep the cosignatures that a head of ours came back with; those known already change nothing.

    Raises:
        TrailError: the head is not one of this trail, no witness signed it, or one signed after ``at``.
    """
    head = ledger.confirm(connection, open_checkpoint(note, ledger.verifier_key))
    found = read_cosignatures(note, head, [key for key, _ in enrolled(connection)])
    if any(iso(one.at) > iso(at) for one in found):
        raise TrailError("a cosignature is of a later instant than now", where=WHERE, hint="compare the clocks")
    known = {(one.witness, one.size) for one in cosignatures(connection)}
    text = note if isinstance(note, str) else note.decode()
    for one in found:
        if (one.witness, one.size) not in known:
            values = {"witness": one.witness, "size": one.size, "at": iso(one.at), "note": text}
            connection.execute(insert(trail_cosignature).values(**values))
    return found


def verified(connection: Connection, ledger: Ledger, size: int, known: Mapping[str, str]) -> list[Cosignature]:
    """The cosignatures of at least ``size`` entries, each verified again, of the witnesses that the trail tells.

    ``known`` has the fingerprint of each witness by name; rows of others count for nothing.

    Raises:
        TrailError: one that is on record does not verify, or is of another head.
    """
    keys = {key.name: key for key, _ in enrolled(connection) if known.get(key.name) == key_fingerprint(key)}
    found = []
    query = select(trail_cosignature).where(trail_cosignature.c.size >= size).order_by(trail_cosignature.c.size)
    for row in connection.execute(query):
        if (key := keys.get(row.witness)) is None:
            continue
        head = ledger.confirm(connection, open_checkpoint(row.note, ledger.verifier_key))
        one = read_cosignatures(row.note, head, [key])[0]
        if (one.size, iso(one.at)) != (row.size, row.at):
            raise TrailError("a cosignature on record is of another head or instant", where=WHERE)
        found.append(one)
    return found


def key_fingerprint(key: VerifierKey) -> str:
    """SHA-256 of a witness's public key, as ``witness_enrolled`` tells it."""
    return hashlib.sha256(key.public).hexdigest()


def cosignatures(connection: Connection) -> list[Cosignature]:
    """Every cosignature on record, oldest head first."""
    table = trail_cosignature
    query = select(table.c.witness, table.c.size, table.c.at).order_by(table.c.size, table.c.witness)
    rows = connection.execute(query)
    return [Cosignature(row.witness, row.size, datetime.fromisoformat(row.at)) for row in rows]
