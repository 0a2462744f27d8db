"""Writes tests/vectors/attestation: run it after a change of the format (``python -m tests.receipt.make_attestation_vectors``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.canonical import canonical
from passerelle.keys import public_text
from passerelle.parcel import sign
from passerelle.receipt.attestation import NAMESPACE, Asked, Request, attest, sign_attestation

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "attestation"
PARTNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
FIRST, SECOND = "p-0123456789abcdef01234567", "p-1123456789abcdef01234567"


def asked(parcel: str, sequence: int) -> Asked:
    """A parcel of the request."""
    return Asked(
        article="art. 7, § 6", delivered_at="2026-01-31T10:00:00Z", exchange="candidate-pools", manifest_sha256="ab" * 32,
        parcel=parcel, period="2026-01", sequence=sequence,
    )  # fmt: skip


REQUEST = Request(
    asked_at="2026-03-01T09:30:00Z",
    cause="purge",
    convention="csp-ft-2024",
    due="2026-03-31",
    parcels=(asked(FIRST, 1), asked(SECOND, 2)),
    party="mtfp",
    request="ar-0123456789abcdef",
    version=1,
)
WHOLE, PART = attest(REQUEST, AT), attest(REQUEST, AT, kept=(SECOND,))
SAID = WHOLE.model_dump()


def signed(line: bytes) -> bytes:
    """``line`` with the party's signature."""
    return line + sign(line, PARTNER, NAMESPACE)


def changed(**values: Any) -> bytes:
    """The attestation with other values (None: without the key), signed by the party."""
    value = {**SAID, **values}
    return signed(canonical({name: found for name, found in value.items() if found is not None}) + b"\n")


def vectors() -> Iterator[tuple[str, str, bytes]]:
    """Name, place of the fault (empty: none) and bytes of each vector."""
    whole, line, parcels = sign_attestation(WHOLE, PARTNER), WHOLE.line(), list(SAID["destroyed"])
    yield "attestation", "", whole
    yield "partial", "", sign_attestation(PART, PARTNER)
    yield "spaced", "attestation", signed(json.dumps(SAID, sort_keys=True).encode() + b"\n")
    yield "key_twice", "attestation", signed(line.replace(b'{"at"', b'{"at":"2026-03-10T09:30:00Z","at"'))
    yield "key_unknown", "attestation: comment", changed(comment="done")
    yield "key_missing", "attestation: destroyed_on", changed(destroyed_on=None)
    yield "version", "attestation: version", changed(version=2)
    yield "version_missing", "attestation: version", changed(version=None)
    yield "version_true", "attestation: version", changed(version=True)
    yield "at_local", "attestation: at", changed(at="2026-03-10T10:30:00+01:00")
    yield "day_that_is_none", "attestation: destroyed_on", changed(destroyed_on="2026-02-30")
    yield "destroyed_after_it_was_signed", "attestation: destroyed_on", changed(destroyed_on="2026-03-11")
    yield "nothing_destroyed", "attestation: destroyed", changed(destroyed=[])
    yield "parcels_out_of_order", "attestation: destroyed", changed(destroyed=parcels[::-1])
    yield "parcel_twice", "attestation: destroyed", changed(destroyed=[parcels[0], parcels[0]])
    yield "parcel_of_no_request", "attestation: destroyed", changed(destroyed=[{**parcels[0], "parcel": "p-other"}])
    yield (
        "hash_of_another_manifest",
        "attestation: destroyed",
        changed(destroyed=[{**parcels[0], "manifest_sha256": "cd" * 32}]),
    )
    yield "another_request", "attestation: request", changed(request="ar-1123456789abcdef")
    yield "hash_of_another_request", "attestation: request_sha256", changed(request_sha256="cd" * 32)
    yield "another_party", "attestation: party", changed(party="mtss")
    yield "another_convention", "attestation: convention", changed(convention="face-pe-2014")
    yield "signed_before_it_was_asked", "attestation: at", changed(at="2026-02-28T09:30:00Z", destroyed_on="2026-02-28")
    yield "crlf", "attestation", whole.replace(b"\n", b"\r\n", 1)
    yield "no_line_feed", "attestation", line[:-1]
    yield "not_signed", "attestation: signature", line
    yield "signed_by_another", "attestation: signature", sign_attestation(WHOLE, OTHER)
    yield "namespace", "attestation: signature", line + sign(line, PARTNER, "passerelle-receipt")
    yield "signed_without_line_feed", "attestation: signature", line + sign(line[:-1], PARTNER, NAMESPACE)
    yield "bytes_after", "attestation: signature", whole + b"\n"


def main() -> None:
    """Write the request and each vector."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "request.json").write_bytes(REQUEST.line())
    for name, where, data in vectors():
        head = {"expect": "fail" if where else "ok", "where": where, "key": public_text(PARTNER.public_key())}
        lines = "".join(f"{key}: {value}\n" for key, value in head.items() if value)
        (FOLDER / f"{name}.txt").write_bytes(lines.encode() + b"\n" + data)


if __name__ == "__main__":
    main()
