"""Orders, runs, deliveries and profiles: what was asked, how far it went, what left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from passerelle.clock import iso
from passerelle.errors import UsageError
from passerelle.store import flow_orders
from passerelle.store.link_tables import delivery_link
from passerelle.store.sendings import sending
from passerelle.store.tables import delivery, exchange_order, profile, run


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One exchange asked for: ``input`` is the source's path, wrapped."""

    id: str
    convention: str
    exchange: str
    period: str
    sender: str | None
    input: bytes
    supersedes: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One exchange for one period."""

    id: str
    convention: str
    exchange: str
    period: str
    sender: str
    contract: str
    state: str
    step: int
    counts: Mapping[str, int]
    reason: str | None
    started_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One parcel for one recipient; ``entry`` is the index of its intent in the trail."""

    id: str
    run: str
    convention: str
    exchange: str
    period: str
    recipient: str
    sequence: int
    state: str
    decision: str
    manifest: bytes
    notices: str
    manifest_sha256: str
    entry: int
    rows: int
    location: str | None
    intent_at: str
    delivered_at: str | None


class Sent(NamedTuple):
    """A delivery without what was handed over with it: what lists and sums of many need, at a tenth of the cost."""

    id: str
    run: str
    convention: str
    exchange: str
    period: str
    recipient: str
    sequence: int
    decision: str
    rows: int
    intent_at: str
    delivered_at: str | None


_DELIVERY = [delivery.c[name] for name in Delivery.__slots__]
_PIECE = 500  # manifests read at once


def place(connection: Connection, order: OrderRow, *, at: datetime) -> None:
    """Keep an order; the same again changes nothing."""
    known = connection.scalar(select(exchange_order.c.id).where(exchange_order.c.id == order.id))
    if known is None:
        values = {name: getattr(order, name) for name in OrderRow.__slots__}
        connection.execute(insert(exchange_order).values(**values, placed_at=iso(at)))
        flow_orders.remember(connection, order.id, order.convention, order.exchange, at=at)


def order(connection: Connection, order_id: str) -> OrderRow:
    """The order ``order_id``.

    Raises:
        UsageError: there is none.
    """
    row = connection.execute(select(exchange_order).where(exchange_order.c.id == order_id)).one_or_none()
    if row is None:
        raise UsageError("unknown order", hint="passerelle exchange run places one")
    return OrderRow(row.id, row.convention, row.exchange, row.period, row.sender, row.input, row.supersedes, row.reason)


def ordered(connection: Connection, convention: str) -> set[str]:
    """The exchanges of a convention that an order waits for."""
    query = select(exchange_order.c.exchange).where(exchange_order.c.convention == convention).distinct()
    return set(connection.scalars(query))


def drop_order(connection: Connection, order_id: str) -> None:
    """Forget an order: its run is over."""
    connection.execute(delete(exchange_order).where(exchange_order.c.id == order_id))


def start(connection: Connection, new: Run) -> None:
    """Open a run."""
    values = {name: getattr(new, name) for name in Run.__slots__}
    connection.execute(insert(run).values(**{**values, "counts": json.dumps(dict(new.counts))}))


def advance(connection: Connection, run_id: str, step: int, counts: Mapping[str, int]) -> None:
    """Note that ``run_id`` reached ``step``."""
    connection.execute(update(run).where(run.c.id == run_id).values(step=step, counts=json.dumps(dict(counts))))


def end(
    connection: Connection,
    run_id: str,
    state: str,
    *,
    at: datetime,
    reason: str | None = None,
    counts: Mapping[str, int] | None = None,
) -> bool:
    """Close a run that is still open, with its last ``counts`` if given; a closed one stays as it is, the answer is False."""
    query = update(run).where(run.c.id == run_id, run.c.state == "running")
    values: dict[str, Any] = {"state": state, "reason": reason, "ended_at": iso(at)}
    if counts is not None:
        values["counts"] = json.dumps(dict(counts))
    return connection.execute(query.values(**values)).rowcount == 1


def runs(connection: Connection, **where: str) -> list[Run]:
    """Runs whose columns equal ``where``, oldest first."""
    query = select(run).order_by(run.c.started_at, run.c.id)
    for name, value in where.items():
        query = query.where(run.c[name] == value)
    return [_run(row) for row in connection.execute(query).all()]


