"""One database: SQLite embedded (WAL, synchronous FULL, secure_delete) or PostgreSQL, with the same tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from passerelle.errors import WorkspaceError
from passerelle.store import tables
from passerelle.trail import tables as trail_tables

SCHEMA_VERSION = "2"
BUSY_TIMEOUT_SECONDS = 60


def sqlite_url(path: Path) -> str:
    """The URL of the SQLite file at ``path``."""
    return f"sqlite:///{path}"


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


class Database:
    """Opens transactions. Callers MUST append the trail entry of a state change in the transaction of that change."""

    def __init__(self, url: str) -> None:
        arguments: dict[str, Any] = {"timeout": BUSY_TIMEOUT_SECONDS} if url.startswith("sqlite") else {}
        self.engine = create_engine(url, connect_args=arguments, hide_parameters=True)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed on leaving, rolled back on any exception.

        Raises:
            WorkspaceError: the database cannot be reached, is full, or refuses; nothing was written.
        """
        failure = ""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            failure = type(getattr(error, "orig", None) or error).__name__
        if failure:
            raise WorkspaceError(
                f"the database did not accept the transaction ({failure}); nothing was written",
                hint="check that it is reachable and that its disk has room, then run the command again",
                fr=f"la base n'a pas accepté la transaction ({failure}) ; rien n'a été écrit",
                hint_fr="vérifiez qu'elle répond et que son disque a de la place, puis recommencez",
            )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view that writes nothing and stops no writer.

        Raises:
            WorkspaceError: the database cannot be reached or read.
        """
        failure = ""
        try:
            with self.engine.connect().execution_options(reads=True) as connection:
                yield connection
        except SQLAlchemyError as error:
            failure = type(getattr(error, "orig", None) or error).__name__
        if failure:
            raise WorkspaceError(
                f"the database cannot be read ({failure})",
                hint="check that it is reachable, and whose it is",
                fr=f"la base ne peut pas être lue ({failure})",
                hint_fr="vérifiez qu'elle répond, et à qui elle est",
            )

    def create(self) -> None:
        """Make the tables; once more is harmless."""
        with self.begin() as connection:
            tables.metadata.create_all(connection)
            trail_tables.metadata.create_all(connection)
            if connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "schema")) is None:
                connection.execute(insert(tables.meta).values(key="schema", value=SCHEMA_VERSION))

    def check(self) -> None:
        """Refuse a database that is not ours or of another schema version."""
        with self.read() as connection:
            ours = inspect(connection).has_table(tables.meta.name)
            query = select(tables.meta.c.value).where(tables.meta.c.key == "schema")
            found = connection.scalar(query) if ours else None
        if found != SCHEMA_VERSION:
            raise WorkspaceError(
                f"expected a database of schema {SCHEMA_VERSION}, found {'schema ' + found if found else 'none'}",
                hint="passerelle init",
            )

    def scrub(self) -> None:
        """Make deleted rows leave the database files too (SQLite: WAL truncated and file rebuilt; PostgreSQL: VACUUM FULL)."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.engine.dialect.name == "sqlite":
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the driver of this dialect
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.exec_driver_sql("VACUUM FULL")

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()
