"""A client of static logs, written from the page c2sp.org/tlog-tiles and RFC 6962 alone; it imports nothing of the engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.trail.tlog import checkpoint


class Client:
    """Reads a log's folder under a trusted verifier key; any exception means that the log does not hold."""

    def __init__(self, folder: Path, vkey: str) -> None:
        self.folder = folder
        _, self.size, self.root = checkpoint((folder / "checkpoint").read_text("utf-8"), vkey)

    def path(self, kind: str, n: int, width: int) -> Path:
        """<prefix>/tile/<L>/<N>[.p/<W>]."""
        groups = []
        rest = n
        while True:
            groups.append(rest % 1000)
            rest //= 1000
            if not rest:
                break
        groups.reverse()
        name = "/".join([*(f"x{group:03d}" for group in groups[:-1]), f"{groups[-1]:03d}"])
        return self.folder / "tile" / kind / (name if width == 256 else f"{name}.p/{width}")

    def tile(self, level: int, n: int) -> list[bytes]:
        """The hashes of one tile of the checkpoint's tree."""
        total = self.size // 256**level
        width = 256 if total // 256 > n else total % 256
        data = self.path(str(level), n, width).read_bytes()
        assert len(data) == 32 * width
        return [data[i : i + 32] for i in range(0, len(data), 32)]

    def entries(self) -> list[bytes]:
        """Every entry, each compared with its hash in the level 0 tile."""
        found: list[bytes] = []
        for n in range((self.size + 255) // 256):
            width = min(256, self.size - 256 * n)
            data = self.path("entries", n, width).read_bytes()
            hashes = self.tile(0, n)
            for place in range(width):
                length = data[0] << 8 | data[1]
                entry, data = data[2 : 2 + length], data[2 + length :]
                assert len(entry) == length
                assert hashlib.sha256(b"\0" + entry).digest() == hashes[place]
                found.append(entry)
            assert not data
        return found

    def verified(self) -> list[bytes]:
        """The entries, once tiles of every level and the checkpoint's root follow from them."""
        entries = self.entries()
        leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
        assert mth(leaves) == self.root
        level, hashes = 0, leaves
        while hashes:
            for n in range((len(hashes) + 255) // 256):
                assert self.tile(level, n) == hashes[256 * n : 256 * n + 256]
            hashes = [mth(hashes[i : i + 256]) for i in range(0, len(hashes) - 255, 256)]
            level += 1
        return entries


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def consistent(first: int, second: int, first_hash: bytes, second_hash: bytes, path: list[bytes]) -> None:
    """RFC 9162, section 2.1.4.2, step by step."""
    assert 0 < first <= second
    if first == second:
        assert not path
        assert first_hash == second_hash
        return
    if first & (first - 1) == 0:
        path = [first_hash, *path]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        assert sn != 0
        if fn & 1 or fn == sn:
            fr, sr = (hashlib.sha256(b"\1" + c + h).digest() for h in (fr, sr))
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = hashlib.sha256(b"\1" + sr + c).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    assert (fr, sr) == (first_hash, second_hash)
