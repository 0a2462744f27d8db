"""Writes tests/vectors/receipt: run it after a change of the format (``python -m tests.receipt.make_vectors``)."""

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
from passerelle.receipt import NAMESPACE, Receipt, sign_receipt
from passerelle.trail import verifier_key
from passerelle.trail.checkpoint import sign_checkpoint

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "receipt"
ORIGIN = "passerelle.example/vectors"
TRAIL = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PARTNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NOTE = sign_checkpoint(ORIGIN, 42, bytes(range(32)), TRAIL, AT)
RECEIPT = Receipt(
    at="2026-03-01T10:00:00Z",
    checkpoint=NOTE,
    cipher_sha256="cd" * 32,
    convention="csp-ft-2024",
    exchange="candidate-pools",
    locks=2,
    manifest_sha256="ab" * 32,
    parcel="csp-ft-2024.candidate-pools.2025-05.mtfp.1",
    party="mtfp",
    sequence=1,
    version=1,
)


def signed(line: bytes) -> bytes:
    """``line`` with the partner's signature."""
    return line + sign(line, PARTNER, NAMESPACE)


def changed(**values: Any) -> bytes:
    """The receipt with other values (None: without the key), signed by the partner."""
    value = {**RECEIPT.model_dump(), **values}
    return signed(canonical({name: found for name, found in value.items() if found is not None}) + b"\n")


def vectors() -> Iterator[tuple[str, str, bytes]]:
    """Name, place of the fault (empty: none) and bytes of each vector."""
    whole, line = sign_receipt(RECEIPT, PARTNER), RECEIPT.line()
    yield "receipt", "", whole
    yield "spaced", "receipt", signed(json.dumps(RECEIPT.model_dump(), sort_keys=True).encode() + b"\n")
    yield "key_twice", "receipt", signed(line.replace(b'{"at"', b'{"at":"2026-03-01T10:00:00Z","at"'))
    yield "key_unknown", "receipt: comment", changed(comment="seen")
    yield "key_missing", "receipt: sequence", changed(sequence=None)
    yield "version", "receipt: version", changed(version=2)
    yield "version_missing", "receipt: version", changed(version=None)
    yield "version_true", "receipt: version", changed(version=True)
    yield "at_local", "receipt: at", changed(at="2026-03-01T11:00:00+01:00")
    yield "locks_three", "receipt: locks", changed(locks=3)
    yield "locks_text", "receipt: locks", changed(locks="2")
    yield "hash_short", "receipt: manifest_sha256", changed(manifest_sha256="ab" * 31)
    yield "sequence_zero", "receipt: sequence", changed(sequence=0)
    yield "crlf", "receipt", whole.replace(b"\n", b"\r\n", 1)
    yield "not_signed", "signature", line
    yield "no_line_feed", "receipt", line[:-1]
    yield "signed_by_another", "signature", sign_receipt(RECEIPT, OTHER)
    yield "namespace", "signature", line + sign(line, PARTNER, "passerelle-manifest")
    yield "signed_without_line_feed", "signature", line + sign(line[:-1], PARTNER, NAMESPACE)
    yield "signature_of_another_line", "signature", line + sign(line + b"\n", PARTNER, NAMESPACE)
    yield "armor_wrapped_at_76", "signature", line + _wrapped(sign(line, PARTNER, NAMESPACE))
    yield "bytes_after", "signature", whole + b"\n"
    yield (
        "checkpoint_of_another_key",
        "checkpoint",
        changed(checkpoint=sign_checkpoint(ORIGIN, 42, b"r" * 32, OTHER, AT)),
    )
    yield "checkpoint_of_another_log", "checkpoint", changed(checkpoint=NOTE.replace("/vectors\n42", "/others\n42"))
    yield "checkpoint_altered", "checkpoint", changed(checkpoint=NOTE.replace("\n42\n", "\n43\n"))
    yield "checkpoint_untimed", "checkpoint", changed(checkpoint="".join(NOTE.splitlines(keepends=True)[:-1]))


def _wrapped(armored: bytes) -> bytes:
    begin, *middle, end, _ = armored.decode().split("\n")
    text = "".join(middle)
    return "\n".join([begin, *(text[i : i + 76] for i in range(0, len(text), 76)), end, ""]).encode()


def main() -> None:
    """Write each vector."""
    FOLDER.mkdir(exist_ok=True)
    for name, where, data in vectors():
        head = {"expect": "fail" if where else "ok", "where": where, "key": public_text(PARTNER.public_key())}
        head["trail"] = verifier_key(ORIGIN, TRAIL)
        lines = "".join(f"{key}: {value}\n" for key, value in head.items() if value)
        (FOLDER / f"{name}.txt").write_bytes(lines.encode() + b"\n" + data)


if __name__ == "__main__":
    main()
