from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from passerelle.errors import KeyStoreError, RefusedError, WorkspaceError
from passerelle.workspace import Settings, Workspace
from retention.purge import purge
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

CSP = "csp-ft-2024"
DUE = "2025-10-10T05:00:00+02:00"


@pytest.fixture
def due(tmp_path: Path) -> Gateway:
    """A gateway that holds a pool of candidates whose destruction is due."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00").record(*CSP_FILED)
    one.partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    one.run(POOLS, "2025-05", one.write(POOLS, 50))
    return one.move_to("2025-06-10T11:00:00+02:00").record(CSP_ENDED)


@pytest.mark.parametrize("scope", [{"dataset": "candidate_pool"}, {"exchange": "candidate-pools"}, {}])
def test_a_hold_on_all_there_is_stops_the_purge(due: Gateway, scope: dict[str, str]) -> None:
    """A hold on the one dataset or exchange of which there are copies leaves nothing to destroy: refused, with its reason."""
    due.record((CSP, "litigation_opened", {"on": "2025-09-01", **scope})).move_to(DUE)
    with pytest.raises(RefusedError, match="litigation"):
        purge(due.workspace, CSP)
    assert due.workspace.keyset(CSP)
    due.record((CSP, "litigation_closed", {"on": "2025-10-10", **scope}))
    assert purge(due.workspace, CSP).state == "done"


def test_a_purge_empties_the_inbox_of_its_convention(due: Gateway) -> None:
    """A file that was laid in the inbox and never taken in goes with the rest; that of another convention stays."""
    left = due.home / "inbox" / CSP / "candidate-pools" / "2025-06" / "late.csv"
    other = due.home / "inbox" / "paca-pe-2016" / "studies" / "2019" / "studies.csv"
    for path in (left, other):
        path.parent.mkdir(parents=True)
        path.write_text("plain")
    purge(due.move_to(DUE).workspace, CSP)
    assert not left.exists()
    assert other.exists()


def test_no_exchange_runs_during_a_purge(due: Gateway) -> None:
    """A purge does not begin while an exchange of its convention holds its lock, whichever the exchange."""
    due.move_to(DUE)
    with due.workspace.lock(f"{CSP}.public-job-offers"), pytest.raises(WorkspaceError):
        purge(due.workspace, CSP)
    assert due.entries("purge_started") == []


@pytest.mark.parametrize("restored", ["keys", "passerelle.db"])
def test_a_copy_from_before_a_purge_is_not_taken_for_the_present(due: Gateway, restored: str, tmp_path: Path) -> None:
    """Keys or database put back as they were before a purge are refused, and no generation of keys is destroyed."""
    due.workspace.close()
    saved = tmp_path / "saved"
    shutil.copytree(due.home, saved)
    settings = Settings(due.home, None, due.workspace.now())
    one = due.reopened().move_to(DUE)
    purge(one.workspace, CSP)
    one.workspace.close()
    for path in due.home.glob(f"{restored}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in saved.glob(f"{restored}*"):
        shutil.copytree(path, due.home / path.name) if path.is_dir() else shutil.copy2(path, due.home)
    before = sorted(path.name for path in (due.home / "keys").rglob("*"))
    with pytest.raises(KeyStoreError, match="generation"):
        Workspace.open(settings)
    assert sorted(path.name for path in (due.home / "keys").rglob("*")) == before


def test_a_missing_key_set_is_not_made_again(due: Gateway) -> None:
    """Where exchanges ran, the loss of their keys is an error, not a reason to begin anew: exactly once rests on them."""
    [lost] = (due.home / "keys").rglob(f"{CSP}.keyset")
    lost.unlink()
    with pytest.raises(KeyStoreError, match="missing"):
        due.workspace.keyset(CSP)


def test_a_changed_convention_file_purges_nothing_before_it_is_approved(due: Gateway) -> None:
    """An end date changed on disk brings no destruction forward: the plan waits for the two approvals, as the gate does."""
    due.workspace.close()
    shipped = Path(__file__).parents[2] / "conventions" / f"{CSP}.yaml"
    (due.home / "conventions" / f"{CSP}.yaml").write_text(shipped.read_text("utf-8") + "# changed\n", "utf-8")
    one = due.reopened().move_to(DUE)
    with pytest.raises(RefusedError, match="convention_change_not_approved"):
        purge(one.workspace, CSP)
    assert one.workspace.keyset(CSP)
