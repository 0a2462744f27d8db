"""Killed with SIGKILL while a file arrives: there is nothing of it, or the whole sending."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.handover import waiting
from passerelle.keys import AgeFile
from passerelle.store import sendings
from passerelle.workspace.agreement import verify_tables
from tests.canary import sweep
from tests.gateway import POOLS, Gateway, edited, pools, trail_holds
from tests.killing import Mortals, Task

EMAIL = "canari.arrivee@example.org"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = pools(tmp_path).partner("france-travail")
    yield made
    made.workspace.close()


def state(gateway: Gateway) -> list[str]:
    """The sendings there are, once what a death left is settled: each has its file, its copy, its entry, and opens."""
    workspace = gateway.workspace
    waiting.settle(workspace)
    with workspace.database.read() as connection:
        verify_tables(workspace.ledger, connection)
        rows = sendings.waiting(connection)
    copies = {copy.run: copy for copy in gateway.present(kind="inbox")}
    ids = sorted(one.id for one in rows)
    files = sorted(path.name for path in (gateway.home / "inbox").rglob("*") if path.is_file())
    assert sorted(copies) == sorted(one["sending"] for one in gateway.entries("sending_received")) == ids
    assert files == [f"{one}.age" for one in ids]
    assert {copy.location for copy in copies.values()} == workspace.keys.copy_keys("csp-ft-2024")
    for one in rows:
        location = copies[one.id].location
        key = workspace.keys.copy_key(one.convention, location)
        original = AgeFile(workspace.path(location), [key.identity])
        assert len(original.pread(one.bytes + 1, 0)) == one.bytes
        original.close()
    trail_holds(workspace)
    return ids


@pytest.mark.slow
def test_killed_at_each_change_nothing_or_the_whole_is_there(mortals: Mortals, gateway: Gateway) -> None:
    """Before each change of the disk and after each commit of an arrival: no sending, or one with its file, copy and entry; never a plain byte."""
    outcomes = set[int]()
    before = state(gateway)
    for change in range(1, 200):
        source = edited(gateway.write(POOLS, 8, seed=change), {3: {"email": EMAIL}})
        told = Task(
            str(gateway.home), gateway.workspace.now().isoformat(), POOLS, "2025-05", str(source),
            sent_by="france-travail", change=change,
        )  # fmt: skip
        death = mortals.run(told)
        assert death.killed or death.status == 0
        assert sweep([gateway.home], {"email": EMAIL}) == []
        after = state(gateway)
        assert set(before) <= set(after)
        outcomes.add(len(after) - len(before))
        before = after
        if not death.killed:
            break
    assert change > 5
    assert not death.killed
    assert outcomes == {0, 1}
