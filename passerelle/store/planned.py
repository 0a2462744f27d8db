"""What the daily plan has told, once. Append-only: whether a thing is done since is derived from the record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import meta, planned

THROUGH = "planned_through"
BATCH = 500  # keys asked for in one query


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing told: ``key`` names it once, ``state`` is what it was when it was told, ``body`` its ground and arithmetic."""

    key: str
    convention: str
    kind: str
    subject: str | None
    due: str
    state: str
    body: Mapping[str, Any]
    planned_at: str


def through(connection: Connection) -> datetime | None:
    """The instant of the last plan; None before the first."""
    found = connection.scalar(select(meta.c.value).where(meta.c.key == THROUGH))
    return None if found is None else datetime.fromisoformat(found)


def keep_through(connection: Connection, at: datetime) -> None:
    """Note that everything up to ``at`` is planned."""
    if connection.scalar(select(meta.c.key).where(meta.c.key == THROUGH)) is None:
        connection.execute(insert(meta).values(key=THROUGH, value=iso(at)))
    else:
        connection.execute(update(meta).where(meta.c.key == THROUGH).values(value=iso(at)))


def keep(connection: Connection, rows: Iterable[Planned]) -> list[Planned]:
    """Keep what was not told yet; that alone is given back."""
    asked = list({row.key: row for row in rows}.values())
    told: set[str] = set()
    for first in range(0, len(asked), BATCH):
        keys = [row.key for row in asked[first : first + BATCH]]
        told |= set(connection.scalars(select(planned.c.key).where(planned.c.key.in_(keys))))
    new = [row for row in asked if row.key not in told]
    if new:
        values = [{name: getattr(row, name) for name in Planned.__slots__} for row in new]
        connection.execute(insert(planned), [{**one, "body": json.dumps(dict(one["body"]))} for one in values])
    return new


def all_of(connection: Connection, convention: str | None = None, since: date | None = None) -> list[Planned]:
    """What was told, by date."""
    query = select(planned).order_by(planned.c.due, planned.c.key)
    if convention is not None:
        query = query.where(planned.c.convention == convention)
    if since is not None:
        query = query.where(planned.c.due >= since.isoformat())
    return [
        Planned(**{**{name: getattr(row, name) for name in Planned.__slots__}, "body": json.loads(row.body)})
        for row in connection.execute(query)
    ]
