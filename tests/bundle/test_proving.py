"""The bundle's checker reads heads, paths and continuations as docs/spec/trail.md says."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.bundle.proving import Fault, Trail, continues, included

VECTORS = sorted((Path(__file__).parent.parent / "vectors" / "trail").glob("checkpoint*.txt"))
LEAF = bytes(32)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_head_is_read_as_its_vector_says(path: Path) -> None:
    """A head that verifies, plain and with its instant, opens; every other one is refused."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    said = dict(line.split(": ", 1) for line in head.decode().split("\n"))
    if said["expect"] == "ok" and "at" in said and "origin" not in said and "witness" not in path.stem:
        size, root, _ = Trail(said["key"]).opened(body.decode())
        assert (size, len(root)) == (int(said["size"]), 32)
        return
    with pytest.raises((Fault, ValueError)):
        Trail(said["key"]).opened(body.decode())


@pytest.mark.parametrize(("index", "size"), [(1, 1), (-1, 1), (0, 0)])
def test_an_index_outside_the_tree_has_no_root(index: int, size: int) -> None:
    """No path leads from a leaf that the tree does not have."""
    assert included(index, size, [], LEAF) is None


@pytest.mark.parametrize(("first", "second"), [(0, 1), (2, 1), (-1, 1)])
def test_nothing_continues_an_empty_or_a_larger_head(first: int, second: int) -> None:
    """The checker ends on a head of no entries, and on one that is larger."""
    assert continues(first, second, LEAF, [LEAF]) is None
