"""Signing in with two factors of one's own, and proving the second one again.

What someone may know of accounts is the same before and after each failure: one sentence, one status, one time.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from passerelle.store import accounts, attempts, factors, identities, passkeys
from passerelle.store.factors import Half
from portal.render import Text
from portal.web.guard import browser
from portal.web.signin import counting, opening, passwords
from portal.web.visit import AbsentError, Visit
from portal.web.ways import EVERYONE, Way

REFUSED = Text(
    "Ce nom et ces éléments ne vont pas ensemble, ou ce compte n'est pas ouvert. Rien d'autre n'est dit, pour la sûreté de tous.",
    "This name and what came with it do not go together, or the account is not open. Nothing more is said, for everyone's safety.",
)
STALE = Text("Trop de temps a passé : recommencez.", "Too much time has passed: start over.")
TRIES_A_MINUTE = 60  # of one address: each costs an Argon2id


def ask(visit: Visit) -> Response:
    """The form of the first factor, and the way to the identity provider."""
    return first(visit)


def check(visit: Visit) -> Response:
    """The first factor: name and password."""
    insist_local(visit)
    name, password = visit.given("name"), str(visit.form.get("password", ""))
    counts = counting.first(visit, name)
    if seconds := counting.left(visit, counts):
        return _later(first(visit, counting.wait(seconds), 429), seconds)
    with visit.workspace.database.read() as connection:
        found = accounts.by_name(connection, name)
        kept = factors.of(connection, found.id if found else "")
        has_second = kept.totp is not None or bool(passkeys.of(connection, found.id if found else ""))
    good = passwords.matches(password, kept.password)
    if not good or found is None or found.disabled or not has_second:
        counting.refused(visit, found)
        return first(visit, REFUSED, 401)
    with visit.workspace.database.begin() as connection:
        attempts.succeeded(connection, counts)
        token = factors.open_half(connection, found.id, "sign-in", browser=browser(visit.request), at=visit.now)
    answer = RedirectResponse(visit.href("sign-in.second") + "?next=" + quote(opening.next_page(visit)), 303)
    opening.keep_half(visit, answer, token)
    return answer


def ask_second(visit: Visit) -> Response:
    """The form of the second factor."""
    half = opening.half(visit, "sign-in")
    return first(visit, STALE, 401) if half is None else _second(visit, half)


def check_second(visit: Visit) -> Response:
    """The second factor: a passkey, a one-time code, or a recovery code."""
    half = opening.half(visit, "sign-in")
    if half is None:
        return first(visit, STALE, 401)
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
    if found is None or found.disabled:
        return first(visit, REFUSED, 401)
    counts = counting.second(visit, found)
    if seconds := counting.left(visit, counts):
        return _later(_second(visit, half, counting.wait(seconds), 429), seconds)
    if not opening.proves(visit, found, half.key):
        counting.refused(visit, found)
        return _second(visit, half, REFUSED, 401)
    return opening.open_to(visit, found, counts, RedirectResponse(opening.next_page(visit), 303), half)


def ask_again(visit: Visit) -> Response:
    """The form that asks for the second factor anew, before what weighs more than a look."""
    return _again(visit)


def check_again(visit: Visit) -> Response:
    """The second factor of someone who is signed in: the session goes on under a new token."""
    assert visit.session is not None  # noqa: S101 - the way has roles
    counts = counting.second(visit, visit.account)
    if seconds := counting.left(visit, counts):
        return _later(_again(visit, counting.wait(seconds), 429), seconds)
    if not opening.proves(visit, visit.account, visit.session.key):
        counting.refused(visit, visit.account)
        return _again(visit, REFUSED, 401)
    with visit.workspace.database.begin() as connection:
        attempts.succeeded(connection, counts)
        token = accounts.renew(connection, visit.session.key, at=visit.now)
    answer = RedirectResponse(opening.next_page(visit), 303)
    opening.keep(visit, answer, token)
    return answer


def insist_local(visit: Visit) -> None:
    """Refuse where accounts are the identity provider's alone.

    Raises:
        AbsentError: they are.
    """
    if not visit.request.app.state.door.setup.local_accounts:
        raise AbsentError


def first(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    """The page of the first factor."""
    setup, name = visit.request.app.state.door.setup, visit.given("name")
    return visit.page(
        "sign-in.html.jinja", status, fault=fault, next=opening.next_page(visit), name=name, setup=setup
    )  # fmt: skip


def _second(visit: Visit, half: Half, fault: Text | None = None, status: int = 200) -> Response:
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
        has_app = factors.of(connection, half.account).totp is not None
    if found is None:
        raise AbsentError
    options = opening.asked(visit, found, half.key)
    return visit.page("second.html.jinja", status, fault=fault, next=opening.next_page(visit), options=options, has_app=has_app)  # fmt: skip


def _again(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    assert visit.session is not None  # noqa: S101 - the way has roles
    options = opening.asked(visit, visit.account, visit.session.key)
    with visit.workspace.database.read() as connection:
        elsewhere = identities.is_known(connection, visit.account.id)
    return visit.page("again.html.jinja", status, next=opening.next_page(visit), fault=fault, options=options, elsewhere=elsewhere)  # fmt: skip


def _later(answer: Response, seconds: int) -> Response:
    answer.headers["Retry-After"] = str(seconds)
    return answer


WAYS = (
    Way("sign-in", "/sign-in", ask, public=True),
    Way("sign-in.check", "/sign-in", check, method="POST", public=True, per_minute=TRIES_A_MINUTE),
    Way("sign-in.second", "/sign-in/second", ask_second, public=True),
    Way("sign-in.second.check", "/sign-in/second", check_second, method="POST", public=True, per_minute=TRIES_A_MINUTE),
    Way("sign-in.again", "/sign-in/again", ask_again, EVERYONE),
    Way("sign-in.again.check", "/sign-in/again", check_again, EVERYONE, "POST", per_minute=TRIES_A_MINUTE),
)
