"""Every fault that a reader may find is said in French, with what to do about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import passerelle.intake
from passerelle.errors import IntakeError
from passerelle.intake.explain import explained

RAISED = {"IntakeError", "Misfit", "refuse", "Fault", "_fault"}
"""What the readers call with the words of a fault."""
WRAPPED = {"7", "7 (dialect 7)"}
"""Words that come from another of these calls."""


def faults() -> Iterator[str]:
    """The words of each fault in the code of the readers, 7 for what is filled in."""
    for path in sorted(Path(passerelle.intake.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in RAISED:
                said = node.args[0]
                for one in (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,):
                    yield from _words(one)


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""


def _words(said: ast.expr) -> Iterator[str]:
    if isinstance(said, ast.Constant):
        yield str(said.value)
    elif isinstance(said, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in said.values)


FAULTS = sorted(set(faults()) - WRAPPED - {"expected 7, came 7"})


def test_faults_were_found() -> None:
    """The code has some."""
    assert len(FAULTS) > 50


@pytest.mark.parametrize("said", FAULTS)
def test_each_fault_is_explained(said: str) -> None:
    """The message has its French, and both languages say what to do."""
    told = explained(IntakeError(said, where="input"))
    assert told.fr
    assert told.hint
    assert told.hint_fr
