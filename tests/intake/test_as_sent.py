"""Files as people send them: what is harmless is read, what would be misread is refused, with its place and what to do."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source
from passerelle.intake.probe import probe
from tests.intake.conftest import dialect, read
from tests.intake.packed import around, zipped
from tests.intake.workbooks import inline, parts, relationships, sheet, write

CSV = b"a;b;c\n1;2;3\n"
ROWS = [("1", "2", "3")]
TABLE = inline("a", "b", "c", row=1) + inline("1", "2", "3", row=2)
XLSX: dict[str, object] = {"format": "xlsx"}


def zip64(count: int = 1) -> bytes:
    """A zip archive whose directory is announced by a zip64 record (APPNOTE 4.3.14 to 4.3.16)."""
    plain = zipped(CSV)
    at = plain.rfind(b"PK\x05\x06")
    size, offset = struct.unpack_from("<II", plain, at + 12)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return plain[:at] + record + locator + end


def under_password() -> bytes:
    data = bytearray(zipped(CSV))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + place] |= 1
    return bytes(data)


def package(main: str) -> bytes:
    """An Office file whose main part is ``main``."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("_rels/.rels", relationships(("r", "officeDocument", main)))
        archive.writestr(main, "<x/>")
    return made.getvalue()


def cells(row: str) -> bytes:
    return around(sheet(inline("a", "b", "c", row=1) + row).encode())


def merged(area: str) -> bytes:
    return around(sheet(TABLE).replace("</sheetData>", f'</sheetData><mergeCells><mergeCell ref="{area}"/></mergeCells>').encode())  # fmt: skip


def counted_from_1904() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in parts({"S": TABLE}).items():
            archive.writestr(name, content.replace("<sheets>", '<workbookPr date1904="1"/><sheets>'))
    return made.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
OPEN_DOCUMENT = zipped(b"<x/>", ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), name="content.xml")