def periods(connection: Connection, convention: str) -> dict[str, str]:
    """The period of each run under ``convention``."""
    query = select(run.c.id, run.c.period).where(run.c.convention == convention)
    return dict(connection.execute(query).tuples().all())


def _run(row: Row[Any]) -> Run:
    values = {name: getattr(row, name) for name in Run.__slots__}
    return Run(**{**values, "counts": json.loads(row.counts)})


def next_sequence(connection: Connection, convention: str, exchange: str, recipient: str) -> int:
    """The number of the next delivery of ``exchange`` to ``recipient``: from 1, without gap."""
    last = connection.scalar(
        select(func.max(delivery.c.sequence)).where(
            delivery.c.convention == convention, delivery.c.exchange == exchange, delivery.c.recipient == recipient
        )
    )
    return (last or 0) + 1


def intend(connection: Connection, new: Delivery) -> None:
    """Write the intent of a delivery."""
    connection.execute(insert(delivery).values(**{name: getattr(new, name) for name in Delivery.__slots__}))


def delivered(connection: Connection, parcel: str, location: str, *, at: datetime) -> None:
    """Write the outcome of a delivery."""
    query = update(delivery).where(delivery.c.id == parcel, delivery.c.state == "intent")
    connection.execute(query.values(state="delivered", location=location, delivered_at=iso(at)))


def abandon(connection: Connection, parcel: str) -> None:
    """Take back an intent whose parcel cannot be completed: its number goes to the next; the trail tells of both."""
    connection.execute(delete(delivery_link).where(delivery_link.c.later == parcel))
    connection.execute(delete(delivery).where(delivery.c.id == parcel, delivery.c.state == "intent"))


def deliveries(connection: Connection, **where: str) -> list[Delivery]:
    """Deliveries whose columns equal ``where``, in trail order."""
    query = select(*_DELIVERY).order_by(delivery.c.entry)
    for name, value in where.items():
        query = query.where(delivery.c[name] == value)
    return [Delivery(*row) for row in connection.execute(query).all()]


def sent(connection: Connection, **where: str) -> list[Sent]:
    """Deliveries whose columns equal ``where``, in trail order, as far as ``Sent`` tells of them."""
    query = select(*(delivery.c[name] for name in Sent._fields)).order_by(delivery.c.entry)
    for name, value in where.items():
        query = query.where(delivery.c[name] == value)
    return [Sent._make(row) for row in connection.execute(query).all()]


def manifests(connection: Connection, convention: str) -> Iterator[tuple[str, str, bytes]]:
    """Exchange, recipient and manifest of each delivery whose manifest is kept; one after the other, not all at once."""
    query = select(delivery.c.exchange, delivery.c.recipient, delivery.c.manifest).where(
        delivery.c.convention == convention, delivery.c.state == "delivered", delivery.c.manifest != b""
    )
    yield from connection.execute(query.execution_options(yield_per=500)).tuples()


def manifests_of(connection: Connection, parcels: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The manifest of each of ``parcels`` of which it is kept; some at a time, not all at once."""
    for start in range(0, len(parcels), _PIECE):
        wanted = delivery.c.id.in_(parcels[start : start + _PIECE])
        query = select(delivery.c.id, delivery.c.manifest).where(wanted, delivery.c.manifest != b"")
        yield from connection.execute(query).tuples()


def delivered_by(connection: Connection, convention: str) -> list[str]:
    """The run of each parcel that was delivered under ``convention``."""
    query = select(delivery.c.run).where(delivery.c.convention == convention, delivery.c.state == "delivered")
    return list(connection.scalars(query))


def clear(connection: Connection, convention: str) -> None:
    """Remove what tables kept of the content of a convention's runs: orders, sendings, profiles, the manifests handed over.

    The lines of runs and deliveries stay, with ids, counts and the hash of each manifest.
    """
    connection.execute(delete(exchange_order).where(exchange_order.c.convention == convention))
    connection.execute(delete(profile).where(profile.c.convention == convention))
    connection.execute(delete(sending).where(sending.c.convention == convention))
    connection.execute(update(delivery).where(delivery.c.convention == convention).values(manifest=b"", notices="{}"))
