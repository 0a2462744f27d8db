"""Signing in with two factors of one's own, proving the second one again, and setting them up with an activation code.

What someone may know of accounts is the same before and after each failure: one sentence, one status, one time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from passerelle.errors import UsageError
from passerelle.keys import wrapping
from passerelle.store import access, accounts, factors
from passerelle.store.accounts import Account
from passerelle.store.factors import Half
from passerelle.store.partners import person
from portal.render import Text
from portal.web.guard import browser
from portal.web.pages.frame import within
from portal.web.signin import codes, passwords
from portal.web.visit import AbsentError, Visit
from portal.web.ways import EVERYONE, Way

REFUSED = Text(
    "Ce nom et ces éléments ne vont pas ensemble, ou ce compte n'est pas ouvert. Rien d'autre n'est dit, pour la sûreté de tous.",
    "This name and what came with it do not go together, or the account is not open. Nothing more is said, for everyone's safety.",
)
STALE = Text("Trop de temps a passé : recommencez.", "Too much time has passed: start over.")


def ask(visit: Visit) -> Response:
    """The form of the first factor."""
    return _first(visit)


def check(visit: Visit) -> Response:
    """The first factor: name and password."""
    name, password = visit.given("name"), str(visit.form.get("password", ""))
    keys = _keys(visit, name)
    if (waiting := _waiting(visit, keys)) is not None:
        return _first(visit, waiting, 429)
    with visit.workspace.database.read() as connection:
        found = accounts.by_name(connection, name)
        kept = factors.of(connection, found.id if found else "")
    good = passwords.matches(password, kept.password)
    if not good or found is None or found.disabled or kept.totp is None:
        _failed(visit, keys, found)
        return _first(visit, REFUSED, 401)
    with visit.workspace.database.begin() as connection:
        token = factors.open_half(connection, found.id, "sign-in", browser=browser(visit.request), at=visit.now)
    answer = RedirectResponse(visit.href("sign-in.second") + "?next=" + quote(_next(visit)), 303)
    _keep_half(visit, answer, token)
    return answer


def ask_second(visit: Visit) -> Response:
    """The form of the second factor."""
    return _second(visit) if _half(visit, "sign-in") else _stale(visit)


def check_second(visit: Visit) -> Response:
    """The second factor: a one-time code, or a recovery code."""
    half = _half(visit, "sign-in")
    if half is None:
        return _stale(visit)
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
    if found is None:
        raise AbsentError
    keys = _keys(visit, found.name)
    if (waiting := _waiting(visit, keys)) is not None:
        return _second(visit, waiting, 429)
    if not _proves(visit, found, visit.given("code")):
        _failed(visit, keys, found)
        return _second(visit, REFUSED, 401)
    return _open(visit, found, half, keys, RedirectResponse(_next(visit), 303))


def ask_again(visit: Visit) -> Response:
    """The form that asks for the second factor anew, before what weighs more than a look."""
    return visit.page("again.html.jinja", next=_next(visit), fault=None)


def check_again(visit: Visit) -> Response:
    """The second factor of someone who is signed in."""
    assert visit.session is not None  # noqa: S101 - the way has roles
    keys = _keys(visit, visit.account.name)
    waiting = _waiting(visit, keys)
    if waiting is None and _proves(visit, visit.account, visit.given("code")):
        with visit.workspace.database.begin() as connection:
            factors.succeeded(connection, keys)
            token = accounts.renew(connection, visit.session.key, at=visit.now)
        answer = RedirectResponse(_next(visit), 303)
        _keep(visit, answer, token)
        return answer
    if waiting is None:
        _failed(visit, keys, visit.account)
    return visit.page("again.html.jinja", 401 if waiting is None else 429, next=_next(visit), fault=waiting or REFUSED)


def ask_activation(visit: Visit) -> Response:
    """The form for whoever received an activation code."""
    return _activation(visit)


def activate(visit: Visit) -> Response:
    """Set a password with an activation code; the account opens with the second factor only."""
    name, code, password = visit.given("name"), visit.given("code"), str(visit.form.get("password", ""))
    keys = _keys(visit, name)
    if (waiting := _waiting(visit, keys)) is not None:
        return _activation(visit, waiting, 429)
    with visit.workspace.database.read() as connection:
        found = accounts.by_name(connection, name)
        good = factors.invited(connection, found.id if found else "", code, at=visit.now)
    if not good or found is None or found.disabled:
        _failed(visit, keys, found)
        return _activation(visit, REFUSED, 401)
    try:
        passwords.insist(password, name)
    except UsageError as fault:
        return _activation(visit, Text(f"{fault.fr} ; {fault.hint_fr}", f"{fault.message}; {fault.hint}"), 400)
    kept = passwords.hashed(password)
    with visit.workspace.database.begin() as connection:
        factors.set_password(connection, found.id, kept)
        token = factors.open_half(connection, found.id, "activate", browser=browser(visit.request), at=visit.now)
        half = factors.half_of(connection, token, browser=browser(visit.request), at=visit.now)
        assert half is not None  # noqa: S101 - it was opened above
        wrapped = wrapping.wrap(visit.workspace.keys.portal_key, codes.new_secret(), _context(found))
        factors.keep_pending(connection, half.key, wrapped)
    answer = RedirectResponse(visit.href("activate.second"), 303)
    _keep_half(visit, answer, token)
    return answer


def ask_app(visit: Visit) -> Response:
    """The secret for an authenticator app, as a picture and in letters."""
    half = _half(visit, "activate")
    return _stale(visit) if half is None or half.pending is None else _app(visit, half)


def check_app(visit: Visit) -> Response:
    """The first code of the app: the account opens, its recovery codes are shown once."""
    half = _half(visit, "activate")
    if half is None or half.pending is None:
        return _stale(visit)
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
    if found is None:
        raise AbsentError
    secret = wrapping.unwrap(visit.workspace.keys.portal_key, half.pending, _context(found))
    step = codes.step_of(secret, visit.given("code"), visit.now)
    if step is None:
        wrong = Text(
            "Ce code n'est pas celui de l'application : vérifiez l'heure du téléphone et prenez le code suivant.",
            "This is not the app's code: check the telephone's clock and take the next one.",
        )
        return _app(visit, half, wrong, 400)
    with visit.workspace.database.begin() as connection:
        recovery = factors.set_totp(connection, found.id, half.pending, step)
    shown = visit.page("recovery.html.jinja", codes=recovery)
    return _open(visit, found, half, _keys(visit, found.name), shown)


def _first(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    return visit.page("sign-in.html.jinja", status, fault=fault, next=_next(visit), name=visit.given("name"))


def _second(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    return visit.page("second.html.jinja", status, fault=fault, next=_next(visit))


def _activation(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    return visit.page("activate.html.jinja", status, fault=fault, name=visit.given("name"))


def _app(visit: Visit, half: Half, fault: Text | None = None, status: int = 200) -> Response:
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
    if found is None or half.pending is None:
        raise AbsentError
    secret = wrapping.unwrap(visit.workspace.keys.portal_key, half.pending, _context(found))
    picture, letters = codes.picture(secret, found.name), codes.spelled(secret)
    return visit.page("app.html.jinja", status, picture=picture, letters=letters, fault=fault)


def _stale(visit: Visit) -> Response:
    return _first(visit, STALE, 401)


def _open(visit: Visit, found: Account, half: Half, keys: tuple[str, ...], answer: Response) -> Response:
    """Open the session of someone who gave both factors."""
    with visit.workspace.database.begin() as connection:
        accounts.sweep(connection, at=visit.now)
        factors.sweep(connection, at=visit.now)
        factors.succeeded(connection, keys)
        factors.close_half(connection, half.key)
        if visit.session is not None:
            accounts.close_session(connection, visit.session.key)
        token = accounts.open_session(connection, found, browser=browser(visit.request), at=visit.now)
        access.log(connection, actor=found.name, action="signed_in", subject=found.role, at=_second_of(visit), partner=found.party)  # fmt: skip
    _keep(visit, answer, token)
    answer.delete_cookie(_half_cookie(visit), path="/", secure=visit.request.app.state.door.secure, httponly=True)
    return answer


def _keep(visit: Visit, answer: Response, token: str) -> None:
    door = visit.request.app.state.door
    answer.set_cookie(door.cookie, token, httponly=True, secure=door.secure, samesite="lax", path="/")


def _proves(visit: Visit, found: Account, code: str) -> bool:
    """Whether ``code`` is a one-time code not used before, or a recovery code; it is spent."""
    with visit.workspace.database.begin() as connection:
        kept = factors.of(connection, found.id)
        if kept.totp is None:
            return False
        secret = wrapping.unwrap(visit.workspace.keys.portal_key, kept.totp, _context(found))
        step = codes.step_of(secret, code, visit.now)
        if step is not None:
            return factors.take_step(connection, found.id, step)
        return factors.take_recovery(connection, found.id, code)


def _failed(visit: Visit, keys: tuple[str, ...], found: Account | None) -> None:
    with visit.workspace.database.begin() as connection:
        factors.failed(connection, keys, at=visit.now)
        if found is not None:
            access.log(
                connection, actor=found.name, action="sign_in_refused", subject=found.role, at=_second_of(visit),
                partner=found.party, outcome="refused",
            )  # fmt: skip


def _waiting(visit: Visit, keys: tuple[str, ...]) -> Text | None:
    with visit.workspace.database.read() as connection:
        left = factors.wait(connection, keys, at=visit.now)
    if left <= timedelta(0):
        return None
    seconds = ceil(left.total_seconds())
    return Text(
        f"Trop d'essais : attendez {seconds} secondes avant le prochain.",
        f"Too many tries: wait {seconds} seconds before the next one.",
    )


def _keys(visit: Visit, name: str) -> tuple[str, ...]:
    """Under what failures are counted: the account's name, and the address that they come from."""
    client = visit.request.client
    return (f"account:{person(name)}", f"address:{client.host if client else ''}")