TAKEN: dict[str, tuple[bytes, dict[str, object]]] = {
    "a zip made by the Finder": (zipped(CSV, ("__MACOSX/._any", b"\0\5"), ("d/.DS_Store", b"\0")), {}),
    "a file in a folder of a zip": (zipped(CSV, ("d/", b""), name="d/any"), {}),
    "a zip64 archive": (zip64(), {}),
    "JSON lines with CRLF": (b'{"a":1,"b":2,"c":3}\r\n', {"format": "jsonl"}),
    "a workbook with a title and notes": (
        around(sheet(inline("Titre", row=1) + inline("a", "b", "c", row=3) + inline("1", "2", "3", row=4)
            + inline("Source : X", row=6) + inline("1 note", row=7)).encode()),
        {**XLSX, "lead": ("Titre", ""), "trail": ("", "Source.*", "[0-9] note")},
    ),
    "a title in merged cells": (
        around(sheet(inline("Titre", row=1) + inline("a", "b", "c", row=2) + inline("1", "2", "3", row=3))
            .replace("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:C1"/></mergeCells>').encode()),
        {**XLSX, "lead": ("Titre",)},
    ),
}  # fmt: skip


def taken(path: Path, data: bytes, form: Dialect) -> list[tuple[str | None, ...]]:
    path.write_bytes(data)
    return read(open_source(path, [form]))


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_harmless_is_read(tmp_path: Path, case: str) -> None:
    """What does not change the rows does not stop them."""
    data, declared = TAKEN[case]
    assert taken(tmp_path / "any", data, dialect(**declared)) == ROWS


REFUSED: dict[str, tuple[bytes, dict[str, object], str, str]] = {
    "lines that end with CR": (b"a;b;c\r1;2;3\r", {}, "CR", "input"),
    "UTF-16": ("a;b;c\n1;2;3\n".encode("utf-16"), {}, "UTF-16", "input"),
    "UTF-16 without a mark": ("a;b;c\n1;2;3\n".encode("utf-16-le"), {}, "UTF-16", "input"),
    "UTF-32": ("a;b;c\n".encode("utf-32"), {}, "UTF-32", "input"),
    "a mark before cp1252": (b"\xef\xbb\xbfa;b;c\n1;\xe9;3\n", {"encoding": "cp1252"}, "byte order mark", "input"),
    "a mark, then cp1252": (b"\xef\xbb\xbfa;b;c\n1;\xe9;3\n", {"encoding": "utf-8-sig"}, "not utf-8", "line 2, byte 3"),
    "MacRoman for cp1252": ("a;b;c\n1;félin;3\n".encode("mac-roman"), {"encoding": "cp1252"}, "MacRoman", "line 2, byte 4"),
    "separators at the end": (b"a;b;c;\n1;2;3;\n", {}, "first difference at column 4", "input"),
    "a name twice": (b"a;b;b\n1;2;3\n", {}, "first difference at column 3", "input"),
    "a short row": (b"a;b;c\n1;2\n", {}, "expected 3 columns, came 2", "line 2, byte 1"),
    "an old workbook": (OLE, XLSX, "old binary", "input"),
    "a workbook under a password": (OLE + "EncryptedPackage".encode("utf-16-le"), XLSX, "under a password", "input"),
    "an archive under a password": (under_password(), {}, "encrypted", "input"),
    "an OpenDocument sheet": (OPEN_DOCUMENT, XLSX, "OpenDocument", "input"),
    "a binary workbook": (package("xl/workbook.bin"), XLSX, ".xlsb", "input"),
    "a text document": (package("word/document.xml"), XLSX, "not a workbook", "input"),
    "two files in a zip": (zipped(CSV, ("b", CSV)), {}, "one file in the archive, came 2", "input"),
    "a zip64 record that lies": (zip64(10**9), {}, "at most 1000 members", "input"),
    "a merged header": (merged("A1:B1"), XLSX, "merged", "row 1"),
    "merged rows": (merged("A2:A3"), XLSX, "merged", "row 2"),
    "a formula never calculated": (cells('<row r="2"><c r="A2"><f>1+1</f></c></row>'), XLSX, "formula", "row 2, column 1"),
    "the other date system": (counted_from_1904(), {**XLSX, "serial_dates": ("a",)}, "from 1904", "input"),
    "notes that are not declared": (cells(inline("1", "2", "3", row=2) + inline("Source", row=4)), XLSX, "blank row", "row 3"),
    "other notes than declared": (cells(inline("1", "2", "3", row=2)), {**XLSX, "trail": ("Source",)}, "closing", "row 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_misread_is_refused(tmp_path: Path, case: str) -> None:
    """The refusal says what came and where, in both languages, and what to do."""
    data, declared, message, where = REFUSED[case]
    with pytest.raises(IntakeError) as caught:
        taken(tmp_path / "any", data, dialect(**declared))
    error = caught.value
    assert message in error.message
    assert error.where == where
    assert all((error.fr, error.hint, error.hint_fr))
    assert error.fr != error.message
    assert "félin" not in repr(vars(error))


def test_a_proposal_finds_the_header_below_titles(tmp_path: Path) -> None:
    """A workbook's or a CSV file's header is found below its titles, and the proposal says to declare these."""
    rows = (
        inline("Titre", row=1) + inline("a", "b", "c", row=3) + inline("1", "2", "3", row=4) + inline("Source", row=5)
    )
    told = probe(write(tmp_path / "any", parts({"S": rows}))).as_json(show_header=True)
    assert [column["name"] for column in told["columns"]] == ["a", "b", "c"]
    assert "2 rows before the header" in told["warnings"][0]
    assert "trail" in told["warnings"][1]
    (tmp_path / "any").write_bytes(b"Titre\n\na;b;c\n1;2;3\n4;5;6\nTotal\n")
    told = probe(tmp_path / "any").as_json(show_header=True)
    assert (told["settings"]["separator"], [column["name"] for column in told["columns"]]) == (";", ["a", "b", "c"])


def test_a_proposal_warns_of_names(tmp_path: Path) -> None:
    """Columns without a name and names that repeat are counted in the proposal."""
    (tmp_path / "any").write_bytes(b"nom;prix;;\nx;1,5;;\ny;2,5;;\n")
    assert "2 columns have no name" in probe(tmp_path / "any").warnings[0]
    (tmp_path / "any").write_bytes(b"nom;prix;prix\nx;1,5;2\ny;2,5;3\n")
    assert "1 names of columns repeat" in probe(tmp_path / "any").warnings[0]
