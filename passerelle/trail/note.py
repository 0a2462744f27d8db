"""Signed notes (c2sp.org/signed-note) and their timestamped form (c2sp.org/tlog-cosignature), Ed25519 only. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passerelle.errors import TrailError

MAX_NOTE_BYTES = 256 * 1024
MAX_SIGNATURES = 100
SIGNATURE_BYTES = 64

PLAIN = 0x01  # Ed25519 over the text
TIMED = 0x04  # Ed25519 over "cosignature/v1", a time, and the text

WHERE = "signed note"


def decode64(text: str, where: str, size: int | None = None) -> bytes:
    """Decode standard base64 (RFC 4648, section 4) that is written in the one canonical way.

    Raises:
        TrailError: it is not, or does not hold ``size`` bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise TrailError("expected standard base64", where=where) from None
    if encode64(data) != text:
        raise TrailError("expected base64 in its canonical form", where=where)
    if size is not None and len(data) != size:
        raise TrailError(f"expected {size} bytes in base64, found {len(data)}", where=where)
    return data


def encode64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under: ``name+id+base64(type || key)``."""

    name: str
    public: bytes
    kind: int = PLAIN

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{encode64(bytes([self.kind]) + self.public)}"

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey) -> VerifierKey:
        """The verifier key of ``key`` under ``name``."""
        return cls(_key_name(name), key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key.

        Raises:
            TrailError: it is malformed, of another type than Ed25519, or its id is not that of its name and key.
        """
        where = "verifier key"
        parts = text.split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004 -- name, id, key
            raise TrailError("expected name+id+key", where=where)
        material = decode64(parts[2], where, 33)
        if material[0] not in {PLAIN, TIMED}:
            raise TrailError(f"expected an Ed25519 key (type 1 or 4), found type {material[0]}", where=where)
        key = cls(_key_name(parts[0]), material[1:], material[0])
        if parts[1] != key.id.hex():
            raise TrailError("the id is not that of the name and the key", where=where)
        return key


@dataclass(frozen=True, slots=True)
class Opened:
    """A note whose signature was verified: its text, and the time that the same key vouches for, if it does."""

    text: str
    at: datetime | None


def sign_note(text: str, name: str, key: Ed25519PrivateKey, at: datetime | None = None) -> str:
    """Sign ``text`` (ending in a newline); with ``at``, a second, timestamped signature vouches for the instant.

    Raises:
        TrailError: the text or the name cannot stand in a note.
    """
    plain = VerifierKey.of(name, key)
    _check_characters(text)
    if not text.endswith("\n") or "\n\n" in text:
        raise TrailError("expected a text of non-empty lines that ends in a newline", where=WHERE)
    lines = [_signature_line(plain, key.sign(text.encode()))]
    if at is not None:
        seconds = int(at.timestamp())
        signature = key.sign(_timed_message(text, seconds))
        lines.append(_signature_line(replace(plain, kind=TIMED), seconds.to_bytes(8, "big") + signature))
    return text + "\n" + "".join(lines)


def open_note(note: str | bytes, verifier_key: str | VerifierKey) -> Opened:
    """Verify a note under one trusted key; signatures of other keys are ignored, as the specification demands.

    A plain key also verifies the timestamped signature that the same key may have added under the same name.

    Raises:
        TrailError: the note is malformed, the key did not sign it, or a signature of the key does not verify.
    """
    trusted = verifier_key if isinstance(verifier_key, VerifierKey) else VerifierKey.parse(verifier_key)
    text, signatures = split_note(note)
    at: datetime | None = None
    signed = False
    for key in [trusted] if trusted.kind == TIMED else [trusted, replace(trusted, kind=TIMED)]:
        lines = [data[4:] for name, data in signatures if (name, data[:4]) == (key.name, key.id)]
        if len(lines) > 1:
            raise TrailError(f"two signature lines of one type by {key.name}, expected one", where=WHERE)
        for signature in lines:
            signed = signed or key.kind == trusted.kind
            at = _verify(key, text, signature) or at
    if not signed:
        raise TrailError(
            "not signed by the trusted key", where=WHERE, hint="compare the key's name and id with the note's"
        )
    return Opened(text, at)


def _verify(key: VerifierKey, text: str, signature: bytes) -> datetime | None:
    """Check one signature and return the time it vouches for; None when its type has none."""
    message, at = text.encode(), None
    if key.kind == TIMED:
        seconds = int.from_bytes(signature[:8], "big")
        message, signature = _timed_message(text, seconds), signature[8:]
        try:
            at = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise TrailError("the time of the signature is out of range", where=WHERE) from None
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise TrailError(
            "the signature of the trusted key does not verify: text or signature was altered", where=WHERE
        ) from None
    return at


def split_note(note: str | bytes) -> tuple[str, Sequence[tuple[str, bytes]]]:
    """Part a note in its text and its signatures (name, id || signature), none of them verified.

    Raises:
        TrailError: it is malformed.
    """
    data = note.encode(errors="surrogatepass") if isinstance(note, str) else note
    if len(data) > MAX_NOTE_BYTES:
        raise TrailError(f"expected at most {MAX_NOTE_BYTES} bytes, found {len(data)}", where=WHERE)
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TrailError(f"not UTF-8 at byte {error.start}", where=WHERE) from None
    _check_characters(whole)
    end = whole.rfind("\n\n")
    block = whole[end + 2 :]
    if end < 1 or not block.endswith("\n"):
        raise TrailError("expected a text, an empty line, and signature lines that end in a newline", where=WHERE)
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise TrailError(f"expected at most {MAX_SIGNATURES} signatures, found {len(lines)}", where=WHERE)
    return whole[: end + 1], [_read_signature(line) for line in lines]


def _read_signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, signature = rest.partition(" ")
    if dash != "—":
        raise TrailError("expected a signature line: em dash, key name, signature", where=WHERE)
    data = decode64(signature, WHERE)
    if len(data) <= 4:  # noqa: PLR2004 -- the key id alone
        raise TrailError("expected a key id and a signature", where=WHERE)
    return _key_name(name), data


def _signature_line(key: VerifierKey, signature: bytes) -> str:
    return f"— {key.name} {encode64(key.id + signature)}\n"


def _timed_message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_name(name: str) -> str:
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise TrailError("expected a key name without spaces or plus", where=WHERE)
    return name


def _check_characters(text: str) -> None:
    if any(character < " " and character != "\n" for character in text):
        raise TrailError("control characters are not allowed", where=WHERE)
