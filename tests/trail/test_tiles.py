"""The trail as static files: an independent client reads them, and finds what was changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from passerelle.clock import iso
from passerelle.errors import TrailError
from passerelle.trail import Entry, Ledger, merkle
from passerelle.trail.tables import trail_entry
from passerelle.trail.tiles import export, tile_path
from tests.trail.tiles import Client, consistent

Make = Callable[..., Entry]


def grow(engine: Engine, ledger: Ledger, make: Make, now: datetime, size: int) -> None:
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n, iso(now)) for n in range(ledger.size(connection), size)])
        ledger.checkpoint(connection, now)


def exported(engine: Engine, ledger: Ledger, folder: Path) -> int:
    with engine.begin() as connection:
        latest = ledger.latest(connection)
        assert latest
        return export(connection, latest, folder)


def test_an_independent_client_reads_what_was_exported(
    engine: Engine, ledger: Ledger, make: Make, now: datetime, tmp_path: Path
) -> None:
    """At sizes around each edge of tiles, the client finds every entry, tile and root; full tiles are written once."""
    for size in (1, 255, 256, 257, 700):
        grow(engine, ledger, make, now, size)
        exported(engine, ledger, tmp_path)
        client = Client(tmp_path, ledger.verifier_key)
        assert client.verified() == [make(n, iso(now)).leaf() for n in range(size)]
    assert exported(engine, ledger, tmp_path) == 1
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_a_tree_of_three_levels(lite: Engine, ledger: Ledger, make: Make, now: datetime, tmp_path: Path) -> None:
    """A tree of 70,000 entries has the tiles that the specification counts."""
    grow(lite, ledger, make, now, 70_000)
    exported(lite, ledger, tmp_path)
    assert len(Client(tmp_path, ledger.verifier_key).verified()) == 70_000
    names = {
        path.relative_to(tmp_path / "tile").as_posix() for path in (tmp_path / "tile").rglob("*") if path.is_file()
    }
    assert {"0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1"} < names
    assert sum(name.startswith("0/") for name in names) == 274


@pytest.mark.parametrize("size", [100, 300])
def test_each_file_counts(  # noqa: PLR0917 -- pytest passes by name
    lite: Engine, ledger: Ledger, make: Make, now: datetime, tmp_path: Path, size: int
) -> None:
    """One byte changed in any file, or a file taken away, and the client refuses."""
    out = tmp_path / "out"
    grow(lite, ledger, make, now, size)
    exported(lite, ledger, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        data = path.read_bytes()
        flipped = data[:30] + bytes([data[30] ^ 1]) + data[31:]
        for changed in (flipped, data[: len(data) // 4], None):
            path.unlink()
            if changed is not None:
                path.write_bytes(changed)
            with pytest.raises(Exception):  # noqa: B017 -- a stranger's client, any exception
                Client(out, ledger.verifier_key).verified()
            path.write_bytes(data)
    assert Client(out, ledger.verifier_key).verified()


def test_a_trail_that_does_not_hold_is_not_exported(
    lite: Engine, ledger: Ledger, make: Make, now: datetime, tmp_path: Path
) -> None:
    """Stored hashes that do not give the signed root are refused, and no checkpoint is written."""
    grow(lite, ledger, make, now, 10)
    with lite.begin() as connection:
        connection.execute(update(trail_entry).where(trail_entry.c.index == 4).values(leaf_hash=b"x" * 32))
    with pytest.raises(TrailError, match="do not give the root"):
        exported(lite, ledger, tmp_path)
    assert not (tmp_path / "checkpoint").exists()


def test_one_head_continues_another(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Consistency proofs between two heads convince a second implementation; a head of another history fails."""
    heads = {}
    for size in (1, 2, 7, 256, 300, 515):
        grow(engine, ledger, make, now, size)
        with engine.begin() as connection:
            latest = ledger.latest(connection)
            assert latest
            heads[size] = latest.root
    with engine.begin() as connection:
        for older, root in heads.items():
            for newer, other in heads.items():
                if older > newer:
                    with pytest.raises(TrailError):
                        ledger.prove_consistency(connection, older, newer)
                    continue
                path = ledger.prove_consistency(connection, older, newer)
                consistent(older, newer, root, other, list(path))
                merkle.verify_consistency(older, newer, root, other, path)
                with pytest.raises(TrailError):
                    merkle.verify_consistency(older, newer, b"x" * 32, other, path)
        with pytest.raises(TrailError, match="at most 515"):
            ledger.prove_consistency(connection, 1, 516)


@given(st.integers(0, 10**12))
def test_a_tile_has_the_path_of_the_specification(index: int) -> None:
    """Any index is written in groups of three digits, all but the last with an x, and reads back."""
    path = tile_path("entries", index, 5)
    assert path.endswith(".p/5")
    groups = path.removeprefix("tile/entries/").removesuffix(".p/5").split("/")
    assert all(group[0] == "x" for group in groups[:-1])
    assert int("".join(group.removeprefix("x") for group in groups)) == index
    assert len(groups) == 1 or groups[0] != "x000"


def test_the_example_of_the_specification() -> None:
    """The page's own example of a path."""
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
