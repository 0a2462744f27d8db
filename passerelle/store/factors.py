"""What an account proves itself with: a password's hash, a one-time-code secret (wrapped), recovery codes (hashes).

Also what stands between the two factors. Nothing here opens anything by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import (  # fmt: skip
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from passerelle.clock import iso
from passerelle.store import attempts, passkeys
from passerelle.store.tables import metadata

Purpose = Literal["sign-in", "activate"]

ACTIVATION_LIFE = timedelta(hours=72)
HALF_LIFE = timedelta(minutes=5)  # between the first factor and the second
RECOVERY_CODES = 10

factor = Table(
    "factor",
    metadata,
    Column("account", String(32), ForeignKey("account.id"), primary_key=True),
    Column("password", Text),  # PHC string, Argon2id
    Column("totp", LargeBinary),  # wrapped under the portal's key
    Column("totp_step", Integer),  # the last step whose code was taken (RFC 6238 section 5.2: once only)
    Column("activation_sha256", String(64)),
    Column("activation_until", String(20)),
)
recovery = Table(
    "recovery",
    metadata,
    Column("account", String(32), ForeignKey("account.id"), primary_key=True),
    Column("code_sha256", String(64), primary_key=True),
)
half_session = Table(
    "half_session",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account", String(32), ForeignKey("account.id"), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("browser_sha256", String(64), nullable=False),
    Column("opened_at", String(20), nullable=False),
    Column("pending", LargeBinary),  # a wrapped secret not confirmed yet
)


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has; ``password`` is a PHC string, ``totp`` a wrapped secret."""

    password: str | None = None
    totp: bytes | None = None
    totp_step: int | None = None


@dataclass(frozen=True, slots=True)
class Half:
    """Someone who gave one factor; ``key`` names the row and opens nothing."""

    key: str
    account: str
    purpose: Purpose
    pending: bytes | None


def of(connection: Connection, account: str) -> Factors:
    """The factors of an account; none for an account that has none, or that does not exist."""
    row = connection.execute(select(factor).where(factor.c.account == account)).one_or_none()
    return Factors() if row is None else Factors(row.password, row.totp, row.totp_step)


def invite(connection: Connection, account: str, *, at: datetime) -> str:
    """Forget every factor of an account; the code with which its owner sets new ones, told once and kept as a hash."""
    code = secrets.token_hex(10)
    passkeys.forget(connection, account)
    attempts.forget(connection, account)
    for table in (factor, recovery, half_session):
        connection.execute(delete(table).where(table.c.account == account))
    values = {"activation_sha256": _hash(code), "activation_until": iso(at + ACTIVATION_LIFE)}
    connection.execute(insert(factor).values(account=account, **values))
    return code


def invited(connection: Connection, account: str, code: str, *, at: datetime) -> bool:
    """Whether ``code`` is the account's activation code, still good."""
    row = connection.execute(select(factor).where(factor.c.account == account)).one_or_none()
    kept = "" if row is None or row.activation_sha256 is None else row.activation_sha256
    good = hmac.compare_digest(kept, _hash("".join(code.split()).lower()))
    return good and row is not None and iso(at) < row.activation_until


def set_password(connection: Connection, account: str, password: str) -> None:
    """Keep a password's PHC string; the activation code is spent with the second factor, not before."""
    connection.execute(update(factor).where(factor.c.account == account).values(password=password))


def set_totp(connection: Connection, account: str, wrapped: bytes, step: int) -> None:
    """Keep the secret of one-time codes, whose code of ``step`` was taken."""
    connection.execute(update(factor).where(factor.c.account == account).values(totp=wrapped, totp_step=step))


def remove_totp(connection: Connection, account: str) -> None:
    """Take one-time codes no more."""
    connection.execute(update(factor).where(factor.c.account == account).values(totp=None, totp_step=None))


def spend_activation(connection: Connection, account: str) -> list[str]:
    """Let the activation code open nothing more, nor what was begun with it, once a second factor is there; recovery codes, told once.

    None of them when it was spent before: what was done under it MUST then be undone.
    """
    values = {"activation_sha256": None, "activation_until": None}
    which = (factor.c.account == account) & factor.c.activation_sha256.is_not(None)
    if connection.execute(update(factor).where(which).values(**values)).rowcount == 0:
        return []
    begun = (half_session.c.account == account) & (half_session.c.purpose == "activate")
    connection.execute(delete(half_session).where(begun))
    return renew_recovery(connection, account)


def renew_recovery(connection: Connection, account: str) -> list[str]:
    """New recovery codes in place of the old ones, told once."""
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
    connection.execute(delete(recovery).where(recovery.c.account == account))
    connection.execute(insert(recovery), [{"account": account, "code_sha256": _hash(code)} for code in codes])
    return codes


def take_step(connection: Connection, account: str, step: int) -> bool:
    """Spend one step of one-time codes: False when it, or a later one, was spent (RFC 6238 section 5.2)."""
    later = (factor.c.totp_step.is_(None)) | (factor.c.totp_step < step)
    done = connection.execute(update(factor).where(factor.c.account == account, later).values(totp_step=step))
    return done.rowcount == 1


def take_recovery(connection: Connection, account: str, code: str) -> bool:
    """Spend a recovery code: False when it is none, or was spent."""
    which = (recovery.c.account == account) & (recovery.c.code_sha256 == _hash(code.strip().lower()))
    return connection.execute(delete(recovery).where(which)).rowcount == 1


def recovery_left(connection: Connection, account: str) -> int:
    """How many recovery codes an account still has."""
    return len(connection.execute(select(recovery.c.code_sha256).where(recovery.c.account == account)).all())


def open_half(connection: Connection, account: str, purpose: Purpose, *, browser: str, at: datetime) -> str:
    """Note that the first factor was given; a token, told once, that the second one is given with."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(half_session).values(
            token_sha256=_hash(token),
            account=account,
            purpose=purpose,
            browser_sha256=_hash(browser),
            opened_at=iso(at),
        )
    )
    return token


def half_of(connection: Connection, token: str, *, browser: str, at: datetime) -> Half | None:
    """Who gave the first factor a moment ago with this browser, or None."""
    row = connection.execute(select(half_session).where(half_session.c.token_sha256 == _hash(token))).one_or_none()
    if row is None or not hmac.compare_digest(row.browser_sha256, _hash(browser)):
        return None
    opened = datetime.fromisoformat(row.opened_at)
    return Half(row.token_sha256, row.account, row.purpose, row.pending) if opened <= at < opened + HALF_LIFE else None


def keep_pending(connection: Connection, key: str, pending: bytes) -> None:
    """Keep what the second step goes on with."""
    connection.execute(update(half_session).where(half_session.c.token_sha256 == key).values(pending=pending))


def close_half(connection: Connection, key: str) -> None:
    """The second factor was given: the token between is spent."""
    connection.execute(delete(half_session).where(half_session.c.token_sha256 == key))


def sweep(connection: Connection, *, at: datetime) -> None:
    """Forget what stood between two factors and was left."""
    connection.execute(delete(half_session).where(half_session.c.opened_at <= iso(at - HALF_LIFE)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
