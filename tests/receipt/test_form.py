"""The form of receipts: the vectors, round trips, and any bytes from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import EvidenceError
from passerelle.keys import parse_public
from passerelle.receipt import Receipt, read_receipt, sign_receipt, verify_receipt
from passerelle.trail import verifier_key
from tests.receipt.make_vectors import FOLDER, ORIGIN, PARTNER, RECEIPT, TRAIL, vectors

VECTORS = sorted(FOLDER.glob("*.txt"))
VKEY = verifier_key(ORIGIN, TRAIL)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def parts(path: Path) -> tuple[dict[str, str], bytes]:
    """Header lines and bytes of a vector."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    return dict(line.split(": ", 1) for line in head.decode().splitlines()), data


def test_there_are_vectors() -> None:
    """The folder holds each vector that is made, byte for byte, and no other."""
    made = {name: data for name, _, data in vectors()}
    assert len(made) > 20
    assert {path.stem: parts(path)[1] for path in VECTORS} == made


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_vector_ends_as_it_says(path: Path) -> None:
    """A receipt verifies, or fails in the place that its vector names."""
    head, data = parts(path)
    keys = [parse_public(head["key"])]
    if head["expect"] == "ok":
        received = verify_receipt(data, keys, head["trail"])
        assert received.receipt == RECEIPT
        assert (received.checkpoint.origin, received.checkpoint.size) == (ORIGIN, 42)
        assert sign_receipt(received.receipt, PARTNER) == data
        return
    with pytest.raises(EvidenceError) as caught:
        verify_receipt(data, keys, head["trail"])
    assert head["where"] in str(caught.value.where)


WORDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(
    st.builds(
        Receipt,
        at=st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat() + "Z"),
        checkpoint=st.text(min_size=1, max_size=300),
        cipher_sha256=HEX,
        convention=WORDS,
        exchange=WORDS,
        locks=st.sampled_from([1, 2]),
        manifest_sha256=HEX,
        parcel=WORDS,
        party=WORDS,
        sequence=st.integers(1, 2**53 - 1),
    )
)
def test_reading_undoes_signing(receipt: Receipt) -> None:
    """Any receipt is read back from its file, and gives the same file again."""
    data = sign_receipt(receipt, KEY)
    assert read_receipt(data) == receipt
    assert sign_receipt(read_receipt(data), KEY) == data


@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_raise_only_our_error(data: bytes, cut: int) -> None:
    """Bytes that are no receipt raise EvidenceError."""
    whole = sign_receipt(RECEIPT, PARTNER)
    for found in (data, whole[:cut] + data, whole[:-1] + data, RECEIPT.line() + data):
        if found != whole:
            with pytest.raises(EvidenceError):
                verify_receipt(found, [PARTNER.public_key()], VKEY)


def test_nobody_trusted_is_refused() -> None:
    """A receipt is not verified under an empty list of keys."""
    with pytest.raises(EvidenceError, match="at least one key"):
        verify_receipt(sign_receipt(RECEIPT, PARTNER), [], "")
