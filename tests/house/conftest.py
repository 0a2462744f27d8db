"""What the tests of the house read: the files of the checkout, without what tools leave in it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = ("portal", "flows", "retention", "checks", "contracts", "passerelle")
_TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".csv", ".html", ".txt", ".sh", ".cfg", ".sql", ".mako", ""}


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        hidden = {name for name in names if name.startswith(".") and name != ".ci"}
        left_out = {"__pycache__", "build", "dist", "demo-workspace", "bench-workspace", "vectors"}
        names[:] = sorted(set(names) - hidden - left_out)
        yield from (Path(folder, name) for name in sorted(files) if Path(name).suffix in _TEXT)


@pytest.fixture(scope="session")
def texts(root: Path) -> dict[str, str]:
    """Every text file of the checkout but the vectors, by its path from the root."""
    found = {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in _files(root)
        if path.name not in {".git", ".gitignore", "lock.txt"}
    }
    assert {"README.md", "pyproject.toml", "passerelle/errors.py", ".ci/run"} <= found.keys()
    return found


@pytest.fixture(scope="session")
def trees(texts: dict[str, str]) -> dict[str, ast.Module]:
    """Every Python file of the checkout, parsed."""
    return {path: ast.parse(text) for path, text in texts.items() if path.endswith(".py")}


@pytest.fixture(scope="session")
def product(trees: dict[str, ast.Module]) -> dict[str, ast.Module]:
    """The Python files that are installed: those of the floors."""
    found = {path: tree for path, tree in trees.items() if path.split("/")[0] in FLOORS}
    assert len(found) > 20
    return found
