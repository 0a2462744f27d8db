"""A purge killed anywhere and run again ends in the same state, with one certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import RefusedError
from passerelle.store import purges
from retention.purge import purge
from tests.gateway import (
    CSP_ENDED,
    POOLS,
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


class Ended:
    """A convention that is over, another that lives on, put back as they were before each death."""

    def __init__(self, folder: Path) -> None:
        self.gateway = pools(folder / "gateway")
        other = two_recipients(self.gateway)
        self.gateway.run(POOLS, "2025-05", self.gateway.write(POOLS, 60, bad_rate=0.02))
        self.gateway.run(other, "2025-05", self.gateway.write(other, 40))
        self.lives_on = self.gateway.present(convention=OTHER)
        self.gateway.record(CSP_ENDED).move_to(DUE)
        self.manifest = self.gateway.deliveries(convention=ENDED)[0].manifest[200:300]
        self.saved = self.gateway.saved(folder / "saved")

    def die(self, mortals: Mortals, **when: object) -> bool:
        """Purge until death; whether it died."""
        self.gateway = self.gateway.restored(self.saved)
        self.gateway.workspace.close()
        task = Task(str(self.gateway.home), DUE, ENDED, **when)  # type: ignore[arg-type]  # the places to die, by name
        death = mortals.run(task)
        assert death.killed or death.status == 0
        self.gateway = self.gateway.reopened()
        return death.killed

    def expect_the_end(self) -> None:
        """Purge again, unless it was done: one certificate, nothing of the convention left, nothing else lost."""
        gateway = self.gateway
        with gateway.workspace.database.read() as connection:
            known = purges.purges(connection, state="done")
        assert known or purge(gateway.workspace, ENDED).state == "done"
        with gateway.workspace.database.read() as connection:
            (one,) = purges.purges(connection)
        counts = {copy["kind"]: copy["count"] for copy in json.loads(one.certificate or "")["destroyed"]}
        assert counts == {"quarantine": 1, "raw": 1, "release": 1}
        assert len(gateway.entries("purge_certificate")) == len(gateway.entries("purge_started")) == 1
        assert sorted(copy.kind for copy in gateway.present(convention=ENDED)) == ["index", "parcel"]
        assert gateway.present(convention=OTHER) == self.lives_on
        assert gateway.workspace.keys.destroyed() == {ENDED}
        assert len(list((gateway.home / "keys").rglob("root.key"))) == 1
        assert list((gateway.home / "reports").glob(f"*{ENDED}*")) == []
        assert_no_orphans(gateway)
        trail_holds(gateway.workspace)
        gateway.workspace.close()
        assert [path.name for path in gateway.home.glob("passerelle.db*") if self.manifest in path.read_bytes()] == []


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The stage of the deaths."""
    return Ended(tmp_path_factory.mktemp("ended"))


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    """The process that others are forked from."""
    with Mortals() as process:
        yield process


def test_killed_before_any_change_of_the_disk(mortals: Mortals, ended: Ended) -> None:
    """Killed before a change of the disk or after a commit, every second one, the purge run again ends in the same state."""
    point = 1
    while ended.die(mortals, change=point):
        ended.expect_the_end()
        point += 2
    assert point > 30


@pytest.mark.parametrize("when", ["call", "return"])
@pytest.mark.parametrize(
    "function", ["_open", "_destroy_keys", "_remove_copies", "_clear_tables", "scrub", "_rotate_root", "_certify"]
)
def test_killed_around_each_stage(mortals: Mortals, ended: Ended, function: str, when: str) -> None:
    """Killed as a stage begins or as it ends, the purge run again ends in the same state."""
    assert ended.die(mortals, function=function, when=when)
    ended.expect_the_end()


def test_the_other_convention_opens_after_all_that(mortals: Mortals, ended: Ended, tmp_path: Path) -> None:
    """After a death between keys and files and the purge run again, parcels of the other convention open with its keys."""
    assert ended.die(mortals, function="_rotate_root", when="return")
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
