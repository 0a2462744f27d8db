"""The receipt's bytes: one line of canonical JSON, and the SSH signature of that line."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.errors import EvidenceError, ParcelError
from passerelle.keys.ssh import PrivateKey, PublicKey, fingerprint
from passerelle.parcel import Verified, sign, verify_signature
from passerelle.parcel.forms import read_line
from passerelle.parcel.manifest import Hex, Id, Instant, Positive, Version
from passerelle.trail import Checkpoint, open_checkpoint
from passerelle.trail.note import MAX_NOTE_BYTES
from passerelle.trail.proof import read_proof

NAMESPACE = "passerelle-receipt"
MAX_RECEIPT_BYTES = 512 * 1024
WHERE = "receipt"


class Receipt(BaseModel):
    """What the recipient says; nothing is verified yet."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    at: Instant
    checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_BYTES)]
    cipher_sha256: Hex
    convention: Id
    exchange: Id
    locks: Annotated[int, Field(ge=1, le=2)]
    manifest_sha256: Hex
    parcel: Id
    party: Id
    sequence: Positive
    version: Version

    def line(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self.model_dump()) + b"\n"


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt that holds: signed by ``fingerprint``, over a head that the trail's key signed; ``sha256`` is of the file."""

    receipt: Receipt
    fingerprint: str
    checkpoint: Checkpoint
    sha256: str


def receipt_of(verified: Verified, at: datetime) -> Receipt:
    """What to sign for a parcel that was verified, its proof included."""
    manifest, terms = verified.parcel.manifest, verified.parcel.manifest.passerelle
    return Receipt(
        at=iso(at),
        checkpoint=read_proof(verified.parcel.proof).checkpoint,
        cipher_sha256=terms.cipher_sha256,
        convention=terms.convention,
        exchange=terms.exchange,
        locks=len(terms.locks),
        manifest_sha256=verified.manifest_sha256,
        parcel=manifest.name,
        party=terms.recipient,
        sequence=terms.sequence,
        version=1,
    )


def sign_receipt(receipt: Receipt, key: PrivateKey) -> bytes:
    """The file: the line and its signature; the same receipt and key give the same bytes."""
    line = receipt.line()
    return line + sign(line, key, NAMESPACE)


def read_receipt(data: bytes) -> Receipt:
    """What a receipt says, its signature apart.

    Raises:
        EvidenceError: too long, no line of canonical JSON, or not a receipt; ``where`` names the key.
    """
    return read_line(data, Receipt, WHERE, MAX_RECEIPT_BYTES)


def verify_receipt(data: bytes, keys: Sequence[PublicKey], trail_key: str) -> Received:
    """Verify the file ``data``: form, signature by one of ``keys``, checkpoint under the trail's verifier key.

    Raises:
        EvidenceError: one of these does not hold, or ``keys`` is empty.
    """
    receipt = read_receipt(data)
    line, _, armored = data.partition(b"\n")
    try:
        key = verify_signature(line + b"\n", armored, keys, NAMESPACE)
    except EvidenceError as error:
        raise EvidenceError(
            error.message,
            where=f"{WHERE}: signature",
            hint="an approved SSH key of the party signs, in the namespace passerelle-receipt",
            fr="la signature n'est pas celle d'une clé SSH approuvée de ce partenaire, ou pas celle de cet accusé",
        ) from None
    try:
        checkpoint = open_checkpoint(receipt.checkpoint, trail_key)
    except EvidenceError as error:
        raise EvidenceError(error.message, where=f"{WHERE}: checkpoint") from None
    if checkpoint.at is None:
        raise EvidenceError("the head vouches for no instant", where=f"{WHERE}: checkpoint")
    return Received(receipt, fingerprint(key), checkpoint, hashlib.sha256(data).hexdigest())


def check_matches(receipt: Receipt, verified: Verified) -> None:
    """Check that a parcel is the one that was receipted.

    Raises:
        ParcelError: it is not; the message names what was done to it.
    """
    terms = verified.parcel.manifest.passerelle
    if verified.parcel.manifest.name != receipt.parcel:
        raise _changed("another parcel than the one that was receipted", "ce colis n'est pas celui de l'accusé")
    if verified.manifest_sha256 == receipt.manifest_sha256:
        return
    if len(terms.locks) < receipt.locks:
        raise _changed(
            f"downgraded lock: the parcel that was receipted had {receipt.locks} locks, this one has {len(terms.locks)}",
            f"verrou retiré : le colis de l'accusé avait {receipt.locks} verrous, celui-ci en a {len(terms.locks)}",
        )
    if terms.cipher_sha256 != receipt.cipher_sha256:
        raise _changed(
            "swapped extract: the sealed extract is not the one that was receipted",
            "extrait remplacé : l'extrait scellé n'est pas celui de l'accusé",
        )
    raise _changed(
        "edited: the manifest is not the one that was receipted", "modifié : le bordereau n'est pas celui de l'accusé"
    )


def check_continues(receipt: Receipt, verified: Verified) -> None:
    """Check that a parcel is the next one after the one that was receipted.

    Raises:
        ParcelError: it is the same or an earlier one again, or one before it is missing, or it is of another exchange.
    """
    terms = verified.parcel.manifest.passerelle
    here = (terms.convention, terms.exchange, terms.recipient)
    if here != (receipt.convention, receipt.exchange, receipt.party):
        raise _changed(
            "expected the receipt of an earlier parcel of the same exchange to the same party",
            "il faut l'accusé d'un colis précédent du même échange, pour le même destinataire",
        )
    number, expected = terms.sequence, receipt.sequence + 1
    if number < expected:
        raise _changed(
            f"replayed: number {number} came after number {receipt.sequence}, which was receipted at {receipt.at}",
            f"rejoué : l'envoi n° {number} vient après le n° {receipt.sequence}, dont il a été accusé réception",
        )
    if number > expected:
        raise _changed(
            f"gap: number {number} came after number {receipt.sequence}; {expected} to {number - 1} were not receipted",
            f"envoi manquant : le n° {number} vient après le n° {receipt.sequence}",
        )


def _changed(message: str, fr: str) -> ParcelError:
    return ParcelError(
        message,
        where="manifest.json",
        hint="keep the parcel and the receipt: together they prove it; tell your data protection officer",
        fr=fr,
        hint_fr="gardez le colis et l'accusé, ensemble ils le prouvent, et avertissez votre DPO",
    )
