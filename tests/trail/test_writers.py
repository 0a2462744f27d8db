"""Many processes write one trail; a killed one leaves it whole."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from passerelle.errors import TrailError
from passerelle.trail import Entry, Ledger, fsck
from passerelle.trail.tables import metadata

WRITERS = 8
SCRIPT = Path(__file__).with_name("writer.py")


def start(url: str, key: Ed25519PrivateKey, origin: str, writer: int, count: int) -> subprocess.Popen[bytes]:
    arguments = [url, str(writer), str(count), key.private_bytes_raw().hex(), origin]
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SCRIPT.parents[2]
    )


def write_together(url: str, key: Ed25519PrivateKey, ledger: Ledger, engine: Engine, each: int) -> None:
    writers = [start(url, key, ledger.origin, number, each) for number in range(WRITERS)]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.communicate(b"go\n")
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    with engine.begin() as connection:
        written = [recorded.entry.body["run"] for recorded in ledger.entries(connection)]
        report = fsck.check(connection, ledger.verifier_key)
    assert report.size == len(written) == WRITERS * each
    for number in range(WRITERS):
        own = [run for run in written if run.startswith(f"w{number}-")]
        assert own == [f"w{number}-{place}" for place in range(each)]


def test_eight_processes_write_one_order(engine: Engine, url: str, key: Ed25519PrivateKey, ledger: Ledger) -> None:
    """Of what eight processes append, nothing is lost or doubled, and each one's entries keep their order."""
    write_together(url, key, ledger, engine, each=60)


@pytest.mark.slow
def test_eight_processes_write_twenty_thousand(
    engine: Engine, url: str, key: Ed25519PrivateKey, ledger: Ledger
) -> None:
    """The same with 20,000 entries."""
    write_together(url, key, ledger, engine, each=2500)


def test_a_killed_writer_leaves_a_trail_that_holds(
    engine: Engine, url: str, key: Ed25519PrivateKey, ledger: Ledger
) -> None:
    """Killed at any instant, a writer leaves whole transactions only, and the next one goes on."""
    for number in range(3):
        writer = start(url, key, ledger.origin, number, 100_000)
        assert writer.stdin
        assert writer.stdout
        writer.stdout.readline()
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
        time.sleep(0.3)
        writer.kill()
        writer.communicate()
    with engine.begin() as connection:
        now = next(ledger.entries(connection, ledger.size(connection) - 1)).entry.at
        index = ledger.append(connection, Entry("checked", now, {"run": "last", "passed": True, "failed": []}))
        ledger.checkpoint(connection, datetime.fromisoformat(now))  # however few they wrote
        assert fsck.check(connection, ledger.verifier_key).size == index + 1


def test_two_writers_without_the_lock_do_not_fork(sqlite: str, key: Ed25519PrivateKey, make: object) -> None:
    """On SQLite without the lock helper, of two writers from the same head only one succeeds."""
    assert callable(make)
    engine = create_engine(sqlite, connect_args={"timeout": 0.1})
    ledger = Ledger("passerelle.example/tests", key)
    with engine.begin() as connection:
        metadata.create_all(connection)
    with engine.connect() as one, engine.connect() as two:
        ledger.append(one, make(0))
        with pytest.raises((TrailError, OperationalError)):
            ledger.append(two, make(1))
        one.commit()
    with engine.begin() as connection:
        assert [recorded.entry for recorded in ledger.entries(connection)] == [make(0)]
    engine.dispose()
