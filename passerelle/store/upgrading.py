"""The database of an earlier version is brought up to date when it is opened: what it lacks is added, nothing is taken out.

One transaction, on both databases: killed, it is begun again (docs/decisions/0018-the-database-of-an-earlier-version.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.schema import CreateColumn, CreateIndex

from passerelle.store import tables
from passerelle.store.profiles import content
from passerelle.trail import tables as trail_tables

SCHEMA_VERSION: Final = "7"
ADDED: Final[Mapping[str, frozenset[tuple[str, str]]]] = {"5": frozenset({("profile", "content")})}
"""By version: the columns, table and name, that the next one added."""
_REMADE_AFTER_5: Final = (  # indexes that were widened without a version of their own
    "ix_access_actor", "ix_access_partner", "ix_access_convention", "ix_access_released",
    "ix_delivery_entry", "ix_delivery_recipient", "ix_delivery_convention",
)  # fmt: skip


def version(connection: Connection, *, alone: bool = False) -> str | None:
    """The version that the database says it is of; ``alone``: nobody else changes it before the transaction ends."""
    query = select(tables.meta.c.value).where(tables.meta.c.key == "schema")
    return connection.scalar(query.with_for_update() if alone else query)


def lacking(found: str) -> frozenset[tuple[str, str]]:
    """The columns, table and name, that a database of version ``found`` does not have yet."""
    return frozenset().union(*(added for of, added in ADDED.items() if found.isdecimal() and int(of) >= int(found)))


def bring_up_to_date(connection: Connection) -> None:
    """Take each step from the version of the database to this one; another process may have taken them meanwhile."""
    while step := STEPS.get(found := version(connection, alone=True) or ""):
        step(connection)
        after = str(int(found) + 1)
        connection.execute(update(tables.meta).where(tables.meta.c.key == "schema").values(value=after))


def _from_5(connection: Connection) -> None:
    for name in _REMADE_AFTER_5:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
    _add_columns(connection, "5")
    _add_tables_and_indexes(connection)
    _measure_profiles(connection)


def _add_tables_and_indexes(connection: Connection) -> None:
    for every in (tables.metadata, trail_tables.metadata):
        every.create_all(connection)
        for table in every.sorted_tables:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))


def _measure_profiles(connection: Connection) -> None:
    profile = tables.profile
    for kept in connection.scalars(select(profile.c.run).where(profile.c.content.is_(None))).all():
        body = connection.scalar(select(profile.c.body).where(profile.c.run == kept))
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # no profile: who reads it refuses it
            digest = content(str(body))
            connection.execute(update(profile).where(profile.c.run == kept).values(content=digest))


def _add_columns(connection: Connection, of: str) -> None:
    for table, name in sorted(ADDED[of]):
        column = tables.metadata.tables[table].c[name]
        if name not in {one["name"] for one in inspect(connection).get_columns(table)}:
            told = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {told}")


STEPS: Final[Mapping[str, Callable[[Connection], None]]] = {"5": _from_5, "6": _add_tables_and_indexes}
"""By version: what leads to the next."""
