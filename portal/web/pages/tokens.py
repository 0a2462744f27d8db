"""Tokens for a partner's programs, and how the API is used with them."""

from __future__ import annotations

import json
from datetime import timedelta

from starlette.responses import Response

from passerelle.errors import RefusedError, UsageError
from passerelle.store import api_tokens
from passerelle.store.api_tokens import LONGEST, SCOPES
from portal.faults import told
from portal.render import Text
from portal.web.api import every_call
from portal.web.api.openapi import described
from portal.web.visit import Visit
from portal.web.ways import PARTNER, Way

SCOPES_SAID = {
    "read": Text("lire : colis, contrats, clés, envois et leurs verdicts, avis", "read: parcels, contracts, keys, sendings and their verdicts, notices"),
    "send": Text("envoyer : fichiers, accusés de réception, attestations, clés publiques", "send: files, receipts, attestations, public keys"),
    "open": Text("ouvrir : les clés d'ouverture des colis", "open: the release keys of parcels"),
}  # fmt: skip
LIVES = ("1", "7", "30", "90")


def show(visit: Visit) -> Response:
    """The visitor's own tokens; what each may do, until when, when it was last used."""
    return _show(visit)


def make(visit: Visit) -> Response:
    """A new token, shown this once."""
    scopes = [scope for scope in SCOPES if visit.given(f"scope-{scope}")]
    days = visit.given("days")
    life = timedelta(days=int(days) if days in LIVES else 0)
    now = visit.now.replace(microsecond=0)
    try:
        with visit.workspace.database.begin() as connection:
            token, secret = api_tokens.make(connection, visit.account.id, visit.given("name"), scopes, life, at=now)
            visit.log(connection, "token_made", token.id, partner=visit.party)
    except (UsageError, RefusedError) as fault:
        return _show(visit, Text(told(fault, "fr"), told(fault, "en")), 400)
    return visit.page("partner/token.html.jinja", made=token, secret=secret)


def end(visit: Visit) -> Response:
    """End a token now.

    Raises:
        UsageError: the visitor has no such token.
    """
    with visit.workspace.database.begin() as connection:
        if not api_tokens.end(connection, visit.account.id, visit.given("which")):
            raise UsageError("expected one of your tokens", fr="il faut l'un de vos jetons")
        visit.log(connection, "token_ended", visit.given("which"), partner=visit.party)
    return visit.go(visit.href("tokens"), Text("Le jeton n'ouvre plus rien.", "The token opens nothing any more."))


def explain(visit: Visit) -> Response:
    """How the API is used, with each call and its scope."""
    return visit.page("partner/api.html.jinja", calls=every_call(), scopes=SCOPES_SAID)


def description(_visit: Visit) -> Response:
    """The API in OpenAPI 3.1."""
    return Response(json.dumps(described(every_call()), ensure_ascii=False), media_type="application/json")


def _show(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    with visit.workspace.database.read() as connection:
        own = api_tokens.of(connection, visit.account.id)
    return visit.page(
        "partner/tokens.html.jinja", status, tokens=[(one, one.is_open(visit.now)) for one in own], scopes=SCOPES_SAID,
        lives=LIVES, longest=LONGEST.days, fault=fault,
    )  # fmt: skip


WAYS = (
    Way("tokens", "/tokens", show, PARTNER, navigates=("Accès des programmes", "Access for programs")),
    Way("tokens.make", "/tokens", make, PARTNER, "POST", fresh=True),
    Way("tokens.end", "/tokens/end", end, PARTNER, "POST", logs="token_ended"),
    Way("api", "/api", explain, PARTNER),
    Way("api.description", "/api/v1/openapi.json", description, public=True),
)
