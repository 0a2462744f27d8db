"""What a recipient has seen of a gateway: the numbers of its parcels and the heads of the trail. Needs neither workspace nor database.

A parcel verifies alone; beside those that came before, it shows a replay, a gap, a forked or a shortened trail as well
(docs/spec/receipt.md, section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from passerelle.canonical import canonical, parse
from passerelle.errors import EvidenceError, ParcelError, TrailError
from passerelle.parcel import Verified
from passerelle.parcel.manifest import Count, Hex, Id, Instant, Positive, Version, Word
from passerelle.receipt.form import Receipt
from passerelle.trail import Checkpoint, open_checkpoint
from passerelle.trail.merkle import verify_consistency
from passerelle.trail.note import decode64
from passerelle.trail.proof import read_proof

MAX_SEEN_BYTES = 16 * 1024 * 1024
WHERE = "seen"


class Sighting(BaseModel):
    """One parcel that was seen: its stream, its number, and the head that its proof ended with."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    at: Instant
    convention: Id
    exchange: Id
    manifest_sha256: Hex
    origin: Word
    parcel: Id
    party: Id
    root: Hex
    sequence: Positive
    size: Count

    @property
    def stream(self) -> tuple[str, str, str, str]:
        """What numbers are counted in: hub, convention, exchange, recipient."""
        return self.origin, self.convention, self.exchange, self.party


