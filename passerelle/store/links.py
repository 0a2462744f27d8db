"""Deliveries sent again, and deliveries in the place of earlier ones (docs/spec/parcel.md, "Sent again, superseded")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from passerelle.clock import iso
from passerelle.store.link_tables import WAITING
from passerelle.store.link_tables import delivery_link as table
from passerelle.store.tables import delivery

Kind = Literal["resends", "supersedes"]


@dataclass(frozen=True, slots=True)
class Link:
    """``later`` resends or supersedes ``earlier``; ``closed_at`` and ``told_at`` are of a superseded one."""

    later: str
    earlier: str
    kind: Kind
    reason: str
    intent_at: str
    closed_at: str | None
    told_at: str | None


def link(connection: Connection, later: str, earlier: Iterable[str], kind: Kind, reason: str, *, at: datetime) -> None:
    """Note, with the intent of ``later``, what it resends or supersedes."""
    for one in earlier:
        connection.execute(insert(table).values(later=later, earlier=one, kind=kind, reason=reason, intent_at=iso(at)))


def links(connection: Connection, **where: str) -> list[Link]:
    """Links whose columns equal ``where``, oldest first."""
    query = select(table).order_by(table.c.intent_at, table.c.later, table.c.earlier)
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    return [Link(**{name: getattr(row, name) for name in Link.__slots__}) for row in connection.execute(query)]


def after(connection: Connection, parcels: Sequence[str]) -> list[Link]:
    """What came after each of ``parcels``: sent again, or in its place."""
    query = select(table).where(table.c.earlier.in_(parcels))
    return [Link(**{name: getattr(row, name) for name in Link.__slots__}) for row in connection.execute(query)]


def superseding(connection: Connection, parcel: str) -> Link | None:
    """What closed ``parcel``; None as long as it stands."""
    found = links(connection, earlier=parcel, kind="supersedes")
    return found[0] if found and found[0].closed_at else None


def close(connection: Connection, later: str, *, at: datetime) -> list[Link]:
    """Close what ``later`` supersedes, now that it was delivered; those closed by this very call."""
    open_ = (table.c.later == later, table.c.kind == "supersedes", table.c.closed_at.is_(None))
    waiting = list(connection.scalars(select(table.c.earlier).where(*open_)))
    connection.execute(update(table).where(*open_).values(closed_at=iso(at)))
    return [one for one in links(connection, later=later) if one.earlier in waiting]


def untold(connection: Connection, convention: str, exchange: str) -> list[Link]:
    """Closed parcels of an exchange whose closing is not finished."""
    later = connection.scalars(select(table.c.later).where(WAITING)).all()
    if not later:
        return []  # nearly always: no delivery is read
    query = (
        select(table)
        .join(delivery, delivery.c.id == table.c.later)
        .where(delivery.c.id.in_(later), delivery.c.convention == convention, delivery.c.exchange == exchange)
        .where(WAITING)
        .order_by(table.c.later, table.c.earlier)
    )
    return [Link(**{name: getattr(row, name) for name in Link.__slots__}) for row in connection.execute(query)]


def told(connection: Connection, one: Link, *, at: datetime) -> bool:
    """Note that a closing is finished; False when it was noted before."""
    query = update(table).where(table.c.later == one.later, table.c.earlier == one.earlier, table.c.told_at.is_(None))
    return connection.execute(query.values(told_at=iso(at))).rowcount == 1
