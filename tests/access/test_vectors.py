"""The vectors of docs/spec/access-log.md, one fault each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.access.comparing import Anchor, Stored, compare
from passerelle.access.line import FIELDS, leaf, leaf_hash
from passerelle.canonical import canonical
from tests.access.make_vectors import FOLDER, vectors

texts = st.none() | st.text(st.characters(codec="utf-8"), max_size=12)
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


@given(told=st.fixed_dictionaries({name: texts for name in FIELDS if name != "count"}), count=st.integers(0, 2**53 - 1))
def test_a_line_is_canonical(told: dict[str, str | None], count: int) -> None:
    """A line is hashed in the canonical form of RFC 8785, whatever its words."""
    row = {**told, "count": count, "salt": bytes(16)}
    kept = {name: value for name, value in row.items() if value is not None}
    assert leaf(row) == canonical({**kept, "salt": "00" * 16})


@pytest.mark.parametrize("spoilt", [{"actor": 1}, {"count": "1"}, {"count": True}, {"actor": "\udcff"}, {"salt": "x"}])
def test_what_is_no_line_has_no_hash(spoilt: dict[str, object]) -> None:
    """A column that holds another kind of value gives no hash, so that it equals none."""
    assert leaf_hash({**dict.fromkeys(FIELDS), "salt": bytes(16), **spoilt}) == b""
