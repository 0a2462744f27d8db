"""Rejected rows are read with a reason on record, on a terminal or sealed, for a short time."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from passerelle.errors import RefusedError, UsageError
from passerelle.handover.quarantine import Kept, hand_over, kept, kept_with_rows, look, set_life
from passerelle.keys import Identity, decrypt
from passerelle.store import access, settings
from retention import quarantine
from tests.canary import sweep
from tests.gateway import POOLS, Gateway, assert_no_orphans, edited, pools, rows_of, trail_holds

WHY = "vérifier les dates avec l'émetteur"
SECRET = "Zwyndlesqueque"
LATER = "2025-06-11T06:00:00+02:00"  # thirty days after the run
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A pool of candidates with ten faulty rows among five hundred, one of which holds a canary in its faulty column."""
    made = pools(tmp_path)
    source = made.write(POOLS, 500, bad_rate=0.02)
    edited(source, {149: {"email": SECRET}})
    made.run(POOLS, "2025-05", source)
    source.unlink()
    return made


def run_of(gateway: Gateway) -> str:
    """The run whose rows are kept."""
    return gateway.present(kind="quarantine")[0].run


def looks(gateway: Gateway) -> list[dict[str, str]]:
    """The access log."""
    with gateway.workspace.database.read() as connection:
        return access.lines(connection)


def all_kept(gateway: Gateway) -> list[Kept]:
    """The quarantines that are present."""
    with gateway.workspace.database.read() as connection:
        return kept(gateway.workspace, connection)


def test_a_look_shows_what_broke_and_no_more(gateway: Gateway) -> None:
    """By default a row shows its number, its rules and the columns that they name; the whole row on demand."""
    glimpse = look(gateway.workspace, run_of(gateway), reason=WHY, by="anne", rows=(150, 150))
    (row,) = glimpse.rows
    assert (row.row, row.rules, row.cells) == (150, (("email", "email"),), {"email": SECRET})
    (row,) = look(gateway.workspace, run_of(gateway), reason=WHY, by="anne", rows=(150, 150), whole=True).rows
    assert {"email", "last_name", "birth_date"} <= row.cells.keys()
    assert len(look(gateway.workspace, run_of(gateway), reason=WHY, by="anne").rows) == 10


def test_a_run_that_rejected_nothing_is_not_listed(gateway: Gateway) -> None:
    """The list of quarantines names the runs with rejected rows only; the others are kept no longer for it."""
    first = run_of(gateway)
    gateway.run(POOLS, "2025-06", gateway.write(POOLS, 20, seed=3))
    with gateway.workspace.database.read() as connection:
        assert [one.copy.run for one in kept_with_rows(gateway.workspace, connection)] == [first]
    assert len(all_kept(gateway)) == 2


def test_a_look_is_on_record(gateway: Gateway) -> None:
    """The access log has who, the run and why; the trail has run, count and a commitment, neither who nor why."""
    look(gateway.workspace, run_of(gateway), reason=WHY, by="anne", rows=(1, 150))
    (line,) = looks(gateway)
    assert (line["actor"], line["action"], line["subject"]) == ("anne", "quarantine_read", run_of(gateway))
    (entry,) = gateway.entries("quarantine_read")
    assert (entry["run"], entry["rows"]) == (run_of(gateway), 3)
    assert "anne" not in str(entry)
    assert WHY not in str(entry)
    trail_holds(gateway.workspace)


@pytest.mark.parametrize("reason", ["", "parce que", " " * 40])
def test_a_look_without_a_reason_is_refused(gateway: Gateway, reason: str) -> None:
    """A reason too short to be understood shows nothing, and leaves no entry."""
    with pytest.raises(UsageError, match="15 characters"):
        look(gateway.workspace, run_of(gateway), reason=reason, by="anne")
    assert gateway.entries("quarantine_read") == []


def test_a_range_without_rejected_rows_is_refused(gateway: Gateway) -> None:
    """Where no rejected row is, nothing is shown, and nothing is told."""
    with pytest.raises(UsageError, match="no rejected row"):
        look(gateway.workspace, run_of(gateway), reason=WHY, by="anne", rows=(1, 2))
    assert gateway.entries("quarantine_read") == []


def test_rows_are_sealed_to_a_key(gateway: Gateway, tmp_path: Path) -> None:
    """Sealed to a key, the rows leave whole, are opened by that key alone, and the trail has its fingerprint."""
    reader, out = Identity.generate(), tmp_path / "rows.age"
    assert hand_over(gateway.workspace, run_of(gateway), out, reader.recipient, reason=WHY, by="anne") == 10
    assert sweep([out], {"name": SECRET}) == []
    with out.open("rb") as sealed, (tmp_path / "plain.csv").open("wb") as plain:
        decrypt(sealed, plain, [reader])
    rows = rows_of((tmp_path / "plain.csv").read_bytes())
    assert [row["row"] for row in rows] == [str(number) for number in range(50, 501, 50)]
    assert rows[2]["rules"] == "email:email"
    assert [entry["fingerprint"] for entry in gateway.entries("quarantine_read")] == [reader.recipient.fingerprint]


