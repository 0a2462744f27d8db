"""Who an identity provider says someone is, and sign-ins that are under way there: each state once, for ten minutes, in one browser."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Boolean, Column, Connection, ForeignKey, String, Table, Text, delete, insert, select

from passerelle.clock import iso
from passerelle.errors import RefusedError
from passerelle.store import accounts
from passerelle.store.accounts import Account
from passerelle.store.tables import metadata

JOURNEY_LIFE = timedelta(minutes=10)
ADDED_BY = "identity-provider"

identity = Table(
    "identity",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),  # OpenID Connect Core 1.0, section 2: at most 255
    Column("account", String(32), ForeignKey("account.id"), nullable=False, unique=True),
)
journey = Table(
    "journey",
    metadata,
    Column("state_sha256", String(64), primary_key=True),
    Column("browser_sha256", String(64), nullable=False),  # of a cookie made for this journey
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),  # RFC 7636
    Column("next", Text, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("made_at", String(20), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Journey:
    """A sign-in under way: ``state`` and ``browser`` are told once, and kept as hashes."""

    state: str
    browser: str
    nonce: str
    verifier: str
    next: str
    again: bool
    made_at: datetime


def depart(connection: Connection, following: str, *, again: bool, at: datetime) -> Journey:
    """Begin a sign-in at the provider, that goes on to the page ``following``."""
    state, browser, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    found = Journey(state, browser, nonce, secrets.token_urlsafe(48), following, again, at)
    connection.execute(delete(journey).where(journey.c.made_at <= iso(at - JOURNEY_LIFE)))
    connection.execute(
        insert(journey).values(
            state_sha256=_hash(state), browser_sha256=_hash(browser), nonce=nonce, verifier=found.verifier, next=following,
            again=again, made_at=iso(at),
        )
    )  # fmt: skip
    return found


def arrive(connection: Connection, state: str, browser: str, *, at: datetime) -> Journey | None:
    """The sign-in of that state, begun in this browser: once; None when there is none, or it is too old."""
    which = journey.c.state_sha256 == _hash(state)
    row = connection.execute(select(journey).where(which)).one_or_none()
    connection.execute(delete(journey).where(which))
    if row is None or not hmac.compare_digest(row.browser_sha256, _hash(browser)):
        return None
    made = datetime.fromisoformat(row.made_at)
    if not made <= at < made + JOURNEY_LIFE:
        return None
    return Journey(state, browser, row.nonce, row.verifier, row.next, row.again, made)


def settle(connection: Connection, issuer: str, subject: str, *, name: str, role: str, party: str | None, at: datetime) -> tuple[Account, bool]:  # fmt: skip
    """The account of that identity, made when it comes first, with the role and party of today; whether they changed.

    Raises:
        RefusedError: an account of that name is somebody else's.
        UsageError: the name, role or party is none that an account can have.
    """
    which = (identity.c.issuer == issuer) & (identity.c.subject == subject)
    known = connection.scalar(select(identity.c.account).where(which))
    if known is None:
        if accounts.by_name(connection, name) is not None:
            raise RefusedError(
                "an account of that name is somebody else's",
                hint="an administrator closes the other account, or the provider gives another name",
                fr="un compte porte déjà ce nom et appartient à quelqu'un d'autre",
                hint_fr="un administrateur ferme l'autre compte, ou le fournisseur donne un autre nom",
            )
        made = accounts.add(connection, name, role, party, by=ADDED_BY, at=at)
        connection.execute(insert(identity).values(issuer=issuer, subject=subject, account=made.id))
        return made, False
    found = accounts.by_id(connection, known)
    assert found is not None  # noqa: S101 - a foreign key
    if (found.role, found.party) == (role, party):
        return found, False
    accounts.change(connection, found.id, role, party)
    changed = accounts.by_id(connection, known)
    assert changed is not None  # noqa: S101 - as above
    return changed, True


def is_known(connection: Connection, account: str) -> bool:
    """Whether an account is one of the identity provider's."""
    return connection.scalar(select(identity.c.account).where(identity.c.account == account)) is not None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
