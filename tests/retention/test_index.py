from __future__ import annotations

from pathlib import Path

import pytest

from flows import assembly
from passerelle.errors import KeyStoreError
from passerelle.trail.fsck import check
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

CSP = "csp-ft-2024"


@pytest.fixture
def purged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway whose pool of candidates was purged on 10 October 2025."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00").record(*CSP_FILED)
    one.partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    one.run(POOLS, "2025-05", one.write(POOLS, 50))
    one.move_to("2025-06-10T11:00:00+02:00").record(CSP_ENDED)
    one.workspace.close()
    monkeypatch.setenv("PASSERELLE_NOW", "2025-10-10T05:00:00+02:00")
    assert assembly.purge_due(str(one.home), confirm=True)["certificates"]
    return one


def looked_at_in_spring(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog looks half a year later: no clock jumps a year at once."""
    monkeypatch.setenv("PASSERELLE_NOW", "2026-04-10T05:00:00+02:00")
    assembly.watch(str(gateway.home))


def test_the_index_outlives_the_purge_by_twelve_months(purged: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day before the twelve months are over the shards and their key are there; the day after neither is, and the trail tells it."""
    [shard] = (purged.home / "index").rglob("*.tags")
    looked_at_in_spring(purged, monkeypatch)
    monkeypatch.setenv("PASSERELLE_NOW", "2026-10-09T05:00:00+02:00")
    assert assembly.purge_due(str(purged.home), confirm=True)["due"] == 0
    assert shard.exists()
    workspace = assembly.open_workspace(str(purged.home))
    assert workspace.keys.index_key(CSP)
    workspace.close()

    monkeypatch.setenv("PASSERELLE_NOW", "2026-10-10T05:00:00+02:00")
    assert assembly.purge_due(str(purged.home), confirm=False)["due"] == 1
    assert shard.exists()
    assembly.purge_due(str(purged.home), confirm=True)
    assert not shard.exists()
    workspace = assembly.open_workspace(str(purged.home))
    with pytest.raises(KeyStoreError):
        workspace.keys.index_key(CSP)
    with workspace.database.read() as connection:
        check(connection, workspace.ledger.verifier_key)
        last = [r.entry for r in workspace.ledger.entries(connection)][-1]
    workspace.close()
    assert (last.kind, last.body["by_kind"]) == ("holding_destroyed", {"index": 1})
    assert assembly.purge_due(str(purged.home), confirm=True)["due"] == 0


def test_an_interrupted_destruction_goes_on(purged: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the key is gone and the shards are not yet, the next run removes them."""
    [shard] = (purged.home / "index").rglob("*.tags")
    looked_at_in_spring(purged, monkeypatch)
    monkeypatch.setenv("PASSERELLE_NOW", "2026-11-10T05:00:00+02:00")
    workspace = assembly.open_workspace(str(purged.home))
    workspace.keys.destroy_index(CSP)
    workspace.close()
    assembly.purge_due(str(purged.home), confirm=True)
    assert not shard.exists()
