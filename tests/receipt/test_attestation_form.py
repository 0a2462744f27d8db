"""The form of attestations: the vectors, each with one fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.errors import EvidenceError
from passerelle.keys import parse_public
from passerelle.receipt.attestation import read_request, verify_attestation
from tests.receipt.make_attestation_vectors import FOLDER, PART, REQUEST, SECOND, WHOLE, vectors

VECTORS = sorted(FOLDER.glob("*.txt"))


def parts(path: Path) -> tuple[dict[str, str], bytes]:
    """Header lines and bytes of a vector."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    return dict(line.split(": ", 1) for line in head.decode().splitlines()), data


def test_there_are_vectors() -> None:
    """The folder holds the request and each vector that is made, byte for byte, and no other."""
    made = {name: data for name, _, data in vectors()}
    assert len(made) > 20
    assert {path.stem: parts(path)[1] for path in VECTORS} == made
    assert read_request((FOLDER / "request.json").read_bytes()) == REQUEST


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_vector_ends_as_it_says(path: Path) -> None:
    """An attestation answers the request, whole or in part, or fails in the place that its vector names."""
    head, data = parts(path)
    keys = [parse_public(head["key"])]
    if head["expect"] == "ok":
        held = verify_attestation(data, REQUEST, keys)
        expected = {"attestation": (WHOLE, ()), "partial": (PART, (SECOND,))}
        assert (held.attestation, held.missing) == expected[path.stem]
        return
    with pytest.raises(EvidenceError) as caught:
        verify_attestation(data, REQUEST, keys)
    assert str(caught.value.where).startswith(head["where"])
