"""Every command of the gateway: what it writes in the access log, or why it need not."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import update

from passerelle.access import Search, page, seal
from passerelle.store import access, runs
from passerelle.store.access_tables import access as table
from portal.cli import app, run
from tests.gateway import CSP_FILED, POOLS, Gateway

NOW = "2025-05-05T10:00:00+02:00"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "spec" / "access-log.md"
ROW = re.compile(r"^\| ([a-z][a-z0-9 -]*) \| ?([a-z_]*) ?\| ?(.*?) ?\|$")
# Acts write their line in the transaction of the act; their own tests run them.
ACTS = {
    "account add",
    "account change",
    "account disable",
    "account reset",
    "hold lift",
    "hold place",
    "hold review",
    "parcel resend",
    "person answer",
    "person erase",
    "person object",
    "person request answer",
    "person request extend",
    "person request open",
    "person tell",
    "person withdraw",
    "purge approve",
    "quarantine read",
}
PARTY = "mtfp"


def told() -> dict[str, tuple[str, str]]:
    """The page's table: command, action, reason."""
    text = PAGE.read_text("utf-8").partition("## Commands")[2].partition("## Vectors")[0]
    found = [ROW.match(line) for line in text.splitlines()]
    rows = {one[1]: (one[2], one[3].strip()) for one in found if one and one[1] != "command"}
    assert len(rows) > 50
    return rows


def commands(group: Any = None, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command of the command line."""
    found: Any = typer.main.get_command(app) if group is None else group
    for name, command in found.commands.items():
        path = (*before, name)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield " ".join(path)
        if hasattr(command, "commands"):
            yield from commands(command, path)


LOGGED = {name: action for name, (action, _) in told().items() if action}


def test_every_command_has_its_row() -> None:
    """A new command has to say what it writes in the access log, or why it shows nothing that must be."""
    rows = told()
    assert set(rows) == set(commands()), f"docs/spec/access-log.md, Commands: {set(rows) ^ set(commands())}"
    for name, (action, why) in rows.items():
        assert bool(action) != bool(why), name
        assert not action or action in access.actions(), name


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that has delivered one parcel with two locks."""
    made = Gateway.create(tmp_path_factory.mktemp("commands"), NOW).record(*CSP_FILED).partner(PARTY)
    made.run(POOLS, "2025-05", made.write(POOLS, 30))
    yield made
    made.workspace.close()


@pytest.fixture
def typed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, list[str]]:
    """What is typed for each logged command on that gateway."""
    environment = {"HOME": gateway.home, "NOW": NOW, "ACTOR": "dpo", "REASON": "annual control", "LANG": "en"}
    for name, value in environment.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    (parcel,) = gateway.parcels(PARTY)
    with gateway.workspace.database.read() as connection:
        (done,) = [one.id for one in runs.runs(connection)]
    return {
        "access alerts": [],
        "access log": [],
        "backup list": [],
        "backup make": ["--out", str(tmp_path / "backup")],
        "attestation list": [],
        "bundle": ["csp-ft-2024", "--out", str(tmp_path / "bundle")],
        "breach list": [],
        "breach scope": ["--partner", PARTY],
        "convention exposures": ["csp-ft-2024"],
        "exchange list": [],
        "exchange releases": [PARTY],
        "exchange report": [done],
        "person objections": [],
        "person letter": ["98765432", "--out", str(tmp_path / "letter")],
        "person notices": [],
        "person received": ["98765432"],
        "person request list": [],
        "partner exposure": [gateway.identities[PARTY].recipient.fingerprint],
        "purge certificate": ["csp-ft-2024"],
        "purge plan": [],
        "purge run": [],
        "quarantine list": [],
        "receipt list": [],
        "register article30": [],
        "register fields": [],
        "register interpretations": [],
        "register notices": [],
        "register processors": [],
        "release-key": [parcel.stem, "--as", PARTY],
        "trail export": ["--out", str(tmp_path / "tiles")],
        "trail prove": ["0"],
        "trail show": [],
    }


def lines(gateway: Gateway, **search: str) -> list[Any]:
    with gateway.workspace.database.read() as connection:
        return page(connection, Search(**search), limit=1000)  # type: ignore[arg-type]  # fields of text


def test_every_logged_command_is_run_or_is_an_act(typed: dict[str, list[str]]) -> None:
    """None of the logged commands goes untested."""
    assert set(typed) | ACTS == set(LOGGED)
    assert not set(typed) & ACTS


@pytest.mark.parametrize("name", sorted(set(LOGGED) - ACTS))
def test_a_look_leaves_its_line(gateway: Gateway, typed: dict[str, list[str]], name: str) -> None:
    """Each logged command leaves one line: who, what and why."""
    before = lines(gateway)
    run([*name.split(), *typed[name]])
    new = lines(gateway)[len(before) :]
    assert [(one.actor, one.action, one.reason, one.outcome) for one in new] == [
        ("dpo", LOGGED[name], "annual control", "allowed")
    ]
    assert new[0].subject != "not-an-id"


