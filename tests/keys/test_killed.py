"""Killed at any point, a key operation leaves one of its two legal states."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def states(operation: str, folder: Path, *apart: str) -> list[dict[str, Any]]:
    """What is found after each death, in order; the first is the state before, the last the state after."""
    command = [sys.executable, "-m", "tests.keys.killed", operation, str(folder), *apart]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=ROOT)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("apart", [(), ("token",)], ids=["file", "token"])
def test_a_rotation_ends_in_the_old_or_the_new_generation(tmp_path: Path, apart: tuple[str, ...]) -> None:
    """At every point of a rotation the next opening finds the same keys in one generation, the old or the new."""
    before, *rest = states("rotate", tmp_path, *apart)
    assert len(rest) > 30
    assert [state["generation"] for state in rest] == sorted(state["generation"] for state in rest)
    assert (rest[0]["generation"], rest[-1]["generation"]) == (1, 2)
    for state in rest:
        assert [state[one] for one in ("secrets", "copies", "signer")] == [
            before[one] for one in ("secrets", "copies", "signer")
        ]
        assert [name for name in state["files"] if name.endswith((".new", "root.key"))] == [
            f"gen-{state['generation']:04d}/root.key"
        ]
        # In the token one key is left that wraps; another, made just before the death, may be left that wrapped nothing.
        assert sum(count > 0 for count in state["alive"].values()) == len(apart)


def test_a_destruction_is_whole_or_has_not_begun(tmp_path: Path) -> None:
    """At every point of a destruction the next opening finds the key set alive, or its tombstone and no key set."""
    before, *rest = states("destroy", tmp_path)
    alive = [state["secrets"]["alpha"] == before["secrets"]["alpha"] for state in rest]
    assert alive == sorted(alive, reverse=True)
    assert (alive[0], alive[-1]) == (True, False)
    for state in rest:
        names = {Path(name).name for name in state["files"]}
        assert ("alpha.destroyed" in names) != ("alpha.keyset" in names)
        assert ("alpha.destroyed" in names) != ("alpha.0001.copies" in names)
        assert state["secrets"]["alpha"][1] == before["secrets"]["alpha"][1]


def test_forgetting_is_whole_or_has_not_begun(tmp_path: Path) -> None:
    """At every point of a forgetting the next opening finds every copy's key, or all but the forgotten one, in one edition."""
    before, *rest = states("forget", tmp_path)
    left = {name: secret for name, secret in before["copies"].items() if name != "one"}
    assert set(before["copies"]) == {"one", "two"}
    gone = [state["copies"] == left for state in rest]
    assert gone == sorted(gone)
    assert (gone[0], gone[-1]) == (False, True)
    for state, is_gone in zip(rest, gone, strict=True):
        assert is_gone or state["copies"] == before["copies"]
        assert state["secrets"] == before["secrets"]
        editions = [Path(name).name for name in state["files"] if "alpha" in name and name.endswith(".copies")]
        assert editions == [f"alpha.{2 if is_gone else 1:04d}.copies"]


def test_a_new_copy_key_is_kept_or_was_not_made(tmp_path: Path) -> None:
    """Killed while the key of a copy is made, the ring has it or not, and the others as before."""
    before, *rest = states("keep", tmp_path)
    for state in rest:
        assert {name: state["copies"][name] for name in before["copies"]} == before["copies"]
    assert ["three" in state["copies"] for state in rest] == sorted("three" in state["copies"] for state in rest)
    assert "three" in rest[-1]["copies"]


def test_a_creation_can_be_begun_again(tmp_path: Path) -> None:
    """A ring whose creation was killed at any point is created anew or opened, and works."""
    rest = states("create", tmp_path)
    assert len(rest) > 10
    assert all(state["generation"] == 1 and "destroyed" not in state["secrets"]["alpha"] for state in rest)


def test_a_first_use_can_be_begun_again(tmp_path: Path) -> None:
    """Killed while a convention's keys are made, the ring opens, and what was known is unchanged."""
    before, *rest = states("keyset", tmp_path)
    assert len(rest) > 5
    assert all(state["secrets"] == before["secrets"] for state in rest)


def test_a_signing_key_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    """At every point of a rotation of the signing key, the key in use is one that partners trust without an end."""
    before, *rest = states("sign", tmp_path)
    changed = [state["signer"] != before["signer"] for state in rest]
    assert (changed[0], changed[-1]) == (False, True)
    assert changed == sorted(changed)
    for state, new in zip(rest, changed, strict=True):
        assert f'namespaces="passerelle-manifest" {state["signer"]}\n' in state["trusted"]
        assert (f',valid-before="20260301093000Z" {before["signer"]}\n' in state["trusted"]) == new
        assert state["secrets"] == before["secrets"]
