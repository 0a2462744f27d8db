"""A purge killed before and after every write it makes, and run again, ends in the same state, with one certificate.

On SQLite every write is a place to die. On PostgreSQL it is every ninth, and every one with PASSERELLE_CRASH_MATRIX=full.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from flows.assembly import PREFECT, place_order
from passerelle.errors import RefusedError
from passerelle.store import flow_orders, purge_left, purges
from retention.purge import purge
from tests.canary import SHORTEST, sweep
from tests.gateway import (
    CSP_ENDED,
    POOLS,
    Gateway,
    assert_no_orphans,
    pools,
    rows_of,
    trail_holds,
    two_recipients,
)
from tests.killing import Mortals, Task

pytestmark = pytest.mark.slow
ENDED, OTHER = "csp-ft-2024", "two-ministries"
NOW, DUE = "2025-05-12T06:00:00+02:00", "2025-10-10T05:00:00+02:00"
FULL = os.environ.get("PASSERELLE_CRASH_MATRIX") == "full"
ORDER = "0123456789abcdef" * 4
OF_PREFECT = """
create table flow_run (id text, parameters text); create table task_run (id text, flow_run_id text);
create table flow_run_state (flow_run_id text); create table task_run_state (task_run_id text);
create table log (flow_run_id text, message text); create table artifact (flow_run_id text);
create table artifact_collection (flow_run_id text); create table flow_run_input (flow_run_id text);
create table events (id text, resource_id text); create table event_resources (event_id text, resource_id text);
"""


@dataclass
class Database:
    """Where the tables are: a file of the workspace, or a database of a server that is copied as a whole."""

    server: str | None = None

    @property
    def url(self) -> str | None:
        """Of the database in use."""
        if self.server is None:
            return None
        return make_url(self.server).set(database="purged").render_as_string(hide_password=False)

    def execute(self, *statements: str) -> list[object]:
        """Run statements on the server; the first value of the last one's rows."""
        assert self.server is not None
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                answers = [connection.exec_driver_sql(one) for one in statements]
                return list(answers[-1].scalars()) if answers[-1].returns_rows else []
        finally:
            engine.dispose()

    def begin(self) -> None:
        """An empty database."""
        if self.server is not None:
            self.execute("drop database if exists purged with (force)", "create database purged")

    def save(self) -> None:
        """Keep it as it is."""
        if self.server is not None:
            self.execute("drop database if exists saved", "create database saved template purged")

    def restore(self) -> None:
        """Put it back as it was kept."""
        if self.server is not None:
            self.execute("drop database if exists purged with (force)", "create database purged template saved")

    def files(self, home: Path) -> list[Path]:
        """The files that the tables are in."""
        if self.server is None:
            return list(home.glob("passerelle.db*"))
        data, number = self.execute("checkpoint", "show data_directory")[0], self.execute(
            "select oid from pg_database where datname = 'purged'"
        )[0]  # fmt: skip
        return [path for path in (Path(str(data)) / "base" / str(number)).iterdir() if path.is_file()]


