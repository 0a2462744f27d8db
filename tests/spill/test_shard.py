from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import passerelle.shard
from passerelle.errors import UsageError
from passerelle.shard import RUN_TAGS, Shard, holds

digest_lists = st.lists(st.lists(st.binary(min_size=16, max_size=16), max_size=20), max_size=6)


def matrix(values: list[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(-1, 16)


@pytest.fixture(params=[RUN_TAGS, 3])
def _run_tags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passerelle.shard, "RUN_TAGS", request.param)


@pytest.mark.usefixtures("_run_tags")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=digest_lists)
def test_a_shard_has_each_tag_once_in_order(tmp_path: Path, batches: list[list[bytes]]) -> None:
    """Whatever the batches and the length of a run, the file has the distinct first halves of the digests, sorted."""
    out = io.BytesIO()
    with Shard(tmp_path) as shard:
        for batch in batches:
            shard.add(matrix(batch))
        count = shard.write(out)
    tags = sorted({value[:8] for batch in batches for value in batch})
    assert (count, out.getvalue()) == (len(tags), b"".join(tags))


@settings(deadline=None)
@given(st.sets(st.binary(min_size=16, max_size=16), max_size=40), st.binary(min_size=16, max_size=16))
def test_lookup_is_membership(values: set[bytes], other: bytes) -> None:
    """A digest is found if and only if one with its first half was added."""
    with tempfile.TemporaryDirectory() as folder, Shard(Path(folder)) as shard:
        path = Path(folder, "tags")
        shard.add(matrix(list(values)))
        with path.open("wb") as file:
            shard.write(file)
        assert all(holds(path, value) for value in values)
        assert holds(path, other) == (other[:8] in {value[:8] for value in values})


def test_nothing_can_be_seen_of_what_waits(tmp_path: Path) -> None:
    """Tags wait in a file without a name, which is gone after an error."""
    with pytest.raises(UsageError), Shard(tmp_path) as shard:  # noqa: PT012 -- the folder is looked at meanwhile
        shard.add(matrix([bytes(16)] * 5))
        assert list(tmp_path.iterdir()) == []
        shard.add(np.zeros((1, 15), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_wrong_files_and_digests_are_refused(tmp_path: Path) -> None:
    """A file that is not whole tags, and a digest of another size, are errors of the caller."""
    (tmp_path / "odd").write_bytes(b"12345")
    (tmp_path / "even").write_bytes(bytes(8))
    with pytest.raises(UsageError):
        holds(tmp_path / "odd", bytes(16))
    with pytest.raises(UsageError):
        holds(tmp_path / "even", b"short")
