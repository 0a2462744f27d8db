"""Proposals of dialects: right on the real files, silent about what is in them, and never applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from passerelle.errors import IntakeError
from passerelle.intake.probe import probe
from portal.cli import run
from tests.intake.packed import packed
from tests.intake.test_every_real_file import CSV
from tests.intake.workbooks import inline, parts, write

CANARY = "MARTINCANARI"


@pytest.mark.parametrize("name", CSV)
def test_settings_of_the_real_files(shared: Path, name: str) -> None:
    """Encoding, separator, line ends and header are proposed as they are, for every CSV file but those of one column."""
    settings, rows, _ = CSV[name]
    found = probe(shared / "data" / name)
    assert found.settings["encoding"].replace("ascii", "utf-8") == settings.get("encoding", "utf-8").replace(
        "ascii", "utf-8"
    )
    assert found.settings["header"] is True
    if name != "groupements_employeurs_siret.csv":
        assert found.settings["separator"] == settings.get("separator", ";")
        assert settings.get("quote", '"') == found.settings["quote"] or '"' not in (shared / "data" / name).read_text(
            "latin-1"
        )
    assert settings.get("line_end", found.settings["line_end"]) == found.settings["line_end"]
    if settings.get("decimal"):
        assert found.settings["decimal"] == settings["decimal"]
    if found.whole and rows < 4_000:
        assert found.rows == rows


def test_structure_of_the_real_documents(shared: Path) -> None:
    """Workbooks, JSON, JSON lines and XML are told apart, with marks, padding and dates counted."""
    bmo = probe(shared / "data" / "bmo_2023.xlsx")
    assert (bmo.settings["format"], bmo.settings["secrecy"], len(bmo.columns)) == ("xlsx", ("*",), 14)
    users = probe(shared / "data" / "usagers_ft_lpe_exemple.jsonl")
    assert (users.settings["format"], users.settings["trim"]) == ("jsonl", True)
    assert users.settings["nulls"] == ["", "<null>"]
    places = probe(shared / "data" / "missions_locales_structures.json")
    assert (places.settings["format"], places.rows, len(places.columns)) == ("json", 450, 8)
    training = probe(shared / "data" / "lheo_intercarif.xml")
    assert (training.settings["format"], training.named["path"]) == ("xml", "lheo/offres/formation")


CSV_TEXT = f"{CANARY};n;d\ny;1,5;01/02/2026\nx;2,5;{CANARY}\n"
FILES: dict[str, bytes] = {
    "csv": CSV_TEXT.encode(),
    "cp1252": CSV_TEXT.replace("x", "é").encode("cp1252"),
    "one line": CANARY.encode(),
    "quotes": f'a;b\n"{CANARY};"x\n'.encode(),
    "json": json.dumps([{CANARY: CANARY, "l": [CANARY]}]).encode(),
    "json below": json.dumps({CANARY: [{CANARY: CANARY}], "b": CANARY}).encode(),
    "jsonl": (json.dumps({CANARY: CANARY}) + "\n").encode() * 3,
    "xml": f'<{CANARY} xmlns="urn:{CANARY}"><r><{CANARY}>{CANARY}</{CANARY}></r><r/></{CANARY}>'.encode(),
    "cut xml": f"<a><r><b>{CANARY}</b></r><r>{CANARY}".encode(),
    "gzip": packed(CSV_TEXT.encode(), "gzip"),
}


@pytest.mark.parametrize("lang", ["fr_FR.UTF-8", "en_US.UTF-8"])
@pytest.mark.parametrize("name", [*FILES, "xlsx"])
def test_no_word_of_the_file_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, lang: str
) -> None:
    """Neither values nor names of columns are printed, in either form; names are on request, values never."""
    monkeypatch.setenv("LANG", lang)
    path = tmp_path / f"{CANARY}.any"
    if name == "xlsx":
        write(path, parts({CANARY: inline(CANARY, "b", row=1) + inline(CANARY, "1", row=2)}))
    else:
        path.write_bytes(FILES[name])
    before = sorted(tmp_path.iterdir())
    for options in ([], ["--json"]):
        assert run(["contract", "probe", str(path), *options]) == 0
        out, err = capfd.readouterr()
        assert CANARY not in out + err
    assert json.loads(out)["applied"] is False
    assert sorted(tmp_path.iterdir()) == before
    if name in {"csv", "jsonl", "xlsx"}:
        assert run(["contract", "probe", str(path), "--show-header", "--json"]) == 0
        answer: dict[str, Any] = json.loads(capfd.readouterr().out)
        assert answer["columns"][0]["name"] == CANARY
        assert json.dumps(answer).count(CANARY) == 1


def test_what_cannot_be_probed(tmp_path: Path) -> None:
    """A PDF, a file without a column, JSON without records, text of fixed width, a document type, a NUL byte, 100,000 columns: refused at once with our own error."""
    for data in (
        b"%PDF-1.7",
        b"",
        b"\xef\xbb\xbf",
        b" \n\n",
        b"[]",
        b"[1, 2]",
        b"{}",
        b'{\n"a": [[1]]}',
        b"".join(b"%-12d%-12d%-12d\n" % (n, n, n) for n in range(5)),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"\xff\xfea\x00",
        b"PK\x03\x04",
        b"a;b\n1;\x002\n",
        b";".join(b"%d" % n for n in range(100_000)) + b"\n" + b";" * 99_999,
    ):
        path = tmp_path / "any"
        path.write_bytes(data)
        with pytest.raises(IntakeError):
            probe(path)


def test_lines_around_and_flaws_are_told(tmp_path: Path) -> None:
    """Lines before the header, blank lines, short rows and rows too long are counted and left to a person."""
    path = tmp_path / "any"
    path.write_bytes(b"DEBTable\na|b|c\n1|2|3\n\n1|2|3\n1|2\n1|2|3|4\n" + b"1|2|3\n" * 40)
    found = probe(path)
    assert found.settings["blank_lines"] is True
    assert len(found.warnings) == 3
    assert found.settings["separator"] == "|"


@pytest.mark.parametrize("lead", [b"sep=;\n", b"ENTETE;2026-11\n", b"Liste\n\nENTETE;2026-11\n"])
def test_short_lines_before_a_header_are_no_header(tmp_path: Path, lead: bytes) -> None:
    """A line of Excel's separator and an envelope of several cells are told apart from the names of the columns."""
    path = tmp_path / "any"
    path.write_bytes(lead + b"code;nom;jour;n\n" + b"A1;x;01/02/2026;3\n" * 20 + b"FIN;20\n")
    found = probe(path)
    assert [column.name for column in found.columns] == ["code", "nom", "jour", "n"]
    assert any("before the header" in said for said in found.warnings)
    assert found.rows == 20


