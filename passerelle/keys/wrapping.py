"""Wrapping of secrets: AES-256-GCM with the place of the secret as associated data (NIST SP 800-38D)."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from passerelle.errors import KeyStoreError

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


def new_key() -> bytes:
    """A random AES-256 key."""
    return os.urandom(KEY_BYTES)


def wrap(key: bytes, data: bytes, context: str) -> bytes:
    """Version, nonce, ciphertext and tag; opens only with the same ``key`` (32 bytes) and ``context``."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, data, context.encode())


def unwrap(key: bytes, wrapped: bytes, context: str) -> bytes:
    """The data that ``wrap`` hid.

    Raises:
        KeyStoreError: another key, another context, or bytes that were altered.
    """
    if len(wrapped) < 1 + NONCE_BYTES + TAG_BYTES or wrapped[:1] != VERSION:
        raise KeyStoreError("expected a wrapped secret of version 1", where=context)
    nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, context.encode())
    except InvalidTag:
        raise KeyStoreError(
            "the wrapped secret does not open: its key was rotated away, or its bytes or place changed", where=context
        ) from None


def derive(master: bytes, purpose: str, length: int) -> bytes:
    """A key of ``length`` bytes for one ``purpose`` (HKDF-SHA256, RFC 5869, without salt)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose.encode()).derive(master)