class _Seen(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    seen: tuple[Sighting, ...]
    version: Version


class _Printed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    newer: Positive
    older: Positive
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """A proof, from the gateway, that a head of ``newer`` entries continues one of ``older`` (trail.md, "Consistency")."""

    older: int
    newer: int
    path: tuple[bytes, ...]


def sighting(verified: Verified, trail_key: str) -> Sighting:
    """The sighting of a parcel that was verified, its proof included."""
    manifest, terms = verified.parcel.manifest, verified.parcel.manifest.passerelle
    head = open_checkpoint(read_proof(verified.parcel.proof).checkpoint, trail_key)
    return Sighting(
        convention=terms.convention,
        exchange=terms.exchange,
        manifest_sha256=verified.manifest_sha256,
        parcel=manifest.name,
        party=terms.recipient,
        sequence=terms.sequence,
        **_head(head),
    )


def receipted(receipt: Receipt, trail_key: str) -> Sighting:
    """The sighting that one's own receipt keeps.

    Raises:
        EvidenceError: its head is not one of this trail.
    """
    return Sighting(
        convention=receipt.convention,
        exchange=receipt.exchange,
        manifest_sha256=receipt.manifest_sha256,
        parcel=receipt.parcel,
        party=receipt.party,
        sequence=receipt.sequence,
        **_head(open_checkpoint(receipt.checkpoint, trail_key)),
    )


def _head(head: Checkpoint) -> dict[str, Any]:
    if head.at is None:
        raise EvidenceError("the head vouches for no instant", where="checkpoint")
    at = head.at.isoformat().replace("+00:00", "Z")
    return {"at": at, "origin": head.origin, "root": head.root.hex(), "size": head.size}


def read_seen(data: bytes) -> tuple[Sighting, ...]:
    """The sightings of a file; none in an empty one.

    Raises:
        EvidenceError: too long, or not such a file: it was altered or is of another kind.
    """
    if not data:
        return ()
    if len(data) > MAX_SEEN_BYTES:
        raise EvidenceError(f"expected at most {MAX_SEEN_BYTES} bytes", where=WHERE)
    line, feed, after = data.partition(b"\n")
    try:
        parse(line)
        seen = _Seen.model_validate_json(line).seen
    except (EvidenceError, ValidationError):
        seen = None
    if seen is not None and feed and not after:
        return seen
    raise EvidenceError(
        "expected the file that an earlier verification wrote",
        where=WHERE,
        hint="give your receipts instead, --receipt FILE for each, or begin a new file",
        fr="il faut le fichier qu'une vérification précédente a écrit",
        hint_fr="donnez vos accusés à la place, --receipt FICHIER pour chacun, ou commencez un nouveau fichier",
    )


def read_consistency(data: bytes) -> Consistency:
    """The proof that ``passerelle trail consistency --json`` printed.

    Raises:
        EvidenceError: it is not one.
    """
    try:
        value = _Printed.model_validate_json(data[:MAX_SEEN_BYTES])
    except ValidationError:
        value = None
    if value is None:
        raise EvidenceError(
            "expected what trail consistency --json printed",
            where="consistency",
            fr="il faut ce qu'a affiché trail consistency --json",
        )
    return Consistency(value.older, value.newer, tuple(decode64(one, "consistency") for one in value.proof))


def write_seen(seen: Iterable[Sighting]) -> bytes:
    """The bytes of the file."""
    return canonical({"seen": [one.model_dump() for one in seen], "version": 1}) + b"\n"


def check_new(new: Sighting, seen: Sequence[Sighting]) -> None:
    """Check that a parcel is the next one of its stream.

    Raises:
        ParcelError: it was seen already, another one had its number, it is older than one seen, or one before it is missing.
    """
    stream = [one for one in seen if one.stream == new.stream]
    last = max((one.sequence for one in stream), default=None)
    if last is None:
        return
    number = new.sequence
    same = [one for one in stream if one.sequence == number]
    if any(one.manifest_sha256 == new.manifest_sha256 for one in same):
        raise _told(
            f"replayed: this parcel, number {number}, was seen already",
            f"rejoué : ce colis, le n° {number}, a déjà été vu",
        )
    if same:
        raise _told(
            f"two parcels with one number: number {number} was {same[0].parcel}, now it is {new.parcel}",
            f"deux colis pour un numéro : le n° {number} était {same[0].parcel}, c'est à présent {new.parcel}",
        )
    if number < last:
        raise _told(
            f"older than one already seen: number {number} came after number {last}, and had not been seen before",
            f"plus ancien qu'un colis déjà vu : le n° {number} vient après le n° {last}, sans avoir été vu auparavant",
        )
    if (missing := number - last - 1) > 0:
        raise _told(
            f"gap: {missing} missing between number {last} and number {number}",
            f"envoi manquant : {missing} entre le n° {last} et le n° {number}",
            hint="ask the gateway: passerelle receipt list shows each number; verify the missing ones first",
            hint_fr="demandez à la passerelle, qui a la liste des numéros ; vérifiez d'abord les colis manquants",
        )


def check_heads(new: Sighting, seen: Sequence[Sighting], proofs: Sequence[Consistency] = ()) -> int:
    """Check a parcel's head beside those seen of the same trail; how many of them it was proven to continue.

    Two heads of one size have one root; the more entries, the later the instant; a later number of one stream has a larger
    head. A head that is larger than one seen is proven to continue it where ``proofs`` has the path; without, only these
    three are known of it.

    Raises:
        TrailError: the trail was forked, rolled back, or back-dated, or a path does not lead from one head to the other.
    """
    proven = 0
    for one in (one for one in seen if one.origin == new.origin):
        less, more = sorted((one, new), key=lambda each: each.size)
        if less.size == more.size and less.root != more.root:
            raise _trail(f"forked: two heads of {less.size} entries", f"bifurqué : deux têtes de {less.size} écritures")
        if one.stream == new.stream and one.sequence < new.sequence and one.size >= new.size:
            raise _trail(
                f"rolled back: number {new.sequence} is proven in {new.size} entries, number {one.sequence} was in {one.size}",
                f"revenu en arrière : le n° {new.sequence} est prouvé dans {new.size} écritures, le n° {one.sequence} dans {one.size}",
            )
        if less.at > more.at:
            raise _trail(
                f"back-dated: {more.size} entries were signed for an instant before that of {less.size}",
                f"antidaté : {more.size} écritures sont signées à un instant antérieur à celui de {less.size}",
            )
        proven += _continues(less, more, proofs)
    return proven


def _continues(less: Sighting, more: Sighting, proofs: Sequence[Consistency]) -> bool:
    if less.size == more.size:
        return True
    path = next((one.path for one in proofs if (one.older, one.newer) == (less.size, more.size)), None)
    if path is None:
        return False
    try:
        verify_consistency(less.size, more.size, bytes.fromhex(less.root), bytes.fromhex(more.root), list(path))
    except EvidenceError:
        pass
    else:
        return True
    raise _trail(
        f"forked: the head of {more.size} entries does not continue that of {less.size}",
        f"bifurqué : la tête de {more.size} écritures ne prolonge pas celle de {less.size}",
    )


def _told(message: str, fr: str, hint: str | None = None, hint_fr: str | None = None) -> ParcelError:
    return ParcelError(message, where="manifest.json: sequence", fr=fr, hint=hint, hint_fr=hint_fr)


def _trail(message: str, fr: str) -> TrailError:
    return TrailError(
        message,
        where="checkpoint",
        hint="keep both parcels or receipts: they prove it; tell your data protection officer",
        fr=fr,
        hint_fr="gardez les deux colis ou accusés, ils le prouvent, et avertissez votre DPO",
    )
