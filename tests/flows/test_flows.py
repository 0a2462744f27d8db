"""The flow files, without a server."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.flows.conftest import SECONDS, clean_environment

Run = Callable[..., list[str]]

LOAD = """
import sys
from prefect.flows import load_flow_from_entrypoint
for entrypoint in sys.argv[1:]:
    flow = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    assert flow.persist_result is False
    assert flow.result_serializer.type == "refuse"
    assert flow.log_prints in (None, False)
    print(entrypoint, flow.name, flow.retries)
"""

REFUSE = """
from flows.sealing import Refuse
from passerelle.errors import OurWayError
for refused in (lambda: Refuse().dumps(None), lambda: Refuse().loads(b"x")):
    try:
        refused()
    except OurWayError as error:
        print(error)
"""

AGAIN = """
from prefect.states import Failed, Completed
from flows.sealing import our_way
from passerelle.boundary import SealedError
from passerelle.errors import ContractError, GateRefusedError, ParcelError, WorkspaceError
errors = (WorkspaceError("x"), SealedError("x"), GateRefusedError("x", reason="r"), ContractError("x"), ParcelError("x"))
print([our_way(None, None, Failed(data=error)) for error in errors], our_way(None, None, Failed(data=None)))
"""


@pytest.fixture
def run(root: Path, tmp_path: Path) -> Run:
    """Runs a program in the checkout, with a Prefect home of its own."""

    def play(program: str, *arguments: str) -> list[str]:
        environment = clean_environment(PREFECT_HOME=str(tmp_path / "prefect"), HOME=str(tmp_path), DO_NOT_TRACK="1")
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=environment, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return play


def _entrypoints(root: Path) -> dict[str, str]:
    deployments = yaml.safe_load((root / "prefect.yaml").read_text("utf-8"))["deployments"]
    return {one["name"]: one["entrypoint"] for one in deployments}


def test_every_entry_point_loads(run: Run, root: Path) -> None:
    """Each entry point of prefect.yaml is a real flow of its deployment's name that stores no result and does not retry."""
    entrypoints = _entrypoints(root)
    assert set(entrypoints) == {"daily-plan", "exchange", "purge", "watchdog"}
    assert run(LOAD, *entrypoints.values()) == [f"{entry} {name} 0" for name, entry in entrypoints.items()]


def test_no_flow_file_hides_a_module(root: Path) -> None:
    """No flow file bears the name of a module that Python, a dependency or another floor would import."""
    names = {path.stem for path in (root / "flows").glob("*.py")} - {"__init__"}
    assert {"exchange", "plan", "purge", "watchdog"} <= names
    folders = {path.name for path in root.iterdir() if path.is_dir()}
    assert not names & (sys.stdlib_module_names | folders)
    assert [name for name in names if importlib.util.find_spec(name) is not None] == []


def test_flow_files_define_no_type(root: Path) -> None:
    """A file that Prefect loads a second time under another name defines no class, which would then exist twice."""
    for entry in _entrypoints(root).values():
        tree = ast.parse((root / entry.split(":")[0]).read_text("utf-8"))
        assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def test_the_serializer_refuses_everything(run: Run) -> None:
    """Nothing can be written to result storage, nor read from it."""
    assert run(REFUSE) == ["flows: results are never persisted"] * 2


def test_what_may_be_tried_again(run: Run) -> None:
    """Faults of the gateway may be tried again; refusals, faults of the sender and broken evidence may not."""
    assert run(AGAIN) == ["[True, True, False, False, False] False"]


def test_every_deployment_is_bounded(root: Path) -> None:
    """Every schedule of prefect.yaml says its time zone, and every deployment its pool, its limit and its tag."""
    deployments = yaml.safe_load((root / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert len(deployments) == 4
    for one in deployments:
        assert one["work_pool"]["name"] == "passerelle"
        assert one["concurrency_limit"]["limit"] == 1
        assert "passerelle" in one["tags"]
        assert all(schedule["timezone"] == "Europe/Paris" for schedule in one.get("schedules", []))
