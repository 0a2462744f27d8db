"""The register of alerts: what the watchdog saw, since when, who took note of it, and what was sent of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, String, Table, Text, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import metadata

RAISED, CLEARED = "raised", "cleared"

alert = Table(
    "alert",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("code", String(60), nullable=False),
    Column("about", Text, nullable=False),  # JSON: ids, dates and counts
    Column("first_seen", String(20), nullable=False),
    Column("last_seen", String(20), nullable=False),
    Column("cleared_at", String(20)),
    Column("acknowledged_at", String(20)),
    Column("acknowledged_by", String(80)),
    Column("reason", Text),
    Column("sent", String(10)),  # the last change that the webhook took: raised or cleared
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that should not be: ``id`` is the same each time that it is seen; ``cleared_at`` says that it is no more."""

    id: str
    code: str
    about: Mapping[str, Any] = field(hash=False)
    first_seen: str
    last_seen: str
    cleared_at: str | None = None
    acknowledged_at: str | None = None
    acknowledged_by: str | None = None
    reason: str | None = None
    sent: str | None = None

    @property
    def open(self) -> bool:
        """Whether it stands, and nobody took note of it."""
        return self.cleared_at is None and self.acknowledged_at is None

    @property
    def change(self) -> str:
        """What last became of it."""
        return RAISED if self.cleared_at is None else CLEARED

    def as_json(self) -> dict[str, Any]:
        """As one JSON object: what it is about beside what the register says."""
        kept = ("id", "code", "first_seen", "last_seen", "cleared_at", "acknowledged_at", "acknowledged_by", "reason")
        return {**self.about, **{name: getattr(self, name) for name in kept}}


def alerts(connection: Connection, *, standing: bool = False) -> list[Alert]:
    """Every alert, oldest first; with ``standing`` those that are not cleared."""
    query = select(alert).order_by(alert.c.first_seen, alert.c.code, alert.c.id)
    if standing:
        query = query.where(alert.c.cleared_at.is_(None))
    return [_alert(row) for row in connection.execute(query)]


def see(connection: Connection, alert_id: str, code: str, about: Mapping[str, Any], *, at: datetime) -> None:
    """Note that an alert was seen; one that was cleared is raised anew, and nobody took note of it yet."""
    body = json.dumps(dict(about), sort_keys=True)
    known = connection.execute(select(alert).where(alert.c.id == alert_id)).one_or_none()
    if known is None:
        values = {"first_seen": iso(at), "last_seen": iso(at)}
        connection.execute(insert(alert).values(id=alert_id, code=code, about=body, **values))
        return
    values = {"last_seen": iso(at), "about": body}
    if known.cleared_at is not None:
        values |= {"first_seen": iso(at)}
        anew = dict.fromkeys(("cleared_at", "acknowledged_at", "acknowledged_by", "reason"))
        connection.execute(update(alert).where(alert.c.id == alert_id).values(**values, **anew))
        return
    connection.execute(update(alert).where(alert.c.id == alert_id).values(**values))


def clear(connection: Connection, seen: set[str], *, at: datetime) -> None:
    """Note that the alerts that are not among ``seen`` are no more."""
    for one in alerts(connection, standing=True):
        if one.id not in seen:
            connection.execute(update(alert).where(alert.c.id == one.id).values(cleared_at=iso(at)))


def acknowledge(connection: Connection, alert_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Note who took note of an alert, and why it may stand."""
    query = update(alert).where(alert.c.id == alert_id)
    connection.execute(query.values(acknowledged_at=iso(at), acknowledged_by=by, reason=reason))


def unsent(connection: Connection) -> list[Alert]:
    """The alerts of which the last change was not sent; one that was raised and cleared unsent need not be."""
    return [one for one in alerts(connection) if one.change != (one.sent or CLEARED)]


def sent(connection: Connection, changes: Mapping[str, str]) -> None:
    """Note the changes, by alert, that were sent."""
    for alert_id, change in changes.items():
        connection.execute(update(alert).where(alert.c.id == alert_id).values(sent=change))


def _alert(row: Row[Any]) -> Alert:
    values = {name: getattr(row, name) for name in Alert.__slots__}
    return Alert(**{**values, "about": json.loads(row.about)})