@pytest.mark.parametrize("name", sorted(set(LOGGED) - ACTS))
def test_nothing_is_shown_that_cannot_be_logged(
    gateway: Gateway, typed: dict[str, list[str]], name: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where the access log cannot be written, the command shows nothing and fails."""
    stop = "CREATE TRIGGER full BEFORE INSERT ON access BEGIN SELECT RAISE(ABORT, 'full'); END"
    with gateway.workspace.database.begin() as connection:
        connection.exec_driver_sql(stop)
    try:
        status = run([*name.split(), *typed[name]])
    finally:
        with gateway.workspace.database.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")
    assert status == 1
    assert capfd.readouterr().out == ""
    assert not (tmp_path / "tiles").exists()


def test_a_refused_key_leaves_a_line(gateway: Gateway, typed: dict[str, list[str]]) -> None:
    """Who asks for another's second lock is refused, and on the log; what was typed and is no id is not."""
    assert run(["release-key", typed["release-key"][0], "--as", "dgafp"]) == 1
    assert run(["release-key", "278117523412366", "--as", PARTY, "--by", "curious"]) == 1
    first, second = lines(gateway, outcome="refused")[-2:]
    assert (first.actor, first.subject, first.partner) == ("dpo", typed["release-key"][0], "dgafp")
    assert (second.actor, second.subject, second.delivery) == ("curious", "not-an-id", "not-an-id")


def test_a_key_handed_says_whose(gateway: Gateway, typed: dict[str, list[str]]) -> None:
    """A handed key is found by partner, convention and delivery."""
    run(["release-key", *typed["release-key"]])
    (parcel, *_) = typed["release-key"]
    found = lines(gateway, delivery=parcel, outcome="allowed")
    assert found == lines(gateway, partner=PARTY, convention="csp-ft-2024", delivery=parcel)
    last = lines(gateway, delivery=parcel)[-1]
    assert (last.exchange, last.action) == ("candidate-pools", "release_key")


@pytest.mark.usefixtures("typed")
def test_the_log_is_searched_and_exported(capfd: pytest.CaptureFixture[str]) -> None:
    """As JSON, page by page; as CSV, whole, and without a formula that a spreadsheet would run."""
    run(["purge", "plan"])
    capfd.readouterr()
    run(["access", "log", "--by", "=cmd()", "--action", "purge_plan_read", "--limit", "1", "--json"])
    (line,) = json.loads(capfd.readouterr().out)
    assert line["action"] == "purge_plan_read"
    run(["access", "log", "--before", str(line["id"]), "--json"])
    assert all(one["id"] < line["id"] for one in json.loads(capfd.readouterr().out))
    run(["access", "log", "--csv"])
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert rows[-1]["action"] == "access_export"
    assert "'=cmd()" in {row["actor"] for row in rows}
    assert run(["access", "log", "--outcome", "maybe"]) == 2


@pytest.mark.usefixtures("typed")
def test_an_export_gives_the_root_that_the_trail_tells(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever holds the export and the trail's entry computes the batch's root with nothing of the gateway's."""
    run(["purge", "plan"])
    run(["access", "log", "--by", "=cmd()", "--reason", "à la demande du DPO", "--json"])
    with gateway.workspace.database.begin() as connection:
        seal(connection, gateway.workspace.ledger, gateway.workspace.now())
    capfd.readouterr()
    run(["access", "log", "--csv"])
    told, hashes = gateway.entries("access_batch")[-1], []
    numbered = [row for row in csv.DictReader(io.StringIO(capfd.readouterr().out)) if row["number"]]
    rows = [row for row in numbered if told["first"] <= int(row["number"]) <= told["last"]]
    for row in sorted(rows, key=lambda row: int(row["number"])):
        line: dict[str, Any] = {name: value for name, value in row.items() if value or name == "reason"}
        del line["id"], line["number"]
        if "count" in line:
            line["count"] = int(line["count"])
        line["actor"] = line["actor"].removeprefix("'")
        leaf = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        hashes.append(hashlib.sha256(b"\0" + leaf).digest())
    assert len(hashes) > 1
    while len(hashes) > 1:
        pairs = [hashes[at : at + 2] for at in range(0, len(hashes), 2)]
        hashes = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) > 1 else pair[0] for pair in pairs]
    assert hashes[0].hex() == told["root_sha256"]


@pytest.mark.usefixtures("typed")
def test_verify_names_what_was_changed(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> None:
    """The log verifies, and no longer once a sealed line says something else."""
    run(["purge", "plan"])
    with gateway.workspace.database.begin() as connection:
        seal(connection, gateway.workspace.ledger, gateway.workspace.now())
        gateway.workspace.ledger.checkpoint(connection, gateway.workspace.now())
    assert run(["access", "verify"]) == 0
    with gateway.workspace.database.begin() as connection:
        connection.execute(update(table).where(table.c.number == 1).values(actor="somebody"))
    capfd.readouterr()
    assert run(["access", "verify"]) == 1
    came = capfd.readouterr()
    assert "✗ line 1: edited\n" in came.out
    assert came.err.startswith("error: access log: the access log was altered: 1 finding(s)\nhint:")
    run(["access", "verify", "--json"])
    (found,) = json.loads(capfd.readouterr().out)["findings"]
    assert (found["code"], found["number"]) == ("edited", 1)
