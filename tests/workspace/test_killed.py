"""Killed at every write that the system sees, a delivery and a rotation of the root key end in one of two states."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from passerelle.handover.recover import recover
from passerelle.keys import KeyRing
from passerelle.workspace import Settings, Workspace, load_convention
from tests.dying import killed_at, may_trace
from tests.gateway import POOLS, assert_no_orphans, pools, trail_holds
from tests.killing import Mortals, Task

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("CI") != "true" and not may_trace(), reason="this machine lets no process trace its child"
    ),
]
NOW = "2025-05-12T06:00:00+02:00"
CONVENTION, _, EXCHANGE = POOLS.partition("/")


def test_killed_at_every_write_of_a_delivery(mortals: Mortals, tmp_path: Path) -> None:
    """From the intent on, a death at any write ends, after the next opening, in one parcel that the trail tells of once."""
    gateway = pools(tmp_path / "gateway")
    source = gateway.write(POOLS, 20)
    gateway.workspace.close()
    assert mortals.run(
        Task(str(gateway.home), NOW, POOLS, "2025-05", str(source), function="complete", when="call")
    ).killed
    saved = gateway.saved(tmp_path / "saved")
    texts = {CONVENTION: load_convention(gateway.home, CONVENTION)}  # read once: reading is slow, and writes nothing
    settings = Settings(gateway.home, None, gateway.workspace.now())

    def act() -> None:
        """Deliver what the intent promises."""
        workspace = Workspace.open(settings)
        workspace._conventions = texts
        recover(workspace, CONVENTION, EXCHANGE)
        workspace.close()

    point, states = 1, []
    while killed_at(point, act):
        gateway = gateway.reopened()
        gateway.workspace._conventions = texts
        states.append("".join(one.state for one in gateway.deliveries()))
        recover(gateway.workspace, CONVENTION, EXCHANGE)
        (told,), (parcel,) = gateway.entries("delivered"), gateway.parcels("mtfp")
        assert parcel.stem == told["parcel"]
        assert [one.state for one in gateway.deliveries()] == ["delivered"]
        assert_no_orphans(gateway)
        assert trail_holds(gateway.workspace).unsigned <= 1  # the end of the run
        gateway.workspace.close()
        shutil.rmtree(gateway.folder)
        shutil.copytree(saved, gateway.folder)
        point += 1
    assert point > 40
    assert states == sorted(states, reverse=True)
    assert {"intent", "delivered"} == set(states)


def test_killed_at_every_write_of_a_rotation(tmp_path: Path) -> None:
    """A death at any write leaves the ring in the old generation or the new one, with the same keys and one root key."""
    start = tmp_path / "start"
    ring = KeyRing.create(start)
    keys = ring.keyset("one")
    ring.keyset("two")
    ring.destroy("two")
    point, died, generations = 1, True, []
    while died:
        folder = shutil.copytree(start, tmp_path / str(point))
        died = killed_at(point, lambda folder=folder: KeyRing.open(folder).rotate_root())  # type: ignore[misc]  # bound now
        again = KeyRing.open(folder)
        assert (again.keyset("one"), again.destroyed()) == (keys, frozenset({"two"}))
        assert [path.parent.name for path in folder.rglob("root.key*")] == [f"gen-{again.generation:04d}"]
        generations.append(again.generation)
        point += 1
    assert point > 40
    assert (generations, set(generations)) == (sorted(generations), {1, 2})
