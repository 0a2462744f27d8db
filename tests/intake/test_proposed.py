"""From a proposal to a reader: what ``contract probe --out`` writes, ``contract check --dialect`` reads, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pytest

from contracts.registry import contract
from contracts.samples import sample
from passerelle.contract import Dialect
from passerelle.errors import UsageError
from passerelle.intake import open_source
from passerelle.intake.declared import declared
from portal.cli import run
from tests.intake.packed import packed
from tests.intake.workbooks import inline, parts, relationships, write

DAY = date(2026, 11, 30)
ROWS = 30
ENTRIES = contract("training_entries")
Row = dict[str, str]


def rows(dataset: str) -> list[Row]:
    """Rows of people who do not exist, as text under the contract's names."""
    text = b"".join(sample(dataset, ROWS, 0, 5)).decode("cp1252")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def delimited(table: list[Row], separator: str = ";", end: str = "\n", *, header: bool = True, pad: int = 0) -> str:
    """A CSV text; ``pad`` fills each value with spaces to that width."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(table[0]), delimiter=separator, lineterminator=end)
    if header:
        writer.writeheader()
    writer.writerows({name: value.ljust(pad) for name, value in row.items()} for row in table)
    return out.getvalue()


def nested(table: list[Row]) -> list[dict[str, object]]:
    """Objects with one inside, a list, and one name that is not everywhere."""
    made: list[dict[str, object]] = []
    for row in table:
        values: dict[str, object] = {name: value or None for name, value in row.items()}
        values["funders"] = row["funders"].split(",")
        values["unread"] = {"of no contract": [{"deep": True}]}
        if not row["exit_date"]:
            del values["exit_date"]
        made.append(values)
    return made


def document(table: list[Row], space: str = "") -> str:
    """XML with wrappers, an attribute, elements that repeat and elements that are not everywhere."""
    first, *names = table[0]
    records = []
    for row in table:
        inner = "".join(
            f"<{name}>{escape(one)}</{name}>"
            for name in names
            for one in (row[name].split(",") if name == "funders" else [row[name]])
            if one or name != "exit_date"
        )
        records.append(f"<entry><{first} kind={quoteattr('x')}>{escape(row[first])}</{first}>{inner}</entry>")
    return f"<file{space}><head><made>2026</made></head><body><list>{''.join(records)}</list></body></file>"


def workbook(table: list[Row], epoch: int = 1900, lead: int = 0, notes: int = 0) -> dict[str, str]:
    """A workbook with days as numbers in a style of dates, a hidden sheet with the same header, and lines around."""
    names = list(table[0])
    start = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}[epoch]
    lines = [inline("A title", row=1)] * (lead > 0) + [inline(*names, row=lead + 1)]
    for number, row in enumerate(table, lead + 2):
        cells = []
        for name in names:
            if name.endswith("_date") and row[name]:
                day, month, year = map(int, row[name].split("/"))
                cells.append(f'<c s="1"><v>{(date(year, month, day) - start).days}</v></c>')
            else:
                cells.append(f'<c t="inlineStr"><is><t>{escape(row[name])}</t></is></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    lines += [inline("A source", row=lead + len(table) + 2 + notes)] * (notes > 0)
    made = parts({"Data": "".join(lines), "Old": inline(*names, row=1)})
    made["xl/workbook.xml"] = made["xl/workbook.xml"].replace('name="Old"', 'name="Old" state="hidden"')
    if epoch == 1904:
        made["xl/workbook.xml"] = made["xl/workbook.xml"].replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    made["xl/_rels/workbook.xml.rels"] = made["xl/_rels/workbook.xml.rels"].replace(
        "</Relationships>", relationships(("y", "styles", "styles.xml")).split("<Relationships>")[1]
    )
    made["xl/styles.xml"] = (
        '<styleSheet><numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs></styleSheet>'
    )
    return made


Text = Callable[[list[Row]], str]
TEXTS: dict[str, tuple[Text, str]] = {
    "utf-8, LF": (delimited, "utf-8"),
    "utf-8 with a mark, CRLF": (lambda table: delimited(table, end="\r\n"), "utf-8-sig"),
    "cp1252, tab": (lambda table: delimited(table, "\t"), "cp1252"),
    "latin-9, pipe": (lambda table: delimited(table, "|"), "iso-8859-15"),
    "MacRoman, CR": (lambda table: delimited(table, end="\r"), "mac-roman"),
    "padded": (lambda table: delimited(table, pad=40), "utf-8"),
    "lines around": (lambda table: f"Liste\n\nn;{ROWS}\n{delimited(table)}FIN;{ROWS}\n", "utf-8"),
    "sep=": (lambda table: "sep=,\r\n" + delimited(table, ",", "\r\n"), "cp1252"),
    "blank lines": (lambda table: delimited(table).replace("\n", "\n\n"), "utf-8"),
    "JSON": (lambda table: json.dumps(nested(table), ensure_ascii=False), "utf-8"),
    "JSON below, after blank lines": (
        lambda table: "\n \n" + json.dumps({"meta": {"n": 1}, "a/b": {"rows": nested(table), "next": None}}, indent=1),
        "utf-8-sig",
    ),
    "JSON lines": (lambda table: "\r\n".join(json.dumps(one) for one in nested(table)), "utf-8"),
    "JSON lines with blank ones": (lambda table: "\n" + "\n\n".join(json.dumps(one) for one in nested(table)), "utf-8"),
    "XML": (document, "utf-8"),
    "XML in a namespace": (lambda table: document(table, ' xmlns="urn:a:2.3"'), "utf-8"),
    "XML that says latin-9": (
        lambda table: f'<?xml version="1.0" encoding="ISO-8859-15"?>\n{document(table)}',
        "iso-8859-15",
    ),
}
BOOKS: dict[str, dict[str, int]] = {
    "days from 1900": {},
    "days from 1904": {"epoch": 1904},
    "a title and a note": {"lead": 3, "notes": 2},
}


def accepted(path: Path, dialects: tuple[Dialect, ...]) -> pa.Table:
    """The rows that the contract accepts, typed."""
    with open_source(path, dialects) as source:
        tables = [ENTRIES.judge(batch, source.dialect, DAY).accepted for batch in source.batches()]
    return pa.concat_tables(tables)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The rows in the gateway's own format, as the contract reads them."""
    path = tmp_path_factory.mktemp("hub") / "any"
    path.write_bytes(b"".join(sample(ENTRIES.id, ROWS, 0, 5)))
    table = accepted(path, ENTRIES.dialects)
    assert table.num_rows == ROWS
    return table


