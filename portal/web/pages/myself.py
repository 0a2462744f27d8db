"""My account: what I sign in with, where I am signed in; adding and removing factors, ending sessions."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.store import accounts, factors
from portal.web.visit import Visit
from portal.web.ways import EVERYONE, Way


def show(visit: Visit) -> Response:
    """The visitor's own factors and sessions."""
    with visit.workspace.database.read() as connection:
        kept = factors.of(connection, visit.account.id)
        left = factors.recovery_left(connection, visit.account.id)
        sessions = accounts.sessions(connection, visit.account.id, at=visit.now)
    return visit.page("account.html.jinja", has_app=kept.totp is not None, recovery_left=left, sessions=sessions)


WAYS = (Way("account", "/account", show, EVERYONE, navigates=("Mon compte", "My account")),)
