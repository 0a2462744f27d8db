"""How often someone failed to prove who they are, and which browsers an account was opened with before.

Waits double with each failure. An account is never closed by failures: whoever signed in with a browser before is counted apart
from strangers who try the account's name (OWASP, "Blocking Brute Force Attacks", device cookies).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, String, Table, delete, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import metadata

FORGOTTEN = timedelta(hours=24)  # a failure counts no more
KNOWN = timedelta(days=30)  # a browser that was not used is known no more

attempt = Table(
    "attempt",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", String(20), nullable=False),
    Index("ix_attempt_last_at", "last_at"),
)
known_browser = Table(
    "known_browser",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("account", String(32), ForeignKey("account.id"), nullable=False),
    Column("last_at", String(20), nullable=False),
    Index("ix_known_browser_account", "account"),
)


@dataclass(frozen=True, slots=True)
class Count:
    """Under what a failure is counted, how many cost nothing, and the longest wait."""

    key: str
    free: int
    longest: timedelta


def wait(connection: Connection, counts: Sequence[Count], *, at: datetime) -> timedelta:
    """How long whoever tries has still to wait; zero or less when they need not."""
    longest = timedelta(0)
    limits = {_hash(one.key): one for one in counts}
    for row in connection.execute(select(attempt).where(attempt.c.key_sha256.in_(limits)).with_for_update()):
        limit = limits[row.key_sha256]
        over = row.failures - limit.free
        if over > 0:
            pause = min(timedelta(seconds=2 ** min(over, 16)), limit.longest)
            longest = max(longest, datetime.fromisoformat(row.last_at) + pause - at)
    return longest


def take(connection: Connection, counts: Sequence[Count], *, at: datetime) -> timedelta:
    """Count a try before it is judged, unless it has to wait; how long. Of tries that come at once none passes uncounted."""
    left = wait(connection, counts, at=at)
    if left <= timedelta(0):
        failed(connection, counts, at=at)
    return left


def failed(connection: Connection, counts: Sequence[Count], *, at: datetime) -> None:
    """Count a failure under each of ``counts``; old ones are forgotten."""
    connection.execute(delete(attempt).where(attempt.c.last_at < iso(at - FORGOTTEN)))
    for key in (_hash(one.key) for one in counts):
        more = attempt.c.key_sha256 == key
        values = {"failures": attempt.c.failures + 1, "last_at": iso(at)}
        if connection.execute(update(attempt).where(more).values(**values)).rowcount == 0:
            connection.execute(insert(attempt).values(key_sha256=key, failures=1, last_at=iso(at)))


def succeeded(connection: Connection, counts: Sequence[Count]) -> None:
    """Forget the failures under the first of ``counts``, and what this try counted under the others."""
    own, *shared = [_hash(one.key) for one in counts] or [""]
    connection.execute(delete(attempt).where(attempt.c.key_sha256 == own))
    counted = attempt.c.key_sha256.in_(shared) & (attempt.c.failures > 0)
    connection.execute(update(attempt).where(counted).values(failures=attempt.c.failures - 1))


def know(connection: Connection, account: str, *, at: datetime) -> str:
    """Know a browser with which an account was opened; its token, told once and kept as a hash."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(known_browser).where(known_browser.c.last_at < iso(at - KNOWN)))
    connection.execute(insert(known_browser).values(token_sha256=_hash(token), account=account, last_at=iso(at)))
    return token


def knows(connection: Connection, account: str, token: str, *, at: datetime) -> bool:
    """Whether ``token`` is of a browser with which the account was opened."""
    which = (known_browser.c.token_sha256 == _hash(token)) & (known_browser.c.account == account)
    return connection.scalar(select(known_browser.c.last_at).where(which, known_browser.c.last_at >= iso(at - KNOWN))) is not None  # fmt: skip


def forget(connection: Connection, account: str) -> None:
    """Know no browser of an account any more."""
    connection.execute(delete(known_browser).where(known_browser.c.account == account))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
