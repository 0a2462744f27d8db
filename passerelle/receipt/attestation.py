"""A request to attest a destruction, and the attestation: a line of canonical JSON and its signature (docs/spec/attestation.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.errors import EvidenceError, UsageError
from passerelle.keys.ssh import NOTICE_NAMESPACE, PrivateKey, PublicKey, Signer, fingerprint
from passerelle.parcel import sign, verify_signature
from passerelle.parcel.forms import read_line
from passerelle.parcel.manifest import Day, Hex, Id, Instant, Positive, Version

NAMESPACE = "passerelle-attestation"
MAX_BYTES = 8 << 20
MAX_PARCELS = 20_000
REQUEST, ATTESTATION = "request", "attestation"

Cause = Literal["purge", "superseded", "asked"]


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    def line(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self.model_dump()) + b"\n"


class Asked(_Form):
    """One parcel of which the destruction is asked: what it was, when and under which article it was delivered."""

    article: Annotated[str, Field(min_length=1, max_length=160)] | None
    delivered_at: Instant
    exchange: Id
    manifest_sha256: Hex
    parcel: Id
    period: Annotated[str, Field(min_length=1, max_length=40)]
    sequence: Positive


class Request(_Form):
    """What a gateway asks one party to attest; ``due`` is the last day, a rule of the hub."""

    asked_at: Instant
    cause: Cause
    convention: Id
    due: Day
    parcels: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=MAX_PARCELS, strict=False)]
    party: Id
    request: Id
    version: Version

    @property
    def sha256(self) -> str:
        """Of the line."""
        return hashlib.sha256(self.line()).hexdigest()


class Destroyed(_Form):
    """One parcel whose every copy its recipient says it destroyed."""

    manifest_sha256: Hex
    parcel: Id


class Attestation(_Form):
    """What the recipient says: these parcels, and what was taken out of them, were destroyed by ``destroyed_on``."""

    at: Instant
    convention: Id
    destroyed: Annotated[tuple[Destroyed, ...], Field(min_length=1, max_length=MAX_PARCELS, strict=False)]
    destroyed_on: Day
    party: Id
    request: Id
    request_sha256: Hex
    version: Version


@dataclass(frozen=True, slots=True)
class Attested:
    """An attestation that holds: signed by ``fingerprint``; ``missing`` are the parcels of the request that it does not name."""

    attestation: Attestation
    fingerprint: str
    missing: tuple[str, ...]
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        said = self.attestation
        return {
            "request": said.request,
            "convention": said.convention,
            "party": said.party,
            "at": said.at,
            "destroyed_on": said.destroyed_on,
            "destroyed": len(said.destroyed),
            "missing": list(self.missing),
            "complete": not self.missing,
            "fingerprint": self.fingerprint,
            "sha256": self.sha256,
        }


def sign_request(request: Request, key: PrivateKey) -> bytes:
    """The request's file: the line and the gateway's signature."""
    line = request.line()
    return line + sign(line, key, NOTICE_NAMESPACE)


def sign_attestation(attestation: Attestation, key: PrivateKey) -> bytes:
    """The attestation's file: the line and the party's signature; the same attestation and key give the same bytes."""
    line = attestation.line()
    return line + sign(line, key, NAMESPACE)


def read_request(data: bytes) -> Request:
    """What a request says, its signature apart.

    Raises:
        EvidenceError: it is too long, no line of canonical JSON, or not a request; ``where`` names the key.
    """
    request = read_line(data, Request, REQUEST, MAX_BYTES)
    _check_sorted([one.parcel for one in request.parcels], f"{REQUEST}: parcels")
    return request


def verify_request(data: bytes, signers: Sequence[Signer]) -> Request:
    """A request that one of the gateway's keys signed while it was in use.

    Raises:
        EvidenceError: it does not hold.
    """
    request = read_request(data)
    at = datetime.fromisoformat(request.asked_at)
    _verify(data, [one.key for one in signers if one.vouches_at(at)], NOTICE_NAMESPACE, REQUEST)
    return request


def read_attestation(data: bytes) -> Attestation:
    """What an attestation says, its signature apart; raises as ``read_request`` does."""
    said = read_line(data, Attestation, ATTESTATION, MAX_BYTES)
    _check_sorted([one.parcel for one in said.destroyed], f"{ATTESTATION}: destroyed")
    if said.destroyed_on > said.at[:10]:
        raise EvidenceError("destroyed after it was signed", where=f"{ATTESTATION}: destroyed_on")
    return said


def attest(
    request: Request, at: datetime, *, kept: Sequence[str] = (), destroyed_on: date | None = None
) -> Attestation:
    """What to sign for a request; ``kept`` are parcels that were not destroyed, and are left out.

    Raises:
        UsageError: ``kept`` names a parcel that is not of the request, or all of them.
    """
    known = {one.parcel for one in request.parcels}
    if not set(kept) <= known or set(kept) == known:
        raise UsageError(
            "expected parcels of the request, and not all of them",
            hint="the request lists them; where nothing was destroyed there is nothing to attest",
            fr="il faut des colis de la demande, et pas tous",
            hint_fr="la demande en donne la liste ; quand rien n'est détruit, il n'y a rien à attester",
        )
    return Attestation(
        at=iso(at),
        convention=request.convention,
        destroyed=tuple(
            Destroyed(manifest_sha256=one.manifest_sha256, parcel=one.parcel)
            for one in request.parcels
            if one.parcel not in kept
        ),
        destroyed_on=(destroyed_on or at.date()).isoformat(),
        party=request.party,
        request=request.request,
        request_sha256=request.sha256,
        version=1,
    )


def verify_attestation(data: bytes, request: Request, keys: Sequence[PublicKey]) -> Attested:
    """Verify the file ``data``: form, signature by one of ``keys``, and that it answers ``request``, parcel by parcel.

    Raises:
        EvidenceError: one of these does not hold, or ``keys`` is empty.
    """
    said = read_attestation(data)
    key = _verify(data, keys, NAMESPACE, ATTESTATION)
    answered = (
        ("request", said.request, request.request),
        ("request_sha256", said.request_sha256, request.sha256),
        ("party", said.party, request.party),
        ("convention", said.convention, request.convention),
    )
    for name, found, asked in answered:
        if found != asked:
            raise EvidenceError(
                f"{name} is not that of the request",
                where=f"{ATTESTATION}: {name}",
                fr=f"{name} n'est pas celui de la demande",
            )
    if said.at < request.asked_at:
        raise EvidenceError("signed before it was asked", where=f"{ATTESTATION}: at")
    delivered = {one.parcel: one.manifest_sha256 for one in request.parcels}
    for one in said.destroyed:
        if delivered.get(one.parcel) != one.manifest_sha256:
            raise EvidenceError(
                "a parcel is not, or not as, the one that was delivered",
                where=f"{ATTESTATION}: destroyed",
                fr="un colis n'est pas celui qui a été remis",
            )
    missing = tuple(sorted(delivered.keys() - {one.parcel for one in said.destroyed}))
    return Attested(said, fingerprint(key), missing, hashlib.sha256(data).hexdigest())


Form = TypeVar("Form", bound=_Form)
Key = TypeVar("Key", bound=PublicKey)


def _check_sorted(names: Sequence[str], where: str) -> None:
    if any(one >= other for one, other in pairwise(names)):
        raise EvidenceError("expected parcels in the order of their ids, each once", where=where)


def _verify(data: bytes, keys: Sequence[Key], namespace: str, where: str) -> Key:
    line, _, armored = data.partition(b"\n")
    try:
        return verify_signature(line + b"\n", armored, keys, namespace)
    except EvidenceError as error:
        raise EvidenceError(
            error.message,
            where=f"{where}: signature",
            hint=f"an approved key signs, in the namespace {namespace}",
            fr="la signature n'est pas celle d'une clé approuvée, ou n'est pas celle de ce texte",
        ) from None
