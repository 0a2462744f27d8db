"""The database of an earlier version is brought up to date when it is opened."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from passerelle.errors import OurWayError, WorkspaceError
from passerelle.store import Database, profiles
from passerelle.store.copying import copy_database, put_back
from passerelle.store.tables import metadata
from passerelle.store.upgrading import SCHEMA_VERSION
from passerelle.trail.tables import metadata as trail_metadata
from passerelle.workspace import Workspace
from passerelle.workspace.settings import Settings
from tests.dying import killed_at, may_trace
from tests.gateway import POOLS, Gateway, assert_no_orphans, pools, trail_holds

DIGEST = "f0e0a855b397"
BACK_TO_5 = (
    "DROP INDEX ix_delivery_run", "DROP INDEX ix_holding_run", "DROP INDEX ix_delivery_link_waiting",
    "DROP INDEX ix_profile_period", "DROP INDEX ix_profile_content", "ALTER TABLE profile DROP COLUMN content",
    "DROP INDEX ix_access_actor", "CREATE INDEX ix_access_actor ON access (actor, at, id)",
    "DROP INDEX ix_access_partner", "CREATE INDEX ix_access_partner ON access (partner, at, id)",
    "DROP INDEX ix_access_convention", "CREATE INDEX ix_access_convention ON access (convention, at, id)",
    "DROP INDEX ix_access_released",
    "CREATE INDEX ix_access_released ON access (delivery, at) WHERE action = 'release_key'",
    "DROP INDEX ix_delivery_entry", "CREATE INDEX ix_delivery_entry ON delivery (entry)",
    "DROP INDEX ix_delivery_recipient", "CREATE INDEX ix_delivery_recipient ON delivery (recipient, entry)",
    "DROP INDEX ix_delivery_convention",  # as where none was ever made
    "UPDATE meta SET value = '5' WHERE key = 'schema'",
)  # fmt: skip
OBSTACLES = {
    "sqlite": (
        "CREATE TRIGGER no_more BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'no'); END",
        "DROP TRIGGER no_more",
    ),
    "postgresql": (
        "ALTER TABLE meta ADD CONSTRAINT no_more CHECK (value <> '7')",
        "ALTER TABLE meta DROP CONSTRAINT no_more",
    ),
}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that delivered once, on each database, its tables as version 5 left them."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = pools(tmp_path / "gateway", url)
    made.run(POOLS, "2025-05", made.write(POOLS, 20))
    (tmp_path / "new.json").write_text(json.dumps(told(made.workspace.database)))
    back_to_5(made)
    yield made
    if url is not None:
        with made.workspace.database.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade")
            connection.exec_driver_sql("create schema public")
    made.workspace.close()


def back_to_5(gateway: Gateway) -> None:
    """Make the tables what version 5 made of them."""
    with gateway.workspace.database.begin() as connection:
        for statement in BACK_TO_5:
            connection.exec_driver_sql(statement)


def told(database: Database) -> tuple[str, list[str], list[str]]:
    """The version that a database is of, and its columns and indexes, as it tells them."""
    with database.read() as connection:
        found = inspect(connection)
        columns = [f"{table}.{one['name']}" for table in found.get_table_names() for one in found.get_columns(table)]
        made = "select sql from sqlite_master where type = 'index' and sql is not null"
        if connection.dialect.name != "sqlite":
            made = "select indexdef from pg_indexes where schemaname = 'public'"
        indexes = [str(one) for one in connection.scalars(text(made))]
        version = connection.scalar(text("select value from meta where key = 'schema'"))
    return str(version), sorted(columns), sorted(indexes)


def opened(gateway: Gateway) -> tuple[str, list[str], list[str]]:
    """What the database tells once this version has opened it."""
    again = gateway.reopened()
    try:
        return told(again.workspace.database)
    finally:
        again.workspace.close()


def test_it_becomes_what_a_new_one_is(gateway: Gateway, tmp_path: Path) -> None:
    """Opened by this version, a database of schema 5 has every column and index of a new one, and its profiles are found."""
    assert told(gateway.workspace.database)[0] == "5"
    found = opened(gateway)
    assert found == opened(gateway)  # once more changes nothing
    upgraded = gateway.reopened()
    assert list(found) == json.loads((tmp_path / "new.json").read_text())
    assert found[0] == SCHEMA_VERSION
    assert "profile.content" in found[1]
    with upgraded.workspace.database.read() as connection:
        ((body, content),) = connection.execute(text("select body, content from profile")).tuples()
    assert content == profiles.content(body)
    assert upgraded.run(POOLS, "2025-06", upgraded.write(POOLS, 20, seed=1)).state == "delivered"
    assert_no_orphans(upgraded)
    trail_holds(upgraded.workspace)
    upgraded.workspace.close()


def test_two_processes_that_open_it_at_once(gateway: Gateway) -> None:
    """Whoever comes second finds it done."""
    gateway.workspace.close()
    settings, failures = Settings(gateway.home, gateway.database_url, gateway.workspace.now()), []

    def opens() -> None:
        try:
            Workspace.open(settings).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=opens) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert told(gateway.workspace.database)[0] == SCHEMA_VERSION


def test_all_of_it_or_nothing(gateway: Gateway) -> None:
    """Where the last statement is refused the database stays what it was, and the next opening does all of it."""
    before = told(gateway.workspace.database)
    refuse, allow = OBSTACLES[gateway.workspace.database.engine.dialect.name]
    with gateway.workspace.database.begin() as connection:
        connection.exec_driver_sql(refuse)
    with pytest.raises(WorkspaceError, match="did not accept"):
        gateway.reopened()
    with gateway.workspace.database.begin() as connection:
        connection.exec_driver_sql(allow)
    assert told(gateway.workspace.database) == before
    assert opened(gateway)[0] == SCHEMA_VERSION


def test_a_profile_that_cannot_be_read_stops_nothing(gateway: Gateway) -> None:
    """A profile that is none has no digest; the exchange that would be held against it refuses."""
    with gateway.workspace.database.begin() as connection:
        connection.execute(text("update profile set body = 'no profile'"))
    again = gateway.reopened()
    with again.workspace.database.read() as connection:
        assert connection.scalar(text("select count(content) from profile")) == 0
    with pytest.raises(OurWayError):
        again.run(POOLS, "2025-06", again.write(POOLS, 20, seed=1))
    again.workspace.close()


def test_a_copy_of_it_is_put_back(gateway: Gateway, tmp_path: Path) -> None:
    """A backup that an earlier version made is put back, and brought up to date."""
    copy, database = tmp_path / "copy", gateway.workspace.database
    if database.engine.dialect.name == "sqlite":
        copy_database(database, copy)
    else:
        opened(gateway)
        copy_database(database, copy)
        (copy / "meta.copy").write_text("schema\t5\n")
        rows = (copy / "profile.copy").read_text().splitlines()
        (copy / "profile.copy").write_text("".join(row.rpartition("\t")[0] + "\n" for row in rows))
    put_back(database, copy)
    with database.read() as connection:
        assert connection.scalar(text("select value from meta where key = 'schema'")) == "5"
    database.check()
    assert told(database)[0] == SCHEMA_VERSION
    with database.read() as connection:
        assert connection.scalar(text("select count(content) from profile")) == 1


def test_on_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """There nothing can be added, which is told; nothing is changed."""
    made = pools(tmp_path / "gateway")
    back_to_5(made)
    made.workspace.close()
    database = Database(f"sqlite:///{made.home / 'passerelle.db'}", read_only=True)
    with pytest.raises(WorkspaceError, match="schema 5") as fault:
        database.check()
    assert fault.value.hint_fr
    database.close()


def test_a_change_of_the_tables_has_a_version_of_its_own() -> None:
    """Whoever changes a table or an index raises SCHEMA_VERSION, says in store/upgrading.py what leads to it, and writes its digest here."""
    dialect = sqlite.dialect()
    tables = [table for every in (metadata, trail_metadata) for table in every.sorted_tables]
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    made += [str(CreateIndex(index).compile(dialect=dialect)) for table in tables for index in table.indexes]
    assert (SCHEMA_VERSION, hashlib.sha256("".join(sorted(made)).encode()).hexdigest()[:12]) == ("7", DIGEST)


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("CI") != "true" and not may_trace(), reason="this machine lets no process trace its child")  # fmt: skip
def test_killed_at_every_write(tmp_path: Path) -> None:
    """Killed at any write of the opening that adds what is missing, the database is of the one version or of the other, whole."""
    gateway = pools(tmp_path / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20))
    back_to_5(gateway)
    old = told(gateway.workspace.database)
    saved = gateway.saved(tmp_path / "saved")
    settings = Settings(gateway.home, None, gateway.workspace.now())
    point, seen = 1, []
    while killed_at(point, lambda: Workspace.open(settings).close()):
        database = Database(f"sqlite:///{gateway.home / 'passerelle.db'}")
        found = told(database)
        assert found == old or found[0] == SCHEMA_VERSION
        seen.append(found[0])
        database.check()
        assert told(database)[0] == SCHEMA_VERSION
        database.close()
        shutil.rmtree(gateway.folder)
        shutil.copytree(saved, gateway.folder)
        point += 1
    assert set(seen) == {"5", SCHEMA_VERSION}