def insist(path: Path, expected: pa.Table, capfd: pytest.CaptureFixture[str]) -> None:
    """Propose, write, check with what was written: the same rows."""
    out = path.with_suffix(".json")
    assert run(["contract", "probe", str(path), "--dataset", ENTRIES.id, "--out", str(out), "--json"]) == 0
    capfd.readouterr()
    assert run(["contract", "check", ENTRIES.id, str(path), "--dialect", str(out), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["accepted"] == ROWS
    assert accepted(path, (declared(out.read_bytes(), ENTRIES),)).equals(expected)


@pytest.mark.parametrize(
    ("name", "packing"),
    [*((name, "plain") for name in TEXTS), ("MacRoman, CR", "zip"), ("JSON lines", "gzip"), ("XML", "zip")],
)
def test_what_is_proposed_for_a_text_reads_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], expected: pa.Table, name: str, packing: str
) -> None:
    """A text of any encoding, line end, separator and envelope, a JSON or an XML document comes back whole."""
    made, encoding = TEXTS[name]
    path = tmp_path / "any"
    path.write_bytes(packed(made(rows(ENTRIES.id)).encode(encoding), packing))
    insist(path, expected, capfd)


@pytest.mark.parametrize("name", BOOKS)
def test_what_is_proposed_for_a_workbook_reads_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], expected: pa.Table, name: str
) -> None:
    """Days as numbers, the sheet that is shown and the rows around the table are proposed so that the rows come back."""
    path = tmp_path / "any"
    write(path, workbook(rows(ENTRIES.id), **BOOKS[name]))
    insist(path, expected, capfd)


