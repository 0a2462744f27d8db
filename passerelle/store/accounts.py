"""Accounts of those who sign in to the portal, and their sessions. Codes and tokens are kept as hashes only.

An account is a person's, has one role, and a party when the role is partner. A session is bound to the account and to the kind of
browser that opened it; its token is 256 random bits that the database does not hold.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.store import api_tokens
from passerelle.store.partners import find, person
from passerelle.store.tables import metadata

Role = Literal["partner", "dpo", "engineer", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

IDLE = timedelta(minutes=30)  # a session that nobody uses
LONGEST = timedelta(
    hours=8
)  # a session, used or not (NIST SP 800-63B-4 section 2.2.3: AAL2, at most 24 hours and 1 hour idle)
LAST_SEEN_STEP = timedelta(minutes=1)  # how exactly the last use is kept: a page view need not write
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
MACHINES = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,78}[^\s\x00-\x1f\x7f])?")

account = Table(
    "account",
    metadata,
    Column("id", String(32), primary_key=True),  # random: tells nothing, cannot be guessed
    Column("name", String(80), nullable=False, unique=True),  # as it is compared (partners.person)
    Column("shown", String(80), nullable=False),
    Column("role", String(20), nullable=False),
    Column("party", String(64), ForeignKey("partner.id")),
    Column("added_by", String(80), nullable=False),
    Column("added_at", String(20), nullable=False),
    Column("disabled_at", String(20)),
    CheckConstraint("role in ('partner','dpo','engineer','administrator')", name="ck_account_role"),
    CheckConstraint("(role = 'partner') = (party is not null)", name="ck_account_party"),
)

session = Table(
    "session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account", String(32), ForeignKey("account.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("browser_sha256", String(64), nullable=False),
    Column("place", String(40), nullable=False),  # the kind of browser in words, for its owner; no address
    Column("opened_at", String(20), nullable=False),
    Column("seen_at", String(20), nullable=False),
    Column("proved_at", String(20), nullable=False),  # when the second factor was last given
    Column("lang", String(2)),
    Column("notice", Text),  # one sentence for the next page
    Index("ix_session_account", "account"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One person who signs in; ``party`` is whom a partner's account works for."""

    id: str
    name: str
    role: Role
    party: str | None
    disabled: bool


@dataclass(frozen=True, slots=True)
class Session:
    """An open session and whose it is; ``key`` names it in the database and opens nothing."""

    key: str
    account: Account
    csrf: str
    opened_at: datetime
    proved_at: datetime
    lang: str | None
    notice: bool  # whether a sentence waits for the next page


@dataclass(frozen=True, slots=True)
class Place:
    """Where and since when someone is signed in, as its owner is shown; ``key`` names the session and opens nothing."""

    key: str
    place: str
    opened_at: str
    seen_at: str


def add(connection: Connection, name: str, role: str, party: str | None, *, by: str, at: datetime) -> Account:
    """Add an account.

    Raises:
        UsageError: no name, an unknown role, a partner's account without a known party, or a party for another role.
        RefusedError: an account of that name exists.
    """
    _insist_role(connection, role, party)
    if not NAME.fullmatch(name):
        raise UsageError("expected a name of 1 to 80 characters", fr="le nom a de 1 à 80 caractères")
    if by_name(connection, name) is not None:
        raise RefusedError(
            "an account of that name exists",
            hint="passerelle account list shows the accounts",
            fr="un compte porte déjà ce nom",
            hint_fr="passerelle account list montre les comptes",
        )
    made = secrets.token_hex(16)
    connection.execute(
        insert(account).values(
            id=made, name=person(name), shown=name, role=role, party=party, added_by=by, added_at=iso(at)
        )
    )
    found = by_id(connection, made)
    assert found is not None  # noqa: S101 - it was inserted above
    return found


def by_id(connection: Connection, which: str) -> Account | None:
    """The account of that id, or None."""
    row = connection.execute(select(account).where(account.c.id == which)).one_or_none()
    return None if row is None else _account(row)


def by_name(connection: Connection, name: str) -> Account | None:
    """The account of that name, whatever its case and spaces, or None."""
    row = connection.execute(select(account).where(account.c.name == person(name))).one_or_none()
    return None if row is None else _account(row)


def accounts(connection: Connection) -> list[Account]:
    """Every account, by name."""
    return [_account(row) for row in connection.execute(select(account).order_by(account.c.name))]


def search(connection: Connection, *, name: str = "", role: str = "", after: str = "", limit: int) -> list[Account]:
    """Accounts by name, those after the name ``after``; whose name has ``name`` in it, and of one role."""
    query = select(account).where(account.c.name > person(after)).order_by(account.c.name).limit(limit)
    if name:
        query = query.where(account.c.name.contains(person(name), autoescape=True))
    if role:
        query = query.where(account.c.role == role)
    return [_account(row) for row in connection.execute(query)]


def change(connection: Connection, which: str, role: str, party: str | None) -> None:
    """Give an account another role; its sessions end.

    Raises:
        UsageError: an unknown role, a partner's account without a known party, or a party for another role.
    """
    _insist_role(connection, role, party)
    connection.execute(update(account).where(account.c.id == which).values(role=role, party=party))
    close_all(connection, which)


def disable(connection: Connection, which: str, *, at: datetime) -> None:
    """Let an account sign in no more, and end its sessions and tokens; once more changes nothing."""
    query = update(account).where(account.c.id == which, account.c.disabled_at.is_(None))
    connection.execute(query.values(disabled_at=iso(at)))
    close_all(connection, which)


