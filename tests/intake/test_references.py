"""The references of the benchmark read the same file and, where they judge, reject the same rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.registry import contract
from contracts.samples import sample
from passerelle.intake import open_source
from tests.contracts.making import DAY

ROWS = 5_000


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training entries of which one row in twenty breaks a rule."""
    path = tmp_path_factory.mktemp("entries") / "entries.csv"
    path.write_bytes(b"".join(sample("training_entries", ROWS, 0.05)))
    return path


def run(root: Path, name: str, source: Path, out: Path) -> dict[str, float]:
    command = [sys.executable, str(root / "benchmarks" / name), str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONWARNINGS": ""})
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def test_the_afternoon_reference_rejects_what_the_contract_rejects(root: Path, entries: Path, tmp_path: Path) -> None:
    """The ratio to the afternoon's program compares equal work: as many rows rejected, nothing left in the clear."""
    one = contract("training_entries")
    with open_source(entries, one.dialects) as source:
        rejected = sum(len(one.judge(batch, source.dialect, DAY).rejected_rows) for batch in source.batches())
    answer = run(root, "diy.py", entries, tmp_path)
    assert (answer["rows"], answer["rejected"], answer["accepted"]) == (ROWS, rejected, ROWS - rejected)
    assert rejected == ROWS // 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["extract.csv.age", "rejected.csv.age"]


def test_the_floor_copies_every_row(root: Path, entries: Path, tmp_path: Path) -> None:
    """The floor reads as many rows as the file has and leaves nothing but ciphertext."""
    assert run(root, "floor.py", entries, tmp_path)["rows"] == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["extract.csv.age"]
