"""Ed25519 public keys as OpenSSH writes them, and the ``allowed_signers`` line of ``ssh-keygen -Y verify``."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from passerelle.errors import EvidenceError

SIGNER = "passerelle"
MANIFEST_NAMESPACE = "passerelle-manifest"
CERTIFICATE_NAMESPACE = "passerelle-certificate"  # of certificates of destruction
MAX_SIGNERS_CHARS = 64 * 1024


def public_text(key: Ed25519PublicKey) -> str:
    """``ssh-ed25519 AAAA…``, without comment."""
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def public_blob(key: Ed25519PublicKey) -> bytes:
    """The key in SSH wire form (RFC 8709 section 4)."""
    return base64.b64decode(public_text(key).split()[1])


def fingerprint(key: Ed25519PublicKey) -> str:
    """``SHA256:…`` as ``ssh-keygen -lf`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob(key)).digest()).decode().rstrip("=")


def allowed_signers(key: Ed25519PublicKey, signer: str = SIGNER, namespace: str = MANIFEST_NAMESPACE) -> str:
    """One line of an allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS), newline included."""
    return f'{signer} namespaces="{namespace}" {public_text(key)}\n'


def parse_allowed_signers(
    text: str, signer: str = SIGNER, namespace: str = MANIFEST_NAMESPACE
) -> tuple[Ed25519PublicKey, ...]:
    """The Ed25519 keys that ``text`` allows to sign as ``signer`` in ``namespace``; other lines are passed over.

    Raises:
        EvidenceError: no such line.
    """
    keys = [
        key
        for line in text[:MAX_SIGNERS_CHARS].splitlines()
        if (words := line.split()) and words[:2] == [signer, f'namespaces="{namespace}"']
        if (key := _ed25519(" ".join(words[2:4]))) is not None
    ]
    if not keys:
        raise EvidenceError(f"expected an Ed25519 key of {signer} for {namespace}, none came", where="allowed signers")
    return tuple(keys)


def _ed25519(text: str) -> Ed25519PublicKey | None:
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None
