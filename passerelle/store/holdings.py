"""The register of holdings: every copy, from the first byte taken in. A file is registered before it is written."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import holding

WAITING = "inbox"  # a file that waits for its exchange: its location is inbox/CONVENTION/EXCHANGE/PERIOD/FILE


class Holding(NamedTuple):
    """One registered copy. ``location`` is relative to the workspace unless absolute; ``ours`` is False in a partner's folder."""

    id: int
    convention: str
    exchange: str
    run: str
    kind: str
    location: str
    personal: bool
    ours: bool
    bytes: int | None
    created_at: str
    destroyed_at: str | None


_COLUMNS = [holding.c[name] for name in Holding._fields]


def register(
    connection: Connection,
    *,
    convention: str,
    exchange: str,
    run: str,
    kind: str,
    location: str,
    personal: bool,
    at: datetime,
    ours: bool = True,
) -> None:
    """Register a copy that is about to be written."""
    connection.execute(
        insert(holding).values(
            convention=convention,
            exchange=exchange,
            run=run,
            kind=kind,
            location=location,
            personal=personal,
            ours=ours,
            created_at=iso(at),
        )
    )


def weigh(connection: Connection, location: str, size: int) -> None:
    """Note the size in bytes of a copy that is complete."""
    connection.execute(update(holding).where(_there(location)).values(bytes=size))


def move(connection: Connection, location: str, to: str, *, kind: str, ours: bool, size: int | None) -> None:
    """A staged copy became a delivered one."""
    connection.execute(update(holding).where(_there(location)).values(location=to, kind=kind, ours=ours, bytes=size))


def destroyed(connection: Connection, ids: list[int], *, at: datetime) -> None:
    """Note that the copies are gone."""
    connection.execute(
        update(holding).where(holding.c.id.in_(ids), holding.c.destroyed_at.is_(None)).values(destroyed_at=iso(at))
    )


def present(connection: Connection, **where: str | bool) -> list[Holding]:
    """Copies not known to be destroyed, whose columns equal ``where``."""
    query = select(*_COLUMNS).where(holding.c.destroyed_at.is_(None)).order_by(holding.c.id)
    for name, value in where.items():
        query = query.where(holding.c[name] == value)
    return [Holding._make(row) for row in connection.execute(query).all()]


def firsts(connection: Connection, convention: str, *, but: str) -> list[tuple[Holding, int]]:
    """Of our copies of a convention that are present, of other kinds than ``but``: the first of each exchange and kind, and how many."""
    alike = (
        select(func.min(holding.c.id).label("first"), func.count().label("count"))
        .where(
            holding.c.convention == convention, holding.c.destroyed_at.is_(None), holding.c.ours, holding.c.kind != but
        )
        .group_by(holding.c.exchange, holding.c.kind)
        .subquery()
    )
    query = select(alike.c.count, *_COLUMNS).join(alike, alike.c.first == holding.c.id).order_by(holding.c.id)
    return [(Holding._make(rest), count) for count, *rest in connection.execute(query).all()]


def places(connection: Connection, kind: str) -> list[tuple[str, str]]:
    """Run and location of each copy of a kind that is not known to be destroyed."""
    query = select(holding.c.run, holding.c.location).where(holding.c.destroyed_at.is_(None), holding.c.kind == kind)
    return list(connection.execute(query.order_by(holding.c.id)).tuples())


def conventions(connection: Connection, *, but: str) -> set[str]:
    """The conventions of which we have copies that are not known to be destroyed, of other kinds than ``but``."""
    query = select(holding.c.convention).distinct().where(holding.c.destroyed_at.is_(None), holding.c.ours)
    return set(connection.scalars(query.where(holding.c.kind != but)))


def every(connection: Connection) -> list[Holding]:
    """Every copy ever registered, oldest first."""
    return [Holding._make(row) for row in connection.execute(select(*_COLUMNS).order_by(holding.c.id)).all()]


def all_of(connection: Connection, convention: str, *, kind: str | None = None) -> list[Holding]:
    """Every copy ever registered under ``convention``, or those of a kind."""
    query = select(*_COLUMNS).where(holding.c.convention == convention).order_by(holding.c.id)
    if kind is not None:
        query = query.where(holding.c.kind == kind)
    return [Holding._make(row) for row in connection.execute(query).all()]


def _there(location: str) -> ColumnElement[bool]:
    return and_(holding.c.location == location, holding.c.destroyed_at.is_(None))
