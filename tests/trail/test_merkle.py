"""The Merkle tree is that of RFC 6962."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import TrailError
from passerelle.trail import merkle

leaves = st.lists(st.binary(max_size=8), min_size=1, max_size=70).map(lambda data: [merkle.leaf_hash(d) for d in data])
ROOTS = {  # of the eight leaves of the tests of Certificate Transparency
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]


def mth(data: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return data[0]
    split = max(1 << bit for bit in range(10) if 1 << bit < len(data))
    return hashlib.sha256(b"\x01" + mth(data[:split]) + mth(data[split:])).digest()


def vectors(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    return [(str(path), json.loads(path.read_text())) for path in sorted(folder.rglob("*.json"))]


def decode(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(value) for value in values or []]


def test_public_inclusion_vectors(shared: Path) -> None:
    """Every public inclusion vector is accepted or refused as it says."""
    found = vectors(shared / "vectors" / "merkle" / "inclusion")
    assert len(found) == 98
    for name, vector in found:
        root, leaf = base64.b64decode(vector["root"]), base64.b64decode(vector["leafHash"])
        call = (vector["leafIdx"], vector["treeSize"], leaf, decode(vector["proof"]), root)
        if vector["wantErr"]:
            with pytest.raises(TrailError):
                merkle.verify_inclusion(*call)
        else:
            assert merkle.verify_inclusion(*call) == root, name


def test_public_consistency_vectors(shared: Path) -> None:
    """Every public consistency vector is accepted or refused as it says."""
    found = vectors(shared / "vectors" / "merkle" / "consistency")
    assert len(found) == 98
    for name, vector in found:
        root1, root2 = base64.b64decode(vector["root1"]), base64.b64decode(vector["root2"])
        call = (vector["size1"], vector["size2"], root1, root2, decode(vector["proof"]))
        if vector["wantErr"]:
            with pytest.raises(TrailError):
                merkle.verify_consistency(*call)
        else:
            assert merkle.verify_consistency(*call) == root2, name


@pytest.mark.parametrize("size", ROOTS)
def test_known_roots(size: int) -> None:
    """The roots of the reference tree are those that Certificate Transparency publishes."""
    assert merkle.root([merkle.leaf_hash(bytes.fromhex(data)) for data in INPUTS[:size]]).hex() == ROOTS[size]


def test_empty_root() -> None:
    """The root of the empty tree is the hash of nothing."""
    assert merkle.root([]) == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(leaves)
def test_appending_gives_the_recomputed_root(data: list[bytes]) -> None:
    """Appending one by one gives the root that the RFC's recursion gives."""
    frontier = merkle.Frontier()
    for size, leaf in enumerate(data, 1):
        frontier.append(leaf)
        assert frontier.root() == mth(data[:size])
        frontier = merkle.Frontier.from_bytes(size, frontier.to_bytes())


@given(st.lists(st.integers(0, 40), max_size=6))
def test_appending_many_is_appending_one_by_one(runs: list[int]) -> None:
    """However a trail is cut into batches, each of them gives the frontier that its leaves give one by one."""
    together, alone = merkle.Frontier(), merkle.Frontier()
    for run in runs:
        data = [merkle.leaf_hash(bytes([number])) for number in range(run)]
        together.extend(data)
        for leaf in data:
            alone.append(leaf)
        assert together == alone


@given(leaves, st.data())
def test_every_inclusion_proof_verifies_and_an_altered_one_fails(data: list[bytes], draw: st.DataObject) -> None:
    """The proof of any leaf verifies; with one bit changed anywhere it does not."""
    index = draw.draw(st.integers(0, len(data) - 1))
    root = merkle.root(data)
    proof = merkle.inclusion_proof(data, index)
    assert merkle.verify_inclusion(index, len(data), data[index], proof, root) == root
    parts = [data[index], root, *proof]
    place = draw.draw(st.integers(0, len(parts) - 1))
    bit = draw.draw(st.integers(0, 255))
    parts[place] = flip(parts[place], bit)
    with pytest.raises(TrailError):
        merkle.verify_inclusion(index, len(data), parts[0], parts[2:], parts[1])


@given(leaves, st.data())
def test_every_consistency_proof_verifies_and_an_altered_one_fails(data: list[bytes], draw: st.DataObject) -> None:
    """The proof between any two sizes verifies; with one bit changed anywhere it does not."""
    size = draw.draw(st.integers(1, len(data)))
    old, new = merkle.root(data[:size]), merkle.root(data)
    proof = merkle.consistency_proof(data, size)
    assert merkle.verify_consistency(size, len(data), old, new, proof) == new
    parts = [old, new, *proof]
    place = draw.draw(st.integers(0, len(parts) - 1))
    parts[place] = flip(parts[place], draw.draw(st.integers(0, 255)))
    with pytest.raises(TrailError):
        merkle.verify_consistency(size, len(data), parts[0], parts[1], parts[2:])


@pytest.mark.parametrize(("size", "data"), [(3, b"x" * 32), (0, b"x" * 32), (-1, b""), (1, b"x" * 31)])
def test_a_frontier_of_another_size_is_refused(size: int, data: bytes) -> None:
    """A stored frontier must have one hash for each bit of its size."""
    with pytest.raises(TrailError, match="frontier"):
        merkle.Frontier.from_bytes(size, data)


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")
