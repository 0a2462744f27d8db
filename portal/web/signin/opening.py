"""What stands between the first factor and a session, and the session itself: tokens in cookies, hashes in the database."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.keys import wrapping
from passerelle.store import access, accounts, attempts, factors, passkeys
from passerelle.store.accounts import Account
from passerelle.store.attempts import Count
from passerelle.store.factors import Half, Purpose
from portal.web.guard import browser
from portal.web.pages.frame import within
from portal.web.signin import codes, counting
from portal.web.signin import passkeys as ceremony
from portal.web.visit import Visit


def half(visit: Visit, purpose: Purpose) -> Half | None:
    """Who gave the first factor a moment ago in this browser, for this purpose."""
    token = visit.request.cookies.get(_half_cookie(visit))
    if not token:
        return None
    with visit.workspace.database.read() as connection:
        found = factors.half_of(connection, token, browser=browser(visit.request), at=visit.now)
    return found if found is not None and found.purpose == purpose else None


def keep_half(visit: Visit, answer: Response, token: str) -> None:
    """Give the browser what the second factor is given with."""
    secure = visit.request.app.state.door.secure
    answer.set_cookie(_half_cookie(visit), token, httponly=True, secure=secure, samesite="strict", path="/")


def keep(visit: Visit, answer: Response, token: str) -> None:
    """Give the browser its session."""
    door = visit.request.app.state.door
    answer.set_cookie(door.cookie, token, httponly=True, secure=door.secure, samesite="lax", path="/")


def open_to(visit: Visit, found: Account, counts: tuple[Count, ...], answer: Response, spent: Half | None = None) -> Response:  # fmt: skip
    """Open the session of someone who proved who they are; another one in this browser ends (session fixation)."""
    with visit.workspace.database.begin() as connection:
        accounts.sweep(connection, at=visit.now)
        factors.sweep(connection, at=visit.now)
        attempts.succeeded(connection, counts)
        if spent is not None:
            factors.close_half(connection, spent.key)
        if visit.session is not None:
            accounts.close_session(connection, visit.session.key)
        token = accounts.open_session(connection, found, browser=browser(visit.request), at=visit.now)
        known = attempts.know(connection, found.id, at=visit.now)
        at = visit.now.replace(microsecond=0)
        access.log(connection, actor=found.name, action="signed_in", subject=found.role, at=at, partner=found.party)
    keep(visit, answer, token)
    secure, known_cookie = visit.request.app.state.door.secure, counting.known_cookie(visit)
    answer.delete_cookie(_half_cookie(visit), path="/", secure=secure, httponly=True)
    month = int(attempts.KNOWN.total_seconds())
    answer.set_cookie(known_cookie, known, month, httponly=True, secure=secure, samesite="strict", path="/")
    return answer


def proves(visit: Visit, found: Account, owner: str) -> bool:
    """Whether the form proves the second factor: a passkey, a one-time code not used before, or a recovery code; it is spent."""
    answer, code = visit.given("credential"), visit.given("code")
    with visit.workspace.database.begin() as connection:
        if answer:
            where = ceremony.place(visit.request)
            return where is not None and ceremony.prove(connection, where, found, answer, owner, at=visit.now)
        kept = factors.of(connection, found.id)
        step = None
        if kept.totp is not None:
            step = codes.step_of(secret_of(visit, found, kept.totp), code, visit.now)
        if step is not None:
            return factors.take_step(connection, found.id, step)
        return factors.take_recovery(connection, found.id, code)


def asked(visit: Visit, found: Account, owner: str) -> str | None:
    """What the browser is asked to prove a passkey with; None when the account has none, or none can be used here."""
    where = ceremony.place(visit.request)
    with visit.workspace.database.begin() as connection:
        kept = passkeys.of(connection, found.id)
        if where is None or not kept:
            return None
        return ceremony.to_get(where, kept, passkeys.ask(connection, owner, "get", at=visit.now))


def asked_new(visit: Visit, found: Account, owner: str) -> str | None:
    """What the browser is asked to make a passkey with; None where none can be used."""
    where = ceremony.place(visit.request)
    if where is None:
        return None
    with visit.workspace.database.begin() as connection:
        kept = passkeys.of(connection, found.id)
        return ceremony.to_create(where, found, kept, passkeys.ask(connection, owner, "create", at=visit.now))


def made(connection: Connection, visit: Visit, found: Account, owner: str) -> bool:
    """Whether the form brings a new passkey of the account; it is kept."""
    where = ceremony.place(visit.request)
    if where is None:
        return False
    name = visit.given("label") or "passkey"
    return ceremony.create(connection, where, found, visit.given("credential"), owner, name=name, at=visit.now)


def new_secret(visit: Visit, found: Account) -> bytes:
    """A new secret of one-time codes, wrapped for its account."""
    return wrapping.wrap(visit.workspace.keys.portal_key, codes.new_secret(), _context(found))


def secret_of(visit: Visit, found: Account, wrapped: bytes) -> bytes:
    """The secret of one-time codes of an account."""
    return wrapping.unwrap(visit.workspace.keys.portal_key, wrapped, _context(found))


def next_page(visit: Visit) -> str:
    """Where someone wanted to go: a page of ours, or the start."""
    return within(visit.given("next") or visit.asked("next") or "/")


def _half_cookie(visit: Visit) -> str:
    return str(visit.request.app.state.door.cookie) + "-half"


def _context(found: Account) -> str:
    return f"passerelle/totp/{found.id}"
