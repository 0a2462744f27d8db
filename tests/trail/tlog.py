"""A second verifier of tlog-proofs, written from the C2SP pages and RFC 9162 alone; it imports nothing of the engine."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(proof: bytes, leaf: bytes, vkey: str) -> tuple[int, int]:
    """The index of the leaf and the size of the tree it is in; any exception means that it is not."""
    lines = proof.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    at = 2 if lines[1].startswith("extra ") else 1
    label, number = lines[at].split(" ")
    assert label == "index"
    assert str(int(number)) == number
    end = lines.index("", at)
    path = [base64.b64decode(line, validate=True) for line in lines[at + 1 : end]]
    assert all(len(item) == 32 for item in path)
    origin, size, root = checkpoint("\n".join(lines[end + 1 :]), vkey)
    assert origin == vkey.split("+", maxsplit=1)[0]
    assert include(int(number), size, hashlib.sha256(b"\0" + leaf).digest(), path) == root
    return int(number), size


def checkpoint(note: str, vkey: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that the key signed."""
    name, shown, material = vkey.split("+", 2)
    public = base64.b64decode(material)
    assert public[0] == 1
    identity = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    assert identity.hex() == shown
    cut = note.rindex("\n\n")
    body, signatures = note[: cut + 1], note[cut + 2 :].removesuffix("\n").split("\n")
    signed = 0
    for line in signatures:
        dash, who, encoded = line.split(" ")
        assert dash == "\N{EM DASH}"
        data = base64.b64decode(encoded, validate=True)
        if who == name and data[:4] == identity:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(data[4:], body.encode())
            signed += 1
    assert signed
    origin, size, root = body.split("\n")[:3]
    assert str(int(size)) == size
    return origin, int(size), base64.b64decode(root, validate=True)


def include(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2, step by step."""
    assert index < size
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn != 0
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\1" + p + r).digest()
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = hashlib.sha256(b"\1" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return r
