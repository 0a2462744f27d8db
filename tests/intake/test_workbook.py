"""Workbooks: cells as text, rows where they are, and nothing that unpacks without end."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source
from passerelle.intake.cells import number_text
from passerelle.intake.limits import MAX_CELL_CHARACTERS, MAX_COLUMNS, MAX_DEPTH_ELEMENTS, MAX_MEMBERS, MAX_TOKEN_BYTES
from tests.intake.conftest import dialect, read
from tests.intake.workbooks import inline, parts, sheet, write

HEADER = inline("a", "b", "c", row=1)
FORM = dialect(format="xlsx")


def rows_of(path: Path, members: dict[str, str], *dialects: Dialect) -> list[tuple[str | None, ...]]:
    return read(open_source(write(path / "any", members), dialects or [FORM]))


def refusal(path: Path, members: dict[str, str], *dialects: Dialect) -> IntakeError:
    with pytest.raises(IntakeError) as caught:
        rows_of(path, members, *dialects)
    return caught.value


def test_each_kind_of_cell(tmp_path: Path) -> None:
    """Numbers lose their .0, texts of every kind are read, formulas give their stored result, empty cells are null."""
    strings = "<si><t>par</t></si><si><r><t>ta</t></r><r><t>gé</t></r><rPh><t>x</t></rPh></si>"
    rows = (
        HEADER
        + '<row r="2"><c r="A2"><v>101.0</v></c><c r="C2" t="s"><v>1</v></c></row>'
        + '<row r="3"><c r="A3"><v>4.0000000000000001E-2</v></c><c r="B3" t="b"><v>1</v></c><c r="C3" t="e"><v>#N/A</v></c></row>'
        + '<row r="4"><c r="A4" t="str"><f>1+1</f><v>2</v></c><c r="B4"><f>1+1</f><v>2</v></c><c r="C4" s="1"/></row>'
        + '<row r="5"><c r="A5" t="s"><v>0</v></c><c t="inlineStr"><is><t>*</t></is></c><c><v>-12</v></c></row>'
    )
    assert rows_of(tmp_path, parts({"S": rows}, strings)) == [
        ("101", None, "tagé"),
        ("0.04", "1", "#N/A"),
        ("2", "2", None),
        ("par", "*", "-12"),
    ]


@pytest.mark.parametrize("cell", ["<f>1+1</f>", "<f>1+1</f><v></v>", "<f>1+1</f><v/>"])
def test_a_formula_without_its_result_is_refused(tmp_path: Path, cell: str) -> None:
    """A workbook that never calculated is refused, whether the result is not there or blank; an empty text is a result."""
    fault = refusal(tmp_path, parts({"S": HEADER + f'<row r="2"><c r="B2">{cell}</c></row>'}))
    assert (fault.where, fault.message) == ("row 2, column 2", "a formula without its result")
    text = '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>""</f><v></v></c></row>'
    assert rows_of(tmp_path, parts({"S": HEADER + text})) == [("1", None, None)]


@given(st.one_of(st.integers(-(10**15) + 1, 10**15 - 1), st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_keep_their_value(number: float) -> None:
    """A number comes out as text of the same value, without .0, however the workbook wrote it."""
    for raw in {str(number), repr(float(number)), f"{float(number):.17g}"}:
        text = number_text(raw)
        assert text is not None
        assert float(text) == float(number)
        assert not text.endswith(".0")


@pytest.mark.parametrize("raw", ["", "x", "1_0", "nan", "inf", "1e999", "١", "0x1", "1,5"])
def test_what_is_no_number_is_refused(tmp_path: Path, raw: str) -> None:
    """A number cell that holds no finite number is a fault of the file."""
    assert number_text(raw) is None
    if raw:
        fault = refusal(tmp_path, parts({"S": HEADER + f'<row r="2"><c r="B2"><v>{raw}</v></c></row>'}))
        assert (fault.where, fault.message) == ("row 2, column 2", "a cell that is not what it says")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.tuples(
            *[st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=5)] * 3
        ).filter(any),
        max_size=20,
    )
)
def test_what_was_written_is_read(tmp_path: Path, values: list[tuple[str, str, str]]) -> None:
    """Any table of text comes back cell by cell, an empty cell as null, in both passes."""
    rows = HEADER + "".join(inline(*row, row=place) for place, row in enumerate(values, 2))
    path = write(tmp_path / "any", parts({"S": rows}))
    with open_source(path, [FORM]) as source:
        keys = [row["b"] for batch in source.digest_pass(["b"]) for row in batch.rows.to_pylist()]
        assert source.rows == len(values)
    assert keys == [b or None for _, b, _ in values]
    assert read(open_source(path, [FORM])) == [tuple(cell or None for cell in row) for row in values]


def test_empty_rows_end_the_table(tmp_path: Path) -> None:
    """Formatted rows without a value at the end are no rows; one between two rows is refused, written out or left out."""
    empty = '<row r="3"><c r="A3" s="1"/></row>'
    table = HEADER + inline("1", "2", "3", row=2)
    assert rows_of(tmp_path, parts({"S": table + empty})) == [("1", "2", "3")]
    for gap in (empty, ""):
        fault = refusal(tmp_path, parts({"S": table + gap + inline("4", "5", "6", row=4)}))
        assert (fault.where, fault.message) == ("row 3", "a blank row (dialect d)")


def test_a_value_beyond_the_header_is_refused(tmp_path: Path) -> None:
    """A row may not have more values than the header; formatted cells without a value do not count."""
    assert rows_of(tmp_path, parts({"S": HEADER + inline("1", "2", "3", None, row=2)})) == [("1", "2", "3")]
    fault = refusal(tmp_path, parts({"S": HEADER + inline("1", "2", "3", None, "5", row=2)}))
    assert (fault.where, fault.message) == ("row 2", "expected 3 columns, came 5 (dialect d)")
    far = '<row r="2"><c r="AZZ2"><v>1</v></c></row>'
    assert str(MAX_COLUMNS) in refusal(tmp_path, parts({"S": HEADER + far})).message


def test_the_sheet_is_the_one_with_the_header(tmp_path: Path) -> None:
    """The sheet is found by its header, or by the name that the dialect declares; two that fit are refused."""
    table, other = HEADER + inline("1", "2", "3", row=2), inline("x", row=7)
    assert rows_of(tmp_path, parts({"Notes": other, "Data": table})) == [("1", "2", "3")]
    assert "2 sheets" in refusal(tmp_path, parts({"One": table, "Two": table})).message
    named = dialect(format="xlsx", sheet="Two")
    assert rows_of(tmp_path, parts({"One": table, "Two": table}), named) == [("1", "2", "3")]
    fault = refusal(tmp_path, parts({"One": table}), named)
    assert fault.message == "expected a header of d (xlsx, sheet Two, 3 columns), came a workbook or zip archive"
    fault = refusal(tmp_path, parts({"Two": inline("a", "b", "x", row=1)}), named)
    assert fault.message == "expected the 3 columns of dialect d, came 3; first difference at column 3"


LAUGHS = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
WRONG = {
    "a document type": sheet(HEADER).replace("?>", "?>" + LAUGHS),
    "unbalanced tags": sheet(HEADER + "<row>"),
    "text outside": sheet(HEADER) + "x",
    "a huge tag": sheet(HEADER + f'<row r="2" x="{"x" * (MAX_TOKEN_BYTES + 200_000)}"/>'),
    "deep nesting": sheet(HEADER + "<x>" * MAX_DEPTH_ELEMENTS + "</x>" * MAX_DEPTH_ELEMENTS),
    "rows out of order": sheet(HEADER + inline("1", "2", "3", row=3) + inline("1", "2", "3", row=2)),
    "cells out of order": sheet(HEADER + '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>'),
    "two cells in one place": sheet(HEADER + '<row r="2"><c r="B2"><v>1</v></c><c r="B2"><v>1</v></c></row>'),
    "a cell without a place": sheet(HEADER + '<row r="2"><c r="é2"><v>1</v></c></row>'),
    "a cell beyond the sheet": sheet(HEADER + '<row r="2"><c r="ZZZZ2"><v>1</v></c></row>'),
    "an unknown string": sheet(HEADER + '<row r="2"><c r="A2" t="s"><v>7</v></c></row>'),
    "a cell too long": sheet(HEADER + inline("x" * (MAX_CELL_CHARACTERS + 1), row=2)),
    "an encoding nobody knows": sheet(HEADER).replace("UTF-8", "klingon"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_sheet_that_is_wrong_is_refused(tmp_path: Path, case: str) -> None:
    """Whatever is wrong in a sheet's XML is refused with our own error."""
    members = parts({"S": HEADER})
    members["xl/worksheets/sheet0.xml"] = WRONG[case]
    assert refusal(tmp_path, members)


