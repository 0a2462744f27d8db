"""Tokens by which a partner's programs reach the API: kept as hashes, with scopes, an end and an owner (RFC 6750)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Column, Connection, ForeignKey, Index, Row, String, Table, delete, func, insert, select, update

from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.store.tables import metadata

Scope = Literal["read", "send", "open"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
LONGEST = timedelta(days=90)
LONGEST_NAME = 40
MOST = 10  # tokens of one account
USED_STEP = timedelta(minutes=1)  # how exactly the last use is kept
PREFIX = "passerelle_"  # so that a token that was published by mistake is found as such

api_token = Table(
    "api_token",
    metadata,
    Column("id", String(32), primary_key=True),  # random: names the token, opens nothing
    Column("account", String(32), ForeignKey("account.id"), nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("scopes", String(40), nullable=False),  # words, a space between
    Column("made_at", String(20), nullable=False),
    Column("expires_at", String(20), nullable=False),
    Column("used_at", String(20)),
    Index("ix_api_token_account", "account"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner is shown it."""

    id: str
    account: str
    name: str
    scopes: frozenset[str]
    made_at: str
    expires_at: str
    used_at: str | None

    def is_open(self, at: datetime) -> bool:
        """Whether it opens the API at an instant."""
        return datetime.fromisoformat(self.made_at) <= at < datetime.fromisoformat(self.expires_at)


def make(
    connection: Connection, account: str, name: str, scopes: Collection[str], life: timedelta, *, at: datetime
) -> tuple[Token, str]:
    """A new token and its secret, which is told once and never kept.

    Raises:
        UsageError: no name, no scope or one that there is not, no life or more than ``LONGEST``.
        RefusedError: the account has as many as it may.
    """
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise UsageError(
            f"expected a name of 1 to {LONGEST_NAME} characters", fr=f"le nom a de 1 à {LONGEST_NAME} caractères"
        )
    if not scopes or not set(scopes) <= set(SCOPES):
        raise UsageError(f"expected scopes of {', '.join(SCOPES)}", fr=f"il faut des droits parmi {', '.join(SCOPES)}")
    if not timedelta() < life <= LONGEST:
        raise UsageError(f"a token lives 1 to {LONGEST.days} days", fr=f"un jeton vit de 1 à {LONGEST.days} jours")
    connection.execute(delete(api_token).where(api_token.c.account == account, api_token.c.expires_at <= iso(at)))
    if (connection.scalar(select(func.count()).where(api_token.c.account == account)) or 0) >= MOST:
        raise RefusedError(
            f"an account has at most {MOST} tokens",
            hint="end one that is used no longer",
            fr=f"un compte a au plus {MOST} jetons",
            hint_fr="mettez fin à l'un de ceux qui ne servent plus",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    ordered = " ".join(scope for scope in SCOPES if scope in scopes)
    row = {
        "id": secrets.token_hex(16), "account": account, "name": name, "token_sha256": _hash(secret), "scopes": ordered,
        "made_at": iso(at), "expires_at": iso(at + life),
    }  # fmt: skip
    connection.execute(insert(api_token).values(**row))
    return next(one for one in of(connection, account) if one.id == row["id"]), secret


def of(connection: Connection, account: str) -> list[Token]:
    """The tokens of an account, the latest first; those that ran out among them, until another is made."""
    query = select(api_token).where(api_token.c.account == account)
    return [_token(row) for row in connection.execute(query.order_by(api_token.c.made_at.desc(), api_token.c.id))]


def find(connection: Connection, secret: str) -> Token | None:
    """The token whose secret this is, open or run out; None where there is none."""
    row = connection.execute(select(api_token).where(api_token.c.token_sha256 == _hash(secret))).one_or_none()
    return None if row is None else _token(row)


def is_stale(token: Token, at: datetime) -> bool:
    """Whether the last use that is kept is so old that this one must be."""
    return token.used_at is None or at >= datetime.fromisoformat(token.used_at) + USED_STEP


def used(connection: Connection, which: str, *, at: datetime) -> None:
    """Keep when a token was last used."""
    connection.execute(update(api_token).where(api_token.c.id == which).values(used_at=iso(at)))


def end(connection: Connection, account: str, which: str) -> bool:
    """End a token of an account; whether there was one."""
    query = delete(api_token).where(api_token.c.account == account, api_token.c.id == which)
    return connection.execute(query).rowcount == 1


def end_all(connection: Connection, account: str) -> None:
    """End every token of an account: it was closed, reset, or works for another party."""
    connection.execute(delete(api_token).where(api_token.c.account == account))


def _token(row: Row[Any]) -> Token:
    scopes = frozenset(row.scopes.split())
    return Token(row.id, row.account, row.name, scopes, row.made_at, row.expires_at, row.used_at)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
