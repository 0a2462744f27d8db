"""`passerelle exchange run` as a Prefect flow, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway import SHARED, Gateway

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A gateway that may send a study to its partners."""
    made = Gateway.create(tmp_path_factory.mktemp("flow"), "2019-06-03T06:00:00+02:00").partner(
        "face", own_folder=False
    )
    made.write(SHARED, 200)
    made.workspace.close()
    return made


def _run(gateway: Gateway, period: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    source = gateway.folder / "sent" / "sample.csv"
    command = [
        sys.executable,
        "-m",
        "portal.cli",
        "exchange",
        "run",
        SHARED,
        "--input",
        str(source),
        "--period",
        period,
    ]
    ours = {
        "PASSERELLE_HOME": str(gateway.home),
        "PASSERELLE_NOW": "2019-06-03T06:00:00+02:00",
        "PASSERELLE_LANG": "en",
    }
    return subprocess.run(
        [*command, *words], env={**os.environ, **ours, **environment}, capture_output=True, text=True, check=False
    )


def test_a_flow_prints_one_json_value_and_nothing_else(gateway: Gateway) -> None:
    """With --flow and --json, the outcome is the only word on stdout, stderr is silent, and its paths open."""
    done = _run(gateway, "2019", "--flow", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    outcome = json.loads(done.stdout)
    assert outcome["counts"]["extracted"] == 200
    assert [Path(one["location"]).is_file() for one in outcome["deliveries"]] == [True]
    assert Path(outcome["report"]).is_file()


def test_a_server_that_does_not_answer_is_told(gateway: Gateway) -> None:
    """Where PREFECT_API_URL names no server, the command says so and what to do, and nothing is delivered."""
    done = _run(gateway, "2020", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: Prefect did not carry out the flow (")
    assert "unset it: the engine needs none" in done.stderr
