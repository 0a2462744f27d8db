"""A parcel of verdicts is a parcel: its reports are bound as its notices are, and it is never taken for an extract."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.errors import ParcelError
from passerelle.parcel import archive, open_parcel, parse_manifest, read_parcel, verify
from tests.parcel.conftest import CSV, Maker


def test_each_byte_of_a_report_counts(make: Maker) -> None:
    """One byte changed in either report is found, and the message names the report."""
    made = make(name="verdicts.csv")
    verify(made.path, made.trust)
    whole = made.path.read_bytes()
    reports = [member for member in read_parcel(made.path).members if member.name in archive.REPORTS]
    assert [member.name for member in reports] == ["report.json", "report.html"]
    for member in reports:
        made.path.write_bytes(whole[: member.offset] + b"!" + whole[member.offset + 1 :])
        with pytest.raises(ParcelError, match="sha256 differs") as caught:
            verify(made.path, made.trust)
        assert caught.value.where == member.name


def test_verdicts_open_under_their_own_name(make: Maker, tmp_path: Path) -> None:
    """Opened, verdicts bear their own name, and the notice tells what the parcel holds."""
    made = make(name="verdicts.csv")
    opened = open_parcel(read_parcel(made.path), [made.recipient], None, tmp_path / "out")
    assert (opened.path.name, opened.path.read_bytes()) == ("verdicts.csv", CSV)
    assert "le verdict rendu sur chaque ligne" in read_parcel(made.path).notices["LISEZMOI.txt"].decode()


@pytest.mark.parametrize(
    ("old", "new"), [(b'"name":"verdicts"', b'"name":"extract"'), (b'"path":"verdicts.csv"', b'"path":"extract.csv"')]
)
def test_verdicts_cannot_pass_for_an_extract(make: Maker, old: bytes, new: bytes) -> None:
    """A manifest whose name, path and reports do not agree is refused."""
    manifest = read_parcel(make(name="verdicts.csv").path).manifest_bytes
    assert manifest.count(old) == 1
    with pytest.raises(ParcelError, match="do not agree"):
        parse_manifest(manifest.replace(old, new))
    extract = read_parcel(make().path).manifest_bytes
    with pytest.raises(ParcelError, match="member that people read"):
        parse_manifest(extract.replace(b'"extract"', b'"verdicts"').replace(b'"extract.csv"', b'"verdicts.csv"'))
