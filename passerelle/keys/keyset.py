"""The keys of one convention, and of each of its copies.

Destroying a key set shuts everything that was ever encrypted or derived under it; destroying a copy's key shuts that copy alone.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from passerelle.keys import wrapping
from passerelle.keys.recipient import Identity, Recipient, parse_identities

PRF_BYTES = 16  # AES-128 keys for AES-CMAC over whole columns
COMMIT_BYTES = 32
ORDERS = "orders/"  # the copy key of an exchange's orders: this and the exchange's id


@dataclass(frozen=True, slots=True)
class KeySet:
    """What protects one convention's data. Secrets never show in a ``repr``.

    ``master`` is 32 bytes that all derived keys come from; ``index_key`` is 16 bytes, for the person index, and outlives the
    rest (``KeyRing.destroy_index``).
    """

    convention: str
    master: bytes = field(repr=False)
    index_key: bytes = field(repr=False)

    def pseudonym_key(self, recipient: str) -> bytes:
        """16 bytes for the pseudonyms of one recipient: two recipients cannot join what they received."""
        return wrapping.derive(self.master, f"passerelle/pseudonym/{recipient}", PRF_BYTES)

    def commit(self, data: bytes) -> str:
        """HMAC-SHA256 in hex: what the trail keeps of a content; without the key set nobody can test a guess."""
        key = wrapping.derive(self.master, "passerelle/commit", COMMIT_BYTES)
        return hmac.new(key, data, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class CopyKey:
    """What opens one copy: an age identity (X25519), made for it, that dies without any other (``KeyRing.forget``).

    ``name`` is where the copy lies. Of a parcel it wraps the release identity, whose file is the copy.
    """

    convention: str
    name: str
    identity: Identity = field(repr=False)

    @property
    def recipient(self) -> Recipient:
        """Who the copy is encrypted to."""
        return self.identity.recipient

    def wrap_release(self, release: Identity, parcel_id: str) -> bytes:
        """The release identity of one parcel, to be stored: it dies with this key."""
        return wrapping.wrap(self._release_key(), release.secret.encode(), self._release_context(parcel_id))

    def unwrap_release(self, wrapped: bytes, parcel_id: str) -> Identity:
        """The release identity of ``parcel_id``.

        Raises:
            KeyStoreError: wrapped for another parcel or under another key, or altered.
        """
        return parse_identities(wrapping.unwrap(self._release_key(), wrapped, self._release_context(parcel_id)))[0]

    def _release_key(self) -> bytes:
        return wrapping.derive(self.identity.secret.encode(), "passerelle/release", wrapping.KEY_BYTES)

    def _release_context(self, parcel_id: str) -> str:
        return f"passerelle/release/{self.convention}/{parcel_id}"