@pytest.mark.slow
def test_killed_right_after_a_look_the_line_is_there(gateway: Gateway) -> None:
    """A process that is killed as soon as it holds the rows has left the line of the log and the entry of the trail."""
    run, home, now = run_of(gateway), gateway.home, gateway.workspace.now().isoformat()
    gateway.workspace.close()
    code = (
        "import os, signal, sys; from pathlib import Path; from datetime import datetime\n"
        "from passerelle.workspace import Settings, Workspace\n"
        "from passerelle.handover.quarantine import look\n"
        "w = Workspace.open(Settings(Path(sys.argv[1]), None, datetime.fromisoformat(sys.argv[2])))\n"
        "look(w, sys.argv[3], reason=sys.argv[4], by='anne'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, home, now, run, WHY], cwd=ROOT, check=False, timeout=120)
    assert done.returncode == -9
    again = gateway.reopened()
    assert [line["action"] for line in looks(again)] == ["quarantine_read"]
    assert len(again.entries("quarantine_read")) == 1
    trail_holds(again.workspace)


def test_a_quarantine_expires(gateway: Gateway) -> None:
    """Thirty days after its run a quarantine is read no more; it is destroyed once, told once, and then there is none."""
    run = run_of(gateway)
    assert [(one.rows, one.basis, one.held) for one in all_kept(gateway)] == [(10, "hub_policy", None)]
    assert quarantine.expire(gateway.workspace) == []
    gateway.move_to(LATER)
    with pytest.raises(RefusedError, match="read no more"):
        look(gateway.workspace, run, reason=WHY, by="anne")
    assert [len(quarantine.expire(gateway.workspace)) for _ in range(2)] == [1, 0]
    assert [(entry["run"], entry["rows"]) for entry in gateway.entries("quarantine_expired")] == [(run, 10)]
    with pytest.raises(RefusedError, match="no rejected rows are kept"):
        look(gateway.workspace, run, reason=WHY, by="anne")
    assert_no_orphans(gateway)
    trail_holds(gateway.workspace)


def test_an_expiry_that_was_interrupted_is_told_once(gateway: Gateway) -> None:
    """A file removed before its destruction was written down is written down by the next run of the job, once."""
    gateway.move_to(LATER)
    gateway.workspace.path(gateway.present(kind="quarantine")[0].location).unlink()
    assert len(quarantine.expire(gateway.workspace)) == 1
    assert len(gateway.entries("quarantine_expired")) == 1
    assert gateway.present(kind="quarantine") == []


def test_a_hold_keeps_a_quarantine(gateway: Gateway) -> None:
    """Rows under litigation are kept, and may be read, until the hold is lifted."""
    gateway.record(("csp-ft-2024", "litigation_opened", {"id": "l1", "on": "2025-05-20"})).move_to(LATER)
    assert [one.held for one in all_kept(gateway)] == ["litigation"]
    assert quarantine.expire(gateway.workspace) == []
    gateway.record(("csp-ft-2024", "litigation_closed", {"id": "l1", "on": "2025-06-10"}))
    assert len(quarantine.expire(gateway.workspace)) == 1


def test_the_hub_sets_the_life(gateway: Gateway) -> None:
    """The number of days is the hub's, from 1 to 90; setting it is told in the trail and holds for what is kept already."""
    for days in (0, 91):
        with pytest.raises(UsageError, match="from 1 to 90"):
            set_life(gateway.workspace, days)
    set_life(gateway.workspace, 7)
    assert gateway.entries("quarantine_life_set") == [{"days": 7}]
    gateway.move_to("2025-05-19T06:00:00+02:00")
    assert len(quarantine.expire(gateway.workspace)) == 1
    with gateway.workspace.database.read() as connection:
        assert settings.read(connection, settings.QUARANTINE_DAYS) == 7


def test_the_watchdog_says_what_the_daily_job_missed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day after its end a quarantine that is still there is an alert; the daily job destroys it."""
    from flows import assembly

    monkeypatch.setenv("PASSERELLE_NOW", "2025-06-13T06:00:00+02:00")
    codes = [alert["code"] for alert in assembly.watch(str(gateway.home))]
    assert "quarantine_overdue" in codes
    assembly.purge_due(str(gateway.home), confirm=True)
    assert "quarantine_overdue" not in [alert["code"] for alert in assembly.watch(str(gateway.home))]


def test_rows_are_printed_on_a_terminal_only(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a pipe the command refuses, shows nothing and logs nothing; on a terminal it shows the row."""
    from portal import cli

    monkeypatch.setenv("PASSERELLE_HOME", str(gateway.home))
    monkeypatch.setenv("PASSERELLE_NOW", gateway.workspace.now().isoformat())
    words = ["quarantine", "read", run_of(gateway), "--reason", WHY, "--as", "anne", "--rows", "150"]
    assert cli.run(words) == 1
    assert looks(gateway) == []
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w", encoding="utf-8") as terminal, os.fdopen(leader, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert cli.run(words) == 0
        terminal.flush()
        assert SECRET.encode() in screen.read(10_000)
    assert [line["actor"] for line in looks(gateway)] == ["anne"]
