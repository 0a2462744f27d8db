"""The versions that are installed are those that work together (docs/decisions/0002-versions-that-work-together.md)."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PINNED = re.compile(r"^(\S+?)(?:\[\S+\])?==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def declared(root: Path) -> list[Requirement]:
    """What pyproject.toml asks for, to run and to develop."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]]


@pytest.fixture(scope="module")
def lock(root: Path) -> str:
    """The text of the lock."""
    return (root / "requirements" / "lock.txt").read_text()


def test_the_scheduler_has_the_database_library_it_can_schedule_with() -> None:
    """Prefect 3.8.8 runs with SQLAlchemy before 2.1, above which it makes no scheduled run, and FastAPI before 0.151."""
    assert version("prefect") == "3.8.8"
    assert Version("2.0.58") <= Version(version("sqlalchemy")) < Version("2.1")
    assert Version("0.139") <= Version(version("fastapi")) < Version("0.151")


def test_the_lock_satisfies_what_is_declared(declared: list[Requirement], lock: str) -> None:
    """Every declared dependency is locked, at a version in its range."""
    pinned: dict[str, set[str]] = {}
    for name, number, _marker in PINNED.findall(lock):
        pinned.setdefault(canonicalize_name(name), set()).add(number)
    assert len(declared) > 30
    for requirement in declared:
        numbers = pinned[canonicalize_name(requirement.name)]
        assert [number for number in numbers if number not in requirement.specifier] == []


def test_the_lock_has_hashes_and_no_address(lock: str) -> None:
    """Every locked package has its hashes, and the lock names no index."""
    blocks = re.split(r"\n(?=\S)", lock.strip())
    assert len(blocks) > 100
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in lock


def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    """The environment that runs the tests has the locked versions."""
    from packaging.markers import Marker

    wanted = {name: number for name, number, marker in PINNED.findall(lock) if not marker or Marker(marker).evaluate()}
    assert {name: version(name) for name in wanted} == wanted
