"""The register of the tables of outcomes that left: which figures each recipient has, and which were withheld from it.

Published figures only, by code of course, territory and period; what was withheld is a mark. It outlives the purge, as long as
recipients may keep the tables (docs/decisions, "The register of published tables").
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, LargeBinary, String, Table, insert, select

from passerelle.store.tables import delivery, metadata

outcome_release = Table(
    "outcome_release",
    metadata,
    Column("delivery", String(40), ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    Column("run", String(40), ForeignKey("run.id"), nullable=False),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("dataset", String(80), nullable=False),  # the contract's id, whatever its version
    Column("period", String(40), nullable=False),
    Column("recipient", String(80), nullable=False),
    Column("thresholds", String(200), nullable=False),  # canonical JSON
    Column("cells", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("withheld", Integer, nullable=False),
    Column("figures", LargeBinary, nullable=False),  # an Arrow stream: codes, counts, rates, "*" where withheld
    Column("released_at", String(20), nullable=False),
    Index("ix_outcome_release_recipient", "dataset", "recipient"),
)


@dataclass(frozen=True, slots=True)
class OutcomeRelease:
    """One table that one recipient was sent; ``figures`` as published."""

    delivery: str
    run: str
    convention: str
    exchange: str
    dataset: str
    period: str
    recipient: str
    thresholds: str
    cells: int
    published: int
    withheld: int
    figures: bytes
    released_at: str


def keep(connection: Connection, release: OutcomeRelease) -> None:
    """Keep a table in the transaction of its delivery's intent; it goes with the intent, when that is abandoned."""
    connection.execute(insert(outcome_release).values(**{name: getattr(release, name) for name in release.__slots__}))


def releases(
    connection: Connection, dataset: str | None = None, recipients: Collection[str] | None = None
) -> list[OutcomeRelease]:
    """The tables of ``dataset`` that any of ``recipients`` was sent (None: whichever), the latest first."""
    query = select(outcome_release).join(delivery, delivery.c.id == outcome_release.c.delivery)
    query = query.order_by(delivery.c.entry.desc())
    if dataset is not None:
        query = query.where(outcome_release.c.dataset == dataset)
    if recipients is not None:
        query = query.where(outcome_release.c.recipient.in_(sorted(recipients)))
    names = OutcomeRelease.__slots__
    return [OutcomeRelease(**{name: getattr(row, name) for name in names}) for row in connection.execute(query)]
