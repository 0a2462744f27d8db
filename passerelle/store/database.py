"""One database: SQLite embedded (WAL, synchronous FULL, secure_delete) or PostgreSQL, with the same tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from passerelle.errors import WorkspaceError
from passerelle.store import (
    access_tables,  # noqa: F401 - its tables join the metadata
    accounts,  # noqa: F401 - so do its
    alerts,  # noqa: F401 - likewise
    api_tokens,  # noqa: F401 - likewise
    attempts,  # noqa: F401 - and its
    attestations,  # noqa: F401 - likewise
    backups,  # noqa: F401 - likewise
    factors,  # noqa: F401 - and its
    flow_orders,  # noqa: F401 - likewise
    identities,  # noqa: F401 - and its
    link_tables,  # noqa: F401 - likewise
    objections,  # noqa: F401 - likewise
    outcome_releases,  # noqa: F401 - likewise
    passkeys,  # noqa: F401 - likewise
    purge_left,  # noqa: F401 - likewise
    replies,  # noqa: F401 - likewise
    requests,  # noqa: F401 - likewise
    sendings,  # noqa: F401 - likewise
    tables,
)
from passerelle.store.upgrading import SCHEMA_VERSION, STEPS, bring_up_to_date, version
from passerelle.trail import tables as trail_tables

BUSY_TIMEOUT_SECONDS = 60
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")


def sqlite_url(path: Path) -> str:
    """The URL of the SQLite file at ``path``."""
    return f"sqlite:///{path}"


def _reading(url: str) -> str:
    """The URL that reads a SQLite file where nothing can be written beside it.

    ``immutable`` spares the files that a reader of a WAL database makes (sqlite.org/wal.html, "Read-Only Databases"); a
    ``-wal`` file that is there may hold the last commits and must be read.
    """
    path = url.partition(":///")[2]
    left = Path(f"{path}-wal").exists()
    return f"sqlite:///file:{quote(path)}?mode=ro{'' if left else '&immutable=1'}&uri=true"


def _prepare_sqlite(engine: Engine, *, writes: bool) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        for pragma in PRAGMAS if writes else ():
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _engine(url: str, arguments: dict[str, Any]) -> Engine:
    engine = None
    with suppress(SQLAlchemyError, ImportError, ValueError):
        engine = create_engine(url, connect_args=arguments, hide_parameters=True)
    if engine is None:
        raise WorkspaceError(
            "expected the URL of an SQLite or PostgreSQL database",
            where="PASSERELLE_DATABASE_URL",
            hint="for example postgresql+psycopg://user@host/passerelle",
            fr="il faut l'URL d'une base SQLite ou PostgreSQL",
            hint_fr="par exemple postgresql+psycopg://user@host/passerelle",
        )
    return engine


VIEWS = frozenset({"postgresql_readonly", "reads"})
"""Execution options: the connection that has one of them sees one state of the database, and writes nothing."""


class Database:
    """Opens transactions. Callers MUST append the trail entry of a state change in the transaction of that change.

    ``read_only``: the disk of a SQLite file cannot be written; ``begin`` is refused.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        embedded = url.startswith("sqlite")
        arguments: dict[str, Any] = {"timeout": BUSY_TIMEOUT_SECONDS} if embedded else {}
        self._reads_only = embedded and read_only
        self.engine = _engine(_reading(url) if self._reads_only else url, arguments)
        self._view: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine, writes=not self._reads_only)
            self._view = {"reads": True}

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed on leaving, rolled back on any exception.

        Raises:
            WorkspaceError: the database cannot be reached, is full, or refuses; nothing was written.
        """
        if self._reads_only:
            raise read_only()
        with _driver_faults(_not_accepted), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view that writes nothing and stops no writer.

        Raises:
            WorkspaceError: the database cannot be reached or read.
        """
        with _driver_faults(_not_read), self.engine.connect().execution_options(**self._view) as connection:
            yield connection

    def create(self) -> None:
        """Make the tables; once more is harmless."""
        with self.begin() as connection:
            tables.metadata.create_all(connection)
            trail_tables.metadata.create_all(connection)
            if connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "schema")) is None:
                connection.execute(insert(tables.meta).values(key="schema", value=SCHEMA_VERSION))

    def check(self) -> None:
        """Bring a database of an earlier version up to date; refuse one that is not ours, or of a version that is not known.

        Raises:
            WorkspaceError: it is refused, or cannot be written and is of an earlier version.
        """
        with self.read() as connection:
            ours = inspect(connection).has_table(tables.meta.name)
            found = version(connection) if ours else None
        if found in STEPS and not self._reads_only:
            with self.begin() as connection:
                bring_up_to_date(connection)
        elif found != SCHEMA_VERSION:
            raise _another_schema(found)

    def scrub(self, *names: str) -> None:
        """Make deleted rows leave the database files too (SQLite: file rebuilt and WAL truncated; PostgreSQL: VACUUM FULL).

        ``names`` are the tables that rows were deleted from, so that PostgreSQL need not rewrite the others; default: all.

        Raises:
            WorkspaceError: another process holds the old content by reading it.
        """
        with _driver_faults(_not_cleared):
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            with connection:
                if self.engine.dialect.name != "sqlite":
                    connection.exec_driver_sql(f"VACUUM FULL {', '.join(names)}".rstrip())
                    return
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the driver of this dialect
                driver.execute("VACUUM")
                busy = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise _not_cleared("a reader holds the old content")

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


