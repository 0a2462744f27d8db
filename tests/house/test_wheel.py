"""What is installed is all that the product needs, and no more."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.conftest import FLOORS


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=root, capture_output=True, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_file_of_the_floors(root: Path, wheel: set[str]) -> None:
    """Modules, templates, tables and conventions are all in the wheel."""
    files = {
        path.relative_to(root).as_posix()
        for folder in (*FLOORS, "conventions")
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"passerelle/py.typed", "conventions/csp-ft-2024.yaml"} <= files
    assert files - wheel == set()


def test_the_wheel_has_nothing_else(wheel: set[str]) -> None:
    """No test, benchmark or script is installed, and the licence is."""
    assert {name.split("/")[0] for name in wheel if ".dist-info" not in name} == {*FLOORS, "conventions"}
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in wheel)


def test_the_command_is_installed() -> None:
    """The environment has the command `passerelle`."""
    assert shutil.which("passerelle", path=str(Path(sys.executable).parent))
