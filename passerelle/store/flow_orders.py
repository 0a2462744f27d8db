"""Which orders were carried out as flows: an order's id is all that Prefect knows of it, and the order itself is dropped once done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, Index, String, Table, insert, select

from passerelle.clock import iso
from passerelle.store.tables import metadata

flow_order = Table(
    "flow_order",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("placed_at", String(20), nullable=False),
    Index("ix_flow_order_convention", "convention"),
)


def remember(connection: Connection, order_id: str, convention: str, exchange: str, *, at: datetime) -> None:
    """Note whose an order is, so that what Prefect keeps of it can be found when its convention is purged."""
    if connection.scalar(select(flow_order.c.id).where(flow_order.c.id == order_id)) is None:
        values = {"id": order_id, "convention": convention, "exchange": exchange, "placed_at": iso(at)}
        connection.execute(insert(flow_order).values(**values))


def orders_of(connection: Connection, convention: str, exchange: str | None = None) -> frozenset[str]:
    """The ids of the orders of a convention, or of one exchange of it."""
    query = select(flow_order.c.id).where(flow_order.c.convention == convention)
    if exchange is not None:
        query = query.where(flow_order.c.exchange == exchange)
    return frozenset(connection.scalars(query))
