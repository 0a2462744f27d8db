"""After a purge every place is read again by another way; what was left behind is named."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from passerelle.store import tables
from retention.places import Left, left_of
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, pools, two_recipients

ENDED, OTHER, DUE = "csp-ft-2024", "two-ministries", "2025-10-10T05:00:00+02:00"


class Stage:
    """A gateway with two conventions, one of which was purged; a copy of each file of before."""

    def __init__(self, folder: Path) -> None:
        self.gateway = pools(folder / "gateway")
        other = two_recipients(self.gateway)
        self.gateway.run(POOLS, "2025-05", self.gateway.write(POOLS, 60, bad_rate=0.05))
        self.gateway.run(other, "2025-05", self.gateway.write(other, 40))
        self.before = left_of(self.gateway.workspace, ENDED)
        self.run = self.gateway.runs(convention=ENDED)[0].id
        self.parcel = self.gateway.deliveries(convention=ENDED)[0].id
        self.gateway.workspace.close()
        self.copy = Path(shutil.copytree(self.gateway.home, folder / "copy"))
        self.gateway = self.gateway.reopened().record(CSP_ENDED).move_to(DUE)
        purge(self.gateway.workspace, ENDED)
        self.purged = self.gateway.saved(folder / "purged")
        self.gateway = self.gateway.reopened()

    def left(self) -> dict[tuple[str, str], int]:
        """What is left, counted."""
        return {(one.place, one.kind): one.count for one in left_of(self.gateway.workspace, ENDED)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The stage, made once."""
    return Stage(tmp_path_factory.mktemp("places"))


@pytest.fixture
def stage(made: Stage) -> Iterator[Stage]:
    """The stage as it was after the purge."""
    yield made
    made.gateway = made.gateway.restored(made.purged)


def test_everything_is_seen_before_and_nothing_after(stage: Stage) -> None:
    """Before the purge each copy, row and key is found by its kind; after it nothing, though the other convention lives on."""
    found = {(one.place, one.kind): one.count for one in stage.before}
    assert found == {
        ("disk", "raw"): 1, ("disk", "quarantine"): 1, ("disk", "release"): 1, ("disk", "check-report"): 1,
        ("disk", "sender-report"): 2, ("disk", "key-set"): 1, ("disk", "copy-keys"): 1, ("table", "delivery"): 1, ("table", "profile"): 1,
        ("table", "reply"): 1,
    }  # fmt: skip
    assert stage.left() == {}
    assert left_of(stage.gateway.workspace, OTHER) != ()


def test_each_file_put_back_is_named(stage: Stage) -> None:
    """Each file that comes back, one at a time, is found though the register calls it destroyed; its name is not told."""
    there = {path.relative_to(stage.gateway.home) for path in stage.gateway.home.rglob("*")}
    gone = [path for path in stage.copy.rglob("*") if path.is_file() and path.relative_to(stage.copy) not in there]
    gone = [path for path in gone if path.relative_to(stage.copy).parts[0] not in {"keys", "prefect"}]
    assert len(gone) >= 6
    for path in gone:
        back = stage.gateway.home / path.relative_to(stage.copy)
        back.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, back)
        (left,) = left_of(stage.gateway.workspace, ENDED)
        assert (left.place, left.count) == ("disk", 1)
        assert set(left.ids) <= {stage.run, stage.parcel}
        back.unlink()
    assert stage.left() == {}


def test_a_register_that_was_cut_hides_nothing(stage: Stage) -> None:
    """With every row of the register, the runs and the deliveries taken out, a copy that is there is found all the same."""
    place = stage.gateway.home / "holdings" / ENDED / stage.run
    place.mkdir(parents=True, exist_ok=True)
    (place / "raw.age").write_bytes(b"age")
    (stage.gateway.home / "staging" / f"{stage.parcel}.tar").write_bytes(b"tar")
    with stage.gateway.workspace.database.begin() as connection:
        for table in (tables.holding, tables.profile, tables.delivery):
            connection.execute(delete(table).where(table.c.convention == ENDED))
    assert stage.left() == {("disk", "raw"): 1, ("disk", "staging"): 1}


def test_what_no_list_and_no_run_knows_is_named(stage: Stage) -> None:
    """A file of no kind where copies live, and a copy of a run that nobody knows, are left behind by somebody."""
    (stage.gateway.home / "staging" / "spill-of-something").write_bytes(b"?")
    (stage.gateway.home / "releases" / "p-0123456789abcdef01234567.key").write_bytes(b"?")
    assert stage.left() == {("disk", "release"): 1, ("disk", "unlisted"): 1}


def test_rows_that_came_back_are_named(stage: Stage) -> None:
    """A manifest that is back in its row is found, and an empty one is not."""
    with stage.gateway.workspace.database.begin() as connection:
        mine = tables.delivery.c.convention == ENDED
        connection.execute(update(tables.delivery).where(mine).values(manifest=b"{}x"))
    assert stage.left() == {("table", "delivery"): 1}


def test_half_files_outside_are_named(stage: Stage) -> None:
    """A parcel half written in a partner's folder, or a temporary file that bears its id, is ours and is found."""
    half = stage.gateway.folder / "partners" / "mtfp" / f".{stage.parcel}.tar.part"
    half.write_bytes(b"half")
    with tempfile.TemporaryDirectory(prefix="passerelle-") as folder:
        (Path(folder) / f"{stage.run}.csv").write_bytes(b"")
        assert stage.left() == {("partner", "half-parcel"): 1, ("temporary", "file"): 1}
    half.unlink()


def test_some_runs_of_a_convention(made: Stage, tmp_path: Path) -> None:
    """Asked for the runs of a partial purge, only theirs count: nothing of the convention's other runs, nor its keys."""
    gateway = pools(tmp_path / "gateway")
    first = gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30)).run
    second = gateway.run(POOLS, "2025-06", gateway.write(POOLS, 31, seed=1)).run
    left = left_of(gateway.workspace, ENDED, runs=frozenset({first}))
    kinds = {one.kind for one in left} - {"quarantine"}
    assert kinds == {"raw", "release", "check-report", "sender-report", "profile", "reply", "delivery"}
    assert all(second not in one.ids for one in left)
    assert made.gateway.home != gateway.home
    gateway.workspace.close()


def test_as_json() -> None:
    """What is left is one JSON object a place, with ids and no name."""
    assert Left("disk", "raw", 1, ("r-1",)).as_json() == {"place": "disk", "kind": "raw", "count": 1, "ids": ["r-1"]}


def test_prefect_of_another_server_is_asked(stage: Stage) -> None:
    """What another server still has of the convention's orders is counted in."""
    from passerelle.store import flow_orders

    with stage.gateway.workspace.database.begin() as connection:
        flow_orders.remember(connection, "ab" * 16, ENDED, "candidate-pools", at=stage.gateway.workspace.now())
    asked: list[frozenset[str]] = []

    def count(orders: frozenset[str]) -> dict[str, int]:
        asked.append(orders)
        return {"flow_run": 2, "log": 0}

    assert left_of(stage.gateway.workspace, ENDED, prefect=count) == (Left("prefect", "flow_run", 2),)
    assert asked == [frozenset({"ab" * 16})]
