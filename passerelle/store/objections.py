"""Persons who are left out of extracts, as keyed tags: who objected (GDPR art. 21) or was erased (art. 17). Never an identifier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
)

from passerelle.clock import iso
from passerelle.store.tables import metadata
from passerelle.trail import commitment

Ground = Literal["objection", "erasure"]
TAG_BYTES: Final = 16

# The tag is AES-CMAC(index key of the convention, scheme:normalised identifier), as in the person index.
objection = Table(
    "objection",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80)),  # null: every exchange of the convention
    Column("scheme", String(40), nullable=False),
    Column("tag", LargeBinary(TAG_BYTES), nullable=False),
    Column("ground", String(20), nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("recorded_at", String(20), nullable=False),
    CheckConstraint("ground in ('objection','erasure')", name="ck_objection_ground"),
    Index("ix_objection_convention", "convention"),
)


@dataclass(frozen=True, slots=True)
class Objection:
    """One person left out, under one scheme; ``exchange`` None: of the whole convention."""

    id: str
    convention: str
    exchange: str | None
    scheme: str
    tag: bytes
    ground: str
    recorded_by: str
    recorded_at: str

    @property
    def commitment(self) -> str:
        """What the trail tells of the tag, without telling it: the tag is the salt (docs/spec/trail.md)."""
        return commitment(self.tag, self.id.encode())


def record(
    connection: Connection,
    convention: str,
    scheme: str,
    tag: bytes,
    *,
    by: str,
    at: datetime,
    exchange: str | None = None,
    ground: Ground = "objection",
) -> tuple[str, bool]:
    """Leave a person out; gives the id, and whether it is new: the same again changes nothing."""
    same = select(objection.c.id).where(
        objection.c.convention == convention,
        objection.c.exchange.is_(None) if exchange is None else objection.c.exchange == exchange,
        objection.c.scheme == scheme,
        objection.c.tag == tag,
        objection.c.ground == ground,
    )
    known = connection.scalar(same)
    if known is not None:
        return str(known), False
    values = {"convention": convention, "exchange": exchange, "scheme": scheme, "tag": tag, "ground": ground}
    new = f"o-{uuid4().hex[:16]}"
    connection.execute(insert(objection).values(id=new, **values, recorded_by=by, recorded_at=iso(at)))
    return new, True


def find(connection: Connection, objection_id: str) -> Objection | None:
    """The objection of that id, if it stands."""
    row = connection.execute(select(objection).where(objection.c.id == objection_id)).one_or_none()
    return None if row is None else Objection(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public spelling


def withdraw(connection: Connection, objection_id: str) -> None:
    """Take an objection back: its tag goes; the trail keeps that there was one."""
    connection.execute(delete(objection).where(objection.c.id == objection_id))


def standing(connection: Connection, convention: str | None = None, exchange: str | None = None) -> list[Objection]:
    """The objections that stand, oldest first; of one convention; those that bear on one of its exchanges."""
    query = select(objection).order_by(objection.c.recorded_at, objection.c.id)
    if convention is not None:
        query = query.where(objection.c.convention == convention)
    if exchange is not None:
        query = query.where(or_(objection.c.exchange.is_(None), objection.c.exchange == exchange))
    return [Objection(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above


def clear(connection: Connection, convention: str) -> None:
    """Remove the objections of a convention that is purged: nothing of it leaves any more."""
    connection.execute(delete(objection).where(objection.c.convention == convention))
