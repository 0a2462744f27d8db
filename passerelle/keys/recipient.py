"""Who a file is encrypted to (recipients) and what opens it (identities), in the forms of the age format.

Recipients: ``age1…`` (X25519), ``ssh-ed25519 …``, ``ssh-rsa …``. Identities: ``AGE-SECRET-KEY-1…`` or an unencrypted
OpenSSH private key.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel; used in this module and in age.py only
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from passerelle.errors import TheirDataError

Kind = Literal["x25519", "ssh-ed25519", "ssh-rsa"]
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_RECIPIENT_CHARS = 4096
MAX_IDENTITY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key to encrypt to; ``text`` is normalised, without comment.

    ``fingerprint`` is ``SHA256:`` and unpadded base64: for SSH keys what ``ssh-keygen -lf`` prints, for age keys the
    digest of ``text``.
    """

    kind: Kind
    text: str
    fingerprint: str

    def native(self) -> Any:
        """The same for pyrage."""
        maker = pyrage.x25519.Recipient if self.kind == "x25519" else pyrage.ssh.Recipient
        return maker.from_str(self.text)


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key that opens age files; it never shows in a ``repr``."""

    kind: Literal["x25519", "ssh"]
    secret: str = field(repr=False)

    @classmethod
    def generate(cls) -> Identity:
        """A new X25519 identity."""
        return cls("x25519", str(pyrage.x25519.Identity.generate()))

    @property
    def recipient(self) -> Recipient:
        """Who to encrypt to so that this identity opens it (X25519 only: SSH identities come with their public file)."""
        if self.kind != "x25519":
            raise TheirDataError("expected an age identity, an SSH one came", where="identity")
        return parse_recipient(str(self.native().to_public()))

    def native(self) -> Any:
        """The same for pyrage."""
        if self.kind == "x25519":
            return pyrage.x25519.Identity.from_str(self.secret)
        return pyrage.ssh.Identity.from_buffer(self.secret.encode())


def parse_recipient(text: str) -> Recipient:
    """One recipient, strictly.

    Raises:
        TheirDataError: a private key, another kind of key, a key too weak, or text that is none; the text is not shown.
    """
    text = text.strip()
    if "PRIVATE KEY" in text or "AGE-SECRET-KEY" in text.upper():
        raise TheirDataError(
            "this is a private key: it must never be sent to anyone",
            where="recipient",
            hint="make a new key pair, destroy this one, and send the public half (age1… or ssh-…)",
            fr="ceci est une clé privée : elle ne doit jamais être envoyée à personne",
            hint_fr="créez une autre paire de clés, détruisez celle-ci et envoyez la moitié publique (age1… ou ssh-…)",
        )
    if len(text) > MAX_RECIPIENT_CHARS or "\n" in text:
        raise _refused("expected one line", "il faut une seule ligne")
    if text.startswith("age1"):
        return _age_recipient(text)
    if text.startswith(("ssh-ed25519 ", "ssh-rsa ")):
        return _ssh_recipient(text)
    raise _refused(
        "expected age1…, ssh-ed25519 … or ssh-rsa …, another kind came",
        "il faut age1…, ssh-ed25519 … ou ssh-rsa … ; c'est une clé d'une autre nature",
    )


def read_identities(path: Path) -> tuple[Identity, ...]:
    """The identities of an age identity file (one a line, ``#`` comments) or of an OpenSSH private key file.

    Raises:
        TheirDataError: not such a file, none in it, or a private key protected by a passphrase.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TheirDataError(
            f"the identity file cannot be read ({type(error).__name__})",
            where="identity",
            fr=f"le fichier de la clé privée ne peut pas être lu ({type(error).__name__})",
        ) from None
    if len(data) > MAX_IDENTITY_BYTES:
        raise TheirDataError(
            f"expected at most {MAX_IDENTITY_BYTES} bytes",
            where="identity",
            fr=f"une clé privée a au plus {MAX_IDENTITY_BYTES} octets",
        )
    return parse_identities(data)


def parse_identities(data: bytes) -> tuple[Identity, ...]:
    """As ``read_identities``, from bytes."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise TheirDataError(
            "expected text, bytes came",
            where="identity",
            fr="une clé privée est un texte, ce fichier n'en est pas un",
        ) from None
    if "PRIVATE KEY-----" in text:
        without = ("an OpenSSH private key without passphrase", "une clé privée OpenSSH sans phrase de passe")
        return (_usable(Identity("ssh", text), *without),)
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    found = tuple(
        _usable(Identity("x25519", line), f"AGE-SECRET-KEY-1… on line {number}", f"AGE-SECRET-KEY-1… en ligne {number}")
        for number, line in lines
        if line and not line.startswith("#")
    )
    if not found:
        raise TheirDataError(
            "expected at least one identity, none came", where="identity", fr="ce fichier ne contient aucune clé privée"
        )
    return found


def _usable(identity: Identity, expected: str, fr: str) -> Identity:
    try:
        identity.native()
    except (pyrage.IdentityError, ValueError):
        raise TheirDataError(f"expected {expected}", where="identity", fr=f"il faut {fr}") from None
    return identity


def _refused(message: str, fr: str) -> TheirDataError:
    return TheirDataError(
        message,
        where="recipient",
        hint="age-keygen -y FILE prints the public half of an age key",
        fr=fr,
        hint_fr="age-keygen -y FICHIER affiche la moitié publique d'une clé age",
    )


def _fingerprint(data: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _age_recipient(text: str) -> Recipient:
    try:
        normal = str(pyrage.x25519.Recipient.from_str(text))
    except (pyrage.RecipientError, ValueError):
        raise _refused(
            "age1… is not a whole X25519 recipient (a character is wrong, or it is of another kind)",
            "age1… n'est pas une clé X25519 entière (un caractère est faux, ou elle est d'une autre nature)",
        ) from None
    return Recipient("x25519", normal, _fingerprint(normal.encode()))


def _ssh_recipient(text: str) -> Recipient:
    kind, encoded = text.split(maxsplit=2)[:2] if len(text.split()) > 1 else (text, "")
    normal = f"{kind} {encoded}"
    try:
        blob = base64.b64decode(encoded, validate=True)
        key = load_ssh_public_key(normal.encode())
        pyrage.ssh.Recipient.from_str(normal)
    except (pyrage.RecipientError, ValueError, UnsupportedAlgorithm):
        raise _refused(
            f"{kind} is not followed by a whole public key", f"{kind} n'est pas suivi d'une clé publique entière"
        ) from None
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise _refused(
            f"expected an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, one of {key.key_size} came",
            f"il faut une clé RSA de {MIN_RSA_BITS} à {MAX_RSA_BITS} bits, celle-ci en a {key.key_size}",
        )
    return Recipient("ssh-rsa" if kind == "ssh-rsa" else "ssh-ed25519", normal, _fingerprint(blob))