def test_a_decimal_comma_is_proposed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Rates with a comma are read as what they are."""
    path, out = tmp_path / "any", tmp_path / "d.json"
    path.write_text(delimited(rows("unemployment_rates"), "|"), encoding="utf-8")
    assert run(["contract", "probe", str(path), "--dataset", "unemployment_rates", "--out", str(out)]) == 0
    assert json.loads(out.read_bytes())["decimal"] == ","
    capfd.readouterr()
    assert run(["contract", "check", "unemployment_rates", str(path), "--dialect", str(out), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["accepted"] == ROWS


def test_names_of_a_sender_are_known_by_its_dialects(tmp_path: Path) -> None:
    """A header that another dialect of the contract has is proposed with the columns that it gives."""
    known = ENTRIES.dialect("pole-emploi")
    path, out = tmp_path / "any", tmp_path / "d.json"
    path.write_text("|".join(known.columns) + "\n" + "|".join("x" for _ in known.columns) + "\n", encoding="utf-8")
    assert run(["contract", "probe", str(path), "--dataset", ENTRIES.id, "--out", str(out)]) == 0
    assert json.loads(out.read_bytes())["columns"] == dict(known.columns)


GOOD: dict[str, Any] = {"id": "a", "sender": "b", "columns": {"x": "trainee_id"}}


CHANGES: list[dict[str, Any]] = [
    {"colums": {}},
    {"separator": 1},
    {"short_rows": "1"},
    {"format": "parquet"},
    {"date_formats": ["%d/%m/%y"]},
    {"date_formats": ["%d/%m/%Y %H:%M"]},
    {"columns": {"x": None}},
    {"columns": {"x": "of no contract"}},
]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b'{"id": "a", "id": "b"}',
        b"\xff",
        *(json.dumps(GOOD | change).encode() for change in CHANGES),
        json.dumps({"columns": {"x": "trainee_id"}}).encode(),
    ],
)
def test_a_declaration_is_taken_strictly(value: bytes) -> None:
    """What is not JSON, unknown, missing, of another type or of no column of the contract is refused, in both languages."""
    assert declared(json.dumps(GOOD).encode(), ENTRIES).columns == {"x": "trainee_id"}
    with pytest.raises(UsageError) as refused:
        declared(value, ENTRIES)
    assert refused.value.hint
    assert refused.value.hint_fr
    assert refused.value.fr


def test_a_declaration_that_is_another_file_is_not_repeated() -> None:
    """A file whose members are persons is refused without their names; a setting that is misspelt is told by its right name."""
    with pytest.raises(UsageError) as refused:
        declared(json.dumps({"CANARI7391 Dupont": 1, "colums": {}}).encode(), ENTRIES)
    told = f"{refused.value.message} {refused.value.fr}"
    assert "2 unknown settings (meant: columns?)" in told
    assert "2 réglages inconnus (s'agit-il de : columns ?)" in told
    assert "CANARI" not in told


def test_what_has_no_use_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A dataset without a place to write to, and a header that does not name each column once, are refused before anything is written."""
    path, out = tmp_path / "any", tmp_path / "d.json"
    path.write_text("x;y\n1;2\n", encoding="utf-8")
    assert run(["contract", "probe", str(path), "--dataset", ENTRIES.id]) == 2
    for header in ("a;a;b", "a;b"):
        path.write_text(f"{header}\n" + "1;2;3\n" * 9, encoding="utf-8")
        assert run(["contract", "probe", str(path), "--out", str(out)]) == 2
    assert not out.exists()
    assert "hint" in capfd.readouterr().err