@contextmanager
def _driver_faults(told: Callable[[str], WorkspaceError]) -> Iterator[None]:
    """Put our own error in place of the driver's, whose message may repeat what was written."""
    failure = ""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        failure = type(getattr(error, "orig", None) or error).__name__
    if failure:
        raise told(failure)


def read_only() -> WorkspaceError:
    """What is told to who would change a workspace on a disk that cannot be written."""
    return WorkspaceError(
        "this workspace can be read, not changed: its disk is read-only, or it is someone else's",
        hint="trail verify and convention show work here; what goes into the access log does not: copy the workspace first",
        fr="cet espace de travail peut être lu, non modifié : son disque est en lecture seule, ou il appartient à quelqu'un d'autre",
        hint_fr="trail verify et convention show fonctionnent ici ; ce qui s'inscrit au journal des accès, non : copiez-le d'abord",
    )


def _another_schema(found: str | None) -> WorkspaceError:
    expected = f"expected a database of schema {SCHEMA_VERSION}"
    if found is None:
        return WorkspaceError(
            f"{expected}, found none",
            hint="passerelle init makes a workspace with its database",
            fr="il n'y a pas de base de Passerelle à cet endroit",
            hint_fr="passerelle init crée un espace de travail avec sa base",
        )
    if found in STEPS:
        return WorkspaceError(
            f"{expected}, found schema {found}, and cannot add to it what is missing: its disk is read-only",
            hint="copy the workspace to where it can be written; opening it there brings it up to date",
            fr=f"la base est au schéma {found} ; il faut le {SCHEMA_VERSION}, et rien ne peut y être ajouté : son disque est en lecture seule",
            hint_fr="copiez l'espace de travail là où il peut être écrit ; à l'ouverture il est mis à jour",
        )
    return WorkspaceError(
        f"{expected}, found schema {found}, which this version does not know",
        hint="use the version of Passerelle that made it, or a later one; of a schema before 5, make the workspace anew",
        fr=f"la base est au schéma {found}, que cette version ne connaît pas (elle connaît le {SCHEMA_VERSION})",
        hint_fr="utilisez la version de Passerelle qui l'a faite, ou une plus récente ; d'un schéma avant le 5, recréez l'espace de travail",
    )


def _not_accepted(failure: str) -> WorkspaceError:
    return WorkspaceError(
        f"the database did not accept the transaction ({failure}); nothing was written",
        hint="check that it is reachable and that its disk has room, then run the command again",
        fr=f"la base n'a pas accepté la transaction ({failure}) ; rien n'a été écrit",
        hint_fr="vérifiez qu'elle répond et que son disque a de la place, puis recommencez",
    )


def _not_read(failure: str) -> WorkspaceError:
    return WorkspaceError(
        f"the database cannot be read ({failure})",
        hint="check that it is reachable, and whose it is",
        fr=f"la base ne peut pas être lue ({failure})",
        hint_fr="vérifiez qu'elle répond, et à qui elle est",
    )


def _not_cleared(failure: str) -> WorkspaceError:
    return WorkspaceError(
        f"what was deleted cannot be cleared out of the database yet ({failure})",
        hint="end the other processes that use the workspace, then run the command again",
        fr=f"ce qui a été supprimé ne peut pas encore être effacé de la base ({failure})",
        hint_fr="arrêtez les autres processus qui utilisent l'espace de travail, puis recommencez",
    )
