"""Writes tests/vectors/certificate: run it after a change of the format (``python -m tests.retention.make_certificate_vectors``)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.canonical import canonical
from passerelle.keys import public_text
from passerelle.keys.ssh import CERTIFICATE_NAMESPACE
from passerelle.parcel import sign
from passerelle.trail import Entry, merkle, verifier_key
from passerelle.trail.checkpoint import sign_checkpoint
from passerelle.trail.proof import Proof

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "certificate"
ORIGIN = "passerelle.example/vectors"
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRAIL = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
AT = "2026-03-01T09:30:00Z"
WORDS = {"fr": "Deux mois après la fin.", "en": "Two months after the end."}
CERTIFICATE: dict[str, Any] = {
    "format": "passerelle-certificate/1",
    "purge": "csp-ft-2024.1",
    "convention": "csp-ft-2024",
    "convention_sha256": "ab" * 32,
    "scope": {"convention": "csp-ft-2024"},
    "whole": True,
    "reason": "deadline_reached",
    "deadline": {
        "value": "2026-02-28", "status": "yes", "basis": "stated", "article": "art. 9", "arithmetic": WORDS, "reason": None,
        "who_decides": None, "rules": ["D3"],
    },
    "planned_at": "2026-03-01T09:00:00Z",
    "completed_at": AT,
    "destroyed": [{"kind": "quarantine", "count": 1, "bytes": 617}, {"kind": "raw", "count": 2, "bytes": 2167809}],
    "held": [{"hold": "h-1", "kind": "litigation", "exchange": "candidate-pools", "copies": {"raw": 1}}],
    "keys": {"destroyed": True, "root_generation": 2},
    "handed_to_partners": [{"party": "mtfp", "parcels": 2}],
    "person_index": {"kept": True, **WORDS},
    "backups": [
        {
            "backup": "b-1", "covers": ["database", "keys"], "taken_at": "2026-01-01T03:00:00Z", "expires_on": "2026-04-01",
            "copies": 2, "opens": True, "late_by": 32, **WORDS,
        }
    ],
    "proved": [WORDS],
    "attested": [WORDS],
    "not_proved": [WORDS],
    "trail": {"origin": ORIGIN, "size": 1},
}  # fmt: skip


class Vector(NamedTuple):
    """A certificate with its signature and proof, and the place of the fault (empty: none)."""

    where: str
    data: bytes
    signature: bytes
    proof: bytes

    @property
    def text(self) -> bytes:
        head = {
            "expect": "fail" if self.where else "ok", "where": self.where, "key": public_text(SIGNING.public_key()),
            "trail": verifier_key(ORIGIN, TRAIL), "signature": base64.b64encode(self.signature).decode(),
            "proof": base64.b64encode(self.proof).decode(),
        }  # fmt: skip
        return "".join(f"{key}: {value}\n" for key, value in head.items() if value).encode() + b"\n" + self.data


def proven(body: dict[str, Any], *, kind: str = "purge_certificate", key: Ed25519PrivateKey = TRAIL) -> bytes:
    """The proof of an entry, the second of two."""
    first = Entry("workspace_created", "2026-01-01T00:00:00Z", {"origin": ORIGIN}).leaf()
    entry = Entry(kind, AT, body).leaf()
    path = (merkle.leaf_hash(first),)
    root = hashlib.sha256(b"\x01" + path[0] + merkle.leaf_hash(entry)).digest()
    head = sign_checkpoint(ORIGIN, 2, root, key, datetime(2026, 3, 1, 10, tzinfo=UTC))
    return Proof(1, path, head, entry).write()


def told(data: bytes, **edits: Any) -> dict[str, Any]:
    """The body of the entry that tells of a certificate."""
    digest = hashlib.sha256(data).hexdigest()
    return {"convention": "csp-ft-2024", "purge": "csp-ft-2024.1", "certificate_sha256": digest, **edits}


def whole(data: bytes, where: str) -> Vector:
    """``data`` with a right signature and a right proof."""
    return Vector(where, data, sign(data, SIGNING, CERTIFICATE_NAMESPACE), proven(told(data)))


def changed(where: str, **edits: Any) -> Vector:
    """The certificate with other values (None: without the key), signed and proven."""
    value = {**CERTIFICATE, **edits}
    return whole(canonical({name: one for name, one in value.items() if one is not None}), where)


def vectors() -> Iterator[tuple[str, Vector]]:
    """Name and vector."""
    data = canonical(CERTIFICATE)
    good = whole(data, "")
    yield "certificate", good
    yield "rehearsal", changed("", rehearsal=True)
    yield "of_before_holds_and_backups", changed("", held=None, backups=None)
    yield "of_a_part", changed("", whole=False, scope={"convention": "csp-ft-2024", "exchange": "candidate-pools"})
    yield "spaced", whole(json.dumps(CERTIFICATE, sort_keys=True).encode(), "certificate")
    yield "line_feed", whole(data + b"\n", "certificate")
    yield "key_twice", whole(data.replace(b'"attested"', b'"attested":[],"attested"', 1), "certificate")
    yield "key_unknown", changed("certificate: comment", comment="done")
    yield "key_missing", changed("certificate: not_proved", not_proved=None)
    yield "format", changed("certificate: format", format="passerelle-certificate/2")
    yield "whole_one", changed("certificate: whole", whole=1)
    yield "keys_kept", changed("certificate: keys", keys={"destroyed": False, "root_generation": 2})
    yield "count_none", changed("certificate: destroyed", destroyed=[{"kind": "raw", "count": 0, "bytes": 0}])
    yield "kinds_out_of_order", changed("certificate", destroyed=CERTIFICATE["destroyed"][::-1])
    yield "scope_of_another", changed("certificate", scope={"convention": "face-pe-2014"})
    yield "completed_before", changed("certificate", planned_at="2026-03-01T09:30:01Z")
    yield "completed_local", changed("certificate: completed_at", completed_at="2026-03-01T10:30:00+01:00")
    yield (
        "deadline_that_is_none",
        changed("certificate: deadline", deadline={**CERTIFICATE["deadline"], "value": "2026-02-30"}),
    )
    yield "rehearsal_false", changed("certificate: rehearsal", rehearsal=False)
    for name, signature in {
        "signed_by_another": sign(data, OTHER, CERTIFICATE_NAMESPACE),
        "namespace": sign(data, SIGNING),
        "signature_of_another": sign(data + b" ", SIGNING, CERTIFICATE_NAMESPACE),
    }.items():
        yield name, good._replace(where="certificate: signature", signature=signature)
    for name, where, proof in (
        ("entry_of_another_certificate", "entry 1", proven(told(data + b" "))),
        ("entry_of_another_purge", "entry 1", proven(told(data, purge="csp-ft-2024.2"))),
        ("entry_of_another_convention", "entry 1", proven(told(data, convention="face-pe-2014"))),
        ("entry_of_another_kind", "entry 1", proven({"convention": "csp-ft-2024", "purge": "csp-ft-2024.1"}, kind="keys_destroyed")),
        ("proof_of_another_trail", "signed note", proven(told(data), key=OTHER)),
        ("proof_cut", "tlog-proof", good.proof[:60]),
    ):  # fmt: skip
        yield name, good._replace(where=where, proof=proof)
    yield "trail_of_another", changed("entry 1", trail={"origin": "passerelle.example/others", "size": 1})
    yield "trail_larger", changed("entry 1", trail={"origin": ORIGIN, "size": 2})


def main() -> None:
    """Write each vector."""
    FOLDER.mkdir(exist_ok=True)
    for name, vector in vectors():
        (FOLDER / f"{name}.txt").write_bytes(vector.text)


if __name__ == "__main__":
    main()
