"""Every format in every packing gives the same rows, and the hash of the bytes as received."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source
from tests.intake.conftest import Opened, dialect, read
from tests.intake.packed import packed, zipped
from tests.intake.workbooks import inline, parts, write

ROWS: list[tuple[str | None, ...]] = [("1", "é;€", "x"), ("2", None, 'y "z"'), ("3", "  ", "0123")]
PACKINGS = ["plain", "zip", "gzip"]


def as_csv(rows: list[tuple[str | None, ...]]) -> bytes:
    cell = [[f'"{(value or "").replace(chr(34), chr(34) * 2)}"' for value in row] for row in rows]
    return "".join(";".join(row) + "\n" for row in [["a", "b", "c"], *cell]).encode()


def as_json(rows: list[tuple[str | None, ...]]) -> bytes:
    return json.dumps([dict(zip("abc", row, strict=True)) for row in rows], ensure_ascii=False, indent=1).encode()


def as_jsonl(rows: list[tuple[str | None, ...]]) -> bytes:
    return "".join(json.dumps(dict(zip("abc", row, strict=True))) + "\n" for row in rows).encode()


def as_xml(rows: list[tuple[str | None, ...]]) -> bytes:
    def record(row: tuple[str | None, ...]) -> str:
        return "".join(f"<{name}>{escape(value or '')}</{name}>" for name, value in zip("abc", row, strict=True))

    return ("<rs>" + "".join(f"<r>{record(row)}</r>\n" for row in rows) + "</rs>").encode()


WRITERS = {"csv": as_csv, "json": as_json, "jsonl": as_jsonl, "xml": as_xml}
PATHS = {"xml": "rs/r"}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", [*WRITERS, "xlsx"])
def test_the_same_rows_in_every_format_and_packing(tmp_path: Path, kind: str, packing: str) -> None:
    """Five formats in three packings: the same rows in both passes, every raw byte to the sink, the hash of the file."""
    if kind == "xlsx":
        sheet = "".join(inline(*row, row=number) for number, row in enumerate([("a", "b", "c"), *ROWS], 1))
        data = write(tmp_path / "book", parts({"S": sheet})).read_bytes()
    else:
        data = WRITERS[kind](ROWS)
    data = packed(data, packing)
    path = tmp_path / "any"
    path.write_bytes(data)
    sink = io.BytesIO()
    with open_source(path, [dialect(format=kind, path=PATHS.get(kind, ""))], batch_bytes=64) as source:
        keys = [row["b"] for batch in source.digest_pass(["b"], sink) for row in batch.rows.to_pylist()]
        assert keys == [row[1] for row in ROWS]
        for _ in range(2):
            assert [tuple(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()] == ROWS
        assert source.sha256 == hashlib.sha256(data).hexdigest()
        assert (source.rows, source.packing) == (3, packing)
    assert sink.getvalue() == data


texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=9)
tables = st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=tables,
    kind=st.sampled_from(sorted(WRITERS)),
    packing=st.sampled_from(PACKINGS),
    size=st.sampled_from([64, 1000]),
)
def test_what_was_written_is_read(
    tmp_path: Path, rows: list[tuple[str, str, str]], kind: str, packing: str, size: int
) -> None:
    """Any table in any text format and packing is read back cell by cell, wherever the blocks are cut."""
    path = tmp_path / "any"
    path.write_bytes(packed(WRITERS[kind](list(rows)), packing))
    assert read(open_source(path, [dialect(format=kind, path=PATHS.get(kind, ""))], batch_bytes=size)) == rows


def test_a_packing_that_is_not_declared_is_refused(opened: Opened) -> None:
    """A dialect may say what its files come in."""
    data = as_csv(ROWS)
    with pytest.raises(IntakeError, match="expected a file packed as plain, came gzip"):
        opened(packed(data, "gzip"), packings=("plain",))
    with pytest.raises(IntakeError, match="expected a file packed as zip, came plain"):
        opened(data, packings=("zip",))


def jsonl(opened: Opened, text: str | bytes, **declared: object) -> list[tuple[str | None, ...]]:
    return read(opened(text if isinstance(text, bytes) else text.encode(), format="jsonl", **declared))


def document(opened: Opened, text: str | bytes, **declared: object) -> list[tuple[str | None, ...]]:
    return read(opened(text if isinstance(text, bytes) else text.encode(), format="json", **declared))


def test_json_values_are_text_as_written(opened: Opened) -> None:
    """Numbers keep every digit, booleans are words, null and the null marks are null, an empty list is null."""
    form = {"columns": {"a": "a", "b": "b", "c": "c"}, "nulls": ("", "<null>"), "multivalue": {"c": ";"}}
    text = '{"a": 14000000000000008098, "b": true, "c": ["4", "7"]}\n{"a": 1.50, "b": "<null>", "c": []}\n'
    expected = [("14000000000000008098", "true", "4;7"), ("1.50", None, None)]
    assert jsonl(opened, text, **form) == expected
    assert document(opened, "[" + text.strip().replace("\n", ",") + "]", **form) == expected


def test_json_below_a_path(opened: Opened) -> None:
    """Records are taken where the dialect says, beside what it allows and nothing else; names may hold a slash."""
    form = {"path": "lot/lignes", "beside": ("msg", "lot/n"), "columns": {"x/y": "a", "x/q~1r": "b", "z": None}}
    text = '{"msg": {"any": [1]}, "lot": {"n": 2, "lignes": [{"x": {"y": 1, "q/r": 2}, "z": {"deep": [[]]}}, {"x": null}]}}'
    with pytest.raises(IntakeError, match="something that the dialect does not declare"):
        document(opened, text.replace('"n"', '"m"'), **form)
    assert document(opened, text, **form) == [("1", "2"), (None, None)]
    with pytest.raises(IntakeError, match="no lot/lignes"):
        document(opened, '{"msg": 1, "lot": {"n": 2}}', **form)


def test_rows_inside_a_record(opened: Opened) -> None:
    """One row for each thing at the declared place inside a record, with what stands above it, wherever it stands."""
    form = {"rows": "s/t", "columns": {"n": "a", "s/d": "b", "s/t/e": "c"}, "optional": ("s",)}
    records = [
        {"s": [{"t": [{"e": 1}, {"e": 2}], "d": "x"}, {"d": "y", "t": {"e": 3}}], "n": "one"},
        {"n": "two", "s": []},
        {"n": "three"},
    ]
    expected = [("one", "x", "1"), ("one", "x", "2"), ("one", "y", "3"), ("two", None, None), ("three", None, None)]
    assert document(opened, json.dumps(records), **form) == expected


def test_rows_that_would_multiply_what_stands_above_them(opened: Opened) -> None:
    """A record whose rows would repeat a long value thousands of times is refused."""
    form = {"rows": "b", "columns": {"a": "a", "b/c": "c"}}
    record = json.dumps({"a": "x" * 100_000, "b": [{"c": "y"}] * 1_000})
    for reading in (jsonl, document):
        with pytest.raises(IntakeError, match="16 Mi characters"):
            reading(opened, record if reading is jsonl else f"[{record}]", **form)
    many = json.dumps({"a": "x", "b": [{"c": "y"}] * 10_001})
    with pytest.raises(IntakeError, match="more than 10000 rows"):
        document(opened, f"[{many}]", **form)


MISFITS = {
    '{"a":1,"b":2}': "no c",
    '{"a":1,"b":2,"c":3,"d":4}': "does not declare",
    '{"a":1,"b":2,"c":[3]}': "several values for c",
    '{"a":1,"b":2,"c":{"d":3}}': "more below c",
    '{"a":1,"b":2,"c":3,"c":4}': "one name twice",
    '{"a":1,"b":2,"c":NaN}': "a number that JSON does not have",
    '{"a":1,"b":2,"c":"\\ud800"}': "surrogate",
    '{"a":1,"b":2,"c":"\\u0000"}': "NUL",
    '{"a":1,"b":2,"c":3': "expected JSON",
    '{"a":1,"b":2,"c":' + "[" * 40 + "]" * 40 + "}": "inside one another",
    '{"a":1,"b":2,"c":' + "[" * 200_000: "inside one another",
    "[1,2,3]": "no object",
    "7": "no object",
}


@pytest.mark.parametrize("record", MISFITS)
def test_json_that_does_not_fit(opened: Opened, record: str) -> None:
    """What the dialect does not declare is refused with the line or the record where it stands."""
    good = '{"a":1,"b":2,"c":3}'
    with pytest.raises(IntakeError, match=MISFITS[record]) as caught:
        jsonl(opened, f"{good}\n{record}\n")
    assert caught.value.where == "line 2, byte 1"
    with pytest.raises(IntakeError, match=MISFITS[record]) as caught:
        document(opened, f"[{good},\n{record}]".replace('"c":3]', '"c":3'))
    assert "line 2" in str(caught.value.where)


def test_two_json_dialects_are_told_apart(tmp_path: Path) -> None:
    """The names of the first record decide; a record that fits none is refused."""
    one = Dialect("one", "s", {"a": "a", "b": "b"}, format="json")
    two = Dialect("two", "s", {"a": "a", "c": "c"}, format="json", optional=("c",))
    path = tmp_path / "any"
    for text, found in (('[{"a":1,"b":2}]', "one"), ('[{"a":1,"c":2}]', "two"), ('[{"a":1}]', "two")):
        path.write_text(text)
        with open_source(path, [one, two]) as source:
            assert source.dialect.id == found
    path.write_text('[{"a":1,"z":2}]')
    with pytest.raises(IntakeError, match="nearest of 2 dialects"):
        open_source(path, [one, two])


XML = {"format": "xml", "path": "rs/r", "namespace": "urn:x", "columns": {"a": "a", "a/@ref": "b", "s/c": "c"}}
XML_GOOD = '<rs xmlns="urn:x" version="1"><r><a ref="V12">1</a><s><c>x</c></s></r></rs>'


def test_xml_as_declared(opened: Opened) -> None:
    """Elements, attributes, repeated elements under a declared mark, entities of XML itself and CDATA are read."""
    assert read(opened(XML_GOOD.encode(), **XML)) == [("1", "V12", "x")]
    several = XML_GOOD.replace("<c>x</c>", "<c>x</c>\n<c>&#233;&amp;<![CDATA[<]]></c>")
    assert read(opened(several.encode(), **XML, multivalue={"c": "|"})) == [("1", "V12", "x|é&<")]
    latin = '<?xml version="1.0" encoding="ISO-8859-15"?>' + XML_GOOD.replace("x</c>", "\u20ac</c>")
    assert read(opened(latin.encode("iso-8859-15"), **XML, encoding="iso-8859-15")) == [("1", "V12", "€")]


XML_BAD = {
    XML_GOOD.replace("urn:x", "urn:y"): "another namespace",
    XML_GOOD.replace("<s>", "<s><d/>"): "does not declare",
    XML_GOOD.replace("<s>", '<s at="1">'): "does not declare",
    XML_GOOD.replace("<s>", "<s>text"): "text between",
    XML_GOOD.replace("<r>", "text<r>"): "text between",
    XML_GOOD.replace("<r>", "<q/><r>"): "does not declare",
    XML_GOOD.replace("<c>x</c>", ""): "no s/c",
    XML_GOOD.replace("<c>x</c>", "<c>x</c><c>y</c>"): "several values",
    XML_GOOD.replace("</rs>", ""): "well-formed",
    XML_GOOD.replace("</rs>", "</rs><rs/>"): "well-formed",
    XML_GOOD.replace("x</c>", "&e;</c>"): "well-formed",
    '<!DOCTYPE rs [<!ENTITY e "x">]>' + XML_GOOD.replace("x</c>", "&e;</c>"): "document type",
    '<?xml version="1.0" encoding="ISO-8859-1"?>' + XML_GOOD: "another encoding",
    XML_GOOD.replace("x</c>", "x" * (1 << 20) + "</c>"): "1024 KiB",
    XML_GOOD.replace("<c>", "<c>" + "<d>" * 100).replace("</c>", "</d>" * 100 + "</c>"): "inside one another",
}


@pytest.mark.parametrize("text", XML_BAD, ids=list(XML_BAD.values()))
def test_xml_that_does_not_fit(opened: Opened, text: str) -> None:
    """What the dialect does not declare is refused, and no entity is ever defined."""
    with pytest.raises(IntakeError, match=XML_BAD[text]):
        read(opened(text.encode(), **XML))


def test_one_file_in_an_archive(opened: Opened) -> None:
    """Two members, a folder, an archive in an archive and a damaged one are refused."""
    data = as_csv(ROWS)
    for bad, message in {
        zipped(data, ("other", b"x")): "one file in the archive, came 2",
        zipped(b"", name="folder/"): "came none",
        zipped(zipped(data)): "an archive in an archive",
        zipped(packed(data, "gzip")): "an archive in an archive",
        packed(zipped(data), "gzip"): "an archive in an archive",
        packed(data, "gzip")[:-3]: "cut short",
        packed(data, "gzip") + b"xyz": "damaged",
        packed(data, "gzip")[:-8] + bytes(8): "damaged",
        zipped(data, name="../../any"): "outside",
        zipped(data).replace(b"any", b"\0ny"): "no name",
    }.items():
        with pytest.raises(IntakeError, match=message):
            read(opened(bad))
    assert read(opened(packed(data[:40], "gzip") + packed(data[40:], "gzip"))) == ROWS
