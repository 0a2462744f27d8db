"""How the portal is set up: under which address it is reached, and who says who someone is (docs/portal.md).

A JSON file of the workspace, ``portal.json``, or the one that PASSERELLE_PORTAL names; read strictly, for it decides who gets in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from passerelle.errors import OurWayError
from passerelle.store.accounts import ROLES

FILE = "portal.json"
LARGEST = 1 << 16  # bytes
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider, and how its claims become a role and a party of ours.

    ``roles`` and ``parties`` map values of the claims ``roles_claim`` and ``party_claim``; a value that is not there gives no access.
    ``acr`` (any of) and ``amr`` (all of) are what the provider must say of how someone proved who they are: at least one is set.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles_claim: str
    roles: Mapping[str, str]
    name_claim: str = "email"
    party_claim: str = ""
    parties: Mapping[str, str] = field(default_factory=dict)
    scope: str = "openid email"
    acr: Sequence[str] = ()
    amr: Sequence[str] = ()
    label: str = "ProConnect"


@dataclass(frozen=True, slots=True)
class Setup:
    """``origin`` as browsers know it; None for a gateway that is reached on its own machine only."""

    origin: str | None = None
    local_accounts: bool = True
    provider: Provider | None = None
    prefect: str | None = None  # where engineers find Prefect's own pages

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the portal answers."""
        return LOOPBACK if self.origin is None else frozenset({str(urlsplit(self.origin).hostname)}) | LOOPBACK

    @property
    def rp_id(self) -> str:
        """The name that passkeys are bound to (WebAuthn level 2, section 5.1.2)."""
        return str(urlsplit(self.origin or "http://localhost").hostname)


def read(path: Path) -> Setup:
    """What the file at ``path`` says; what is usual where there is none.

    Raises:
        OurWayError: it is not what is expected; the value is never repeated.
    """
    if not path.is_file():
        return Setup()
    try:
        value = json.loads(path.read_bytes()[:LARGEST])
    except (OSError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise _wrong(path, "one JSON object")
    _known(path, value, {"origin": str, "local_accounts": bool, "provider": dict, "prefect": str})
    origin = value.get("origin")
    if origin is not None:
        _insist_origin(path, origin)
    provider = _provider(path, value["provider"]) if "provider" in value else None
    local = value.get("local_accounts", True)
    if provider is not None and origin is None:
        raise _wrong(path, "origin, beside provider: the address that the provider sends people back to")
    if provider is None and not local:
        raise _wrong(path, "provider, where local_accounts is false: nobody could sign in")
    if "prefect" in value:
        _insist_origin(path, value["prefect"], "prefect", path_allowed=True)
    return Setup(origin, local, provider, value.get("prefect"))


def prefect(environ: Mapping[str, str]) -> str | None:
    """Where Prefect's pages are, as its own settings say: PREFECT_UI_URL, or beside PREFECT_API_URL; None where neither does."""
    found = environ.get("PREFECT_UI_URL") or environ.get("PREFECT_API_URL", "").removesuffix("/").removesuffix("/api")
    return found.removesuffix("/") if found.startswith(("https://", "http://")) else None


_PROVIDER: dict[str, type] = {
    "issuer": str, "client_id": str, "client_secret_file": str, "roles_claim": str, "roles": dict, "name_claim": str,
    "party_claim": str, "parties": dict, "scope": str, "acr": list, "amr": list, "label": str,
}  # fmt: skip


def _provider(path: Path, value: dict[str, Any]) -> Provider:
    _known(path, value, _PROVIDER)
    missing = [name for name in ("issuer", "client_id", "client_secret_file", "roles_claim", "roles") if not value.get(name)]  # fmt: skip
    if missing:
        raise _wrong(path, f"provider.{missing[0]}")
    if not (value.get("acr") or value.get("amr")):
        raise _wrong(path, "provider.acr or provider.amr: what the provider says of a second factor")
    _insist_origin(path, value["issuer"], "provider.issuer", path_allowed=True)
    if not set(value["roles"].values()) <= set(ROLES):
        raise _wrong(path, f"provider.roles with values of {', '.join(ROLES)}")
    if "partner" in value["roles"].values() and not (value.get("party_claim") and value.get("parties")):
        raise _wrong(path, "provider.party_claim and provider.parties: for whom a partner's people work")
    rest = {key: one for key, one in value.items() if key != "client_secret_file"}
    return Provider(client_secret=_secret(path, path.parent / value["client_secret_file"]), **rest)


def _secret(path: Path, place: Path) -> str:
    """The client's secret, from a file that nobody else may read."""
    try:
        shared = place.stat().st_mode & 0o077
        text = "" if shared else place.read_text("utf-8").strip()
    except (OSError, ValueError):
        text = ""
    if not text:
        raise _wrong(path, "provider.client_secret_file: a file of mode 0600 with the secret in it")
    return text


def _known(path: Path, value: Mapping[str, Any], kinds: Mapping[str, type]) -> None:
    for name, one in value.items():
        if name not in kinds or not isinstance(one, kinds[name]):
            raise _wrong(path, f"{', '.join(kinds)} and nothing else, each of its kind")
        texts = (
            one.items() if isinstance(one, dict) and kinds is _PROVIDER else [(one, "")] if isinstance(one, str) else []
        )
        if isinstance(one, list) or texts:
            flat = [part for pair in texts for part in pair] if not isinstance(one, list) else one
            if not all(isinstance(part, str) for part in flat):
                raise _wrong(path, f"texts in {name}")


def _insist_origin(path: Path, text: str, name: str = "origin", *, path_allowed: bool = False) -> None:
    try:
        parts = urlsplit(text)
        safe = parts.scheme == "https" or (parts.scheme == "http" and f"{parts.hostname}" in {"localhost", "127.0.0.1"})
        whole = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username or parts.password)
        good = safe and whole and (path_allowed or not parts.path) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise _wrong(path, f"{name} as https://HOST, with nothing after it")


def _wrong(path: Path, expected: str) -> OurWayError:
    return OurWayError(
        f"expected {expected}",
        where=path.name,
        hint="docs/portal.md describes the file",
        fr=f"la configuration du portail ({path.name}) ne convient pas : {expected}",
        hint_fr="docs/portal.md décrit ce fichier",
    )
