"""Finding deliveries: by convention, exchange, recipient, day; by pages, the latest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from passerelle.clock import iso
from passerelle.store.access_tables import RELEASED, RELEASES, access
from passerelle.store.runs import Delivery
from passerelle.store.tables import delivery, receipt

_COLUMNS = [delivery.c[name] for name in Delivery.__slots__]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None: whatever. ``since`` is included, ``until`` excluded; both are instants of the delivery."""

    convention: str | None = None
    exchange: str | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(connection: Connection, search: Search, *, limit: int, before: int | None = None) -> list[Delivery]:
    """The latest ``limit`` deliveries, latest first; with ``before``, of those whose intent comes before that entry."""
    query = select(*_COLUMNS).where(delivery.c.state == "delivered").order_by(delivery.c.entry.desc()).limit(limit)
    for name in ("convention", "exchange", "recipient"):
        if (value := getattr(search, name)) is not None:
            query = query.where(delivery.c[name] == value)
    if search.since is not None:
        query = query.where(delivery.c.delivered_at >= iso(search.since))
    if search.until is not None:
        query = query.where(delivery.c.delivered_at < iso(search.until))
    if before is not None:
        query = query.where(delivery.c.entry < before)
    return [Delivery(*row) for row in connection.execute(query)]


def recipients(connection: Connection) -> list[tuple[str, str]]:
    """Every convention with each party that something was delivered to under it."""
    query = select(delivery.c.convention, delivery.c.recipient).where(delivery.c.state == "delivered").distinct()
    return sorted((convention, party) for convention, party in connection.execute(query))


def receipted(connection: Connection, parcels: Sequence[str]) -> dict[str, str]:
    """When each of ``parcels`` was first receipted, by parcel."""
    query = select(receipt.c.parcel, func.min(receipt.c.signed_at)).where(receipt.c.parcel.in_(parcels))
    return dict(connection.execute(query.group_by(receipt.c.parcel)).tuples().all())


def receipt_file(connection: Connection, parcel: str, party: str) -> bytes | None:
    """The first receipt of ``parcel`` as its recipient signed it; None when it gave none."""
    query = select(receipt.c.body).where(receipt.c.parcel == parcel, receipt.c.party == party)
    return connection.scalar(query.order_by(receipt.c.signed_at).limit(1))


def opened(connection: Connection, parcels: Sequence[str]) -> dict[str, str]:
    """When the second lock's key of each of ``parcels`` was first handed over, as far back as the access log goes.

    ``!= "refused"``: SQLite would take an equality for the index of outcomes, which has every line of the log under "allowed".
    """
    query = select(access.c.delivery, func.min(access.c.at)).where(
        RELEASED.in_(parcels), RELEASES, access.c.outcome != "refused"
    )
    return {str(parcel): at for parcel, at in connection.execute(query.group_by(access.c.delivery))}
