"""Requests to attest a destruction, what was told of each to its party, and the attestations that came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    insert,
    select,
    update,
)

from passerelle.clock import iso
from passerelle.store.tables import metadata

attestation_request = Table(
    "attestation_request",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("party", String(80), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("cause_id", String(80), nullable=False),  # the purge, or the parcel that came in the place of others
    Column("asked_at", String(20), nullable=False),
    Column("due", String(10), nullable=False),
    Column("line", LargeBinary, nullable=False),  # what the request says: parcels and dates, canonical JSON
    Index("uq_attestation_request", "convention", "party", "cause", "cause_id", unique=True),
)

attestation_notice = Table(
    "attestation_notice",
    metadata,
    Column("request", String(40), ForeignKey("attestation_request.id"), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("made_at", String(20), nullable=False),
    Column("told_at", String(20)),  # once it lies in the party's folder
)

attestation = Table(
    "attestation",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of the file
    Column("request", String(40), ForeignKey("attestation_request.id"), nullable=False),
    Column("party", String(80), nullable=False),
    Column("fingerprint", String(80), nullable=False),
    Column("complete", Boolean, nullable=False),  # alone: it names every parcel of its request
    Column("signed_at", String(20), nullable=False),
    Column("recorded_at", String(20), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_attestation_request", "request"),
)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request; ``line`` has its parcels."""

    id: str
    convention: str
    party: str
    cause: str
    cause_id: str
    asked_at: str
    due: str
    line: bytes


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One thing told of a request: at ``made_at``, and in the party's folder since ``told_at``."""

    request: str
    stage: str
    made_at: str
    told_at: str | None


@dataclass(frozen=True, slots=True)
class AttestationRow:
    """One attestation that was verified; ``body`` is its file."""

    sha256: str
    request: str
    party: str
    fingerprint: str
    complete: bool
    signed_at: str
    recorded_at: str
    body: bytes


def ask(connection: Connection, row: RequestRow) -> None:
    """Keep a request."""
    connection.execute(
        insert(attestation_request).values(**{name: getattr(row, name) for name in RequestRow.__slots__})
    )


def requests(connection: Connection, **where: str) -> list[RequestRow]:
    """Requests whose columns equal ``where``, oldest first."""
    query = select(attestation_request).order_by(attestation_request.c.asked_at, attestation_request.c.id)
    for name, value in where.items():
        query = query.where(attestation_request.c[name] == value)
    return [RequestRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling


def tell(connection: Connection, request: str, stage: str, *, at: datetime) -> None:
    """Note that a notice is about to be written."""
    connection.execute(insert(attestation_notice).values(request=request, stage=stage, made_at=iso(at)))


def told(connection: Connection, request: str, stage: str, *, at: datetime) -> None:
    """Note that a notice lies in its party's folder."""
    c = attestation_notice.c
    query = update(attestation_notice).where(c.request == request, c.stage == stage, c.told_at.is_(None))
    connection.execute(query.values(told_at=iso(at)))


def notices(connection: Connection, **where: str) -> list[NoticeRow]:
    """What was told, whose columns equal ``where``, oldest first."""
    query = select(attestation_notice).order_by(attestation_notice.c.made_at, attestation_notice.c.request)
    for name, value in where.items():
        query = query.where(attestation_notice.c[name] == value)
    return [NoticeRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above


def keep(connection: Connection, row: AttestationRow) -> bool:
    """Keep an attestation; False when the same file was kept before."""
    if connection.scalar(select(attestation.c.sha256).where(attestation.c.sha256 == row.sha256)) is not None:
        return False
    connection.execute(insert(attestation).values(**{name: getattr(row, name) for name in AttestationRow.__slots__}))
    return True


def attestations(connection: Connection, **where: str) -> list[AttestationRow]:
    """Attestations whose columns equal ``where``, oldest first."""
    query = select(attestation).order_by(attestation.c.signed_at, attestation.c.sha256)
    for name, value in where.items():
        query = query.where(attestation.c[name] == value)
    return [AttestationRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above
