"""Imports go down only, and whoever adds a module must say on which floor it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.conftest import FLOORS

LINTER = Path(sys.executable).with_name("lint-imports")


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--no-cache", "--no-logo"]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The floors, copied, to break them."""
    for floor in FLOORS:
        shutil.copytree(root / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_its_floors(root: Path) -> None:
    """Every import of the project goes down, and every module of the engine has its floor."""
    done = _lint(root)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_a_module_without_a_floor_fails(copy: Path) -> None:
    """A new module of the engine breaks the contract until it is given a floor."""
    (copy / "passerelle" / "stray.py").write_text('"""Stands nowhere."""\n')
    done = _lint(copy)
    assert done.returncode == 1
    assert "stray" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("passerelle/clock.py", "import passerelle.store", "floors of the engine"),
        ("contracts/rules.py", "import retention", "floors of the house"),
        ("portal/render.py", "import prefect", "Only flows"),
        ("checks/judge.py", "import pandera", "Only contracts"),
        ("passerelle/profile/build.py", "import great_expectations", "Only checks"),
        ("passerelle/errors.py", "import rich", "Only portal"),
        ("passerelle/trail/merkle.py", "import sqlalchemy", "rule core"),
        ("passerelle/canonical.py", "import time", "rule core"),
        ("passerelle/trail/fsck/check.py", "import passerelle.trail.merkle", "checker shares no code"),
    ],
)
def test_an_import_that_goes_up_or_out_fails(copy: Path, module: str, line: str, contract: str) -> None:
    """An import that a floor does not allow is found, under the name of the rule it breaks."""
    path = copy / module
    path.write_text(path.read_text() + f"\n{line}\n")
    done = _lint(copy)
    assert done.returncode == 1
    assert any(contract in found and "BROKEN" in found for found in done.stdout.splitlines())


def test_the_checker_of_the_trail_is_kept_from_all_of_the_writer(root: Path) -> None:
    """Each module of the trail but the checker is forbidden to the checker."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    forbidden = {name for contract in contracts if contract["id"] == "fsck" for name in contract["forbidden_modules"]}
    writer = {path.stem for path in (root / "passerelle" / "trail").glob("*.py")} - {"__init__"}
    assert len(writer) > 5
    assert {f"passerelle.trail.{name}" for name in writer} - forbidden == set()


def test_every_folder_of_code_is_a_floor(root: Path) -> None:
    """A folder of modules beside the floors is linted and packaged, or is one of tests, benchmarks and scripts; tests are typed too."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    folders = {path.parent.name for path in root.glob("*/*.py")} - {"tests", "benchmarks", "scripts"}
    assert folders == set(FLOORS) == set(project["importlinter"]["root_packages"])
    assert folders | {"conventions"} == set(project["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert folders | {"tests"} == set(project["mypy"]["packages"])
    assert list(root.glob("*.py")) == []


def test_the_page_on_architecture_names_every_module_of_the_engine(root: Path) -> None:
    """docs/architecture.md draws each module of the engine."""
    page = (root / "docs" / "architecture.md").read_text()
    modules = {
        path.stem for path in (root / "passerelle").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {module for module in modules - {"__init__"} if module not in page} == set()
