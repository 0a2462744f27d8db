"""What a purge could not take away yet: ids and counts, until it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, String, Table, delete, insert, select

from passerelle.clock import iso
from passerelle.store.tables import metadata

purge_left = Table(
    "purge_left",
    metadata,
    Column("purge", String(40), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("subject", String(80), primary_key=True),  # a copy's number in the register; empty where there is none
    Column("count", Integer, nullable=False),
    Column("since", String(20), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Stuck:
    """``count`` things of one kind that are still there: ``subject`` is a copy's number in the register (``h-12``), or empty."""

    kind: str
    subject: str
    count: int
    since: str = ""

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"kind": self.kind, "id": self.subject or None, "count": self.count, "since": self.since}


def stuck(connection: Connection, purge_id: str) -> tuple[Stuck, ...]:
    """What is known to be still there, by kind and number."""
    query = select(purge_left).where(purge_left.c.purge == purge_id).order_by(purge_left.c.kind, purge_left.c.subject)
    return tuple(
        Stuck(row["kind"], row["subject"], row["count"], row["since"]) for row in connection.execute(query).mappings()
    )


def replace(connection: Connection, purge_id: str, found: list[Stuck], *, at: datetime) -> bool:
    """Note what is still there in place of what was noted before; whether that changed. What stays keeps its instant."""
    before = {(one.kind, one.subject): one for one in stuck(connection, purge_id)}
    now = {(one.kind, one.subject): one for one in found}
    if {key: one.count for key, one in before.items()} == {key: one.count for key, one in now.items()}:
        return False
    connection.execute(delete(purge_left).where(purge_left.c.purge == purge_id))
    for key, one in now.items():
        since = before[key].since if key in before else iso(at)
        values = {"purge": purge_id, "kind": one.kind, "subject": one.subject, "count": one.count, "since": since}
        connection.execute(insert(purge_left).values(**values))
    return True
