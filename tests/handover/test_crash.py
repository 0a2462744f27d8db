"""Killed with SIGKILL anywhere and run again: one delivery, no orphan, the trail whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import GateRefusedError
from passerelle.store import partners
from tests.gateway import (
    POOLS,
    TWO,
    Gateway,
    assert_no_orphans,
    assert_sequences_without_gap,
    pools,
    rows_of,
    trail_holds,
    two_recipients,
)
from tests.killing import Death, Mortals, Task

pytestmark = pytest.mark.slow
PERIOD = "2025-05"
ROWS = 100
MANY = 130_000  # more than two of the stretches that the contract judges at once
NOW = "2025-05-12T06:00:00+02:00"


class Stage:
    """One exchange about to run, put back as it was before each death."""

    def __init__(self, gateway: Gateway, which: str, rows: int, saved: Path) -> None:
        self.which, self.rows, self.gateway = which, rows, gateway
        self.source = gateway.write(which, rows, bad_rate=0.02)
        self.accepted = rows - rows // 50
        self.saved = gateway.saved(saved)

    def die(self, mortals: Mortals, **when: object) -> bool:
        """Run the exchange until it dies; whether it did."""
        return self._run(mortals, **when).killed

    def changes(self, mortals: Mortals) -> int:
        """How many changes of the disk and commits the exchange makes when it lives."""
        found = self._run(mortals).changes
        for path in self.gateway.parcels("mtfp"):
            path.unlink()
        return found

    def _run(self, mortals: Mortals, **when: object) -> Death:
        self.gateway = self.gateway.restored(self.saved)
        self.gateway.workspace.close()
        task = Task(str(self.gateway.home), NOW, self.which, PERIOD, str(self.source), **when)  # type: ignore[arg-type]  # the places to die, by name
        death = mortals.run(task)
        assert death.killed or death.status == 0
        self.gateway = self.gateway.reopened()
        return death

    def expect_one_delivery(self, *parties: str, out: Path | None = None) -> None:
        """Run again, twice: each party has one parcel, everything is registered, and the trail tells it once."""
        for _ in range(2):
            outcome = self.gateway.run(self.which, PERIOD, self.source)
            assert {one.recipient for one in outcome.deliveries} == set(parties)
        assert outcome.state == "duplicate"
        assert_no_orphans(self.gateway)
        assert_sequences_without_gap(self.gateway)
        trail_holds(self.gateway.workspace)
        assert self.gateway.runs(state="running") == []
        assert sorted(entry["recipient"] for entry in self.gateway.entries("delivered")) == sorted(parties)
        for party in parties:
            (parcel,) = self.gateway.parcels(party)
            folder = (out or self.gateway.folder) / "opened" / party
            assert len(rows_of(self.gateway.opened(parcel, party, folder))) == self.accepted
            shutil.rmtree(folder)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A pool of candidates for one ministry."""
    folder = tmp_path_factory.mktemp("one")
    return Stage(pools(folder / "gateway"), POOLS, ROWS, folder / "saved")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A pool so large that its rows pass in several stretches."""
    folder = tmp_path_factory.mktemp("many")
    return Stage(pools(folder / "gateway"), POOLS, MANY, folder / "saved")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A pool of candidates for two ministries."""
    folder = tmp_path_factory.mktemp("two")
    gateway = pools(folder / "gateway")
    return Stage(gateway, two_recipients(gateway), ROWS, folder / "saved")


@pytest.mark.parametrize(
    ("step", "nth"), [(1, 1), (2, 1), (2, 3), (3, 1), (3, 2), (4, 1), (5, 1), (5, 2), (6, 1), (7, 1), (8, 1)]
)
def test_killed_at_each_step(mortals: Mortals, many: Stage, step: int, nth: int) -> None:
    """Killed as a step begins, or in the midst of its rows, the exchange run again delivers once."""
    assert many.die(mortals, step=step, nth=nth)
    many.expect_one_delivery("mtfp")


@pytest.mark.parametrize("when", ["call", "return"])
@pytest.mark.parametrize("function", ["_intend", "complete", "finish", "put_in_folder", "arrive", "close_run"])
def test_killed_between_intent_and_outcome(mortals: Mortals, one: Stage, function: str, when: str) -> None:
    """Killed as a part of the delivery begins or ends, the exchange run again delivers once."""
    assert one.die(mortals, function=function, when=when)
    one.expect_one_delivery("mtfp")


def test_killed_before_any_change_of_the_disk(mortals: Mortals, two: Stage) -> None:
    """Killed before any change of the disk or after any commit, with two recipients, each gets its parcel once."""
    point, delivering = 1, 0
    while two.die(mortals, change=point):
        begun = bool(two.gateway.deliveries())
        two.expect_one_delivery("mtfp", "mtss")
        delivering += begun
        point += 1 if begun else 8
    assert point > 60
    assert delivering > 10