def open_session(connection: Connection, which: Account, *, browser: str, at: datetime) -> str:
    """Open a session, after the second factor; its token, which is told once and never kept."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(session).values(
            token_sha256=_hash(token),
            account=which.id,
            csrf=secrets.token_urlsafe(32),
            browser_sha256=_hash(browser),
            place=_place(browser),
            opened_at=iso(at),
            seen_at=iso(at),
            proved_at=iso(at),
        )
    )
    return token


def session_of(connection: Connection, token: str, *, browser: str, at: datetime) -> Session | None:
    """The session of ``token`` when it is open: not idle, not too old, of this browser, of an account that may sign in."""
    query = select(session, account).join(account, account.c.id == session.c.account)
    row = connection.execute(query.where(session.c.token_sha256 == _hash(token))).one_or_none()
    if row is None or row.disabled_at is not None or not hmac.compare_digest(row.browser_sha256, _hash(browser)):
        return None
    opened, seen = datetime.fromisoformat(row.opened_at), datetime.fromisoformat(row.seen_at)
    if not (opened <= at < opened + LONGEST and at < seen + IDLE):
        return None
    proved = datetime.fromisoformat(row.proved_at)
    waits = row.notice is not None
    return Session(row.token_sha256, _account(row), row.csrf, opened, proved, row.lang, waits)


def sessions(connection: Connection, which: str, *, at: datetime) -> list[Place]:
    """Where an account is signed in, the latest first."""
    query = select(session).where(session.c.account == which, session.c.opened_at > iso(at - LONGEST))
    found = connection.execute(query.where(session.c.seen_at > iso(at - IDLE)).order_by(session.c.opened_at.desc()))
    return [Place(row.token_sha256, row.place, row.opened_at, row.seen_at) for row in found]


def renew(connection: Connection, key: str, *, at: datetime) -> str:
    """A new token in place of the old one, for a session whose second factor was given again (OWASP, session management)."""
    token = secrets.token_urlsafe(32)
    values = {"token_sha256": _hash(token), "proved_at": iso(at), "seen_at": iso(at)}
    connection.execute(update(session).where(session.c.token_sha256 == key).values(**values))
    return token


def is_stale(connection: Connection, key: str, at: datetime) -> bool:
    """Whether the last use that is kept is so old that this one must be."""
    seen = connection.scalar(select(session.c.seen_at).where(session.c.token_sha256 == key))
    return seen is not None and at >= datetime.fromisoformat(seen) + LAST_SEEN_STEP


def seen(connection: Connection, key: str, *, at: datetime) -> None:
    """Keep when a session was last used."""
    connection.execute(update(session).where(session.c.token_sha256 == key).values(seen_at=iso(at)))


def speak(connection: Connection, key: str, lang: str) -> None:
    """Keep the language of a session."""
    connection.execute(update(session).where(session.c.token_sha256 == key).values(lang=lang))


def close_session(connection: Connection, key: str) -> None:
    """End a session."""
    connection.execute(delete(session).where(session.c.token_sha256 == key))


def close_all(connection: Connection, which: str) -> None:
    """End every session and every token of an account: it was closed or reset, or its role or its party changed."""
    connection.execute(delete(session).where(session.c.account == which))
    api_tokens.end_all(connection, which)


def close_others(connection: Connection, which: str, *, but: str) -> int:
    """End the sessions of an account other than the one that is named ``but``; how many."""
    others = (session.c.account == which) & (session.c.token_sha256 != but)
    return connection.execute(delete(session).where(others)).rowcount


def sweep(connection: Connection, *, at: datetime) -> None:
    """Forget the sessions that are over."""
    over = (session.c.opened_at <= iso(at - LONGEST)) | (session.c.seen_at <= iso(at - IDLE))
    connection.execute(delete(session).where(over))


def notice(connection: Connection, key: str, text: str) -> None:
    """Keep one sentence for the next page of a session."""
    connection.execute(update(session).where(session.c.token_sha256 == key).values(notice=text))


def take_notice(connection: Connection, key: str) -> str | None:
    """The sentence that waits for the next page of a session, once."""
    text = connection.scalar(select(session.c.notice).where(session.c.token_sha256 == key))
    if text is not None:
        connection.execute(update(session).where(session.c.token_sha256 == key).values(notice=None))
    return text


def _account(row: Row[tuple[object, ...]]) -> Account:
    one = row._mapping  # noqa: SLF001 - SQLAlchemy's public spelling
    return Account(one[account.c.id], one[account.c.shown], one[account.c.role], one[account.c.party], one[account.c.disabled_at] is not None)  # fmt: skip


def _insist_role(connection: Connection, role: str, party: str | None) -> None:
    if role not in ROLES:
        raise UsageError(
            f"expected one of the roles {', '.join(ROLES)}",
            fr=f"le rôle est l'un de {', '.join(ROLES)}",
        )
    if (role == "partner") != (party is not None) or (party is not None and find(connection, party) is None):
        raise UsageError(
            "a partner's account, and no other, works for a party that is known",
            hint="passerelle partner list shows the parties",
            fr="un compte de partenaire, et lui seul, travaille pour une partie inscrite",
            hint_fr="passerelle partner list montre les parties",
        )


def _place(browser: str) -> str:
    """The kind of browser and of machine, from a closed list of words."""
    kind = next((name for mark, name in BROWSERS if mark in browser), "?")
    machine = next((name for mark, name in MACHINES if mark in browser), "?")
    return f"{kind}, {machine}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
