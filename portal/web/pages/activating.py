"""Opening an account with its activation code: a password, then a passkey or an authenticator app, then recovery codes."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from passerelle.errors import UsageError
from passerelle.store import accounts, attempts, factors
from passerelle.store.accounts import Account
from passerelle.store.factors import Half
from portal.render import Text
from portal.web.guard import browser
from portal.web.pages.signing_in import REFUSED, STALE, TRIES_A_MINUTE, first, insist_local
from portal.web.signin import codes, counting, opening, passwords
from portal.web.visit import AbsentError, Visit
from portal.web.ways import Way

WRONG_CODE = Text(
    "Ce code n'est pas celui de l'application : vérifiez l'heure du téléphone et prenez le code suivant.",
    "This is not the app's code: check the telephone's clock and take the next one.",
)
WRONG_PASSKEY = Text(
    "Cette clé d'accès n'a pas pu être enregistrée : recommencez, ou choisissez l'application.",
    "This passkey could not be kept: start again, or choose the app.",
)


def ask(visit: Visit) -> Response:
    """The form for whoever received an activation code."""
    insist_local(visit)
    return _form(visit)


def check(visit: Visit) -> Response:
    """Set a password with an activation code; the account opens with the second factor only."""
    insist_local(visit)
    name, code, password = visit.given("name"), visit.given("code"), str(visit.form.get("password", ""))
    counts = counting.first(visit, name)
    if seconds := counting.left(visit, counts):
        return _form(visit, counting.wait(seconds), 429)
    with visit.workspace.database.read() as connection:
        found = accounts.by_name(connection, name)
        good = factors.invited(connection, found.id if found else "", code, at=visit.now)
    if not good or found is None or found.disabled:
        counting.refused(visit, found)
        return _form(visit, REFUSED, 401)
    with visit.workspace.database.begin() as connection:
        attempts.succeeded(connection, counts)
    try:
        passwords.insist(password, name)
    except UsageError as fault:
        return _form(visit, Text(f"{fault.fr} ; {fault.hint_fr}", f"{fault.message}; {fault.hint}"), 400)
    kept = passwords.hashed(password)
    with visit.workspace.database.begin() as connection:
        if not factors.invited(connection, found.id, code, at=visit.now):  # spent while the password was hashed
            raise AbsentError
        factors.set_password(connection, found.id, kept)
        token = factors.open_half(connection, found.id, "activate", browser=browser(visit.request), at=visit.now)
        half = factors.half_of(connection, token, browser=browser(visit.request), at=visit.now)
        assert half is not None  # noqa: S101 - it was opened above
        factors.keep_pending(connection, half.key, opening.new_secret(visit, found))
    answer = RedirectResponse(visit.href("activate.second"), 303)
    opening.keep_half(visit, answer, token)
    return answer


def ask_second(visit: Visit) -> Response:
    """A passkey, or the secret for an authenticator app as a picture and in letters."""
    half = opening.half(visit, "activate")
    return first(visit, STALE, 401) if half is None else _second(visit, half)


def check_second(visit: Visit) -> Response:
    """The new passkey, or the first code of the app: the account opens, its recovery codes are shown once."""
    half = opening.half(visit, "activate")
    if half is None or half.pending is None:
        return first(visit, STALE, 401)
    found = _owner(visit, half)
    with visit.workspace.database.begin() as connection:
        wrong = _confirm(connection, visit, found, half.key, half.pending)
        recovery = [] if wrong else factors.spend_activation(connection, found.id)
        if not (wrong or recovery):  # someone else finished in this instant: the factor is not kept
            raise AbsentError
    if wrong:
        return _second(visit, half, wrong, 400)
    shown = visit.page("recovery.html.jinja", codes=recovery, opened=True)
    return opening.open_to(visit, found, counting.second(visit, found)[:1], shown, half)


def _confirm(connection: Connection, visit: Visit, found: Account, owner: str, pending: bytes) -> Text | None:
    """Keep the passkey or the app that the form confirms; what is wrong with it, or None."""
    if visit.given("credential"):
        return None if opening.made(connection, visit, found, owner) else WRONG_PASSKEY
    step = codes.step_of(opening.secret_of(visit, found, pending), visit.given("code"), visit.now)
    if step is None:
        return WRONG_CODE
    factors.set_totp(connection, found.id, pending, step)
    return None


def _form(visit: Visit, fault: Text | None = None, status: int = 200) -> Response:
    return visit.page("activate.html.jinja", status, fault=fault, name=visit.given("name"))


def _second(visit: Visit, half: Half, fault: Text | None = None, status: int = 200) -> Response:
    found = _owner(visit, half)
    assert half.pending is not None  # noqa: S101 - it is kept with the password
    secret = opening.secret_of(visit, found, half.pending)
    picture, letters = codes.picture(secret, found.name), codes.spelled(secret)
    options = opening.asked_new(visit, found, half.key)
    return visit.page("app.html.jinja", status, picture=picture, letters=letters, options=options, fault=fault, path="/activate/second", opening=True)  # fmt: skip


def _owner(visit: Visit, half: Half) -> Account:
    with visit.workspace.database.read() as connection:
        found = accounts.by_id(connection, half.account)
    if found is None or found.disabled:
        raise AbsentError
    return found


WAYS = (
    Way("activate", "/activate", ask, public=True),
    Way("activate.check", "/activate", check, method="POST", public=True, per_minute=TRIES_A_MINUTE),
    Way("activate.second", "/activate/second", ask_second, public=True),
    Way(
        "activate.second.check", "/activate/second", check_second, method="POST", public=True, per_minute=TRIES_A_MINUTE
    ),
)
