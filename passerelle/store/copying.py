"""A consistent copy of the whole database, and putting it back: SQLite by its backup interface, PostgreSQL table by table."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from passerelle.errors import WorkspaceError
from passerelle.store.database import Database
from passerelle.store.tables import meta, metadata
from passerelle.store.upgrading import lacking
from passerelle.trail.tables import metadata as trail_metadata

FILE = "passerelle.db"
BLOCK_BYTES = 1 << 20


def _tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return [*metadata.sorted_tables, *trail_metadata.sorted_tables]


def copy_database(database: Database, folder: Path) -> None:
    """Write one consistent state of ``database`` into ``folder``, which is made: ``passerelle.db``, or one file a table.

    On PostgreSQL ``TABLE.copy`` is what COPY TO gives (text format), in one transaction of REPEATABLE READ.
    """
    folder.mkdir(mode=0o700)
    if database.engine.dialect.name == "sqlite":
        _copy_sqlite(database, folder / FILE)
        return
    with database.read() as connection:
        driver: Any = connection.connection.driver_connection
        for table in _tables():
            with (folder / f"{table.name}.copy").open("wb") as file, driver.cursor().copy(_statement(table, "TO STDOUT")) as rows:  # fmt: skip
                for block in rows:
                    file.write(block)


def _copy_sqlite(database: Database, path: Path) -> None:
    with database.read() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the driver of this dialect
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.close(descriptor)
        source = sqlite3.connect(f"file:{database.engine.url.database}?mode=ro", uri=True)
        target = sqlite3.connect(path)
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        finally:
            source.close()
            target.close()


def put_back(database: Database, folder: Path) -> None:
    """Make ``database`` what the copy in ``folder`` says, all of it or nothing; one of an earlier version stays so (``check``).

    Raises:
        WorkspaceError: the copy is of the other kind of database.
    """
    sqlite = database.engine.dialect.name == "sqlite"
    if (folder / FILE).exists() != sqlite:
        raise WorkspaceError(
            "this backup is of another kind of database",
            where="database",
            hint="PASSERELLE_DATABASE_URL names the kind that it was made of: SQLite or PostgreSQL",
            fr="cette sauvegarde vient d'une base d'une autre sorte",
            hint_fr="PASSERELLE_DATABASE_URL doit désigner la même sorte de base : SQLite ou PostgreSQL",
        )
    if sqlite:
        _put_back_sqlite(database, folder / FILE)
        return
    database.create()
    lacks = lacking(_version(folder / f"{meta.name}.copy"))
    with database.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in _tables())
        connection.exec_driver_sql(f"TRUNCATE {names}")
        driver: Any = connection.connection.driver_connection
        for table in _tables():
            with driver.cursor().copy(_statement(table, "FROM STDIN", lacks)) as rows:
                for block in _blocks(folder / f"{table.name}.copy"):
                    rows.write(block)
        for table in _tables():
            if table.autoincrement_column is not None and table.autoincrement_column.name == "id":
                connection.exec_driver_sql(_sequence(table))


def _put_back_sqlite(database: Database, path: Path) -> None:
    """By the backup interface, into the file that is there: its own log and shared memory stay right."""
    database.close()
    source = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    target = sqlite3.connect(str(database.engine.url.database), timeout=60)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode=WAL")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        source.close()
        target.close()


def _version(copy: Path) -> str:
    """The version of the schema that a copy of the table ``meta`` tells."""
    return dict(line.split("\t") for line in copy.read_text("utf-8").splitlines()).get("schema", "")


def _statement(table: Table, direction: str, lacks: Collection[tuple[str, str]] = ()) -> str:
    names = [column.name for column in table.columns if (table.name, column.name) not in lacks]
    columns = ", ".join(f'"{name}"' for name in names)
    return f'COPY "{table.name}" ({columns}) {direction}'


def _sequence(table: Table) -> str:
    """Go on numbering where the copy stopped."""
    name = f"pg_get_serial_sequence('\"{table.name}\"', 'id')"
    return f'select setval({name}, coalesce((select max(id) from "{table.name}"), 1)) where {name} is not null'  # noqa: S608 - our own table


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block
