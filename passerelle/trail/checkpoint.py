"""Checkpoints (c2sp.org/tlog-checkpoint): the signed head of the trail. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.errors import TrailError
from passerelle.trail import merkle
from passerelle.trail.note import VerifierKey, decode64, encode64, open_note, sign_note

WHERE = "checkpoint"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified head: ``size`` entries under ``root``, and the instant its key vouches for (None in foreign logs)."""

    origin: str
    size: int
    root: bytes
    at: datetime | None
    note: str


def verifier_key(origin: str, key: Ed25519PrivateKey) -> str:
    """What partners are given to verify the trail of ``origin`` with: ``name+id+key``."""
    return str(VerifierKey.of(origin, key))


def sign_checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey, at: datetime) -> str:
    """The signed note over a head. The caller MUST NOT sign a head that does not continue the last one it signed."""
    return sign_note(f"{origin}\n{size}\n{encode64(root)}\n", origin, key, at)


def open_checkpoint(note: str | bytes, verifier_key: str | VerifierKey, origin: str | None = None) -> Checkpoint:
    """Verify a checkpoint under the log's key; its origin must be ``origin`` (default: the name of the key).

    Raises:
        TrailError: the note does not verify, is of another log, or is not a checkpoint.
    """
    key = verifier_key if isinstance(verifier_key, VerifierKey) else VerifierKey.parse(verifier_key)
    opened = open_note(note, key)
    lines = opened.text[:-1].split("\n")
    if len(lines) != 3 or not all(lines):  # noqa: PLR2004 -- origin, size, root
        raise TrailError("expected three lines: origin, size, root, and no extension line", where=WHERE)
    if lines[0] != (origin or key.name):
        raise TrailError("the origin is that of another log", where=WHERE)
    size = read_number(lines[1], WHERE)
    root = decode64(lines[2], WHERE, merkle.HASH_SIZE)
    if size == 0 and root != merkle.EMPTY_ROOT:
        raise TrailError("the root is not that of an empty log", where=WHERE)
    return Checkpoint(lines[0], size, root, opened.at, note if isinstance(note, str) else note.decode())


def read_number(text: str, where: str) -> int:
    """A decimal number without leading zeroes, at most ``merkle.MAX_SIZE``.

    Raises:
        TrailError: it is anything else.
    """
    if not _SIZE.fullmatch(text) or int(text) > merkle.MAX_SIZE:
        raise TrailError("expected a decimal number without leading zeroes", where=where)
    return int(text)
