"""The five conventions, histories and instants in the writing of the register."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from passerelle.convention import Convention, Event, load_folder, parse

Made = Callable[..., Convention]


@pytest.fixture(scope="session")
def conventions(root: Path) -> dict[str, Convention]:
    """The conventions that the project ships, by id."""
    return load_folder(root / "conventions")


@pytest.fixture(scope="session")
def altered(root: Path) -> Made:
    """A shipped convention with some of its text replaced."""

    def make(name: str, *changes: tuple[str, str]) -> Convention:
        text = (root / "conventions" / f"{name}.yaml").read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return parse(text.encode(), f"{name}.yaml")

    return make


def history(*rows: dict[str, Any]) -> tuple[Event, ...]:
    return tuple(Event.from_json(row) for row in rows)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
