"""The demo, as a newcomer runs it: it ends well, leaves a workspace to look into, and nothing plain of anyone."""

from __future__ import annotations

import csv
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from contracts.samples import sample
from passerelle.workspace import Settings, Workspace
from portal.demo.play import COMMANDS, PORTAL
from portal.demo.story import POOL_OF_MAY, STORY
from tests.canary import sweep
from tests.gateway import trail_holds

pytestmark = pytest.mark.slow

SECONDS = 90  # the promise of `make demo`; 10 to 30 on two busy cores


def _passerelle(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portal.cli", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which the demo was played twice, in French then in English, and what each printed."""
    folder = tmp_path_factory.mktemp("demo")
    nobody = {"PASSERELLE_DATABASE_URL": "sqlite:////nowhere/else.db", "PREFECT_API_URL": "http://127.0.0.1:1/api"}
    printed = []
    for lang in ("fr", "en"):
        done = _passerelle(folder, "demo", PASSERELLE_LANG=lang, **nobody)
        assert (done.returncode, done.stderr) == (0, "")
        printed.append(done.stdout)
    return folder, printed


def test_the_demo_tells_every_step(played: tuple[Path, list[str]]) -> None:
    """Each of the seventeen steps is told once, in the reader's language, with its refusals and their articles."""
    _, (french, english) = played
    for printed in (french, english):
        assert re.findall(r"^ +(\d+)/17 ", printed, re.MULTILINE) == [str(number) for number in range(1, 18)]
        assert len(STORY) == 17
        assert "missing_instrument:candidate-pool-agreement (art. 3" in printed
        assert "out_of_force_at_delivery (art. 8)" in printed
    assert "la copie est intacte, et ne s'ouvre plus" in french.replace("\u00a0", " ")
    assert "the copy is whole, and no longer opens" in english
    assert "mtfp: 4,980 rows on 12 May 2025" in english


def test_the_demo_says_its_time(played: tuple[Path, list[str]]) -> None:
    """It says how long it took."""
    _, printed = played
    took = [int(seconds) for text in printed for seconds in re.findall(r"^D.* (\d+) s, ", text, re.MULTILINE)]
    assert len(took) == len(printed)
    assert min(took) > 0


def test_the_demo_leaves_a_workspace_to_look_into(played: tuple[Path, list[str]]) -> None:
    """The commands that it names work, the trail holds, both certificates are there, no plain input is left."""
    folder, _ = played
    home = folder / "demo-workspace" / "workspace"
    for command in COMMANDS:
        done = _passerelle(folder, *command.split(), PASSERELLE_HOME=str(home), PASSERELLE_LANG="fr")
        assert done.returncode == 0, done.stderr
        assert done.stdout
    workspace = Workspace.open(Settings(home))
    assert trail_holds(workspace).size > 40
    with workspace.database.read() as connection:
        certified = [found.entry.body["purge"] for found in workspace.ledger.find(connection, "purge_certificate")]
    workspace.close()
    assert certified == ["paca-pe-2016.1", "csp-ft-2024.1"]
    assert list((home / "inbox").iterdir()) == []


def test_the_demo_ends_with_the_portal(played: tuple[Path, list[str]]) -> None:
    """Its last lines make an account and open the portal on its workspace; they work, and the page is there."""
    folder, printed = played
    assert all(text.rstrip().endswith(f" {PORTAL[-1]}") for text in printed)
    environment = {"PASSERELLE_HOME": str(folder / "demo-workspace" / "workspace"), "PASSERELLE_LANG": "en"}
    added = _passerelle(folder, *PORTAL[0].split(), **environment)
    assert (added.returncode, added.stderr) == (0, "")
    assert "activation code" in added.stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "portal.cli", PORTAL[-1], "--port", str(port)]
    with subprocess.Popen(
        words, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    ) as serving:
        try:
            assert serving.stdout
            assert f"http://localhost:{port}/" in serving.stdout.readline()
            assert "Open my account" in _page(f"http://127.0.0.1:{port}/activate")
        finally:
            serving.terminate()


def _page(address: str) -> str:
    """A page of a portal that is just starting."""
    limit = time.monotonic() + SECONDS
    while True:
        try:
            return httpx2.get(address, headers={"accept-language": "en"}).text
        except httpx2.ConnectError:
            assert time.monotonic() < limit
            time.sleep(0.05)


def test_the_demo_leaves_nothing_plain(played: tuple[Path, list[str]]) -> None:
    """No name, address or number of the pool that was sent is in any byte that it wrote."""
    folder, _ = played
    sent = b"".join(sample(POOL_OF_MAY.dataset, POOL_OF_MAY.rows, POOL_OF_MAY.bad_rate, seed=POOL_OF_MAY.rows))
    rows = list(csv.DictReader(sent.decode("cp1252").splitlines(), delimiter=";"))
    assert len(rows) == POOL_OF_MAY.rows
    chosen = [*rows[:30], *rows[249::250]]
    canaries = {
        f"{number}.{column}": row[column]
        for number, row in enumerate(chosen)
        for column in ("email", "phone", "jobseeker_id")
        if len(row[column]) > 7
    }
    assert len(canaries) > 100
    assert sweep([folder / "demo-workspace"], canaries) == []


def test_the_demo_takes_nobody_elses_place(tmp_path: Path) -> None:
    """A folder that holds something else is refused, and stays as it was."""
    (tmp_path / "letter.txt").write_text("mine")
    done = _passerelle(tmp_path, "demo", "--home", str(tmp_path), PASSERELLE_LANG="en")
    assert done.returncode == 2
    assert "expected an empty place" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
