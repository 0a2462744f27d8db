"""How deliveries stand to earlier ones: sent again, or in the place of."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, and_

from passerelle.store.tables import metadata

delivery_link = Table(
    "delivery_link",
    metadata,
    Column("later", String(40), ForeignKey("delivery.id"), primary_key=True),
    Column("earlier", String(40), ForeignKey("delivery.id"), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("intent_at", String(20), nullable=False),
    Column("closed_at", String(20)),  # superseded: from the outcome of the later delivery on
    Column("told_at", String(20)),  # superseded: its release identity is destroyed, its recipient has the notice
    CheckConstraint("kind in ('resends','supersedes')", name="ck_delivery_link_kind"),
    CheckConstraint("later <> earlier", name="ck_delivery_link_apart"),
    Index("uq_delivery_link_earlier", "kind", "earlier", unique=True),  # one resend, one successor: a chain, no fork
)
WAITING = and_(delivery_link.c.closed_at.is_not(None), delivery_link.c.told_at.is_(None))
Index("ix_delivery_link_waiting", delivery_link.c.later, sqlite_where=WAITING, postgresql_where=WAITING)
