"""How often someone may try: strangers who try one name wait longer and longer, and close nobody's account by it.

An account that is tried from many addresses makes strangers wait for half a minute; who signed in with this browser before is
counted apart from them, under the browser's own token. A second factor can be tried only by who knows the first one.
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from passerelle.store import access, accounts, attempts
from passerelle.store.accounts import Account
from passerelle.store.attempts import Count
from passerelle.store.partners import person
from portal.render import Text
from portal.web.pace import place_of
from portal.web.visit import Visit

QUARTER, HALF_MINUTE = timedelta(minutes=15), timedelta(seconds=30)
FREE = 4  # tries of one name from one address, or of a second factor
FREE_OF_ADDRESS = 40  # an address may be a whole town's office
FREE_OF_NAME = 60
NOBODY = "not-an-id"  # what was typed is not written: it may be a password


def known_cookie(visit: Visit) -> str:
    """The cookie of a browser with which an account was opened."""
    return str(visit.request.app.state.door.cookie) + "-known"


def first(visit: Visit, name: str) -> tuple[Count, ...]:
    """Under what failures of the first factor are counted."""
    address, who = place_of(visit.request), person(name)
    token = visit.request.cookies.get(known_cookie(visit), "")
    with visit.workspace.database.read() as connection:
        found = accounts.by_name(connection, name)
        known = attempts.knows(connection, found.id if found else "", token, at=visit.now)
    if known:
        return (Count(f"known {token}", FREE, QUARTER),)
    return (Count(f"first {who} {address}", FREE, QUARTER), Count(f"first {who}", FREE_OF_NAME, HALF_MINUTE), _of_address(address))  # fmt: skip


def second(visit: Visit, found: Account) -> tuple[Count, ...]:
    """Under what failures of the second factor are counted."""
    return (Count(f"second {found.id}", FREE, QUARTER), _of_address(place_of(visit.request)))


def left(visit: Visit, counts: tuple[Count, ...]) -> int:
    """The seconds that whoever tries has to wait; 0 when they need not: the try is counted, as a failure until it succeeds."""
    with visit.workspace.database.begin() as connection:
        return max(0, ceil(attempts.take(connection, counts, at=visit.now).total_seconds()))


def refused(visit: Visit, found: Account | None) -> None:
    """Write a failure into the access log: the same work whether the account exists or not."""
    with visit.workspace.database.begin() as connection:
        access.log(
            connection,
            actor=found.name if found else NOBODY,
            action="sign_in_refused",
            subject=found.role if found else NOBODY,
            at=visit.now.replace(microsecond=0),
            partner=found.party if found else None,
            outcome="refused",
        )


def wait(seconds: int) -> Text:
    """What someone is told who tried too often."""
    return Text(
        f"Trop d'essais : attendez {seconds} secondes avant le prochain.",
        f"Too many tries: wait {seconds} seconds before the next one.",
    )


def _of_address(address: str) -> Count:
    return Count(f"address {address}", FREE_OF_ADDRESS, QUARTER)
