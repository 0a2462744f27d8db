"""A small OpenID Connect provider on the loopback: real HTTP, real signatures, and whatever a test wants it to say wrongly."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET, ACCESS = "passerelle", "the client's secret", "the access token"
ORIGIN = "http://testserver"


@dataclass
class Provider:
    """``now`` tells its clock. ``claims`` are what it says of the person; ``signing`` how it signs. ``beside`` is what its userinfo says."""

    now: Callable[[], float]
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    metadata: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing: RSAKey | OctKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    beside: dict[str, Any] | None = None
    beside_signed: bool = True
    signing_beside: RSAKey | None = None

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(provider.get(urlsplit(self.path), self.headers.get("authorization", "")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._send(provider.token(self.headers.get("authorization", ""), body))

            def _send(self, answer: tuple[int, dict[str, str], bytes]) -> None:
                status, headers, body = answer
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realm"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, address: Any, authorization: str = "") -> tuple[int, dict[str, str], bytes]:
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        if address.path == "/realm/.well-known/openid-configuration":
            return _json({
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", **self.metadata,
            })  # fmt: skip
        if address.path == "/realm/userinfo" and authorization == f"Bearer {ACCESS}" and self.beside is not None:
            said = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", **self.beside}
            if not self.beside_signed:
                return _json(said)
            token = jwt.encode(
                {"alg": "RS256", "kid": "one"}, said, self.signing_beside or self.key, algorithms=["RS256"]
            )
            return 200, {"content-type": "application/jwt; charset=utf-8"}, token.encode()
        if address.path == "/realm/keys":
            return _json({"keys": [self.key.as_dict(private=False)]})
        if (
            address.path == "/realm/authorize"
            and query["client_id"] == CLIENT
            and query["redirect_uri"] == f"{ORIGIN}/sign-in/back"
        ):
            code = f"code-{len(self.codes)}"
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"], "iss": self.issuer})
            return 302, {"location": f"{query['redirect_uri']}?{back}"}, b""
        return 404, {}, b""

    def token(self, authorization: str, body: str) -> tuple[int, dict[str, str], bytes]:
        """Take a code once, from the client that has the secret and the verifier (RFC 6749, RFC 7636)."""
        form = {key: values[0] for key, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        client = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        posted = "client_secret_post" in self.metadata.get("token_endpoint_auth_methods_supported", [])
        proved = (
            (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
            if posted
            else authorization == f"Basic {client}"
        )
        if asked is None or not proved or asked["code_challenge_method"] != "S256":
            return _json({"error": "invalid_grant"}, 400)
        if asked["code_challenge"] != challenge or form["redirect_uri"] != asked["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        token = self.signed(asked["nonce"])
        return _json({"access_token": ACCESS, "token_type": "Bearer", "id_token": token})

    def signed(self, nonce: str) -> str:
        """The ID token, as the test wants it."""
        now = int(self.now())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "s-1",
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "acr": "eidas2",
            "auth_time": now,
        }
        claims = {key: value for key, value in {**said, **self.claims}.items() if value is not None}
        if self.header["alg"] == "none":
            parts = [
                base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
                for one in (self.header, claims)
            ]
            return ".".join([*parts, ""])
        return jwt.encode(self.header, claims, self.signing or self.key, algorithms=["RS256", "HS256"])


def _json(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json"}, json.dumps(value).encode()