def test_two_encodings_in_one_file_are_told(tmp_path: Path) -> None:
    """Text in UTF-8 with some lines in cp1252 is told with the first line that is not, and no third encoding is proposed."""
    path = tmp_path / "any"
    path.write_bytes(b"a;b\n" + "é;œ\n".encode() * 20 + "é;œ\n".encode("cp1252") * 5)
    found = probe(path)
    assert found.settings["encoding"] == "utf-8"
    assert ["line 22" in said for said in found.warnings] == [True]


def test_quotes_that_do_not_pair_and_escapes_are_told(tmp_path: Path) -> None:
    """One quote too many is taken for text and told; an escape is proposed where it makes rows of one width."""
    path = tmp_path / "any"
    path.write_bytes(b"a;b\n" + b"1;2\n" * 9 + b'1;"2\n')
    found = probe(path)
    assert found.settings["quote"] is None
    assert ["do not pair" in said for said in found.warnings] == [True]
    path.write_bytes(b"a;b\n" + b"1;2\n" * 9 + b"1\\;2;3\n")
    assert probe(path).settings["escape"] == "\\"


def test_a_wrapped_array_of_a_long_document_is_found(tmp_path: Path) -> None:
    """Records below the top of a JSON document of which only the beginning is looked at are found."""
    path = tmp_path / "any"
    records = [{"n": number, "text": "x" * 1000} for number in range(5_000)]
    path.write_text(json.dumps({"about": {"n": 1}, "result": {"records": records}}))
    found = probe(path)
    assert (found.whole, found.named["path"], found.named["beside"]) == (False, "result/records", ["about"])
    assert 4_000 < found.rows < 5_000
