"""Requests of persons (GDPR art. 12) and notices to recipients (art. 19): numbers, days and answers, never who it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, Index, String, Table, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import metadata

Right = Literal["access", "rectification", "erasure", "restriction", "portability", "objection"]
RIGHTS: Final = ("access", "rectification", "erasure", "restriction", "portability", "objection")
Ground = Literal["erasure", "rectification", "restriction"]
GROUNDS: Final = ("erasure", "rectification", "restriction")

person_request = Table(
    "person_request",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("right", String(20), nullable=False),
    Column("convention", String(80)),  # null: the person named none
    Column("party", String(80)),  # whose processing it is about, where the person said
    Column("received_on", String(10), nullable=False),
    Column("due", String(10), nullable=False),
    Column("opened_at", String(20), nullable=False),
    Column("extended_for", String(40)),  # why: complexity or number (art. 12(3))
    Column("answered_at", String(20)),
    Column("answer", String(20)),
    CheckConstraint(
        "\"right\" in ('access','rectification','erasure','restriction','portability','objection')",
        name="ck_person_request_right",
    ),
)

recipient_notice = Table(
    "recipient_notice",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("ground", String(20), nullable=False),
    Column("cause", String(40), nullable=False),  # the objection or the request that it follows from
    Column("delivery", String(40), ForeignKey("delivery.id"), nullable=False),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("recipient", String(80), nullable=False),
    Column("made_at", String(20), nullable=False),
    Column("answered_at", String(20)),
    Column("answer", String(20)),
    CheckConstraint("ground in ('erasure','rectification','restriction')", name="ck_recipient_notice_ground"),
    Index("uq_recipient_notice", "cause", "ground", "delivery", unique=True),
)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request; ``due`` is the last day to answer it, ``answer`` what was answered."""

    id: str
    right: str
    convention: str | None
    party: str | None
    received_on: str
    due: str
    opened_at: str
    extended_for: str | None = None
    answered_at: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One recipient of one delivery that is to be told, and what it answered."""

    id: str
    ground: str
    cause: str
    delivery: str
    convention: str
    exchange: str
    recipient: str
    made_at: str
    answered_at: str | None = None
    answer: str | None = None


def new_id(letter: str) -> str:
    """A number that says nothing."""
    return f"{letter}-{uuid4().hex[:16]}"


def keep_request(connection: Connection, row: RequestRow) -> None:
    """Keep a request."""
    connection.execute(insert(person_request).values(**{name: getattr(row, name) for name in RequestRow.__slots__}))


def extend_request(connection: Connection, request: str, due: str, why: str) -> None:
    """Note a later day to answer by."""
    connection.execute(update(person_request).where(person_request.c.id == request).values(due=due, extended_for=why))


def close_request(connection: Connection, request: str, answer: str, *, at: datetime) -> None:
    """Note what was answered."""
    query = update(person_request).where(person_request.c.id == request)
    connection.execute(query.values(answer=answer, answered_at=iso(at)))


def requests(connection: Connection, **where: str) -> list[RequestRow]:
    """Requests whose columns equal ``where``, oldest first."""
    query = select(person_request).order_by(person_request.c.received_on, person_request.c.id)
    for name, value in where.items():
        query = query.where(person_request.c[name] == value)
    return [RequestRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling


def keep_notice(connection: Connection, row: NoticeRow) -> bool:
    """Keep a notice; False when that recipient was told of the same cause before."""
    known = select(recipient_notice.c.id).where(
        recipient_notice.c.cause == row.cause,
        recipient_notice.c.ground == row.ground,
        recipient_notice.c.delivery == row.delivery,
    )
    if connection.scalar(known) is not None:
        return False
    connection.execute(insert(recipient_notice).values(**{name: getattr(row, name) for name in NoticeRow.__slots__}))
    return True


def close_notice(connection: Connection, notice: str, answer: str, *, at: datetime) -> None:
    """Note what the recipient answered."""
    query = update(recipient_notice).where(recipient_notice.c.id == notice)
    connection.execute(query.values(answer=answer, answered_at=iso(at)))


def notices(connection: Connection, **where: str) -> list[NoticeRow]:
    """Notices whose columns equal ``where``, oldest first."""
    query = select(recipient_notice).order_by(recipient_notice.c.made_at, recipient_notice.c.id)
    for name, value in where.items():
        query = query.where(recipient_notice.c[name] == value)
    return [NoticeRow(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above
