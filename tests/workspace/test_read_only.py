"""A workspace on a disk that cannot be written can be read: the trail is verified and shown, nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import POOLS, pools

ROOT = Path(__file__).resolve().parents[2]
# Root writes everywhere: who runs the tests as root gives that up first (capabilities(7), CAP_DAC_OVERRIDE and CAP_FOWNER).
LIKE_ANYONE = """import ctypes, os, sys
for capability in (1, 3):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a gateway that delivered once, closed."""
    gateway = pools(tmp_path_factory.mktemp("made") / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20))
    gateway.workspace.close()
    return gateway.home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy that nobody can write, its owner included."""
    copy = Path(shutil.copytree(made, tmp_path / "workspace"))
    yield copy
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o700)


def seal(home: Path) -> None:
    """Take every right to write away."""
    for path in (*home.rglob("*"), home):
        path.chmod(0o500 if path.is_dir() else 0o400)


def passerelle(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, by who may only read."""
    environment = {**os.environ, "PASSERELLE_HOME": str(home), "PASSERELLE_LANG": "en", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", LIKE_ANYONE, sys.executable, "-m", "portal.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("lock", ["there", "not there"])
def test_it_is_read(home: Path, lock: str) -> None:
    """Verified and asked, with or without the file of the ring's lock; not one byte of it changes."""
    if lock == "not there":
        (home / "keys" / "lock").unlink()
    seal(home)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    verified = passerelle(home, "trail", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["tables"]["deliveries"] == 1
    assert passerelle(home, "convention", "show", "csp-ft-2024", "--json").returncode == 0
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_it_is_not_changed(home: Path) -> None:
    """What would change it, or cannot go into the access log, is refused with the reason and what works instead."""
    seal(home)
    for words in (("trail", "show"), ("trail", "prove", "1"), ("keys", "rotate-signing")):
        done = passerelle(home, *words)
        assert (done.returncode, "can be read, not changed" in done.stderr) == (1, True), done.stderr
        assert "copy the workspace first" in done.stderr


def test_what_was_begun_is_not_read_over(home: Path) -> None:
    """A rotation of the root key that was cut off must be finished first, on a disk that can be written."""
    shutil.copytree(home / "keys" / "gen-0001", home / "keys" / "gen-0002")
    seal(home)
    done = passerelle(home, "trail", "verify")
    assert (done.returncode, "cannot be finished here" in done.stderr) == (1, True), done.stderr


def test_commits_that_lie_beside_the_database_are_read(home: Path) -> None:
    """A copy taken while the gateway worked, whose last commits are in the file beside, is read with them."""
    database = sqlite3.connect(home / "passerelle.db")
    database.execute("UPDATE meta SET value = '0' WHERE key = 'schema'")
    database.commit()
    for suffix in ("", "-wal", "-shm"):
        shutil.copy2(home / f"passerelle.db{suffix}", home / f"copy{suffix}")
    database.close()
    for suffix in ("", "-wal", "-shm"):
        (home / f"copy{suffix}").rename(home / f"passerelle.db{suffix}")
    assert (home / "passerelle.db-wal").stat().st_size > 0
    seal(home)
    done = passerelle(home, "trail", "verify")
    assert "found schema 0" in done.stderr
