"""Passkeys of accounts (WebAuthn level 2), and the challenges that they answer: each once, for five minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import (  # fmt: skip
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from passerelle.clock import iso
from passerelle.store.tables import metadata

Ceremony = Literal["create", "get", "app"]
CHALLENGE_BYTES = 32  # WebAuthn level 2, section 13.4.3: at least 16
CHALLENGE_LIFE = timedelta(minutes=5)
MOST = 10  # passkeys of one account
LONGEST_NAME = 40

passkey = Table(
    "passkey",
    metadata,
    Column("credential", String(1400), primary_key=True),  # base64url, of at most 1023 bytes (section 6.5.1)
    Column("account", String(32), ForeignKey("account.id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("uses", Integer, nullable=False),  # the authenticator's counter; 0 where it has none
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("added_at", String(20), nullable=False),
    Index("ix_passkey_account", "account"),
)
challenge = Table(
    "challenge",
    metadata,
    Column("owner", String(64), primary_key=True),  # the key of a session, or of what stands between two factors
    Column("ceremony", String(10), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("made_at", String(20), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey; ``credential`` in base64url, ``public_key`` in COSE."""

    credential: str
    account: str
    public_key: bytes
    uses: int
    name: str
    added_at: str


def of(connection: Connection, account: str) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    query = select(passkey).where(passkey.c.account == account).order_by(passkey.c.added_at, passkey.c.credential)
    return [Passkey(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling


def add(connection: Connection, account: str, credential: str, public_key: bytes, uses: int, *, name: str, at: datetime) -> bool:  # fmt: skip
    """Keep a passkey: False when it is another account's, or one too many."""
    if connection.scalar(select(passkey.c.account).where(passkey.c.credential == credential)) is not None:
        return False
    if len(of(connection, account)) >= MOST:
        return False
    connection.execute(
        insert(passkey).values(
            credential=credential, account=account, public_key=public_key, uses=uses, name=name[:LONGEST_NAME], added_at=iso(at)
        )
    )  # fmt: skip
    return True


def count(connection: Connection, credential: str, *, before: int, now: int) -> bool:
    """Keep the counter of a passkey: False when someone else used it meanwhile (section 6.1.1: a clone, or a replay)."""
    same = (passkey.c.credential == credential) & (passkey.c.uses == before)
    return connection.execute(update(passkey).where(same).values(uses=now)).rowcount == 1


def remove(connection: Connection, account: str, credential: str) -> bool:
    """Take a passkey of an account no more: False when it has no such passkey."""
    which = (passkey.c.account == account) & (passkey.c.credential == credential)
    return connection.execute(delete(passkey).where(which)).rowcount == 1


def forget(connection: Connection, account: str) -> None:
    """Take no passkey of an account any more."""
    connection.execute(delete(passkey).where(passkey.c.account == account))


def ask(connection: Connection, owner: str, ceremony: Ceremony, *, at: datetime) -> bytes:
    """A challenge for a page; it replaces the one before."""
    return put(connection, owner, ceremony, secrets.token_bytes(CHALLENGE_BYTES), at=at)


def put(connection: Connection, owner: str, ceremony: Ceremony, value: bytes, *, at: datetime) -> bytes:
    """Keep what the answer to a page is held against, in place of what was kept before; ``value``."""
    connection.execute(delete(challenge).where(challenge.c.made_at <= iso(at - CHALLENGE_LIFE)))
    take(connection, owner, ceremony, at=at)
    connection.execute(insert(challenge).values(owner=owner, ceremony=ceremony, value=value, made_at=iso(at)))
    return value


def take(connection: Connection, owner: str, ceremony: Ceremony, *, at: datetime) -> bytes | None:
    """What was kept, once; None when there is none, or it is too old."""
    which = (challenge.c.owner == owner) & (challenge.c.ceremony == ceremony)
    row = connection.execute(select(challenge).where(which)).one_or_none()
    connection.execute(delete(challenge).where(which))
    return row.value if row is not None and at < datetime.fromisoformat(row.made_at) + CHALLENGE_LIFE else None
