"""Duplicates and sorted tags of a whole file, against a Python set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import passerelle.spill
from passerelle.errors import UsageError
from passerelle.spill import RUN_ROWS, Digests

tags = st.lists(st.sampled_from([bytes(16), b"\xff" * 16, bytes(8) + b"\1" * 8, *(bytes([i]) * 16 for i in range(6))]))


def matrix(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 16)


def repeats_of(values: list[bytes]) -> list[int]:
    seen: set[bytes] = set()
    found = []
    for row, value in enumerate(values, 1):
        if value in seen:
            found.append(row)
        seen.add(value)
    return found


@pytest.fixture(params=[RUN_ROWS, 3])
def _run_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passerelle.spill, "RUN_ROWS", request.param)


@pytest.mark.usefixtures("_run_rows")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(tags, max_size=6))
def test_repeats_are_those_of_a_set(tmp_path: Path, batches: list[list[bytes]]) -> None:
    """Whatever the batches and the length of a run, the repeating rows are those of a set."""
    values = [value for batch in batches for value in batch]
    with Digests(tmp_path) as digests:
        first = 1
        for batch in batches:
            digests.add(matrix(batch), first)
            first += len(batch)
        repeats = digests.duplicates()
        assert list(repeats) == repeats_of(values)
        assert repeats.count == len(repeats_of(values))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=tags, first=st.integers(1, 20), rows=st.integers(0, 20))
def test_repeats_within_a_batch(tmp_path: Path, values: list[bytes], first: int, rows: int) -> None:
    """A batch is told the offsets of its own repeating rows."""
    with Digests(tmp_path) as digests:
        digests.add(matrix(values), 1)
        offsets = digests.duplicates().within(first, rows).tolist()
    assert offsets == [row - first for row in repeats_of(values) if first <= row < first + rows]


def test_rows_without_a_key_repeat_nothing(tmp_path: Path) -> None:
    """Rows whose key is null are not compared with one another."""
    with Digests(tmp_path) as digests:
        digests.add(matrix([bytes(16)] * 2), np.array([2, 5]))
        digests.add(matrix([b"x" * 16] * 2), np.array([7, 9]))
        assert list(digests.duplicates()) == [5, 9]


def test_many_rows(tmp_path: Path) -> None:
    """Two million random digests with every thousandth repeated once are told apart exactly."""
    rng = np.random.default_rng(7)
    rows = 2_000_000
    values = rng.integers(0, 256, (rows, 16), np.uint8)
    values[1_000_000::1000] = values[:1_000_000:1000]
    with Digests(tmp_path) as digests:
        for start in range(0, rows, 50_000):
            digests.add(values[start : start + 50_000], start + 1)
        assert list(digests.duplicates()) == list(range(1_000_001, rows + 1, 1000))


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    """No file can be seen in the folder, neither during the work nor after an error."""
    with pytest.raises(UsageError), Digests(tmp_path) as digests:  # noqa: PT012 -- the folder is looked at meanwhile
        digests.add(matrix([bytes(16)] * RUN_ROWS), 1)
        assert list(tmp_path.iterdir()) == []
        digests.add(matrix([bytes(16)]), 1)
    assert list(tmp_path.iterdir()) == []


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    """Tags of another size and rows out of order are errors of the caller."""
    with Digests(tmp_path) as digests:
        digests.add(matrix([bytes(16)] * 3), 1)
        with pytest.raises(UsageError):
            digests.add(matrix([bytes(16)]), 3)
        with pytest.raises(UsageError):
            digests.add(np.zeros((1, 15), np.uint8), 4)
        with pytest.raises(UsageError):
            digests.add(matrix([bytes(16)] * 2), np.array([5, 4]))
        with pytest.raises(UsageError):
            digests.add(matrix([bytes(16)] * 2), np.array([5]))
