"""SSH keys that sign: as OpenSSH writes them, and the ``allowed_signers`` lines of ``ssh-keygen -Y verify``."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

from passerelle.errors import EvidenceError, TheirDataError
from passerelle.keys.recipient import MAX_IDENTITY_BYTES, MAX_RSA_BITS, MIN_RSA_BITS

SIGNER = "passerelle"
MANIFEST_NAMESPACE = "passerelle-manifest"
CERTIFICATE_NAMESPACE = "passerelle-certificate"
NOTICE_NAMESPACE = "passerelle-notice"
BUNDLE_NAMESPACE = "passerelle-bundle"
NAMESPACES = (
    MANIFEST_NAMESPACE,
    CERTIFICATE_NAMESPACE,
    NOTICE_NAMESPACE,
    BUNDLE_NAMESPACE,
)  # one key, apart by what it signs (PROTOCOL.sshsig)
MAX_SIGNERS_CHARS = 64 * 1024
_BEFORE = "%Y%m%d%H%M%SZ"  # ssh-keygen(1), TIME FORMATS, in UTC

PublicKey = Ed25519PublicKey | RSAPublicKey
PrivateKey = Ed25519PrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of the gateway; ``before`` is the instant at which it was retired, None while it is in use."""

    key: Ed25519PublicKey
    before: datetime | None = None

    def vouches_at(self, instant: datetime) -> bool:
        """Whether a signature made at ``instant`` counts."""
        return self.before is None or instant < self.before


def public_text(key: PublicKey) -> str:
    """``ssh-ed25519 AAAA…`` or ``ssh-rsa AAAA…``, without comment."""
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def public_blob(key: PublicKey) -> bytes:
    """The key in SSH wire form (RFC 8709 section 4, RFC 4253 section 6.6)."""
    return base64.b64decode(public_text(key).split()[1])


def fingerprint(key: PublicKey) -> str:
    """``SHA256:…`` as ``ssh-keygen -lf`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob(key)).digest()).decode().rstrip("=")


def parse_public(text: str) -> PublicKey:
    """The key of an enrolled SSH recipient, which signs what its owner signs.

    Raises:
        TheirDataError: it is no SSH key that signs: an age key, another kind, or too weak.
    """
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey | RSAPublicKey) or _weak(key):
        raise TheirDataError(_EXPECTED, where="signing key")
    return key


def parse_private(data: bytes) -> PrivateKey:
    """The key of an OpenSSH private key file without passphrase.

    Raises:
        TheirDataError: it is anything else; the content is not repeated.
    """
    try:
        key = load_ssh_private_key(data[:MAX_IDENTITY_BYTES], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey) or _weak(key.public_key()):
        raise TheirDataError(
            f"{_EXPECTED}, in an OpenSSH private key file without passphrase",
            where="signing key",
            hint="a key with a passphrase or in an agent signs with ssh-keygen -Y sign",
            fr="il faut une clé privée OpenSSH, Ed25519 ou RSA, sans phrase de passe",
            hint_fr="une clé protégée, ou tenue par un agent, signe avec ssh-keygen -Y sign",
        )
    return key


def allowed_signers(
    key: Ed25519PublicKey,
    signer: str = SIGNER,
    namespace: str = MANIFEST_NAMESPACE,
    before: datetime | None = None,
) -> str:
    """One line of an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS), newline included."""
    options = f'namespaces="{namespace}"'
    if before is not None:
        options += f',valid-before="{before.astimezone(UTC).strftime(_BEFORE)}"'
    return f"{signer} {options} {public_text(key)}\n"


def parse_allowed_signers(text: str, signer: str = SIGNER, namespace: str = MANIFEST_NAMESPACE) -> tuple[Signer, ...]:
    """The Ed25519 keys that ``text`` allows to sign as ``signer`` in ``namespace``; other lines are passed over.

    Raises:
        EvidenceError: no such line.
    """
    options = re.compile(rf'namespaces="{re.escape(namespace)}"(?:,valid-before="([0-9]{{14}}Z)")?')
    found = []
    for line in text[:MAX_SIGNERS_CHARS].splitlines():
        words = line.split()
        match = options.fullmatch(words[1]) if words[:1] == [signer] and len(words) > 1 else None
        if match and (key := _ed25519(" ".join(words[2:4]))) is not None:
            found.append(Signer(key, _instant(match[1]) if match[1] else None))
    if not found:
        raise EvidenceError(f"expected an Ed25519 key of {signer} for {namespace}, none came", where="allowed signers")
    return tuple(found)


_EXPECTED = f"expected an SSH key that signs: Ed25519, or RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits"


def _weak(key: PublicKey) -> bool:
    return isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text, _BEFORE).replace(tzinfo=UTC)
    except ValueError:
        raise EvidenceError("expected valid-before as YYYYMMDDhhmmssZ", where="allowed signers") from None


def _ed25519(text: str) -> Ed25519PublicKey | None:
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None
