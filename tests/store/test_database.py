"""State and trail commit together or not at all, whatever the database does."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from passerelle.errors import OurWayError, TrailError, WorkspaceError
from passerelle.store import Database, events
from passerelle.store.tables import meta
from passerelle.store.upgrading import SCHEMA_VERSION
from passerelle.workspace import Settings, Workspace
from tests.gateway import STUDIES, Gateway, assert_no_orphans, files_under, studies, trail_holds


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway ready to exchange studies."""
    made = studies(tmp_path)
    yield made
    made.workspace.close()


def each_connection(gateway: Gateway, *pragmas: str) -> None:
    """Give every later connection to the database these settings."""
    engine = gateway.workspace.database.engine
    engine.dispose()

    @event.listens_for(engine, "connect")
    def _set(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")


def refuse(gateway: Gateway, kind: str) -> Callable[[], None]:
    """Let the database refuse the trail's entries of one kind; gives back what lifts it."""

    def execute(statement: str) -> None:
        with gateway.workspace.database.begin() as connection:
            connection.exec_driver_sql(statement)

    execute(f"create trigger refusal before insert on trail_entry when new.kind = '{kind}' begin select raise(abort, 'no'); end")  # fmt: skip
    return lambda: execute("drop trigger refusal")


def test_an_exception_takes_everything_back(gateway: Gateway) -> None:
    """When anything fails inside a transaction, neither the state change nor its trail entry is there."""
    workspace = gateway.workspace
    size = trail_holds(workspace).size
    body = {"convention": "paca-pe-2016", "event": "signed", "event_id": "e-99"}

    def record_and_fail() -> None:
        with workspace.database.begin() as connection:
            events.record(connection, "paca-pe-2016", "signed", {}, by="test", at=workspace.now())
            workspace.append(connection, "event_recorded", body)
            workspace.append(connection, "event_recorded", {"no": "such field"})

    with pytest.raises(TrailError):
        record_and_fail()
    assert trail_holds(workspace).size == size
    with workspace.database.read() as connection:
        assert [one.type for one in events.history(connection, "paca-pe-2016")] == ["signed", "precondition_recorded"]


@pytest.mark.parametrize("kind", ["decision", "intake", "judged", "checked", "delivery_intent"])
def test_what_the_trail_cannot_tell_does_not_happen(gateway: Gateway, kind: str) -> None:
    """When the trail does not take an entry, the exchange stops there: nothing leaves, and no file is orphaned."""
    source = gateway.write(STUDIES, 20)
    lift = refuse(gateway, kind)
    with pytest.raises(WorkspaceError, match="nothing was written"):
        gateway.run(STUDIES, "2019", source)
    assert gateway.parcels("region-paca") == []
    assert gateway.deliveries() == []
    assert_no_orphans(gateway)
    lift()
    assert gateway.run(STUDIES, "2019", source).state == "delivered"
    assert_no_orphans(gateway)
    trail_holds(gateway.workspace)


def test_an_outcome_that_cannot_be_told_is_told_later(gateway: Gateway) -> None:
    """When the trail does not take the outcome of a delivery, its intent stays, and the next run tells it; one parcel left."""
    source = gateway.write(STUDIES, 20)
    lift = refuse(gateway, "delivered")
    with pytest.raises(WorkspaceError):
        gateway.run(STUDIES, "2019", source)
    (parcel,) = gateway.parcels("region-paca")
    assert [one.state for one in gateway.deliveries()] == ["intent"]
    lift()
    assert gateway.run(STUDIES, "2019", source).state == "duplicate"
    assert gateway.parcels("region-paca") == [parcel]
    assert len(gateway.entries("delivered")) == 1
    assert_no_orphans(gateway)
    trail_holds(gateway.workspace)


def test_a_full_database_stops_an_exchange(gateway: Gateway) -> None:
    """When the database is full an exchange fails with nothing half written; with room again it is delivered once."""
    source = gateway.write(STUDIES, 20)
    with gateway.workspace.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    each_connection(gateway, f"max_page_count = {pages}")
    with pytest.raises(WorkspaceError, match=r"did not accept the transaction \(OperationalError\)"):
        deque(gateway.run(STUDIES, str(period), source) for period in range(2016, 2020))
    assert gateway.deliveries(state="intent") == []
    gateway = gateway.reopened()
    trail_holds(gateway.workspace)
    delivered = len(gateway.parcels("region-paca"))
    for period in range(2016, 2020):
        gateway.run(STUDIES, str(period), source)
    assert (delivered < 4, len(gateway.parcels("region-paca"))) == (True, 4)
    assert_no_orphans(gateway)
    trail_holds(gateway.workspace)
    gateway.workspace.close()


def test_a_database_that_nobody_reaches(tmp_path: Path) -> None:
    """An address where no database answers is told as such, without the password in it, for reading and for writing."""
    home = tmp_path / "workspace"
    Workspace.create(Settings(home)).close()
    unreachable = "postgresql+psycopg://someone:secret-word@127.0.0.1:1/nothing"
    for attempt in (Workspace.open, Workspace.create):
        settings = Settings(home if attempt == Workspace.open else tmp_path / "other", unreachable)
        with pytest.raises(WorkspaceError) as fault:
            attempt(settings)
        assert "OperationalError" in fault.value.message
        assert "secret-word" not in f"{fault.value} {fault.value.hint}"
        assert fault.value.__cause__ is None


@pytest.mark.parametrize("data", [b"no database at all " * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database(tmp_path: Path, data: bytes) -> None:
    """A file that is no database is told as such when the workspace is opened."""
    Workspace.create(Settings(tmp_path)).close()
    (tmp_path / "passerelle.db").write_bytes(data)
    with pytest.raises(WorkspaceError, match="cannot be read"):
        Workspace.open(Settings(tmp_path))


def test_a_database_of_another_schema(tmp_path: Path) -> None:
    """A database without our tables, or of another version of them, is refused."""
    Workspace.create(Settings(tmp_path)).close()
    database = Database(f"sqlite:///{tmp_path / 'passerelle.db'}")
    with database.begin() as connection:
        connection.execute(meta.update().values(value="99"))
    database.close()
    with pytest.raises(WorkspaceError, match="found schema 99"):
        Workspace.open(Settings(tmp_path))
    with pytest.raises(WorkspaceError, match="found none"):
        Workspace.open(Settings(tmp_path, f"sqlite:///{tmp_path / 'empty.db'}"))


def test_a_reader_sees_one_state_and_stops_no_writer(gateway: Gateway) -> None:
    """A view stays as it was while others write, and does not hold them up."""
    with gateway.workspace.database.read() as connection:
        before = gateway.workspace.ledger.size(connection)
        gateway.run(STUDIES, "2019", gateway.write(STUDIES, 20))
        assert gateway.workspace.ledger.size(connection) == before
    assert trail_holds(gateway.workspace).size > before


def test_a_reader_that_holds_deleted_content_is_told(gateway: Gateway) -> None:
    """While another reads what was deleted, clearing says so, instead of pretending that it is gone."""
    gateway.run(STUDIES, "2019", gateway.write(STUDIES, 20))
    each_connection(gateway, "busy_timeout = 50")
    with gateway.workspace.database.read() as reader:
        assert reader.scalar(select(meta.c.value)) == SCHEMA_VERSION
        with gateway.workspace.database.begin() as writer:
            writer.execute(text("update delivery set notices = '{}'"))
        with pytest.raises(WorkspaceError, match="cannot be cleared out of the database yet"):
            gateway.workspace.database.scrub()
    gateway.workspace.database.scrub()
    assert (gateway.home / "passerelle.db-wal").stat().st_size == 0


def test_a_disk_that_refuses_a_file_leaves_none_half_written(gateway: Gateway) -> None:
    """When a copy cannot be written the exchange fails as ours, and leaves no file and no open run."""
    source = gateway.write(STUDIES, 20)
    (gateway.home / "holdings" / "paca-pe-2016").write_text("a file where a folder should be")
    with pytest.raises(OurWayError):
        gateway.run(STUDIES, "2019", source)
    assert [run.state for run in gateway.runs()] == ["failed"]
    (gateway.home / "holdings" / "paca-pe-2016").unlink()
    assert files_under(gateway.home) == []
    assert gateway.run(STUDIES, "2019", source).state == "delivered"
    assert_no_orphans(gateway)
