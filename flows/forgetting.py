"""Prefect forgets what it kept of a convention's orders: runs, states, tasks, logs, artifacts and events.

By the server that PREFECT_API_URL names; and in the databases that can be reached from here: that of the embedded server, and
the one that PREFECT_SERVER_DATABASE_CONNECTION_URL names. A server's interface cannot forget events: where its database is out of
reach they stay until their own end (PREFECT_SERVER_EVENTS_RETENTION_PERIOD, seven days in docs/operations.md).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    delete,
    event,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from passerelle.errors import OurWayError
from passerelle.store import flow_orders
from passerelle.workspace import Workspace

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

PAGE = 200  # runs asked of a server at once
MANY = 500  # ids in one statement
OF_A_RUN = ("log", "artifact", "artifact_collection", "flow_run_input", "task_run", "flow_run_state")
TABLES = ("flow_run", *OF_A_RUN, "task_run_state", "events", "event_resources")
URL, OLD_URL = "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_API_DATABASE_CONNECTION_URL"


def erase_prefect(workspace: Workspace, convention: str, exchange: str | None = None) -> dict[str, int]:
    """Delete what Prefect keeps of the orders of a convention, or of one exchange; rows that went, by table. Repeatable.

    Raises:
        OurWayError: a server or its database does not answer, or does not delete: the purge stays open.
    """
    with workspace.database.read() as connection:
        orders = flow_orders.orders_of(connection, convention, exchange)
    gone: Counter[str] = Counter()
    if not orders:
        return dict(gone)
    if os.environ.get("PREFECT_API_URL"):
        gone += _by_server(orders)
    for url in _databases(workspace.home):
        gone += _in_database(url, orders)
    return dict(gone)


def left_in_prefect(orders: frozenset[str]) -> Mapping[str, int]:
    """How many runs of ``orders`` a server other than the embedded one still has; nothing without PREFECT_API_URL."""
    if not os.environ.get("PREFECT_API_URL"):
        return {}
    with _client() as client:
        return {"flow_run": len(_runs_of(client, orders))}


def _databases(home: Path) -> Iterator[str]:
    embedded = home / "prefect" / "prefect.db"
    if embedded.exists():
        yield f"sqlite:///{embedded}"
    url = os.environ.get(URL) or os.environ.get(OLD_URL)
    if url:
        yield url.replace("+aiosqlite", "").replace("+asyncpg", "+psycopg")


def _client() -> SyncPrefectClient:
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _by_server(orders: frozenset[str]) -> Counter[str]:
    failure, gone = "", Counter[str]()
    try:
        with _client() as client:
            runs = _runs_of(client, orders)
            for one in runs:
                gone["artifact"] += _forget_artifacts(client, one)
                client.delete_flow_run(one)
                gone["flow_run"] += 1
            return gone
    except Exception as error:
        failure = type(error).__name__
    raise _not_forgotten(failure)


def _runs_of(client: SyncPrefectClient, orders: frozenset[str]) -> list[Any]:
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    flows, found, offset = FlowFilter(name=FlowFilterName(any_=["exchange"])), [], 0
    while True:
        page = client.read_flow_runs(flow_filter=flows, limit=PAGE, offset=offset)
        found += [one.id for one in page if one.parameters.get("order_id") in orders]
        offset += len(page)
        if len(page) < PAGE:
            return found


def _forget_artifacts(client: SyncPrefectClient, run: Any) -> int:
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    found = client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run])))
    for one in found:
        client.delete_artifact(one.id)
    return len(found)


def _in_database(url: str, orders: frozenset[str]) -> Counter[str]:
    """Delete by the tables; then rebuild the file, so that no byte of what was deleted stays in it."""
    failure = ""
    try:
        engine = create_engine(url, hide_parameters=True)
        try:
            _secure(engine)
            with engine.begin() as connection:
                gone = _delete(connection, orders)
            _rebuild(engine)
            return gone
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError) as error:
        failure = type(error).__name__
    raise _not_forgotten(failure)


def _secure(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("secure_delete=ON", "busy_timeout=60000"):
            connection.execute(f"PRAGMA {pragma}")


def _delete(connection: Connection, orders: frozenset[str]) -> Counter[str]:
    tables, look = MetaData(), inspect(connection)
    for name in filter(look.has_table, TABLES):
        Table(name, tables, *(Column(one["name"], one["type"]) for one in look.get_columns(name)))
    gone: Counter[str] = Counter()
    if "flow_run" not in tables.tables:
        return gone
    run, task = tables.tables["flow_run"], tables.tables["task_run"]
    mine = [
        row.id for row in connection.execute(select(run.c.id, run.c.parameters)) if _order(row.parameters) in orders
    ]
    tasks = [
        one for ids in _some(mine) for one in connection.scalars(select(task.c.id).where(task.c.flow_run_id.in_(ids)))
    ]
    about = [f"prefect.flow-run.{one}" for one in mine] + [f"prefect.task-run.{one}" for one in tasks]
    gone += _events(connection, tables, about)
    gone["task_run_state"] += _rows(connection, tables.tables["task_run_state"].c.task_run_id, tasks)
    for name in OF_A_RUN:
        table = tables.tables[name]
        gone[name] += _rows(connection, table.c.flow_run_id, mine)
        alone = table.c.flow_run_id.is_not(None) & table.c.flow_run_id.not_in(select(run.c.id))
        gone[name] += connection.execute(delete(table).where(alone)).rowcount
    gone["flow_run"] += _rows(connection, run.c.id, mine)
    return Counter({name: count for name, count in gone.items() if count})


def _order(parameters: Any) -> str | None:
    import json

    value = json.loads(parameters) if isinstance(parameters, str) else parameters
    return value.get("order_id") if isinstance(value, dict) else None


def _events(connection: Connection, tables: MetaData, about: Sequence[str]) -> Counter[str]:
    """Events of the runs and tasks, and those that only mention one."""
    events, resources = tables.tables["events"], tables.tables["event_resources"]
    gone: Counter[str] = Counter()
    for ids in _some(about):
        query = select(resources.c.event_id).where(resources.c.resource_id.in_(ids))
        named = list(connection.scalars(query))
        named += connection.scalars(select(events.c.id).where(events.c.resource_id.in_(ids)))
        gone["event_resources"] += _rows(connection, resources.c.event_id, named)
        gone["events"] += _rows(connection, events.c.id, named)
    return gone


def _rows(connection: Connection, column: Column[Any], ids: Sequence[Any]) -> int:
    table: Table = column.table
    return sum(connection.execute(delete(table).where(column.in_(some))).rowcount for some in _some(ids))


def _some(ids: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(ids)
    while some := list(islice(rest, MANY)):
        yield some


def _rebuild(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name != "sqlite":
            there = [name for name in TABLES if inspect(connection).has_table(name)]
            connection.exec_driver_sql(f"VACUUM FULL {', '.join(there)}")
            return
        connection.exec_driver_sql("VACUUM")
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    if busy:
        raise _not_forgotten("a reader holds the old content")


def _not_forgotten(failure: str) -> OurWayError:
    return OurWayError(
        f"Prefect did not delete what it keeps of these runs ({failure})",
        where="prefect",
        hint="check the server that PREFECT_API_URL names, end what uses the workspace's embedded one, then purge again",
        fr=f"Prefect n'a pas supprimé ce qu'il garde de ces traitements ({failure})",
        hint_fr="vérifiez le serveur que PREFECT_API_URL désigne, arrêtez ce qui utilise le serveur embarqué, puis recommencez",
    )