def _half(visit: Visit, purpose: str) -> Half | None:
    token = visit.request.cookies.get(_half_cookie(visit))
    if not token:
        return None
    with visit.workspace.database.read() as connection:
        found = factors.half_of(connection, token, browser=browser(visit.request), at=visit.now)
    return found if found is not None and found.purpose == purpose else None


def _keep_half(visit: Visit, answer: Response, token: str) -> None:
    secure = visit.request.app.state.door.secure
    answer.set_cookie(_half_cookie(visit), token, httponly=True, secure=secure, samesite="strict", path="/")


def _half_cookie(visit: Visit) -> str:
    return str(visit.request.app.state.door.cookie) + "-half"


def _context(found: Account) -> str:
    return f"passerelle/totp/{found.id}"


def _next(visit: Visit) -> str:
    return within(visit.given("next") or visit.asked("next") or "/")


def _second_of(visit: Visit) -> datetime:
    return visit.now.replace(microsecond=0)


WAYS = (
    Way("sign-in", "/sign-in", ask, public=True),
    Way("sign-in.check", "/sign-in", check, method="POST", public=True),
    Way("sign-in.second", "/sign-in/second", ask_second, public=True),
    Way("sign-in.second.check", "/sign-in/second", check_second, method="POST", public=True),
    Way("sign-in.again", "/sign-in/again", ask_again, EVERYONE),
    Way("sign-in.again.check", "/sign-in/again", check_again, EVERYONE, "POST"),
    Way("activate", "/activate", ask_activation, public=True),
    Way("activate.check", "/activate", activate, method="POST", public=True),
    Way("activate.second", "/activate/second", ask_app, public=True),
    Way("activate.second.check", "/activate/second", check_app, method="POST", public=True),
)
