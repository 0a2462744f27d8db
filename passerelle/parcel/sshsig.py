"""Detached SSH signatures (OpenSSH PROTOCOL.sshsig): Ed25519 or RSA, SHA-512, armored as ``ssh-keygen -Y sign`` writes them."""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from collections.abc import Sequence
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512

from passerelle.errors import EvidenceError
from passerelle.keys.ssh import MANIFEST_NAMESPACE, PrivateKey, PublicKey, public_blob
from passerelle.parcel import limits

MAGIC = b"SSHSIG"
VERSION = 1
HASH = b"sha512"
ED25519 = b"ssh-ed25519"
RSA = b"rsa-sha2-512"  # RFC 8332
ED25519_BYTES = 64
BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
WIDTH = 70

Key = TypeVar("Key", bound=PublicKey)


def sign(message: bytes, key: PrivateKey, namespace: str = MANIFEST_NAMESPACE) -> bytes:
    """The armored signature of ``message``; the same message and key give the same bytes."""
    signed = _to_be_signed(message, namespace)
    raw = key.sign(signed) if isinstance(key, Ed25519PrivateKey) else key.sign(signed, PKCS1v15(), SHA512())
    return _armored(_blob(key.public_key(), namespace, raw))


def verify_signature(message: bytes, armored: bytes, keys: Sequence[Key], namespace: str = MANIFEST_NAMESPACE) -> Key:
    """The one of ``keys`` that signed ``message`` in ``namespace``.

    Raises:
        EvidenceError: no key was given, the signature is not in the one form that ``sign`` writes, another key made it, or
            it is of another message.
    """
    if not keys:
        raise EvidenceError("expected at least one key to trust, none came", where="signature")
    blob = _unarmored(armored)
    for key in keys:
        raw = blob[-_length(key) :]
        if _armored(_blob(key, namespace, raw)) != armored:
            continue
        try:
            _check(key, raw, _to_be_signed(message, namespace))
        except InvalidSignature:
            raise EvidenceError("the signature is not of these bytes", where="signature") from None
        return key
    raise EvidenceError(f"expected a trusted key in namespace {namespace}, another came", where="signature")


def _check(key: PublicKey, raw: bytes, signed: bytes) -> None:
    if isinstance(key, RSAPublicKey):
        key.verify(raw, signed, PKCS1v15(), SHA512())
    else:
        key.verify(raw, signed)


def _length(key: PublicKey) -> int:
    return (key.key_size + 7) // 8 if isinstance(key, RSAPublicKey) else ED25519_BYTES


def _unarmored(armored: bytes) -> bytes:
    """The blob, of which only the end is read: whether all before it is right, the comparison of the whole says."""
    lines = armored[: limits.SIGNATURE].decode("ascii", "replace").splitlines()
    if lines[:1] != [BEGIN] or lines[-1:] != [END]:
        raise EvidenceError("expected an armored SSH signature", where="signature")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)
    except ValueError:
        raise EvidenceError("expected base64 between the armor lines", where="signature") from None


def _blob(key: PublicKey, namespace: str, raw: bytes) -> bytes:
    head = MAGIC + struct.pack(">I", VERSION)
    signature = _string(RSA if isinstance(key, RSAPublicKey) else ED25519) + _string(raw)
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
