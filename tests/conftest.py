"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and vectors beside the project: skip without it, fail without it in CI."""
    folder = Path(os.environ.get("PASSERELLE_SHARED", ROOT.parent / "shared"))
    if folder.is_dir():
        return folder
    message = "the folder of real files is missing: set PASSERELLE_SHARED"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
