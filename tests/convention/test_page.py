"""The format page names all that the code knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.convention.blocks import Block
from passerelle.convention.event import LEGAL
from passerelle.convention.questions import names
from tests.convention.test_gate import CASES


@pytest.fixture(scope="session")
def words(root: Path) -> set[str]:
    """Every word in code type of the page."""
    page = (root / "docs" / "spec" / "convention.md").read_text("utf-8")
    return {word for code in re.findall(r"`([^`]+)`", page) for word in re.findall(r"[a-z_0-9]+", code)}


def _blocks(block: type[Block]) -> set[type[Block]]:
    return {block}.union(*(_blocks(child) for child in block.__subclasses__()))


def test_every_key_is_on_the_page(words: set[str]) -> None:
    """The page names every key of every block of the format."""
    keys = {field.alias or name for block in _blocks(Block) for name, field in block.model_fields.items()}
    assert len(keys) > 100
    assert keys - words == set()


def test_every_event_question_and_reason_is_on_the_page(words: set[str]) -> None:
    """The page names every event that the rules know, every question, and every reason of the gate."""
    reasons = {expected["reason"].partition(":")[0] for *_, expected in CASES if "reason" in expected}
    questions = set(names())
    assert (LEGAL | questions | reasons) - words == set()
