"""The formats of docs/spec/trail.md hold on tests/vectors/trail: one fault a file, told by its ``expect``."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from passerelle.clock import iso
from passerelle.errors import TrailError
from passerelle.trail import Entry, open_checkpoint, verify_entry, verify_proof
from passerelle.trail.fsck import entries as checker
from passerelle.trail.merkle import leaf_hash
from passerelle.trail.note import open_note
from passerelle.trail.proof import read_proof

FOLDER = Path(__file__).parent.parent / "vectors" / "trail"


@dataclass(frozen=True)
class Vector:
    name: str
    head: dict[str, str]
    body: bytes


def load() -> list[Vector]:
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        head, _, body = path.read_bytes().partition(b"\n\n")
        found.append(Vector(path.stem, dict(line.split(": ", 1) for line in head.decode().split("\n")), body))
    assert len(found) > 80
    return found


VECTORS = load()


def note(vector: Vector) -> None:
    open_note(vector.body, vector.head["key"])


def checkpoint(vector: Vector) -> None:
    opened = open_checkpoint(vector.body, vector.head["key"], vector.head.get("origin"))
    assert opened.size == int(vector.head["size"])
    if "at" in vector.head:
        assert opened.at is not None
        assert iso(opened.at) == vector.head["at"]
    else:
        assert opened.at is None


def proof(vector: Vector) -> None:
    leaf = base64.b64decode(vector.head["leaf"])
    opened = verify_proof(vector.body, leaf, vector.head["key"])
    parsed = read_proof(vector.body)
    assert (opened.size, parsed.index) == (int(vector.head["size"]), int(vector.head["index"]))
    assert parsed.write() == vector.body
    if parsed.extra is not None:
        assert verify_entry(vector.body, vector.head["key"]).entry.leaf() == leaf


def entry(vector: Vector) -> None:
    parsed = Entry.parse(vector.body)
    assert parsed.leaf() == vector.body
    assert leaf_hash(vector.body).hex() == vector.head["hash"]


READERS: dict[str, Callable[[Vector], None]] = {"note": note, "checkpoint": checkpoint, "proof": proof, "entry": entry}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector(vector: Vector) -> None:
    """A vector is read or refused as it says, with no other error than ours."""
    if vector.head["expect"] == "ok":
        READERS[vector.head["form"]](vector)
    else:
        with pytest.raises(TrailError):
            READERS[vector.head["form"]](vector)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.head["form"] == "entry"], ids=lambda vector: vector.name)
def test_the_checker_reads_entries_alike(vector: Vector) -> None:
    """The separate checker accepts and refuses the same entries as the writer."""
    fault, _, _ = checker.read(vector.body)
    assert (fault is None) == (vector.head["expect"] == "ok"), fault
