"""The access log: who looked at or took what, when. It names people who work; it is kept apart from the trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from passerelle.clock import iso
from passerelle.store.tables import access


def log(connection: Connection, *, actor: str, action: str, subject: str, at: datetime) -> None:
    """Write one line (CNIL 2021-122: author, time, nature of the operation, reference of the data)."""
    connection.execute(insert(access).values(at=iso(at), actor=actor, action=action, subject=subject))


def lines(connection: Connection, since: str | None = None) -> list[dict[str, str]]:
    """The lines since the instant ``since``, oldest first."""
    query = select(access.c.at, access.c.actor, access.c.action, access.c.subject).order_by(access.c.id)
    if since:
        query = query.where(access.c.at >= since)
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling
