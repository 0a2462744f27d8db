"""A certificate of destruction, read and verified by whoever holds it (docs/spec/certificate.md): needs neither workspace nor database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from passerelle.errors import EvidenceError
from passerelle.keys.ssh import CERTIFICATE_NAMESPACE, Signer, fingerprint
from passerelle.parcel import verify_signature
from passerelle.parcel.forms import read_form
from passerelle.parcel.manifest import Count, Day, Given, Hex, Id, Instant, Positive, Word, Yes
from passerelle.trail import verify_entry

MAX_BYTES = 1024 * 1024
WHERE = "certificate"
Said = Annotated[str, StringConstraints(max_length=4000)]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}\z")]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Sentence(_Part):
    fr: Said
    en: Said


class Part(_Part):
    """What was to go: a convention, or the part of it that is named."""

    convention: Id
    exchange: Annotated[Word | None, Given] = None
    dataset: Annotated[Word | None, Given] = None
    period: Annotated[Word | None, Given] = None


class Deadline(_Part):
    """The last day, and the arithmetic that gives it."""

    value: Day | None
    status: Literal["yes", "no", "undetermined", "disputed"]
    basis: Literal["stated", "interpreted", "hub_policy"]
    article: Word | None
    arithmetic: Sentence
    reason: Word | None
    who_decides: Word | None
    rules: tuple[Word, ...]


class Gone(_Part):
    """How many copies of one kind were destroyed, and their bytes."""

    kind: Kind
    count: Positive
    bytes: Count


class Kept(_Part):
    """What one hold keeps of one exchange."""

    hold: Word | None
    kind: Word
    exchange: Word
    copies: dict[Kind, Positive]


class Keys(_Part):
    destroyed: Yes
    root_generation: Positive


class Handed(_Part):
    party: Id
    parcels: Positive


class Index(Sentence):
    kept: bool


class Saved(Sentence):
    """A backup that still holds what went, or a key of that time."""

    backup: Id
    covers: tuple[Word, ...]
    taken_at: Instant
    expires_on: Day
    copies: Count
    opens: bool
    late_by: Count


class Trail(_Part):
    origin: Word
    size: Count


class Certificate(_Part):
    """The whole document."""

    format: Literal["passerelle-certificate/1"]
    purge: Id
    convention: Id
    convention_sha256: Hex
    scope: Part
    whole: bool
    reason: Word
    deadline: Deadline
    planned_at: Instant
    completed_at: Instant
    destroyed: tuple[Gone, ...]
    held: Annotated[tuple[Kept, ...] | None, Given] = None
    keys: Keys
    handed_to_partners: tuple[Handed, ...]
    person_index: Index
    backups: Annotated[tuple[Saved, ...] | None, Given] = None
    proved: tuple[Sentence, ...]
    attested: tuple[Sentence, ...]
    not_proved: tuple[Sentence, ...]
    trail: Trail
    rehearsal: Annotated[Yes | None, Given] = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.scope.convention != self.convention:
            raise ValueError("the scope is of another convention")
        if self.planned_at > self.completed_at:
            raise ValueError("completed before it was planned")
        for names in ([one.kind for one in self.destroyed], [one.party for one in self.handed_to_partners]):
            if any(one >= other for one, other in pairwise(names)):
                raise ValueError("expected kinds and parties in their order, each once")
        return self


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that holds: ``signer`` is the fingerprint of its key, ``entry`` the place of its entry in the trail."""

    certificate: Certificate
    sha256: str
    signer: str
    entry: int


def read_certificate(data: bytes) -> Certificate:
    """What a certificate says; nothing is verified yet.

    Raises:
        EvidenceError: too long, not canonical JSON, or not a certificate; ``where`` names the key.
    """
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"expected at most {MAX_BYTES} bytes", where=WHERE)
    return read_form(data, Certificate, WHERE)


def verify_certificate(
    data: bytes, signature: bytes, proof: bytes, signers: Sequence[Signer], trail_key: str
) -> Certified:
    """Verify a certificate, offline.

    1. Its form. 2. The signature, by a key of the gateway that was in use when it was completed. 3. Its entry in the trail.

    Raises:
        EvidenceError: one of these does not hold; ``where`` names it.
    """
    found = read_certificate(data)  # 1
    at = datetime.fromisoformat(found.completed_at)
    keys = [one.key for one in signers if one.vouches_at(at)]
    try:
        key = verify_signature(data, signature, keys, CERTIFICATE_NAMESPACE)  # 2
    except EvidenceError as error:
        raise EvidenceError(
            error.message,
            where=f"{WHERE}: signature",
            hint="a key of the gateway that was in use then signs, in the namespace passerelle-certificate",
            fr="la signature n'est pas celle d'une clé de la passerelle en usage ce jour-là, ou pas celle de ce certificat",
        ) from None
    sha256 = hashlib.sha256(data).hexdigest()
    return Certified(found, sha256, fingerprint(key), _entry(found, sha256, proof, trail_key))  # 3


def _entry(found: Certificate, sha256: str, proof: bytes, trail_key: str) -> int:
    proven = verify_entry(proof, trail_key)
    body, where = proven.entry.body, f"{WHERE}: entry {proven.index}"
    if proven.entry.kind != "purge_certificate":
        raise EvidenceError("expected the entry of a certificate, another kind came", where=where)
    said = {"certificate_sha256": sha256, "purge": found.purge, "convention": found.convention}
    if wrong := [name for name, value in said.items() if body[name] != value]:
        raise EvidenceError(f"the trail tells another {wrong[0]} than the certificate", where=where)
    if found.trail.origin != proven.checkpoint.origin:
        raise EvidenceError("the certificate names another trail than the proof's", where=where)
    if found.trail.size > proven.index:
        raise EvidenceError("the trail was larger than this when the certificate was written", where=where)
    if proven.checkpoint.at is None:
        raise EvidenceError("the head vouches for no instant", where=where)
    return proven.index
