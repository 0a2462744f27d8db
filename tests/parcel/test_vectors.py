"""The vectors of the parcel format: one fault in each, found where the vector says."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from passerelle.errors import EvidenceError, ParcelError
from passerelle.keys import Signer, parse_identities
from passerelle.parcel import Trust, open_parcel, verify

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "parcel"
VECTORS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".md")


def stand_in(manifest: bytes, proof: bytes) -> None:
    """Raise unless ``proof`` is the digest of the manifest, which stands for the trail here."""
    if proof != hashlib.sha256(manifest).hexdigest().encode() + b"\n":
        raise EvidenceError("the proof is of another manifest")


def test_there_are_vectors() -> None:
    """The folder holds vectors of each kind."""
    kinds = [path.read_bytes().partition(b"\n")[0] for path in VECTORS]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        b"expect: success": 2,
        b"expect: verify failure": 33,
        b"expect: open failure": 6,
    }


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_the_vector_ends_as_it_says(path: Path, tmp_path: Path) -> None:
    """A parcel verifies and opens, or fails at the step and in the member that its vector names."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    lines = dict(line.split(": ", 1) for line in head.decode().splitlines())
    (tmp_path / "p.tar").write_bytes(zlib.decompress(base64.b64decode(data)))
    signer = load_ssh_public_key(lines["signer"].encode())
    assert isinstance(signer, Ed25519PublicKey)
    trust = Trust((Signer(signer),), stand_in, lines["recipient"])
    if lines["expect"] == "verify failure":
        with pytest.raises(ParcelError) as caught:
            verify(tmp_path / "p.tar", trust)
        assert lines["where"] in str(caught.value.where)
        return
    parcel = verify(tmp_path / "p.tar", trust).parcel
    identities = parse_identities(lines["identity"].encode())
    release = parse_identities(lines["release"].encode())[0] if "release" in lines else None
    if lines["expect"] == "open failure":
        with pytest.raises(ParcelError) as caught:
            open_parcel(parcel, identities, release, tmp_path / "out")
        assert caught.value.where == lines["where"]
        return
    assert open_parcel(parcel, identities, release, tmp_path / "out").sha256 == lines["payload"]
