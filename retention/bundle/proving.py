"""Signatures and trees as an auditor checks them, in pure Python: RFC 8032, RFC 8017, PROTOCOL.sshsig, RFC 9162, C2SP notes.

The first half of the checker that travels in an auditor's bundle (docs/spec/bundle.md). It shares no code with what made it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

HOUSE = ("workspace_created", "signing_key_rotated", "root_rotated", "checkpoints_set")
IDS = ("run", "parcel", "delivery", "by", "resends", "purge", "request", "notice", "hold", "attestation")
DIGITS = 19  # of the size of a trail, at most
LATEST = 253_402_300_800  # seconds from 1970 to the year 10000
EMPTY = hashlib.sha256().digest()  # the root of no entries
BUNDLE = 256  # entries in one file of the trail (c2sp.org/tlog-tiles)
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
UNREADABLE = (OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4)


class Fault(Exception):  # noqa: N818 -- what an auditor reads, in two languages
    """One thing that does not hold, told in French and English."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en


class Absent(Fault):
    """Something that this bundle cannot show, and says so: no fault."""


class Held(NamedTuple):
    """One thing that was checked, in French and English."""

    fr: str
    en: str


MISSING = Held("une pièce manque ou n'est pas lisible", "a piece is missing or cannot be read")


def _add(a: Point, b: Point) -> Point:
    k, l = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P  # noqa: E741 -- after RFC 8032
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = l - k, d - c, d + c, l + k
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _point(data: bytes) -> Point | None:
    """A point from its 32 bytes (RFC 8032, 5.1.3); None when they are not the one form of a point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is of ``message`` (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:  # noqa: PLR2004 -- RFC 8032, 5.1.5 and 5.1.6
        return False
    key, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= L or BASE is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    a, b = _times(s, BASE), _add(r, _times(k, key))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _rsa(blob: list[bytes], message: bytes, signature: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-512 (RFC 8017, 8.2.2)."""
    exponent, modulus = (int.from_bytes(part, "big") for part in blob[1:3])
    size = (modulus.bit_length() + 7) // 8
    digest = bytes.fromhex("3051300d060960864801650304020305000440") + hashlib.sha512(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    opened = pow(int.from_bytes(signature, "big"), exponent, modulus)
    return len(signature) == size and bool(opened == int.from_bytes(padded, "big"))


def _strings(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def _wire(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def sshsig(message: bytes, armored: bytes, blobs: list[bytes], namespace: str) -> bytes:
    """The key (SSH wire form) of ``blobs`` that signed (PROTOCOL.sshsig); the armor must be in its one form, byte for byte."""
    try:
        lines = armored.decode("ascii").split("\n")
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
        key, space, reserved, algorithm, signature = _strings(blob[10:])
        kind, raw = _strings(signature)
        parts = _strings(key)
    except ValueError:
        raise Fault("une signature n'a pas la forme attendue", "a signature is not of the expected form") from None
    folded = base64.b64encode(blob).decode()
    body = [folded[at : at + 70] for at in range(0, len(folded), 70)]
    written = "\n".join(["-----BEGIN SSH SIGNATURE-----", *body, "-----END SSH SIGNATURE-----", ""])
    signed = b"SSHSIG" + _wire(space, b"", b"sha512", hashlib.sha512(message).digest())
    known = key in blobs and (space, reserved, algorithm) == (namespace.encode(), b"", b"sha512")
    good = known and (
        ed25519(parts[1], signed, raw)
        if kind == b"ssh-ed25519"
        else kind == b"rsa-sha2-512" and _rsa(parts, signed, raw)
    )
    if not (known and good and blob[:10] == b"SSHSIG\x00\x00\x00\x01" and written.encode() == armored):
        raise Fault(
            f"une signature {namespace} n'est pas d'une clé connue, ou pas de ces octets",
            f"a signature {namespace} is not by a known key, or not of these bytes",
        )
    return key


def fingerprint(blob: bytes) -> str:
    """As ``ssh-keygen -lf`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(index: int, size: int, path: list[bytes], leaf: bytes) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2); None when it is too short or too long."""
    if not 0 <= index < size:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = _node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = _node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def continues(first: int, second: int, old: bytes, path: list[bytes]) -> bytes | None:
    """The root of ``second`` entries that a consistency path from ``old`` leads to (RFC 9162, 2.1.4.2); else None."""
    if not 0 < first <= second:
        return None
    if first == second:
        return old if not path else None
    path = path if first & (first - 1) else [old, *path]
    if not path:
        return None
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            fr, sr = _node(c, fr), _node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sr if sn == 0 and fr == old else None


def grown(frontier: list[bytes], size: int, leaf: bytes) -> None:
    """Add a leaf to the perfect subtrees on the right edge of a tree of ``size`` leaves, largest first."""
    while size & 1:
        leaf = _node(frontier.pop(), leaf)
        size >>= 1
    frontier.append(leaf)


def frontier_root(frontier: list[bytes]) -> bytes:
    """The root of the tree with these subtrees."""
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = _node(left, root)
    return root


def _base64(text: str) -> bytes:
    """What ``text`` encodes, where it is written in the one canonical way; else ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError
    return data


class Trail:
    """Opens heads of one trail: signed notes with a plain and a timestamped signature of its key."""

    def __init__(self, vkey: str) -> None:
        self.name, ident, key = vkey.strip().split("+", 2)
        raw = _base64(key)
        self.public = raw[1:]
        plain = hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]
        if raw[:1] != b"\x01" or plain.hex() != ident:
            raise ValueError
        self.ids = plain, hashlib.sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]
        self._seen: dict[str, tuple[int, bytes, int]] = {}

    def opened(self, note: str) -> tuple[int, bytes, int]:
        """Size, root and instant (POSIX seconds) of a head."""
        if note not in self._seen:
            try:
                self._seen[note] = self._opened(note)
            except (ValueError, IndexError, StopIteration):
                raise Fault(
                    "un jalon du registre n'a pas la forme attendue", "a head of the trail is not of the expected form"
                ) from None
        return self._seen[note]

    def _opened(self, note: str) -> tuple[int, bytes, int]:
        text, mark, rest = note.partition("\n\n")
        name, size, root = text.split("\n")
        count, digest = int(size[:DIGITS]), _base64(root)
        if not mark or rest[-1:] != "\n" or str(count) != size or not 0 <= count < 2**63 or len(digest) != len(EMPTY):
            raise ValueError
        text += "\n"
        lines = [line.split(" ") for line in rest[:-1].split("\n")]
        signatures = [_base64(encoded) for dash, who, encoded in lines if (dash, who) == ("\u2014", self.name)]
        (plain,) = (one[4:] for one in signatures if one[:4] == self.ids[0])
        (timed,) = (one[4:] for one in signatures if one[:4] == self.ids[1])
        at = int.from_bytes(timed[:8], "big")
        message = f"cosignature/v1\ntime {at}\n{text}".encode()
        good = ed25519(self.public, text.encode(), plain) and ed25519(self.public, message, timed[8:])
        if name != self.name or at >= LATEST or (not count and digest != EMPTY) or not good:
            raise Fault(
                "la signature d'un jalon du registre n'est pas bonne",
                "the signature of a head of the trail is not good",
            )
        return count, digest, at


class Concerns:
    """Which entries are about the convention (docs/spec/bundle.md, "Which entries"): ``learns`` of all, then ``takes`` each."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._convention, self._parties = about["convention"], set(about["parties"])
        self._ids: set[str] = set()

    def learns(self, entry: Mapping[str, Any]) -> None:
        """Note the ids that an entry of the convention gives."""
        body = entry["body"]
        if body.get("convention") == self._convention:
            self._ids |= {body[name] for name in IDS if name in body}

    def takes(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry is one of them."""
        body, kind = entry["body"], entry["kind"]
        if "convention" in body:
            return bool(body["convention"] == self._convention)
        named = any(body[name] in self._ids for name in IDS if name in body)
        party = kind.startswith("partner_key_") and body["party"] in self._parties
        return named or party or kind in HOUSE or kind.startswith("backup_")


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) of what an entry can hold: text, integers, booleans, ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tile(number: int, width: int) -> str:
    """The path of one file of entries (c2sp.org/tlog-tiles)."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    return (
        "trail/tile/entries/"
        + "/".join([*(f"x{one}" for one in parts[:-1]), parts[-1]])
        + (f".p/{width}" if width < BUNDLE else "")
    )


def bundled(data: bytes) -> Iterator[bytes]:
    """The entries of one such file, each after its length in two bytes."""
    while data:
        size = int.from_bytes(data[:2], "big")
        yield data[2 : 2 + size]
        data = data[2 + size :]