@pytest.mark.parametrize("nth", [1, 2])
def test_one_of_two_delivered_before_the_death(mortals: Mortals, two: Stage, nth: int) -> None:
    """Killed once the first or the second of two parcels has arrived, nobody gets a parcel twice."""
    assert two.die(mortals, function="arrive", when="return", nth=nth)
    assert len(two.gateway.deliveries(state="delivered")) == nth
    kept = {path: path.stat().st_mtime_ns for party in ("mtfp", "mtss") for path in two.gateway.parcels(party)}
    assert len(kept) == nth
    two.expect_one_delivery("mtfp", "mtss")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another disk than the temporary one."""
    folder = Path("/dev/shm") / f"passerelle-{os.getpid()}"  # noqa: S108 - a folder of this test's own, on another disk
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


def test_killed_while_a_parcel_crosses_to_another_disk(mortals: Mortals, tmp_path: Path, other_disk: Path) -> None:
    """Killed anywhere while a parcel goes to a partner's disk, the exchange run again leaves one there, and no working copy."""
    gateway = pools(tmp_path / "gateway")
    assert other_disk.stat().st_dev != gateway.home.stat().st_dev
    (gateway.folder / "partners").mkdir()
    (gateway.folder / "partners" / "mtfp").symlink_to(other_disk, target_is_directory=True)
    stage = Stage(gateway, POOLS, ROWS, tmp_path / "saved")
    point = stage.changes(mortals)
    copied = set()
    while stage.die(mortals, change=point) and stage.gateway.deliveries():
        copied.add(tuple(path.suffix for path in other_disk.iterdir()))
        assert [one.recipient for one in stage.gateway.run(POOLS, PERIOD, stage.source).deliveries] == ["mtfp"]
        assert [path.suffix for path in other_disk.iterdir()] == [".tar"]
        assert list((stage.gateway.home / "staging").iterdir()) == []
        assert len(stage.gateway.entries("delivered")) == 1
        trail_holds(stage.gateway.workspace)
        next(other_disk.iterdir()).unlink()
        point -= 1
    assert copied == {(), (".part",), (".tar",)}


def test_a_parcel_taken_at_once_is_not_sent_again(mortals: Mortals, one: Stage) -> None:
    """A parcel that its recipient took before the outcome was written counts as delivered and is not made a second time."""
    assert one.die(mortals, function="arrive", when="call")
    (parcel,) = one.gateway.parcels("mtfp")
    parcel.unlink()
    assert one.gateway.run(POOLS, PERIOD, one.source).state == "duplicate"
    assert one.gateway.parcels("mtfp") == []
    assert len(one.gateway.entries("delivered")) == 1
    trail_holds(one.gateway.workspace)


def test_a_gate_that_closes_meanwhile_takes_the_intent_back(mortals: Mortals, one: Stage) -> None:
    """An intent whose gate has closed is abandoned, leaves nothing, and gives its number to the delivery that follows."""
    assert one.die(mortals, function="complete", when="call")
    gateway = one.gateway.record(("csp-ft-2024", "suspended", {"exchange": "candidate-pools", "on": "2025-05-12"}))
    with pytest.raises(GateRefusedError):
        gateway.run(POOLS, PERIOD, one.source)
    assert len(gateway.entries("delivery_abandoned")) == 1
    assert (gateway.deliveries(), gateway.parcels("mtfp"), gateway.kinds()) == ([], [], [])
    assert_no_orphans(gateway)
    gateway.record(("csp-ft-2024", "resumed", {"exchange": "candidate-pools", "on": "2025-05-12"}))
    one.expect_one_delivery("mtfp")


def test_a_working_copy_that_was_cut_is_not_sent(mortals: Mortals, one: Stage) -> None:
    """An intent whose sealed bytes are no longer whole is abandoned; the exchange makes the parcel anew."""
    assert one.die(mortals, function="complete", when="call")
    (staged,) = (one.gateway.home / "staging").glob("*.part")
    os.truncate(staged, staged.stat().st_size - 1)
    one.expect_one_delivery("mtfp")
    assert [entry["reason"] for entry in one.gateway.entries("delivery_abandoned")] == ["extract_not_whole"]


def test_two_ministries_receive_different_keys(two: Stage) -> None:
    """The convention of this test has two recipients, each with an approved key of its own."""
    gateway = two.gateway.restored(two.saved)
    with gateway.workspace.database.read() as connection:
        keys = {party: partners.approved(connection, party) for party in ("mtfp", "mtss")}
    assert TWO.partition("/")[0] in gateway.workspace.convention_ids()
    assert len({key.fingerprint for known in keys.values() for key in known}) == 2
