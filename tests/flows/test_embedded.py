"""Flows on the embedded server: quiet, gone with the command, and nothing of a value left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.canary import sweep
from tests.flows.conftest import CANARIES, SECONDS, clean_environment, wait_for

pytestmark = pytest.mark.slow

PLAY = """
import json, os, sys
from pathlib import Path
before = dict(os.environ)
from flows.embedded import prefect_server, run_exchange_flow
from passerelle.errors import PasserelleError
home = sys.argv[1]
with prefect_server(Path(home) / "prefect"):
    url = os.environ["PREFECT_API_URL"]
    for order in sys.argv[2:]:
        try:
            outcome = run_exchange_flow(home, order)
            outcome.pop("secret")
            print(json.dumps(outcome))
        except PasserelleError as error:
            print(type(error).__name__, error, error.__context__, error.__cause__)
        assert os.environ["PREFECT_API_URL"] == url
assert dict(os.environ) == before
"""

HANG = """
import os, sys, time
from pathlib import Path
from flows.embedded import prefect_server
with prefect_server(Path(sys.argv[1]) / "prefect"):
    print(os.environ["PREFECT_API_URL"], flush=True)
    time.sleep(600)
"""

REAL = """
import os
from pathlib import Path
from flows.embedded import prefect_server
from passerelle.workspace import Settings, Workspace
Workspace.create(Settings.read(os.environ)).close()
with prefect_server(Path(os.environ["PASSERELLE_HOME"]) / "prefect"):
    from flows.plan import daily_plan
    from flows.purge import purge
    from flows.watchdog import watchdog
    print(daily_plan(), purge(), watchdog(return_state=True).message)
"""


@pytest.fixture
def environment(engine_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment without a server, and with the small engine."""
    (tmp_path / "user").mkdir()
    return clean_environment(**engine_environment | {"HOME": str(tmp_path / "user")})


def test_orders_run_as_flows_on_one_quiet_server(environment: dict[str, str], tmp_path: Path) -> None:
    """Several orders run on one server, with the engine's outcomes and errors, no noise, and no value in any byte left."""
    home = tmp_path / "workspace"
    done = subprocess.run(
        [sys.executable, "-c", PLAY, str(home), "ab" * 16, "bad0" * 4, "dead" * 4, "cd" * 16],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    first, refused, broken, last = done.stdout.splitlines()
    assert first == last.replace("cd", "ab")
    assert f'"order_id": "{"ab" * 16}"' in first
    assert f'"home": "{home}"' in first
    assert refused == "GateRefusedError the convention is not in force (not_in_force) None None"
    assert broken.startswith("SealedError unforeseen ValueError at assembly.py:")
    assert list((tmp_path / "user").iterdir()) == []
    assert sweep([home], CANARIES) == []
    assert not (home / "prefect" / "storage").exists()


def test_a_new_workspace_has_nothing_due(root: Path, tmp_path: Path) -> None:
    """On a real workspace just made, the plan starts nothing, the purge finds nothing due and the watchdog is content."""
    home = tmp_path / "workspace"
    environment = clean_environment(PASSERELLE_HOME=str(home), HOME=str(tmp_path), PYTHONPATH=str(root))
    done = subprocess.run(
        [sys.executable, "-c", REAL],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 {'due': 0, 'holdings': 0, 'certificates': ''} nothing is late\n"


def test_an_embedded_server_does_not_outlive_its_command(environment: dict[str, str], tmp_path: Path) -> None:
    """When the command is killed outright, its server ends by itself; while it runs, it refuses strangers."""
    command = [sys.executable, "-c", HANG, str(tmp_path / "workspace")]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            assert _status(f"{url}/health") == 200
            assert _status(f"{url}/flows/count") in {401, 405}
        finally:
            os.kill(process.pid, signal.SIGKILL)
    wait_for("end of the server", lambda: _status(f"{url}/health") is None)


def _status(url: str) -> int | None:
    """The status of a GET, or None when nothing listens."""
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310 -- loopback, made by the test
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, ConnectionError):
        return None
