"""An OpenID Connect provider (ProConnect, Keycloak): the code flow with PKCE, and what is believed of its answer.

Believed is an ID token that is signed with a key of the provider, made for us, for this sign-in, now, after a proof that is strong
enough (OpenID Connect Core 1.0, section 3.1.3.7; RFC 9700). Everything else is refused with one sentence. Name, role and party that it lacks are asked of
the provider's userinfo, which must be of the same person.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from passerelle.errors import OurWayError, RefusedError
from passerelle.store.identities import Journey
from portal.web.setup import Provider

BACK = "/sign-in/back"
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]  # none with a shared secret, and not "none"
LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)  # of a token when it comes
SECONDS = 10.0  # for an answer of the provider
KEPT_SECONDS = 3600.0  # what it says of itself and of its keys
AGAIN_SECONDS = 30.0  # before its keys are asked for again, for a key that is not among them
LONGEST_SUBJECT = 255
BASIC = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says came, as what and for whom."""

    subject: str
    name: str
    role: str
    party: str | None
    proved_at: datetime | None


@dataclass(slots=True)
class Client:
    """The portal at its provider; ``origin`` is the portal's own."""

    provider: Provider
    origin: str
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def back(self) -> str:
        """Where the provider sends people back to, exactly."""
        return self.origin + BACK

    def away(self, journey: Journey) -> str:
        """The address at the provider where a sign-in goes on.

        Raises:
            OurWayError: the provider does not answer, or not as one.
        """
        more: dict[str, str] = {"prompt": "login", "max_age": "0"} if journey.again else {}
        if self.provider.acr:
            more["acr_values"] = " ".join(self.provider.acr)
        with self._oauth() as oauth:
            address, _ = oauth.create_authorization_url(
                self._said("authorization_endpoint"), state=journey.state, nonce=journey.nonce, code_verifier=journey.verifier, **more
            )  # fmt: skip
        return str(address)

    def home(self, journey: Journey, query: Mapping[str, str], now: datetime) -> Person:
        """Who came back.

        Raises:
            RefusedError: the answer is not believed, or gives no access.
            OurWayError: the provider does not answer.
        """
        self._insist_issuer(query.get("iss"))
        code = query.get("code")
        if not code or "error" in query:
            raise refused("the provider sent no code")
        place = self._said("token_endpoint")
        try:
            with self._oauth() as oauth:
                token = oauth.fetch_token(place, code=code, code_verifier=journey.verifier, grant_type="authorization_code")  # fmt: skip
        except httpx2.TransportError:
            raise _silent() from None
        except Exception:  # what the provider refuses, in the words of the library
            raise refused("the provider did not take its own code") from None
        claims = self._claims(str(token.get("id_token", "")))
        _insist(claims, self.provider, journey, now)
        one = self.provider
        if any(_claim(claims, name) is None for name in (one.name_claim, one.roles_claim, one.party_claim) if name):
            claims = {**self._userinfo(str(token.get("access_token", "")), claims), **claims}
        return person_of(claims, one)

    def _userinfo(self, access: str, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider says of the person beside the ID token: signed as ProConnect does, or as it is (Core 1.0, section 5.3)."""
        if "userinfo_endpoint" not in self._metadata():
            return {}
        try:
            headers = {"authorization": f"Bearer {access}", "accept": "application/jwt, application/json"}
            answer = httpx2.get(
                self._said("userinfo_endpoint"), headers=headers, timeout=SECONDS, follow_redirects=False
            )
            told: Any = answer.raise_for_status().text.strip()
            signed = answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/jwt"
            told = self._claims(told) if signed else json.loads(told)
        except httpx2.TransportError:
            raise _silent() from None
        except (httpx2.HTTPError, ValueError):
            raise refused("the provider did not take its own token") from None
        if not isinstance(told, dict) or told.get("sub") != claims.get("sub"):
            raise refused("what the provider says is of another person")
        if signed and (
            told.get("iss") != self.provider.issuer or self.provider.client_id not in _texts(told.get("aud"))
        ):
            raise refused("what the provider says is for another audience")
        return told

    def _insist_issuer(self, told: str | None) -> None:
        """Refuse an answer of another provider (RFC 9207: mix-up)."""
        needed = self._metadata().get("authorization_response_iss_parameter_supported") is True
        if told != self.provider.issuer and (needed or told is not None):
            raise refused("the answer is of another provider")

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What an ID token says, its signature verified with a key of the provider."""
        for kept in (KEPT_SECONDS, AGAIN_SECONDS):  # a key that is not known yet may be new
            keys = self._fetched("jwks_uri", self._said("jwks_uri"), kept)
            with suppress(Exception):  # the library lets errors of JSON and base64 through beside its own
                return jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        raise refused("the token is not signed by the provider")

    def _metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4.3: under its very name)."""
        address = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found: Mapping[str, Any] = self._fetched("metadata", address, KEPT_SECONDS)
        if found.get("issuer") != self.provider.issuer:
            raise _silent()
        return found

    def _said(self, name: str) -> str:
        value = self._metadata().get(name)
        if not isinstance(value, str) or not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise _silent()
        return value

    def _fetched(self, name: str, address: str, kept: float) -> Any:
        with self._lock:
            at, value = self._kept.get(name, (-kept, None))
            if value is not None and time.monotonic() < at + kept:
                return value
            try:
                answer = httpx2.get(address, timeout=SECONDS, follow_redirects=False)
                value = answer.raise_for_status().json()
            except (httpx2.HTTPError, ValueError):
                value = None
            if not isinstance(value, dict):
                raise _silent()
            self._kept[name] = (time.monotonic(), value)
            return value

    def _oauth(self) -> OAuth2Client:
        one = self.provider
        ways = self._metadata().get(
            "token_endpoint_auth_methods_supported", [BASIC]
        )  # OpenID Connect Discovery 1.0, section 3
        return OAuth2Client(
            one.client_id, one.client_secret, redirect_uri=self.back, scope=one.scope, code_challenge_method="S256", timeout=SECONDS,
            token_endpoint_auth_method=BASIC if BASIC in ways else "client_secret_post",
        )  # fmt: skip


def _insist(claims: Mapping[str, Any], provider: Provider, journey: Journey, now: datetime) -> None:
    """Refuse a token that is not ours, not of this sign-in, not of now, or after too weak a proof."""
    audience = claims.get("aud")
    audience = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != provider.issuer:
        raise refused("the token is of another issuer")
    if not isinstance(audience, list) or provider.client_id not in audience:
        raise refused("the token is for another audience")
    if claims.get("azp", provider.client_id if len(audience) == 1 else None) != provider.client_id:
        raise refused("the token was asked for by another client")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), journey.nonce.encode()):
        raise refused("the token is of another sign-in")
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    if expires is None or issued is None or now >= expires + LEEWAY or not now - OLDEST < issued <= now + LEEWAY:
        raise refused("the token is not of now")
    if provider.acr and claims.get("acr") not in provider.acr:
        raise refused("the proof was too weak (acr)")
    if not set(provider.amr) <= set(_texts(claims.get("amr"))):
        raise refused("the proof was too weak (amr)")
    proved = _instant(claims, "auth_time")
    if journey.again and (proved is None or proved < journey.made_at - LEEWAY):
        raise refused("no new proof was given")


def person_of(claims: Mapping[str, Any], provider: Provider) -> Person:
    """Who the claims name, with exactly one role of ours.

    Raises:
        RefusedError: no role, several, or a partner's person without a known party.
    """
    subject, name = claims.get("sub"), claims.get(provider.name_claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not isinstance(name, str) or not name:
        raise refused("the token does not name anyone")
    roles = {provider.roles[one] for one in _texts(_claim(claims, provider.roles_claim)) if one in provider.roles}
    if len(roles) != 1:
        raise refused(f"expected one role of ours, {len(roles)} came")
    (role,) = roles
    party = None
    if role == "partner":
        parties = {
            provider.parties[one] for one in _texts(_claim(claims, provider.party_claim)) if one in provider.parties
        }
        if len(parties) != 1:
            raise refused(f"expected one party of ours, {len(parties)} came")
        (party,) = parties
    return Person(subject, name, role, party, _instant(claims, "auth_time"))


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by the path to it (Keycloak's realm_access.roles)."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value).astimezone()
    except (OverflowError, OSError, ValueError):
        return None


def refused(why: str) -> RefusedError:
    """The refusal of an answer of the provider; ``why`` has no value of it."""
    return RefusedError(
        f"this sign-in is not accepted: {why}",
        hint="start over; if it happens again, ask the gateway's administrator",
        fr="cette connexion n'est pas acceptée",
        hint_fr="recommencez ; si cela se répète, adressez-vous à l'administrateur de la passerelle",
    )


def _silent() -> OurWayError:
    return OurWayError(
        "the identity provider does not answer as one",
        hint="try again later; the administrator checks issuer and network",
        fr="le fournisseur d'identité ne répond pas comme il devrait",
        hint_fr="réessayez plus tard ; l'administrateur vérifie l'émetteur et le réseau",
    )
