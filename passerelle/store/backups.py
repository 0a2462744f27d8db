"""Backups on record: what each covers, since when, until when; and when it was destroyed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Index, Integer, Row, String, Table, Text, insert, select, update

from passerelle.clock import iso
from passerelle.store.tables import metadata

COVERS = ("database", "files", "keys")

backup = Table(
    "backup",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("label", Text, nullable=False),  # a path, or what the operator calls it
    Column("covers", Text, nullable=False),  # JSON: some of COVERS
    Column("taken_at", String(20), nullable=False),
    Column("expires_on", String(10), nullable=False),
    Column("trail_size", Integer),  # of the trail that it holds, where we made it
    Column("recorded_by", String(80), nullable=False),
    Column("recorded_at", String(20), nullable=False),
    Column("destroyed_at", String(20)),
    Index("ix_backup_taken", "taken_at"),
)


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup; ``taken_at`` an instant, ``expires_on`` the last day on which it may be there."""

    id: str
    label: str
    covers: tuple[str, ...]
    taken_at: str
    expires_on: str
    trail_size: int | None
    recorded_by: str
    recorded_at: str
    destroyed_at: str | None


def record(connection: Connection, new: Backup) -> None:
    """Write a backup down."""
    values = {name: getattr(new, name) for name in Backup.__slots__}
    connection.execute(insert(backup).values(**{**values, "covers": json.dumps(new.covers)}))


def backups(connection: Connection, **where: str) -> list[Backup]:
    """Backups whose columns equal ``where``, oldest first."""
    query = select(backup).order_by(backup.c.taken_at, backup.c.id)
    for name, value in where.items():
        query = query.where(backup.c[name] == value)
    return [_backup(row) for row in connection.execute(query)]


def standing(connection: Connection) -> list[Backup]:
    """Backups that are not known to be destroyed, oldest first."""
    return [one for one in backups(connection) if one.destroyed_at is None]


def destroyed(connection: Connection, backup_id: str, *, at: datetime) -> bool:
    """Note that a backup is gone; False when it was noted before."""
    query = update(backup).where(backup.c.id == backup_id, backup.c.destroyed_at.is_(None))
    return bool(connection.execute(query.values(destroyed_at=iso(at))).rowcount)


def _backup(row: Row[Any]) -> Backup:
    values = {name: getattr(row, name) for name in Backup.__slots__}
    return Backup(**{**values, "covers": tuple(json.loads(row.covers))})
