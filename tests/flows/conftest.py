"""A real Prefect server and worker, set up as docs/operations.md says, on loopback ports and in a folder of the test's own."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest

T = TypeVar("T")

CANARIES = {"name": "Zéphyrine Quenouillard", "mail": "z.quenouillard@exemple.example", "nir": "278117523412366"}
PASSWORD = "passerelle:a-password-of-this-test"
CANCELLED_BY_LIMIT = "Deployment concurrency limit reached."
SECONDS = 120  # for anything the machine does


def settings(root: Path, name: str) -> dict[str, str]:
    """The settings that docs/operations.md gives for ``name`` (server.env, worker.env)."""
    page = (root / "docs" / "operations.md").read_text("utf-8")
    (block,) = re.findall(rf"```sh\n# {re.escape(name)}\n(.*?)```", page, re.DOTALL)
    lines = [line for line in block.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def clean_environment(**values: str) -> dict[str, str]:
    """This process's environment without Prefect's and Passerelle's variables, with ``values``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "PASSERELLE_"))}
    return {**kept, **values}


def wait_for(what: str, found: Callable[[], T | None]) -> T:
    """What ``found`` gives once it gives something."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.3)
    pytest.fail(f"no {what} within {SECONDS} s")


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str], folder: Path, output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """``command`` in the background, its output in a file; ended when the block ends."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass
class Api:
    """The server's REST interface, with the password and the CSRF token."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON answer of one request, asked again while the server's database is busy (503)."""
        deadline = time.monotonic() + SECONDS
        while True:
            status, value = self._ask(method, path, body)
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return status, value
            time.sleep(1)

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/api/{path}", payload, {"Content-Type": "application/json", **self.headers})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None

    def get(self, path: str) -> Any:
        """The answer of a GET that succeeds."""
        status, value = self.ask("GET", path)
        assert status == 200, (path, status, value)
        return value

    def post(self, path: str, body: Any) -> Any:
        """The answer of a POST that succeeds."""
        status, value = self.ask("POST", path, body)
        assert status in {200, 201}, (path, status, value)
        return value

    def enter(self, password: str) -> None:
        """Take the password and a CSRF token."""
        client = str(uuid4())
        self.headers["Authorization"] = "Basic " + base64.b64encode(password.encode()).decode()
        token = self.get(f"csrf-token?client={client}")["token"]
        self.headers |= {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client}

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by its name."""
        flow = {"daily-plan": "daily-plan"}.get(name, name)
        return dict(self.get(f"deployments/name/{flow}/{name}"))

    def runs(self, **match: Any) -> list[dict[str, Any]]:
        """Flow runs of a deployment, newest first."""
        found = self.post("flow_runs/filter", {"limit": 200, "sort": "START_TIME_DESC", **match})
        return list(found)

    def ended(self, run: str) -> dict[str, Any]:
        """A flow run once it has ended."""

        def look() -> dict[str, Any] | None:
            found = self.get(f"flow_runs/{run}")
            return found if found["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

        return wait_for(f"end of run {run}", look)

    def start(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Run a deployment now and wait for its end; again where the limit of one cancelled it, for its schedule had just started one."""
        path = f"deployments/{self.deployment(name)['id']}/create_flow_run"
        state = {"type": "SCHEDULED"}

        def ran() -> dict[str, Any] | None:
            run = self.ended(self.post(path, {"parameters": parameters, "state": state})["id"])
            return None if run["state"]["message"] == CANCELLED_BY_LIMIT else run

        return wait_for(f"turn of {name}", ran)


@dataclass
class House:
    """A checkout with a small engine, a server for it, and where everything is written."""

    folder: Path
    api: Api
    environment: dict[str, str]
    deployed: subprocess.CompletedProcess[str]

    def prefect(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the prefect command line in the checkout, without a terminal to ask."""
        return _prefect(self.folder / "checkout", self.environment, *arguments)


def _prefect(checkout: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        env=environment, cwd=checkout, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prefect.yaml, the flows and a small engine, and beside it the canaries."""
    folder = tmp_path_factory.mktemp("house") / "checkout"
    shutil.copytree(root / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("engine.py"), folder / "flows" / "assembly.py")
    deployments = (root / "prefect.yaml").read_text("utf-8")
    assert deployments.count('DELAY_SECONDS: "60"') == 1
    (folder / "prefect.yaml").write_text(deployments.replace('DELAY_SECONDS: "60"', 'DELAY_SECONDS: "1"'), "utf-8")
    (folder.parent / "canaries").mkdir()
    (folder.parent / "canaries" / "list").write_text("\n".join(CANARIES.values()), "utf-8")
    (folder.parent / "home").mkdir()
    return folder


@pytest.fixture(scope="module")
def engine_environment(checkout: Path) -> dict[str, str]:
    """Where the small engine and the home are."""
    home = checkout.parent / "home"
    return {
        "PYTHONPATH": str(checkout), "HOME": str(home), "CANARIES": str(checkout.parent / "canaries" / "list"),
        "PASSERELLE_HOME": str(home / "workspace"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def house(root: Path, checkout: Path, engine_environment: dict[str, str]) -> Iterator[House]:
    """Server and worker, with the deployments of prefect.yaml."""
    folder, port = checkout.parent, free_port()
    url = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    server = settings(root, "server.env") | {
        "PREFECT_HOME": str(folder / "server"), "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_API_AUTH_STRING": PASSWORD, "PREFECT_SERVER_UI_API_URL": url["PREFECT_API_URL"],
    }  # fmt: skip
    worker = settings(root, "worker.env") | url | engine_environment | {
        "PREFECT_HOME": str(folder / "worker"), "PREFECT_API_AUTH_STRING": PASSWORD, "PREFECT_WORKER_QUERY_SECONDS": "1",
    }  # fmt: skip
    environment, api, python = clean_environment(**worker), Api(port), sys.executable
    start = [python, "-m", "prefect", "server", "start"]
    with running(start, clean_environment(**server), folder, folder / "server.log") as process:
        wait_for("server", lambda: _healthy(api) or process.poll() is not None)
        assert process.poll() is None, (folder / "server.log").read_text("utf-8")[-2000:]
        api.enter(PASSWORD)
        made = _prefect(checkout, environment, "work-pool", "create", "--type", "process", "passerelle")
        assert made.returncode == 0, made.stderr
        deployed = _prefect(checkout, environment, "--no-prompt", "deploy", "--all")
        start = [python, "-m", "prefect", "worker", "start", "--pool", "passerelle", "--type", "process"]
        with running(start, environment, checkout, folder / "worker.log"):
            yield House(folder, api, environment, deployed)
            _settle(api)


def _healthy(api: Api) -> bool:
    try:
        return api.ask("GET", "health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def _settle(api: Api) -> None:
    """Wait until no run is under way, so that none outlives the worker."""
    busy = {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}}
    wait_for("rest", lambda: not api.runs(**busy))
