"""Alerts to whoever is on call: one signed POST with ids and codes, tried again with a pause that doubles."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from passerelle.errors import UsageError
from passerelle.keys import NOTICE_NAMESPACE
from passerelle.keys.ssh import PrivateKey
from passerelle.parcel import sign

URL, SECRET = "PASSERELLE_ALERT_WEBHOOK", "PASSERELLE_ALERT_SECRET"
TIMEOUT_SECONDS = 5.0
TRIES = 3
FIRST_PAUSE_SECONDS = 0.5
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
HMAC_HEADER, SSH_HEADER = "Passerelle-Hmac-Sha256", "Passerelle-Ssh-Signature"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts go; signed with ``secret`` (HMAC), and always with the gateway's own key (SSHSIG)."""

    url: str = field(repr=False)
    secret: bytes | None = field(default=None, repr=False)
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Webhook | None:
        """As PASSERELLE_ALERT_WEBHOOK and PASSERELLE_ALERT_SECRET say; None where there is none.

        Raises:
            UsageError: it is no https address (http on this machine), or carries a password.
        """
        url = environment.get(URL)
        if not url:
            return None
        _place(url)
        secret = environment.get(SECRET)
        return cls(url, secret.encode() if secret else None)

    def send(self, body: bytes, key: PrivateKey | None) -> bool:
        """Whether the body was taken (a status of 2xx); a redirection is not followed."""
        headers = {"Content-Type": "application/json", "User-Agent": "passerelle"}
        headers["Passerelle-Batch"] = hashlib.sha256(body).hexdigest()  # the same batch again is the same
        if self.secret is not None:
            headers[HMAC_HEADER] = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        if key is not None:
            headers[SSH_HEADER] = base64.b64encode(sign(body, key, NOTICE_NAMESPACE)).decode()
        for attempt in range(TRIES):
            if attempt:
                self.pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            if _post(_place(self.url), body, headers):
                return True
        return False


def _place(url: str) -> SplitResult:
    try:
        found = urlsplit(url)
        port_ok = found.port is None or found.port > 0
    except ValueError:
        found, port_ok = urlsplit(""), False
    safe = found.scheme == "https" or (found.scheme == "http" and found.hostname in LOOPBACK)
    if safe and port_ok and found.hostname and found.username is None:
        return found
    raise UsageError(
        f"{URL}: expected an https address, without name or password",
        hint="http is for this machine only, 127.0.0.1",
        fr=f"{URL} : il faut une adresse https, sans nom ni mot de passe",
        hint_fr="http ne sert que sur cette machine, 127.0.0.1",
    )


def _post(place: SplitResult, body: bytes, headers: Mapping[str, str]) -> bool:
    host, port = place.hostname or "", place.port
    connection: http.client.HTTPConnection
    if place.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    try:
        connection.request("POST", path, body, dict(headers))
        return 200 <= connection.getresponse().status < 300  # noqa: PLR2004 -- RFC 9110, 15.3
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
