"""Signing in at an identity provider: away to it, and back from it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from passerelle.errors import RefusedError, UsageError
from passerelle.store import access, identities
from passerelle.store.accounts import Account
from portal.web.signin import counting, opening
from portal.web.signin.provider import BACK, Client, Person, refused
from portal.web.visit import AbsentError, Visit
from portal.web.ways import Way

TRIES_A_MINUTE = 60
PROVIDER = "identity-provider"


def away(visit: Visit) -> Response:
    """Go to the provider, with a state that only this browser can come back with."""
    client = _client(visit)
    with visit.workspace.database.begin() as connection:
        again = visit.session is not None and visit.asked("again") == "1"
        journey = identities.depart(connection, opening.next_page(visit), again=again, at=visit.now)
    answer = RedirectResponse(client.away(journey), 303)
    secure, life = visit.request.app.state.door.secure, int(identities.JOURNEY_LIFE.total_seconds())
    answer.set_cookie(_cookie(visit), journey.browser, life, httponly=True, secure=secure, samesite="lax", path="/")
    return answer


def back(visit: Visit) -> Response:
    """Come back from the provider: the account and its role are what its claims say today."""
    client, query = _client(visit), visit.request.query_params
    with visit.workspace.database.begin() as connection:
        browser = visit.request.cookies.get(_cookie(visit), "")
        journey = identities.arrive(connection, query.get("state", ""), browser, at=visit.now)
    try:
        if journey is None:
            raise refused("it did not begin in this browser, or is over")
        found = _account(visit, client, client.home(journey, query, visit.now))
        if found.disabled or (journey.again and (visit.session is None or visit.account.id != found.id)):
            raise refused("this account is not open")
    except (RefusedError, UsageError):
        counting.refused(visit, None)
        raise
    answer = opening.open_to(visit, found, (), RedirectResponse(journey.next, 303))
    answer.delete_cookie(_cookie(visit), path="/", secure=visit.request.app.state.door.secure, httponly=True)
    return answer


def _account(visit: Visit, client: Client, who: Person) -> Account:
    at = visit.now.replace(microsecond=0)
    with visit.workspace.database.begin() as connection:
        found, changed = identities.settle(
            connection, client.provider.issuer, who.subject, name=who.name, role=who.role, party=who.party, at=at
        )
        if changed:
            access.log(connection, actor=PROVIDER, action="account_changed", subject=found.id, at=at, partner=found.party)  # fmt: skip
    return found


def _client(visit: Visit) -> Client:
    found: Client | None = visit.request.app.state.provider
    if found is None:
        raise AbsentError
    return found


def _cookie(visit: Visit) -> str:
    return str(visit.request.app.state.door.cookie) + "-journey"


WAYS = (
    Way("sign-in.provider", "/sign-in/provider", away, public=True, per_minute=TRIES_A_MINUTE),
    Way("sign-in.back", BACK, back, public=True, per_minute=TRIES_A_MINUTE),
)
