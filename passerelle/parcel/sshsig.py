"""Detached SSH signatures (OpenSSH PROTOCOL.sshsig): Ed25519, SHA-512, armored as ``ssh-keygen -Y sign`` writes them."""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passerelle.errors import EvidenceError
from passerelle.keys.ssh import MANIFEST_NAMESPACE, public_blob
from passerelle.parcel import limits

MAGIC = b"SSHSIG"
VERSION = 1
HASH = b"sha512"
ALGORITHM = b"ssh-ed25519"
BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
WIDTH = 70


def sign(message: bytes, key: Ed25519PrivateKey, namespace: str = MANIFEST_NAMESPACE) -> bytes:
    """The armored signature of ``message``; the same message and key give the same bytes."""
    signature = _string(ALGORITHM) + _string(key.sign(_to_be_signed(message, namespace)))
    return _armored(_blob(key.public_key(), namespace, signature))


def verify_signature(
    message: bytes, armored: bytes, keys: Sequence[Ed25519PublicKey], namespace: str = MANIFEST_NAMESPACE
) -> Ed25519PublicKey:
    """The one of ``keys`` that signed ``message`` in ``namespace``.

    Raises:
        EvidenceError: no key was given, the signature is not in the one form that ``sign`` writes, another key made it, or
            it is of another message.
    """
    if not keys:
        raise EvidenceError("expected at least one key to trust, none came", where="signature")
    signature = _raw_signature(armored)
    for key in keys:
        expected = _blob(key, namespace, _string(ALGORITHM) + _string(signature))
        if _armored(expected) != armored:
            continue
        try:
            key.verify(signature, _to_be_signed(message, namespace))
        except InvalidSignature:
            raise EvidenceError("the signature is not of these bytes", where="signature") from None
        return key
    raise EvidenceError(f"expected a trusted Ed25519 key in namespace {namespace}, another came", where="signature")


def _raw_signature(armored: bytes) -> bytes:
    """The last 64 bytes of the blob: whether all the others are right, the comparison of the whole says."""
    lines = armored[: limits.SIGNATURE].decode("ascii", "replace").splitlines()
    if lines[:1] != [BEGIN] or lines[-1:] != [END]:
        raise EvidenceError("expected an armored SSH signature", where="signature")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)[-64:]
    except ValueError:
        raise EvidenceError("expected base64 between the armor lines", where="signature") from None


def _blob(key: Ed25519PublicKey, namespace: str, signature: bytes) -> bytes:
    head = MAGIC + struct.pack(">I", VERSION)
    parts = (public_blob(key), namespace.encode(), b"", HASH, signature)
    return head + b"".join(_string(part) for part in parts)


def _to_be_signed(message: bytes, namespace: str) -> bytes:
    parts = (namespace.encode(), b"", HASH, hashlib.sha512(message).digest())
    return MAGIC + b"".join(_string(part) for part in parts)


def _armored(blob: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(blob).decode(), WIDTH)
    return "\n".join([BEGIN, *lines, END, ""]).encode()


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
