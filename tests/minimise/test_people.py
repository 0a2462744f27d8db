"""The copy of an extract that people open in a spreadsheet: no cell is a formula, numbers stay numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.errors import ParcelError
from passerelle.formulas import is_formula
from passerelle.minimise.people import NAME, neutralised, write_for_people

DANGEROUS = ('=HYPERLINK("http://x")', "+33 6 12", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1+1", "＝1+1")


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_formulas_are_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    """Cells that begin as formulas get an apostrophe; a negative number in a column of numbers does not; the extract is untouched."""
    extract = tmp_path / "extract.csv"
    rows = [[text, "-12.5", "mot"] for text in DANGEROUS] + [["sûr; «ici»", "3", 'a "b"\r\nc']]
    with extract.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([["texte", "nombre", "=nom"], *rows])
    before = extract.read_bytes()
    path, cells = write_for_people(extract, ["string", "number", "string"])
    assert (path, cells) == (tmp_path / NAME, len(DANGEROUS))
    expected = [[f"'{text}", number, word] for text, number, word in rows[:-1]] + [rows[-1]]
    assert read(path) == [["texte", "nombre", "'=nom"], *expected]
    assert extract.read_bytes() == before
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1, max_size=20))
@settings(max_examples=100)
def test_no_cell_begins_as_a_formula(values: list[str]) -> None:
    """Whatever the text, what is written begins with nothing that a spreadsheet computes, and only an apostrophe was added."""
    table, cells = neutralised(pa.table({"a": values}), ["string"])
    after = table.column("a").to_pylist()
    assert not any(is_formula(value) for value in after)
    assert [new.removeprefix("'") if new != old else new for new, old in zip(after, values, strict=True)] == values
    assert cells == sum(new != old for new, old in zip(after, values, strict=True))


def test_a_formula_in_a_column_of_numbers_is_neutralised() -> None:
    """What is no number is judged as text, whatever the manifest calls its column."""
    table, cells = neutralised(pa.table({"a": ["-1", "+2e3", "-2+3", "*"]}), ["integer"])
    assert (table.column("a").to_pylist(), cells) == (["-1", "+2e3", "'-2+3", "*"], 1)


def test_a_file_that_is_not_its_manifest_is_refused_without_a_value(tmp_path: Path) -> None:
    """Rows of another length leave nothing behind, and the message has none of their values."""
    extract = tmp_path / "extract.csv"
    extract.write_text("a,b\r\ncanari1,canari2,canari3\r\n", "utf-8")
    with pytest.raises(ParcelError) as refused:
        write_for_people(extract, ["string", "string"])
    assert "canari" not in str(refused.value)
    assert refused.value.__context__ is None
    assert [path.name for path in tmp_path.iterdir()] == ["extract.csv"]


def test_an_extract_without_rows_has_its_header(tmp_path: Path) -> None:
    """No row is no fault."""
    extract = tmp_path / "extract.csv"
    extract.write_text("a,b\r\n", "utf-8")
    path, cells = write_for_people(extract, ["string", "string"])
    assert (read(path), cells) == ([["a", "b"]], 0)
