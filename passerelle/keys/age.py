"""Sealing in the age format (C2SP/age.md) as a stream, in constant memory.

pyrage writes the header, so that every kind of recipient is its business. The payload (STREAM: ChaCha20-Poly1305 in chunks
of 64 KiB) is written here with cryptography: pyrage pulls from a reader and keeps the interpreter to itself meanwhile, where
a sink is pushed to and cryptography lets other threads run, at four times the throughput. To learn the file key, the header
is asked for one more recipient, made for the occasion; its stanza is taken out again and the header's MAC computed anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

import pyrage  # type: ignore[import-untyped]  # no stubs in the wheel
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from passerelle.errors import UsageError
from passerelle.keys.recipient import Recipient

Data = bytes | bytearray | memoryview
CHUNK = 64 * 1024
TAG = 16
BLOCK_CHUNKS = 16
BLOCK = BLOCK_CHUNKS * CHUNK
NONCE_BYTES = 16
STANZA = re.compile(rb"-> [!-~ ]+\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n")
X25519_STANZA = re.compile(rb"-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n")
X25519_INFO = b"age-encryption.org/v1/X25519"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class Writable(Protocol):
    """What a sink writes to."""

    def write(self, data: bytes, /) -> object: ...


class AgeSink:
    """Plain bytes are written to it, an age file comes out at ``file``.

    It must be closed to make a whole file; left with an exception it is not closed, and what it wrote does not open.
    """

    def __init__(self, file: Writable, recipients: Sequence[Recipient]) -> None:
        header, file_key = _header(recipients)
        nonce = os.urandom(NONCE_BYTES)
        self._file = file
        self._aead = payload_cipher(file_key, nonce)
        self._block = memoryview(bytearray(BLOCK))
        self._out = memoryview(bytearray(BLOCK_CHUNKS * (CHUNK + TAG)))
        self._filled = 0
        self._chunks = 0
        self._written = 0
        self._closed = False
        file.write(header + nonce)

    def write(self, data: Data) -> int:
        """Take ``data``; all of it, always."""
        if self._closed:
            raise UsageError("expected an open sink, it is closed")
        view = memoryview(data).cast("B")
        taken = 0
        while taken < len(view):
            if self._filled == BLOCK:
                self._flush_block(last=False)
            step = min(len(view) - taken, BLOCK - self._filled)
            self._block[self._filled : self._filled + step] = view[taken : taken + step]
            self._filled += step
            taken += step
        self._written += taken
        return taken

    def close(self) -> None:
        """Write the last chunk; nothing more happens when called again."""
        if not self._closed:
            self._flush_block(last=True)
            self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Do nothing: a chunk is written when the next byte is known to follow."""

    def tell(self) -> int:
        """Plain bytes taken so far."""
        return self._written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        self._closed = True

    def _flush_block(self, *, last: bool) -> None:
        produced = 0
        for start in range(0, max(self._filled, 1), CHUNK):
            end = min(start + CHUNK, self._filled)
            final = last and end == self._filled
            nonce = chunk_nonce(self._chunks, final=final)
            size = end - start + TAG
            self._aead.encrypt_into(nonce, self._block[start:end], None, self._out[produced : produced + size])
            produced += size
            self._chunks += 1
        self._file.write(bytes(self._out[:produced]))
        self._filled = 0


def age_sink(file: Writable, recipients: Sequence[Recipient]) -> AgeSink:
    """A sink that encrypts to every one of ``recipients`` (any of their identities opens the file).

    Raises:
        UsageError: no recipient.
    """
    return AgeSink(file, recipients)


def _header(recipients: Sequence[Recipient]) -> tuple[bytes, bytes]:
    """An age header for ``recipients``, and the file key that it wraps."""
    if not recipients:
        raise UsageError("expected at least one recipient, none came")
    spare = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(b"", [*(one.native() for one in recipients), spare.to_public()])
    text = sealed[: sealed.index(b"\n--- ") + 1]
    scalar = X25519PrivateKey.from_private_bytes(_bech32_data(str(spare)))
    stanzas = STANZA.findall(text)
    opened = [(stanza, key) for stanza in stanzas if (key := _file_key(stanza, scalar)) is not None]
    (own, file_key) = opened[0]
    kept = text.replace(own, b"") + b"---"
    mac = hmac.digest(_hkdf(file_key, b"", b"header"), kept, hashlib.sha256)
    return kept + b" " + base64.b64encode(mac).rstrip(b"=") + b"\n", file_key


def _file_key(stanza: bytes, scalar: X25519PrivateKey) -> bytes | None:
    match = X25519_STANZA.fullmatch(stanza)
    if match is None:
        return None
    share, body = (base64.b64decode(part + b"=") for part in match.groups())
    salt = share + scalar.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = _hkdf(scalar.exchange(X25519PublicKey.from_public_bytes(share)), salt, X25519_INFO)
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None


def unwrap_file_key(header: bytes, secrets: Sequence[str]) -> bytes | None:
    """The file key of a header (its last line apart), for the first of some ``AGE-SECRET-KEY-1…`` that opens a stanza.

    None where none does. Whether the header is well formed and its MAC right, this does not say.
    """
    for secret in secrets:
        scalar = X25519PrivateKey.from_private_bytes(_bech32_data(secret))
        for stanza in STANZA.findall(header):
            try:
                key = _file_key(stanza, scalar)
            except ValueError:  # a share of low order gives no shared secret (RFC 7748 section 6.1)
                continue
            if key is not None:
                return key
    return None


def payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """What seals the chunks of a payload."""
    return ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))


def chunk_nonce(number: int, *, final: bool) -> bytes:
    """The nonce of one chunk (C2SP/age.md, Payload)."""
    return number.to_bytes(11, "big") + (b"\x01" if final else b"\x00")


def _bech32_data(text: str) -> bytes:
    """The 32 bytes that a bech32 key carries (BIP 173), its checksum made or read by pyrage before."""
    number = 0
    for letter in text.lower().rpartition("1")[2][:-6]:
        number = number << 5 | BECH32.index(letter)
    return (number >> 4).to_bytes(32, "big")


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)