@pytest.mark.parametrize("part", list(parts({"S": HEADER})))
def test_a_missing_or_damaged_part_is_refused(tmp_path: Path, part: str) -> None:
    """Every part of a workbook may be absent or hold nonsense: our own error says so."""
    members = parts({"S": HEADER})
    assert refusal(tmp_path, {name: content for name, content in members.items() if name != part})
    assert refusal(tmp_path, {**members, part: "nonsense"})


@pytest.mark.parametrize(
    ("name", "message"),
    [("../../x", "outside"), ("/etc/x", "outside"), ("a\\..\\x", "outside"), ("xl/workbook.xml", "one name")],
)
def test_members_that_no_workbook_has(tmp_path: Path, name: str, message: str) -> None:
    """A member that leads outside, or two of one name, refuse the archive."""
    path = write(tmp_path / "any", parts({"S": HEADER}))
    with zipfile.ZipFile(path, "a") as archive:
        if name == "xl/workbook.xml":
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(name, "x")
        else:
            archive.writestr(name, "x")
    with pytest.raises(IntakeError, match=message):
        open_source(path, [FORM])


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A member that is a symbolic link refuses the archive."""
    path = write(tmp_path / "any", parts({"S": HEADER}))
    link = zipfile.ZipInfo("xl/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(IntakeError, match="link"):
        open_source(path, [FORM])


def test_bombs_are_refused(tmp_path: Path) -> None:
    """A member that unpacks to hundreds of times its size, and an archive of too many members, are refused unread."""
    members = {**parts({"S": HEADER}), "xl/bomb.xml": "0" * (8 << 20)}
    assert "times its size" in refusal(tmp_path, members).message
    many = {**parts({"S": HEADER}), **{f"x{i}": "" for i in range(MAX_MEMBERS)}}
    assert "members" in refusal(tmp_path, many).message


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing_is_refused(tmp_path: Path, method: int) -> None:
    """Only what every workbook uses, deflate, is unpacked."""
    with zipfile.ZipFile(tmp_path / "any", "w", method) as archive:
        for name, content in parts({"S": HEADER}).items():
            archive.writestr(name, content)
    with pytest.raises(IntakeError, match="deflate"):
        open_source(tmp_path / "any", [FORM])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(at=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
def test_any_damage_raises_our_error_or_changes_nothing(tmp_path: Path, *, at: float, byte: int, cut: bool) -> None:
    """A byte changed anywhere, or an archive cut anywhere, is refused with our own error or was of no consequence."""
    table = HEADER + "".join(inline("1", "2", "3", row=place) for place in range(2, 12))
    data = bytearray(write(tmp_path / "any", parts({"S": table})).read_bytes())
    place = int(at * len(data))
    if cut:
        del data[place:]
    else:
        data[place] = byte
    (tmp_path / "any").write_bytes(data)
    try:
        came = read(open_source(tmp_path / "any", [FORM]))
    except IntakeError:
        return
    assert came == [("1", "2", "3")] * 10
