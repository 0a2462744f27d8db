"""Opening gives the extract whole and as the manifest says, or nothing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import ParcelError
from passerelle.keys import Identity
from passerelle.parcel import Counts, open_parcel, read_parcel
from passerelle.parcel.opening import _Plain
from tests.parcel.conftest import CSV, Maker


@pytest.mark.parametrize("locks", [1, 2])
def test_the_recipient_opens_it(make: Maker, tmp_path: Path, locks: int) -> None:
    """The extract comes out with its rows, a second opening changes nothing, and nothing else is left in the folder."""
    made = make(locks=locks)
    for _ in range(2):
        opened = open_parcel(
            read_parcel(made.path), [Identity.generate(), made.recipient], made.release, tmp_path / "out"
        )
        assert (opened.path.read_bytes(), opened.rows, opened.bytes) == (CSV, 3, len(CSV))
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["extract.csv"]


def test_a_parquet_extract_is_opened(make: Maker, tmp_path: Path) -> None:
    """A parquet extract comes out, its rows read from its own footer."""
    out = io.BytesIO()
    pq.write_table(pa.table({"code": ["A", "B", "C"]}), out)
    made = make(out.getvalue(), name="extract.parquet")
    opened = open_parcel(read_parcel(made.path), [made.recipient], None, tmp_path / "out")
    assert (opened.path.name, opened.rows) == ("extract.parquet", 3)


def test_each_lock_needs_its_key(make: Maker, tmp_path: Path) -> None:
    """Without the release key, with another one, with a stranger's identity or with none, nothing comes out."""
    made = make(locks=2)
    parcel, stranger, out = read_parcel(made.path), Identity.generate(), tmp_path / "out"
    cases = [
        ([made.recipient], None, "needs the release key"),
        ([made.recipient], stranger, "outer lock: no identity given opens it"),
        ([stranger], made.release, "inner lock: no identity given opens it"),
        ([], made.release, "at least one identity"),
    ]
    for identities, release, message in cases:
        with pytest.raises(ParcelError, match=message) as caught:
            open_parcel(parcel, identities, release, out)
        assert list(out.iterdir()) == []
        assert message != cases[0][2] or caught.value.hint == f"passerelle release-key {made.facts.parcel} --as face"


def test_one_lock_cannot_pass_for_two(make: Maker, tmp_path: Path) -> None:
    """A parcel whose manifest says two locks and whose extract has one is refused."""
    made = make()
    parcel = read_parcel(made.path)
    (lock,) = parcel.manifest.passerelle.locks
    terms = parcel.manifest.passerelle.model_copy(update={"locks": (lock.model_copy(update={"kind": "release"}), lock)})
    said = replace(parcel, manifest=parcel.manifest.model_copy(update={"passerelle": terms}))
    with pytest.raises(ParcelError, match="inner lock: the header is malformed"):
        open_parcel(said, [made.recipient], made.recipient, tmp_path / "out")


def test_rows_must_be_as_many_as_said(make: Maker, tmp_path: Path) -> None:
    """An extract with another number of rows than its manifest says is not handed out."""
    made = make(counts=Counts(read=4, accepted=4, rejected=0, extracted=4))
    with pytest.raises(ParcelError, match="expected 4 rows, as the manifest says, found 3"):
        open_parcel(read_parcel(made.path), [made.recipient], None, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_of_the_same_name_is_kept(make: Maker, tmp_path: Path) -> None:
    """A different extract that is there already is not overwritten."""
    made = make()
    (tmp_path / "extract.csv").write_bytes(b"yesterday's")
    with pytest.raises(ParcelError, match="there already"):
        open_parcel(read_parcel(made.path), [made.recipient], None, tmp_path)
    assert (tmp_path / "extract.csv").read_bytes() == b"yesterday's"


def test_an_altered_extract_is_not_handed_out(make: Maker, tmp_path: Path) -> None:
    """A byte of the sealed extract changed since is found while opening, unverified though the parcel is."""
    made = make(CSV * 5000, counts=Counts(read=15000 + 4999, accepted=15000 + 4999, rejected=0, extracted=15000 + 4999))
    whole = bytearray(made.path.read_bytes())
    whole[100_000] ^= 1
    made.path.write_bytes(whole)
    with pytest.raises(ParcelError, match="altered or cut"):
        open_parcel(read_parcel(made.path), [made.recipient], None, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


CELL = st.text(alphabet='ab",\n\r;é', max_size=6)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=12), st.integers(1, 9), st.booleans())
def test_records_are_counted_across_quotes_and_pieces(table: list[list[str]], piece: int, ended: bool) -> None:
    """Line feeds inside quotes are no rows, however the bytes are cut, and a last line may lack its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    data = text.getvalue().encode()
    data = data if ended else data.removesuffix(b"\n")
    plain = _Plain(io.BytesIO())
    for at in range(0, len(data), piece):
        plain.write(data[at : at + piece])
    assert plain.lines == len(table)
