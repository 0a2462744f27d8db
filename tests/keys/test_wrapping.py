"""Wrapping and derivation against the Wycheproof vectors, through our own functions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import KeyStoreError
from passerelle.keys import wrapping

KEY = bytes(range(32))


def test_unwrapping_agrees_with_the_aes_gcm_vectors(shared: Path) -> None:
    """Every AES-256-GCM vector with our nonce and tag lengths and a textual context opens, or fails, as it says."""
    groups = json.loads((shared / "vectors" / "wycheproof" / "aes_gcm_test.json").read_text())["testGroups"]
    seen = {"valid": 0, "invalid": 0}
    for group in groups:
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        for case in group["tests"]:
            if not bytes.fromhex(case["aad"]).isascii():
                continue
            context = bytes.fromhex(case["aad"]).decode()
            wrapped = wrapping.VERSION + bytes.fromhex(case["iv"] + case["ct"] + case["tag"])
            seen[case["result"]] += 1
            if case["result"] == "valid":
                assert wrapping.unwrap(bytes.fromhex(case["key"]), wrapped, context).hex() == case["msg"], case["tcId"]
            else:
                with pytest.raises(KeyStoreError):
                    wrapping.unwrap(bytes.fromhex(case["key"]), wrapped, context)
    assert min(seen.values()) > 10


def test_derivation_agrees_with_the_hkdf_vectors(shared: Path) -> None:
    """Every HKDF-SHA256 vector without salt and with a textual purpose gives its key."""
    groups = json.loads((shared / "vectors" / "wycheproof" / "hkdf_sha256_test.json").read_text())["testGroups"]
    cases = [
        case
        for group in groups
        for case in group["tests"]
        if not case["salt"] and case["result"] == "valid" and bytes.fromhex(case["info"]).isascii()
    ]
    assert len(cases) > 3
    for case in cases:
        derived = wrapping.derive(bytes.fromhex(case["ikm"]), bytes.fromhex(case["info"]).decode(), case["size"])
        assert derived.hex() == case["okm"], case["tcId"]


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"])))
def test_unwrapping_undoes_wrapping(data: bytes, context: str) -> None:
    """What is wrapped unwraps in the same context, and in no other."""
    wrapped = wrapping.wrap(KEY, data, context)
    assert wrapping.unwrap(KEY, wrapped, context) == data
    with pytest.raises(KeyStoreError):
        wrapping.unwrap(KEY, wrapped, context + "x")


@given(st.binary(max_size=100))
def test_any_bytes_raise_only_our_error(data: bytes) -> None:
    """Bytes that were never wrapped raise KeyStoreError."""
    with pytest.raises(KeyStoreError):
        wrapping.unwrap(KEY, data, "place")
