"""One-time codes of an authenticator app (TOTP, RFC 6238): six digits, SHA-1, thirty seconds, as the apps expect."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from urllib.parse import quote

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20  # RFC 4226 section 4, R6
DIGITS, STEP_SECONDS = 6, 30
SKEW = 1  # steps before and after that are taken (RFC 6238 section 5.2)


def new_secret() -> bytes:
    """A secret for one account."""
    return secrets.token_bytes(SECRET_BYTES)


def step_of(secret: bytes, code: str, at: datetime) -> int | None:
    """The step whose code this is, one step around ``at`` allowed; None when it is none of them."""
    totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what RFC 6238 and every app uses
    now = int(at.timestamp()) // STEP_SECONDS
    given = "".join(code.split()).encode()
    for step in range(now - SKEW, now + SKEW + 1):
        try:
            totp.verify(given, step * STEP_SECONDS)
        except InvalidToken:
            continue
        return step
    return None


def spelled(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, name: str) -> str:
    """The otpauth address that an app reads."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return (
        f"otpauth://totp/Passerelle:{quote(name)}?secret={text}&issuer=Passerelle&digits={DIGITS}&period={STEP_SECONDS}"
    )


def picture(secret: bytes, name: str) -> str:
    """The same as a QR code (ISO/IEC 18004): a data URI of an SVG."""
    made: str = segno.make(address(secret, name), error="m").svg_data_uri(scale=5, border=3, light="white")
    return made
