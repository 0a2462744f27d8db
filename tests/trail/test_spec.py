"""The page docs/spec/trail.md says what the code does."""

from __future__ import annotations

import json
from pathlib import Path

from passerelle.trail import checkpoint, entry, ledger, merkle, note, proof
from passerelle.trail.entry import _TYPES
from passerelle.trail.fsck import entries as checker

KINDS = json.loads((Path(entry.__file__).parent / "kinds.json").read_text("utf-8"))


def test_the_table_of_kinds_is_that_of_the_code(root: Path) -> None:
    """The page lists every kind with every field and its type, and no other."""
    page = (root / "docs" / "spec" / "trail.md").read_text("utf-8")
    rows = ["| kind | fields |", "|---|---|"]
    for kind, fields in KINDS.items():
        required = [f"`{name}` {expected}" for name, expected in fields["required"].items()]
        optional = [f"[`{name}` {expected}]" for name, expected in fields["optional"].items()]
        rows.append(f"| `{kind}` | {', '.join(required + optional)} |")
    assert "\n".join(rows) in page


def test_the_table_of_types_is_that_of_the_code(root: Path) -> None:
    """The page defines every type, writer and checker know the same ones, and none is unused."""
    page = (root / "docs" / "spec" / "trail.md").read_text("utf-8")
    used = {expected for fields in KINDS.values() for part in fields.values() for expected in part.values()}
    assert used == set(_TYPES) == set(checker._TESTS)
    assert all(f"| `{name}` | " in page for name in used)


def test_the_limits_are_those_of_the_page(root: Path) -> None:
    """The page states the limits that the code holds."""
    page = (root / "docs" / "spec" / "trail.md").read_text("utf-8")
    for number in (entry.MAX_LEAF_BYTES, note.MAX_NOTE_BYTES, proof.MAX_PROOF_BYTES):
        assert f"{number:,}" in page
    assert (note.MAX_SIGNATURES, proof.MAX_PATH, entry.MAX_ITEMS) == (100, 63, 512)
    assert merkle.MAX_SIZE == 2**63 - 1
    assert ledger.MAX_STEP_BACK.total_seconds() == 5 * 60
    assert checkpoint.read_number(str(merkle.MAX_SIZE), "size") == merkle.MAX_SIZE
