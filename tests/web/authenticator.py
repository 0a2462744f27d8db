"""An authenticator in software (WebAuthn level 2, section 6): what a security key and its browser would answer."""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # flags of the authenticator's data


def asked(page: str) -> dict[str, Any]:
    """What a page asks the browser for."""
    found = re.search(r'data-options="([^"]+)"', page)
    assert found
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


@dataclass
class Authenticator:
    """``origin`` is what its browser says; ``flags`` what it says of its user; ``uses`` its counter."""

    origin: str = "http://testserver"
    flags: int = PRESENT | VERIFIED
    uses: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, options: dict[str, Any], **said: str) -> str:
        """Make a passkey; ``said`` replaces what the browser signs."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        made = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + public
        data = self._data(options["rp"]["id"], ATTESTED) + made
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer({"attestationObject": _text(attestation)}, self._client("create", options, said))

    def get(self, options: dict[str, Any], **said: str) -> str:
        """Prove the passkey."""
        self.uses += 1
        client = self._client("get", options, said)
        data = self._data(options["rpId"], 0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"authenticatorData": _text(data), "signature": _text(signature)}, client)

    def _data(self, name: str, more: int) -> bytes:
        return hashlib.sha256(name.encode()).digest() + bytes([self.flags | more]) + self.uses.to_bytes(4, "big")

    def _client(self, ceremony: str, options: dict[str, Any], said: dict[str, str]) -> bytes:
        own = {
            "type": f"webauthn.{ceremony}",
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps({**own, **said}).encode()

    def _answer(self, response: dict[str, str], client: bytes) -> str:
        name = _text(self.credential)
        whole = {**response, "clientDataJSON": _text(client)}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": whole, "clientExtensionResults": {}}
        )


def other(text: str) -> str:
    """Another challenge than this one."""
    return _text(bytes(one ^ 1 for one in urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def _text(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
