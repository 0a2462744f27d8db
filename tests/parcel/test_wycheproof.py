"""Ed25519 of the Wycheproof vectors through the functions that check our signatures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passerelle.errors import EvidenceError, TrailError
from passerelle.parcel import sign, verify_signature
from passerelle.parcel.sshsig import _armored, _check, _unarmored
from passerelle.trail.note import VerifierKey, encode64, open_note, sign_note

ORDER = 2**252 + 27742317777372353535851937790883648493
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_our_check_agrees_with_the_ed25519_vectors(shared: Path) -> None:
    """Every vector's signature is accepted or refused as it says, by the check that our SSH signatures go through."""
    groups = json.loads((shared / "vectors" / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]
    seen = {"valid": 0, "invalid": 0}
    for group in groups:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            seen[case["result"]] += 1
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            if case["result"] == "valid":
                _check(key, signature, message)
                continue
            with pytest.raises(InvalidSignature):
                _check(key, signature, message)
    assert min(seen.values()) > 50


def malleated(signature: bytes) -> bytes:
    """The other S that satisfies the equation, which RFC 8032, 5.1.7, refuses."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


def test_a_malleated_signature_is_refused_in_each_of_our_forms() -> None:
    """A signature with S + L is refused in an SSH signature and in a signed note."""
    armored = sign(b"message", KEY)
    blob = _unarmored(armored)
    with pytest.raises(EvidenceError):
        verify_signature(b"message", _armored(blob[:-64] + malleated(blob[-64:])), [KEY.public_key()])
    key = VerifierKey.of("log.example", KEY)
    note = sign_note("text\n", key.name, KEY)
    good = KEY.sign(b"text\n")
    forged = note.replace(encode64(key.id + good), encode64(key.id + malleated(good)))
    assert forged != note
    with pytest.raises(TrailError, match="does not verify"):
        open_note(forged, key)
