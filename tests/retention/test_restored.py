"""A backup taken before a purge and restored after it opens nothing of what was purged (issue of backups: Boneh and Lipton, 1996)."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine

from passerelle.errors import KeyStoreError, PasserelleError
from passerelle.keys import CopyKey, KeyRing, decrypt
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.workspace import Settings, Workspace
from retention.purge import purge
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

CSP, DUE = "csp-ft-2024", "2025-10-10T05:00:00+02:00"
pytestmark = pytest.mark.slow
Restore = Callable[[], None]


def copy_of(url: str) -> Restore:
    """A backup of every table of a PostgreSQL database; calling it puts them back as they were."""
    tables, engine = MetaData(), create_engine(url)
    tables.reflect(engine)
    with engine.begin() as connection:
        rows = {
            table: [dict(row._mapping) for row in connection.execute(table.select())] for table in tables.sorted_tables
        }

    def restore() -> None:
        with engine.begin() as connection:
            for table in reversed(tables.sorted_tables):
                connection.execute(table.delete())
            for table in tables.sorted_tables:
                if rows[table]:
                    connection.execute(table.insert(), rows[table])
        engine.dispose()

    engine.dispose()
    return restore


class Purged:
    """A gateway whose backup was taken, and whose convention was purged afterwards."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self.gateway = Gateway.create(folder / "gateway", "2025-05-06T10:00:00+02:00", url)
        self.gateway.record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
        self.gateway.run(POOLS, "2025-05", self.gateway.write(POOLS, 50, bad_rate=0.02))
        self.gateway.record(CSP_ENDED).move_to(DUE)
        self.backup = self.gateway.saved(folder / "backup") / "workspace"
        self.tables = copy_of(url) if url else lambda: None
        self.gateway = self.gateway.reopened()
        self.done = purge(self.gateway.workspace, CSP)
        with self.gateway.workspace.database.begin() as connection:
            self.after = self.gateway.workspace.ledger.checkpoint(connection, self.gateway.workspace.now())
        self.gateway.workspace.close()
        self.settings = Settings(self.gateway.home, url, self.gateway.workspace.now())

    def restore(self, *, keys: bool) -> Path:
        """Put back files and database, with the keys of the backup or leaving those of today."""
        home, today = self.gateway.home, self.backup.parent / "keys-of-today"
        shutil.move(home / "keys", today)
        shutil.rmtree(home)
        shutil.copytree(self.backup, home)
        if not keys:
            shutil.rmtree(home / "keys")
            shutil.copytree(today, home / "keys")
        self.tables()
        return home


@pytest.fixture(params=["sqlite", "postgres"])
def purged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Purged]:
    """The purge done, on each database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    yield Purged(tmp_path, url)
    if url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade")
            connection.exec_driver_sql("create schema public")
        engine.dispose()


def encrypted_copies(home: Path) -> list[Path]:
    """The raw copy and the quarantine, as they lie in a backup."""
    found = sorted((home / "holdings").rglob("*.age"))
    assert len(found) == 2
    return found


def test_with_the_keys_of_today_nothing_opens(purged: Purged) -> None:
    """Files and database of before the purge, beside the keys of today: refused whole, and no key there opens anything of it."""
    then = KeyRing.open(purged.backup / "keys")
    for path in encrypted_copies(purged.backup):  # with the keys of that day it would have opened
        plain = io.BytesIO()
        key = then.copy_key(CSP, str(path.relative_to(purged.backup)))
        decrypt(io.BytesIO(path.read_bytes()), plain, [key.identity])
        assert plain.getvalue()
    home = purged.restore(keys=False)
    with pytest.raises(KeyStoreError, match="the keys are of generation 2, the trail tells of 1"):
        Workspace.open(purged.settings)
    ring = KeyRing.open(home / "keys")
    with pytest.raises(KeyStoreError, match="destroyed"):
        ring.keyset(CSP)
    assert_nothing_opens(home, ring)


def assert_nothing_opens(home: Path, ring: KeyRing) -> None:
    """Wrapped keys of the backup laid among those of today do not open, and no other convention's keys open its copies."""
    (generation,) = (home / "keys").glob("gen-*")
    (old,) = (path for path in home.parent.parent.glob("backup/workspace/keys/gen-*"))
    (generation / f"{CSP}.destroyed").unlink()
    for name in (f"{CSP}.keyset", f"{CSP}.index", f"{CSP}.0001.copies"):
        shutil.copy2(old / name, generation / name)
    with pytest.raises(KeyStoreError, match="does not open"):
        ring.keyset(CSP)
    ring.keyset("face-pe-2014")
    other: CopyKey = ring.new_copy_key("face-pe-2014", "other")
    for path in encrypted_copies(home):
        with pytest.raises(PasserelleError):
            decrypt(io.BytesIO(path.read_bytes()), io.BytesIO(), [other.identity])
    for path in (home / "releases").iterdir():
        with pytest.raises(KeyStoreError):
            other.unwrap_release(path.read_bytes(), path.stem)


def test_with_the_keys_of_that_day_the_restoration_shows(purged: Purged) -> None:
    """With a backup of the keys as well, which the certificate says must be destroyed, any later head in hand names the cut."""
    said = " ".join(one["en"] for one in json.loads(purged.done.certificate or "")["not_proved"])
    assert "a backup of the folder keys/ made before the destruction must be destroyed too" in said
    purged.restore(keys=True)
    workspace = Workspace.open(purged.settings)
    with workspace.database.read() as connection:
        assert check(connection, workspace.ledger.verifier_key).size > 0
        with pytest.raises(TrailFaultsError, match="truncated"):
            check(connection, workspace.ledger.verifier_key, [purged.after])
    workspace.close()


def test_the_keys_of_that_day_alone_are_refused(purged: Purged) -> None:
    """The keys of before the purge beside the files and database of today are refused, and none of them is destroyed."""
    shutil.rmtree(purged.gateway.home / "keys")
    shutil.copytree(purged.backup / "keys", purged.gateway.home / "keys")
    with pytest.raises(KeyStoreError, match="the keys are of generation 1, the trail tells of 2"):
        Workspace.open(purged.settings)
    assert (purged.gateway.home / "keys" / "gen-0001" / "root.key").exists()
