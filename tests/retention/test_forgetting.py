"""Prefect forgets a convention's runs, and no byte of them stays in its database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flows.assembly import place_order
from flows.forgetting import erase_prefect
from passerelle.errors import OurWayError
from retention.golden import classify, golden
from retention.places import left_of
from retention.prefect_records import found_in_file
from tests.gateway import POOLS, Gateway, pools, two_recipients

pytestmark = pytest.mark.slow
ENDED, OTHER = "csp-ft-2024", "two-ministries"
MINE, THEIRS = "ab" * 16, "cd" * 16
PLAY = """
import sys
from pathlib import Path
from flows.embedded import prefect_server, run_exchange_flow
with prefect_server(Path(sys.argv[1]) / "prefect"):
    for order in sys.argv[2:]:
        print(run_exchange_flow(sys.argv[1], order)["state"])
"""


@pytest.fixture(scope="module")
def flowed(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Two conventions, each with one exchange that was carried out as a flow on the embedded server."""
    gateway = pools(tmp_path_factory.mktemp("flowed") / "gateway")
    other = two_recipients(gateway)
    place_order(gateway.workspace, gateway.order(POOLS, "2025-05", gateway.write(POOLS, 40)), MINE)
    place_order(gateway.workspace, gateway.order(other, "2025-05", gateway.write(other, 40, name="other.csv")), THEIRS)
    gateway.workspace.close()
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(gateway.home), MINE, THEIRS],
        env={**os.environ, "PASSERELLE_NOW": "2025-05-12T06:00:00+02:00"},
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["delivered", "delivered"], "")
    return gateway.reopened()


def prefect_bytes(gateway: Gateway) -> bytes:
    """Every byte that Prefect keeps."""
    return b"".join(path.read_bytes() for path in (gateway.home / "prefect").rglob("*") if path.is_file())


def test_every_table_and_file_of_prefect_is_on_the_list(flowed: Gateway) -> None:
    """A table of Prefect's own database, or a file of its home, that is not on the golden list fails, and so does a stale row."""
    with closing(sqlite3.connect(flowed.home / "prefect" / "prefect.db")) as connection:
        found = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    assert found - {"sqlite_sequence", "sqlite_stat1"} == {one.name for one in golden().prefect}
    files = [path.relative_to(flowed.home).as_posix() for path in (flowed.home / "prefect").rglob("*") if path.is_file()]  # fmt: skip
    assert [name for name in files if classify(name) is None] == []
    assert {one.name for one in golden().prefect if one.runs} >= found_in_file(flowed.home / "prefect" / "prefect.db", frozenset({MINE, THEIRS})).keys()  # fmt: skip


def test_one_convention_is_forgotten_and_the_other_stays(flowed: Gateway) -> None:
    """Runs, tasks, states and events of the purged convention go, to the last byte; those of the other stay; once more is harmless."""
    assert {one.kind for one in left_of(flowed.workspace, ENDED) if one.place == "prefect"} >= {"flow_run", "events"}
    before = found_in_file(flowed.home / "prefect" / "prefect.db", frozenset({THEIRS}))
    gone = erase_prefect(flowed.workspace, ENDED)
    assert gone["flow_run"] == gone["task_run"] == 1
    assert gone["events"] >= 4
    assert erase_prefect(flowed.workspace, ENDED) == {}
    assert [one for one in left_of(flowed.workspace, ENDED) if one.place == "prefect"] == []
    assert MINE.encode() not in prefect_bytes(flowed)
    assert THEIRS.encode() in prefect_bytes(flowed)
    assert found_in_file(flowed.home / "prefect" / "prefect.db", frozenset({THEIRS})) == before
    assert erase_prefect(flowed.workspace, OTHER, "another-exchange") == {}


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Where Prefect's database cannot be read, nothing is called gone."""
    (tmp_path / "prefect.db").write_bytes(b"no database" * 1000)
    with pytest.raises(OurWayError, match="cannot be read"):
        found_in_file(tmp_path / "prefect.db", frozenset({MINE}))
    assert found_in_file(tmp_path / "nothing.db", frozenset({MINE})) == {}


def test_a_server_that_does_not_answer_keeps_the_purge_open(flowed: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PREFECT_API_URL names a server that does not answer, nothing is called forgotten."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(OurWayError, match="did not delete"):
        erase_prefect(flowed.workspace, OTHER)