@dataclass
class Ended:
    """A convention that is over, another that lives on, put back as they were before each death."""

    folder: Path
    database: Database = field(default_factory=Database)

    def __post_init__(self) -> None:
        self.database.begin()
        gateway = pools(self.folder / "gateway", self.database.url)
        other = two_recipients(gateway)
        source = gateway.write(POOLS, 60, bad_rate=0.02)
        gateway.run(POOLS, "2025-05", source)
        place_order(gateway.workspace, gateway.order(POOLS, "2025-06", source))
        names = [line.split(b";")[1].decode("cp1252") for line in source.read_bytes().splitlines()[1:]]
        self.persons = {f"line {n}": name for n, name in enumerate(names) if len(name) >= SHORTEST}
        gateway.run(other, "2025-05", gateway.write(other, 40))
        self.lives_on = gateway.present(convention=OTHER)
        gateway.record(CSP_ENDED).move_to(DUE)
        self._in_prefect(gateway)
        self.canaries = self._canaries(gateway)
        self.gateway, self.saved = gateway, gateway.saved(self.folder / "saved")
        self.database.save()

    def _in_prefect(self, gateway: Gateway) -> None:
        """What Prefect has of an order of the convention, in its own tables."""
        with gateway.workspace.database.begin() as connection:
            flow_orders.remember(connection, ORDER, ENDED, "candidate-pools", at=gateway.workspace.now())
        (gateway.home / "prefect").mkdir(exist_ok=True)
        with closing(sqlite3.connect(gateway.home / "prefect" / "prefect.db")) as connection:
            connection.executescript(OF_PREFECT)
            connection.execute("insert into flow_run values ('run-1', ?)", [json.dumps({"order_id": ORDER})])
            connection.execute("insert into log values ('run-1', ?)", [f"order {ORDER} done"])
            connection.commit()

    def _canaries(self, gateway: Gateway) -> list[bytes]:
        """Bytes of every copy that has to go, of the keys, and of what the tables had of the convention's files."""
        copies = [copy for copy in gateway.present(convention=ENDED) if copy.ours and copy.kind != "index"]
        files = [gateway.workspace.path(copy.location) for copy in copies]
        files += (gateway.home / "keys").rglob(f"{ENDED}.*keyset")
        assert len(files) >= 4
        data = [path.read_bytes() for path in files]
        with gateway.workspace.database.read() as connection:
            order = bytes(connection.exec_driver_sql("select input from exchange_order").scalar_one())
        manifest = gateway.deliveries(convention=ENDED)[0].manifest
        return [one[len(one) // 2 :][:40] for one in data] + [order[40:100], manifest[200:300], ORDER.encode()]

    def restore(self) -> None:
        """Put everything back as it was before the purge."""
        self.gateway.workspace.close()
        self.database.restore()
        self.gateway = self.gateway.restored(self.saved)

    def die(self, mortals: Mortals, **when: object) -> bool:
        """Purge until death, from where it is; whether it died."""
        self.gateway.workspace.close()
        task = Task(str(self.gateway.home), DUE, ENDED, database=self.database.url, **when)  # type: ignore[arg-type]  # the places to die, by name
        death = mortals.run(task)
        assert death.killed or death.status == 0
        self.gateway = self.gateway.reopened()
        return death.killed

    def expect_the_end(self) -> None:
        """Purge again, unless it was done: one certificate, nothing of the convention left, nothing else lost."""
        gateway = self.gateway
        with gateway.workspace.database.read() as connection:
            known = purges.purges(connection, state="done")
        assert known or purge(gateway.workspace, ENDED, prefect=PREFECT).state == "done"
        with gateway.workspace.database.read() as connection:
            (one,) = purges.purges(connection)
            assert purge_left.stuck(connection, one.id) == ()
        counts = {copy["kind"]: copy["count"] for copy in json.loads(one.certificate or "")["destroyed"]}
        assert counts == {"quarantine": 1, "raw": 1, "release": 1}
        assert len(gateway.entries("purge_certificate")) == len(gateway.entries("purge_started")) == 1
        assert sum(entry["holdings"] for entry in gateway.entries("holding_destroyed")) == 3
        assert sorted(copy.kind for copy in gateway.present(convention=ENDED)) == ["index", "parcel"]
        assert gateway.present(convention=OTHER) == self.lives_on
        assert gateway.workspace.keys.destroyed() == {ENDED}
        assert len(list((gateway.home / "keys").rglob("root.key"))) == 1
        assert list((gateway.home / "reports").glob(f"*{ENDED}*")) == []
        assert_no_orphans(gateway)
        trail_holds(gateway.workspace)
        gateway.workspace.close()
        ours = Path(tempfile.gettempdir()).glob("passerelle-*")
        temporary = [Path(where) / name for folder in ours for where, _, names in os.walk(folder) for name in names]
        places = [path for path in gateway.home.rglob("*") if path.is_file()] + self.database.files(gateway.home)
        for path in {*places, *temporary}:
            assert self._found(path) == [], path.name

    def _found(self, path: Path) -> list[int]:
        try:
            data = path.read_bytes()
        except OSError:  # another program's, and gone
            return []
        known = set() if path.parent.name == "prefect" else {ORDER.encode()}  # its number stays in our tables, as proof
        return [n for n, canary in enumerate(self.canaries) if canary in data and canary not in known]


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder that is quick to sync, where there is one."""
    shared = Path("/dev/shm")  # noqa: S108 -- a place, not a name
    with tempfile.TemporaryDirectory(prefix="purged-", dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def ended(memory: Path) -> Ended:
    """The stage of the deaths."""
    return Ended(memory / "sqlite")


@pytest.fixture(scope="module")
def ended_on_postgres(memory: Path, postgres: str) -> Ended:
    """The same on a server."""
    return Ended(memory / "postgres", Database(postgres))


def before_every_write(stage: Ended, mortals: Mortals, step: int) -> int:
    """Die before the first write, and every ``step``-th after it; the number of the first one that was not reached."""
    point = 1
    stage.restore()
    while stage.die(mortals, write=point):
        stage.expect_the_end()
        stage.restore()
        point += step
    stage.expect_the_end()
    return point


def test_killed_before_every_write(mortals: Mortals, ended: Ended) -> None:
    """On SQLite, killed before any write or after the one before it, the purge run again ends in the same state."""
    assert before_every_write(ended, mortals, 1) > 80
    assert sweep([ended.gateway.home], ended.persons) == []


def test_killed_before_writes_on_postgres(mortals: Mortals, ended_on_postgres: Ended) -> None:
    """On PostgreSQL, killed before a write or after the one before it, the purge run again ends in the same state."""
    assert before_every_write(ended_on_postgres, mortals, 1 if FULL else 9) > 50
    assert sweep([ended_on_postgres.gateway.home], ended_on_postgres.persons) == []


@pytest.mark.parametrize(("which", "seeds"), [("ended", range(6)), ("ended_on_postgres", range(10, 13))])
def test_killed_three_times(mortals: Mortals, which: str, seeds: range, request: pytest.FixtureRequest) -> None:
    """Killed up to three times in one purge, before a write or at any instant, the purge ends in the same state."""
    stage: Ended = request.getfixturevalue(which)
    deaths = 0
    for seed in seeds:
        chosen = random.Random(seed)  # noqa: S311 -- places to die, the same each time
        stage.restore()
        for _ in range(3):
            when = {"write": chosen.randint(1, 60)} if chosen.random() < 0.7 else {"after": chosen.uniform(1, 300)}
            deaths += stage.die(mortals, **when)
        stage.expect_the_end()
    assert deaths > len(seeds)


def test_the_other_convention_opens_after_all_that(mortals: Mortals, ended: Ended, tmp_path: Path) -> None:
    """After a death between keys and files and the purge run again, parcels of the other convention open with its keys."""
    ended.restore()
    assert ended.die(mortals, function="rotate_root", when="return")
    ended.expect_the_end()
    gateway = ended.gateway.reopened()
    (parcel,) = gateway.parcels("mtss")
    assert len(rows_of(gateway.opened(parcel, "mtss", tmp_path / "out"))) == 40
    gateway.workspace.close()


def test_a_purge_ends_what_an_exchange_left(mortals: Mortals, tmp_path: Path) -> None:
    """An exchange that was killed with its intent on record is closed by the purge: its intent is taken back, nothing is left."""
    gateway = pools(tmp_path / "gateway")
    source = gateway.write(POOLS, 60)
    gateway.workspace.close()
    task = Task(str(gateway.home), NOW, POOLS, "2025-05", str(source), function="complete")
    assert mortals.run(task).killed
    gateway = gateway.reopened()
    assert [one.state for one in gateway.deliveries()] == ["intent"]
    gateway.record(CSP_ENDED).move_to(DUE)
    with pytest.raises(RefusedError, match="nothing is held"):
        purge(gateway.workspace, ENDED)
    assert gateway.deliveries() == []
    assert [entry["reason"] for entry in gateway.entries("delivery_abandoned")] == ["out_of_force_at_delivery"]
    assert [run.state for run in gateway.runs()] == ["interrupted"]
    assert gateway.kinds() == []
    assert gateway.parcels("mtfp") == []
    assert_no_orphans(gateway)
    trail_holds(gateway.workspace)
    gateway.workspace.close()
