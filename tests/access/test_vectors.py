"""The vectors of docs/spec/access-log.md, one fault each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from passerelle.access.comparing import Anchor, Stored, compare
from passerelle.access.line import FIELDS, leaf_hash
from tests.access.make_vectors import FOLDER, vectors

FILES = sorted(FOLDER.glob("*.txt"))


def test_the_vectors_are_those_that_are_made() -> None:
    """The files are what their maker writes, and there are some."""
    assert {path.stem: path.read_bytes() for path in FILES} == dict(vectors())
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_vector(path: Path) -> None:
    """A batch gives its root, or the findings that its vector names."""
    head, _, body = path.read_text("utf-8").partition("\n\n")
    told = dict(line.split(":", 1) for line in head.splitlines())
    batch = json.loads(told["batch"])
    rows = []
    for line in body.split("\n")[:-1]:
        number, _, text = line.partition(" ")
        row = {**dict.fromkeys(FIELDS), **json.loads(text)}
        rows.append(Stored(int(number), leaf_hash({**row, "salt": bytes.fromhex(row["salt"])})))
    anchor = Anchor(batch["first"], batch["last"], bytes.fromhex(batch["root_sha256"]), batch["until"])
    found = list(compare(anchor, bytes.fromhex(told["hashes"]), rows))
    assert bool(found) == (told["expect"].strip() == "fail")
    codes = " ".join(one.code if one.number is None else f"{one.code} {one.number}" for one in found)
    if told["found"].strip() == "reordered":
        assert {one.code for one in found} == {"reordered"}
    else:
        assert codes == told["found"].strip()
