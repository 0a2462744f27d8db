"""Numbers that the hub sets for itself, kept with the schema's version; each has a default where it is used."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from passerelle.store.tables import meta

CHECKPOINT_ENTRIES = "checkpoint_entries"  # so many unsigned entries of the trail ask for a signed head
CHECKPOINT_MINUTES = "checkpoint_minutes"  # and so does an unsigned entry of that age
QUARANTINE_DAYS = "quarantine_days"  # for which rejected rows are kept
WITNESSES_REQUIRED = "witnesses_required"  # k of the n enrolled, before a purge; none by default


def read(connection: Connection, name: str, default: int = 0) -> int:
    """The number ``name``, or ``default`` where nobody set it."""
    value = connection.scalar(select(meta.c.value).where(meta.c.key == name))
    return default if value is None else int(value)


def write(connection: Connection, name: str, value: int) -> None:
    """Set the number ``name``."""
    connection.execute(delete(meta).where(meta.c.key == name))
    connection.execute(insert(meta).values(key=name, value=str(value)))
