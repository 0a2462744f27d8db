"""A workspace is made once, whole or not yet, and lives on one clock."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle.errors import GateRefusedError, KeyStoreError, UsageError, WorkspaceError
from passerelle.trail.fsck import check
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.files import locked, write_whole
from tests.gateway import STUDIES, Gateway, files_under, studies, trail_holds
from tests.killing import Mortals, Task

NOW = "2026-03-02T09:00:00+01:00"
INSTANT = datetime.fromisoformat(NOW)


def test_a_workspace_is_made_private(tmp_path: Path) -> None:
    """A new workspace has its folders, keys, trust and first entry; nobody but its owner may enter it."""
    workspace = Workspace.create(Settings(tmp_path / "home"))
    assert stat.S_IMODE(workspace.home.stat().st_mode) == 0o700
    assert {path.name for path in workspace.home.iterdir()} >= {"keys", "holdings", "trust", "passerelle.db", "staging"}
    with workspace.database.read() as connection:
        first = next(iter(workspace.ledger.entries(connection)))
        assert check(connection, workspace.ledger.verifier_key).checkpoints == 1
    assert (first.index, first.entry.kind) == (0, "workspace_created")
    assert abs(datetime.now(UTC) - workspace.now()) < timedelta(seconds=5)
    assert (workspace.home / "trust" / "trail.vkey").read_text().strip() == workspace.ledger.verifier_key
    workspace.close()


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    """Making a workspace where there is one is refused, and leaves it as it is."""
    Workspace.create(Settings(tmp_path)).close()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    with pytest.raises(WorkspaceError, match="a workspace already"):
        Workspace.create(Settings(tmp_path))
    with pytest.raises(WorkspaceError, match="a workspace already"):
        Workspace.create(Settings(tmp_path), rehearsal=True)
    assert {path: path.read_bytes() for path in before} == before


def test_there_must_be_a_workspace_to_open(tmp_path: Path) -> None:
    """Opening a folder that is no workspace, or whose file is not ours, says so and makes nothing."""
    with pytest.raises(WorkspaceError, match="no workspace here"):
        Workspace.open(Settings(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()
    for text in ("", "{}", "[1]", "null", '{"complete": true}'):
        (tmp_path / "workspace.json").write_text(text)
        with pytest.raises(WorkspaceError):
            Workspace.open(Settings(tmp_path))


def test_a_workspace_without_its_keys(tmp_path: Path) -> None:
    """A workspace whose keys are gone does not open: it makes no new ones behind anybody's back."""
    Workspace.create(Settings(tmp_path)).close()
    (tmp_path / "keys" / "CURRENT").unlink()
    with pytest.raises(KeyStoreError):
        Workspace.open(Settings(tmp_path))


@pytest.mark.slow
def test_a_making_that_was_killed_is_resumed(mortals: Mortals, tmp_path: Path) -> None:
    """Killed before a change of the disk, every second one, the making goes on to one workspace with one first entry."""
    point, killed = 1, True
    while killed:
        home = tmp_path / str(point)
        killed = mortals.run(Task(str(home), NOW, change=point)).killed
        settings = Settings(home, None, INSTANT)
        workspace = Workspace.create(settings, rehearsal=True) if killed and not _complete(home) else Workspace.open(settings)  # fmt: skip
        with workspace.database.read() as connection:
            kinds = [found.entry.kind for found in workspace.ledger.entries(connection)]
            check(connection, workspace.ledger.verifier_key)
        assert (kinds[0], kinds.count("workspace_created")) == ("workspace_created", 1)
        assert (home / "trust" / "allowed_signers").read_text() == workspace.keys.allowed_signers
        assert list(home.rglob("*.part")) == []
        workspace.close()
        point += 2
    assert point > 20


def _complete(home: Path) -> bool:
    marker = home / "workspace.json"
    return marker.exists() and json.loads(marker.read_text())["complete"]


def test_a_pretended_clock_needs_a_rehearsal(tmp_path: Path) -> None:
    """A pretended clock is refused when a real workspace is made or opened, and taken in a rehearsal."""
    with pytest.raises(UsageError, match="PASSERELLE_NOW"):
        Workspace.create(Settings(tmp_path / "real", None, INSTANT))
    Workspace.create(Settings(tmp_path / "real")).close()
    with pytest.raises(UsageError, match="PASSERELLE_NOW"):
        Workspace.open(Settings(tmp_path / "real", None, INSTANT))
    Workspace.create(Settings(tmp_path / "rehearsal"), rehearsal=True).close()
    workspace = Workspace.open(Settings(tmp_path / "rehearsal", None, INSTANT))
    assert workspace.now() == INSTANT
    assert workspace.now().tzinfo is UTC
    workspace.close()


@pytest.mark.parametrize("text", ["yesterday", "2026-03-02", "2026-03-02T09:00:00", "09:00", "2026-13-02T09:00:00Z"])
def test_a_pretended_clock_is_an_instant(text: str, tmp_path: Path) -> None:
    """PASSERELLE_NOW must be an instant with its zone; anything else is a wrong usage."""
    with pytest.raises(UsageError, match="PASSERELLE_NOW: expected an ISO instant with its zone"):
        Settings.read({"PASSERELLE_HOME": str(tmp_path), "PASSERELLE_NOW": text})


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    """Home, database and clock are read from the environment; unset, they are ./.passerelle, SQLite and the real clock."""
    settings = Settings.read(
        {"PASSERELLE_HOME": str(tmp_path), "PASSERELLE_DATABASE_URL": "sqlite:///x.db", "PASSERELLE_NOW": NOW}
    )
    assert settings == Settings(tmp_path, "sqlite:///x.db", INSTANT)
    assert Settings.read({}) == Settings(Path(".passerelle").absolute())


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that delivered a study."""
    made = studies(tmp_path)
    made.run(STUDIES, "2019", made.write(STUDIES, 20))
    yield made
    made.workspace.close()


@pytest.mark.parametrize("behind", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=900)])
def test_a_clock_that_runs_behind_blocks(gateway: Gateway, behind: timedelta) -> None:
    """A clock behind the last act on record blocks the exchange; the refusal is on record, and the trail still holds."""
    instant = gateway.workspace.now() - behind
    source = gateway.write(STUDIES, 30)
    files = files_under(gateway.home)
    gateway.move_to(instant.isoformat())
    with pytest.raises(GateRefusedError) as refusal:
        gateway.run(STUDIES, "2018", source)
    assert refusal.value.reason == "clock_behind_last_event"
    assert gateway.entries("decision")[-1]["reason"] == "clock_behind_last_event"
    assert files_under(gateway.home) == files
    assert len(gateway.parcels("region-paca")) == 1
    trail_holds(gateway.workspace)
    gateway.move_to((instant + behind + timedelta(seconds=1)).isoformat())
    assert gateway.run(STUDIES, "2018", source).state == "delivered"


def test_two_holders_of_a_lock(tmp_path: Path) -> None:
    """A lock that is held is told to the second who asks, and is free once its holder lets it go."""
    with locked(tmp_path, "one"):
        with pytest.raises(WorkspaceError, match="another process is at work on one"), locked(tmp_path, "one"):
            pass
        with locked(tmp_path, "two"):
            pass
    with locked(tmp_path, "one"):
        assert (tmp_path / "one.lock").exists()


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    """A file is replaced whole and private; when that fails the old one stays and nothing is left beside it."""
    path = tmp_path / "folder" / "file"
    write_whole(path, b"first")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    (path / "obstacle").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_whole(path, b"second")
    assert [one.name for one in path.parent.iterdir()] == ["file"]
