"""The keys of one convention. Destroying them shuts everything that was ever encrypted or derived under them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from passerelle.keys import wrapping
from passerelle.keys.recipient import Identity, Recipient, parse_identities

PRF_BYTES = 16  # AES-128 keys for AES-CMAC over whole columns
COMMIT_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeySet:
    """What protects one convention's data. Secrets never show in a ``repr``.

    ``rest_identity`` opens data at rest (age, X25519); ``master`` is 32 bytes that all derived keys come from;
    ``index_key`` is 16 bytes, for the person index, and outlives the rest (``KeyRing.destroy_index``).
    """

    convention: str
    rest_identity: Identity = field(repr=False)
    master: bytes = field(repr=False)
    index_key: bytes = field(repr=False)

    @property
    def rest_recipient(self) -> Recipient:
        """Who raw copies and quarantine are encrypted to."""
        return self.rest_identity.recipient

    def pseudonym_key(self, recipient: str) -> bytes:
        """16 bytes for the pseudonyms of one recipient: two recipients cannot join what they received."""
        return wrapping.derive(self.master, f"passerelle/pseudonym/{recipient}", PRF_BYTES)

    def commit(self, data: bytes) -> str:
        """HMAC-SHA256 in hex: what the trail keeps of a content; without the key set nobody can test a guess."""
        key = wrapping.derive(self.master, "passerelle/commit", COMMIT_BYTES)
        return hmac.new(key, data, hashlib.sha256).hexdigest()

    def wrap_release(self, identity: Identity, parcel_id: str) -> bytes:
        """The release identity of one parcel, to be stored: it dies with the key set."""
        return wrapping.wrap(self._release_key(), identity.secret.encode(), self._release_context(parcel_id))

    def unwrap_release(self, wrapped: bytes, parcel_id: str) -> Identity:
        """The release identity of ``parcel_id``.

        Raises:
            KeyStoreError: wrapped for another parcel or under another key set, or altered.
        """
        return parse_identities(wrapping.unwrap(self._release_key(), wrapped, self._release_context(parcel_id)))[0]

    def _release_key(self) -> bytes:
        return wrapping.derive(self.master, "passerelle/release", wrapping.KEY_BYTES)

    def _release_context(self, parcel_id: str) -> str:
        return f"passerelle/release/{self.convention}/{parcel_id}"
