"""Checkpoints, read for the checker alone (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passerelle.errors import TrailError

LATEST = 253_402_300_800  # seconds from 1970 to the year 10000, which four digits do not write
PLAIN, TIMED = 1, 4  # types of signatures
LARGEST = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteFault(Exception):  # noqa: N818 -- never leaves the checker, which turns it into a fault
    """What is wrong with a note."""


@dataclass(frozen=True, slots=True)
class Key:
    """The trusted verifier key."""

    name: str
    public: bytes

    @classmethod
    def read(cls, vkey: str, kind: int = PLAIN) -> Key:
        """Read ``name+id+base64(kind || key)``.

        Raises:
            TrailError: it is anything else.
        """
        name, _, rest = vkey.strip().partition("+")
        shown, _, encoded = rest.partition("+")
        try:
            data = _unbase64(encoded)
        except NoteFault:
            data = b""
        if not name or len(data) != 33 or data[0] != kind:  # noqa: PLR2004 -- a type byte and 32 bytes of key
            raise TrailError("expected an Ed25519 verifier key name+id+key", where="verifier key")
        key = cls(name, data[1:])
        if key.line_id(kind).hex() != shown:
            raise TrailError("the id is not that of the name and the key", where="verifier key")
        return key

    def line_id(self, kind: int) -> bytes:
        """The four bytes that open a signature of this key: type 1 is plain, type 4 has a time."""
        return hashlib.sha256(b"%s\n%c%s" % (self.name.encode(), kind, self.public)).digest()[:4]


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint whose signatures verify: size, root, and the instant as entries write it."""

    size: int
    root: bytes
    at: str


def within(text: str) -> str:
    """The signed note that a receipt (docs/spec/receipt.md) or a tlog-proof carries; any other text is the note itself.

    Raises:
        NoteFault: a receipt without a checkpoint.
    """
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        return text.partition("\n\n")[2]
    if not text.startswith("{"):
        return text
    try:
        receipt = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        receipt = None
    note = receipt.get("checkpoint") if isinstance(receipt, dict) else None
    if not isinstance(note, str):
        raise NoteFault("the receipt has no checkpoint")
    return note


def read_head(note: str, key: Key, *, sole: bool) -> Head:
    """Verify a checkpoint; ``sole``: a signature line of any other key is a fault.

    Raises:
        NoteFault: what is wrong with it.
    """
    body, mark, block = note.rpartition("\n\n")
    lines = body.split("\n")
    if not mark or len(lines) != 3 or not block.endswith("\n"):  # noqa: PLR2004 -- origin, size, root
        raise NoteFault("the note is not three lines, an empty line and signatures")
    origin, size, root = lines
    if origin != key.name:
        raise NoteFault("the origin is not the name of the trusted key")
    if not _SIZE.fullmatch(size) or int(size) > LARGEST:
        raise NoteFault("the size is malformed")
    if len(digest := _unbase64(root)) != hashlib.sha256().digest_size:
        raise NoteFault("the root is malformed")
    return Head(int(size), digest, _signed_at((body + "\n").encode(), block[:-1].split("\n"), key, sole=sole))


def _signed_at(message: bytes, lines: list[str], key: Key, *, sole: bool) -> str:
    plain = False
    at = ""
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        data = _unbase64(encoded)
        known = dash == "\u2014" and name == key.name
        if known and data[:4] == key.line_id(PLAIN):
            if plain:
                raise NoteFault("the trusted key signed it twice")
            _verify(key, data[4:], message)
            plain = True
        elif known and data[:4] == key.line_id(TIMED):
            if at:
                raise NoteFault("the trusted key vouches for two instants")
            at = _timed(key, data, message)
        elif sole:
            raise NoteFault("a signature line is malformed or of another key")
    if not plain or not at:
        raise NoteFault("the trusted key did not sign it, plain and with a time")
    return at


def cosigned_at(note: str, witness: Key | None) -> str:
    """The instant for which a witness's line of a note vouches; None where no key of the witness is on record.

    Raises:
        NoteFault: there is no key, no line, more than one, or it does not verify.
    """
    if witness is None:
        raise NoteFault("no key of that witness is on record")
    body, _, block = note.rpartition("\n\n")
    own = f"\u2014 {witness.name} "
    lines = [_unbase64(line.removeprefix(own)) for line in block[:-1].split("\n") if line.startswith(own)]
    lines = [data for data in lines if data[:4] == witness.line_id(TIMED)]
    if len(lines) != 1:
        raise NoteFault(f"expected one signature line of {witness.name}, found {len(lines)}")
    return _timed(witness, lines[0], (body + "\n").encode())


def _timed(key: Key, data: bytes, message: bytes) -> str:
    seconds = int.from_bytes(data[4:12], "big")
    _verify(key, data[12:], b"cosignature/v1\ntime %d\n%s" % (seconds, message))
    if seconds >= LATEST:
        raise NoteFault("the time of the signature is out of range")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _verify(key: Key, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise NoteFault("a signature does not verify: the note was altered") from None


def _unbase64(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise NoteFault("a part is not base64") from None
    if base64.b64encode(data).decode() != encoded:
        raise NoteFault("a part is not base64 in its canonical form")
    return data
