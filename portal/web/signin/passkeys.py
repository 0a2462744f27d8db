"""Passkeys (WebAuthn level 2) as a second factor: what the browser is asked, and whether its answer is right.

The user is verified by the authenticator (fingerprint, code, face), the origin and the name that the passkey is bound to are ours,
the challenge is answered once, the counter never falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.requests import Request
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from passerelle.store import passkeys
from passerelle.store.accounts import Account
from passerelle.store.passkeys import Passkey

LONGEST_ANSWER = 1 << 16  # characters
NAME = "Passerelle"


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys are bound to: ``origin`` as the browser says it, ``name`` of its host."""

    origin: str
    name: str


def place(request: Request) -> Place | None:
    """Where this portal's passkeys are bound to; None where it is reached by a number, which takes none (section 5.1.2)."""
    origin = request.app.state.door.setup.origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Place(origin, host) if host else None
    return None


def to_create(where: Place, account: Account, kept: Sequence[Passkey], challenge: bytes) -> str:
    """What the browser is asked to make a passkey with, as JSON."""
    return options_to_json(
        generate_registration_options(
            rp_id=where.name,
            rp_name=NAME,
            user_id=bytes.fromhex(account.id),
            user_name=account.name,
            challenge=challenge,
            exclude_credentials=_named(kept),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
    )


def to_get(where: Place, kept: Sequence[Passkey], challenge: bytes) -> str:
    """What the browser is asked to prove a passkey with, as JSON."""
    return options_to_json(
        generate_authentication_options(
            rp_id=where.name,
            challenge=challenge,
            allow_credentials=_named(kept),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def create(
    connection: Connection, where: Place, account: Account, answer: str, owner: str, *, name: str, at: datetime
) -> bool:
    """Keep the passkey that the browser made for ``account``: False when its answer is not right."""
    challenge = passkeys.take(connection, owner, "create", at=at)
    if challenge is None or len(answer) > LONGEST_ANSWER:
        return False
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=where.name,
            expected_origin=where.origin,
            require_user_verification=True,
        )
    except Exception:  # the library lets errors of CBOR, JSON and base64 through beside its own
        return False
    credential = bytes_to_base64url(made.credential_id)
    return passkeys.add(
        connection, account.id, credential, made.credential_public_key, made.sign_count, name=name, at=at
    )


def prove(connection: Connection, where: Place, account: Account, answer: str, owner: str, *, at: datetime) -> bool:
    """Whether the browser proved one of the account's passkeys; the challenge is spent."""
    challenge = passkeys.take(connection, owner, "get", at=at)
    if challenge is None or len(answer) > LONGEST_ANSWER:
        return False
    try:
        given = parse_authentication_credential_json(answer)
        (kept,) = [
            one for one in passkeys.of(connection, account.id) if base64url_to_bytes(one.credential) == given.raw_id
        ]
        done = verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=where.name,
            expected_origin=where.origin,
            credential_public_key=kept.public_key,
            credential_current_sign_count=kept.uses,
            require_user_verification=True,
        )
    except Exception:  # as above; or none of the account's passkeys
        return False
    return passkeys.count(connection, kept.credential, before=kept.uses, now=done.new_sign_count)


def _named(kept: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in kept]
