"""The tool that looks for planted values finds them wherever they hide."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import canary
from tests.canary import Finding, NotSweptError, sweep

NAME = "Héloïse Trucmuche"
FORMS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "upper case cp1252": lambda v: v.upper().encode("cp1252"),
    "lower case utf-16-le": lambda v: v.lower().encode("utf-16-le"),
    "utf-16-be": lambda v: v.encode("utf-16-be"),
    "base64": lambda v: base64.b64encode(v.encode()),
    "base64 after one byte": lambda v: base64.b64encode(b"x" + v.encode() + b"y"),
    "base64 after two bytes, for a URL": lambda v: base64.urlsafe_b64encode(b"xx" + v.encode() + b"yy"),
    "base64 in folded lines": lambda v: base64.encodebytes(b"x" * 50 + v.encode() + b"y" * 50),
    "folded base64 in JSON": lambda v: json.dumps(base64.encodebytes(b"x" * 50 + v.encode()).decode()).encode(),
    "hexadecimal": lambda v: v.encode().hex().encode(),
    "hexadecimal of cp1252 in capitals": lambda v: v.encode("cp1252").hex().upper().encode(),
    "JSON": lambda v: json.dumps({"name": v}).encode(),
    "JSON in JSON": lambda v: json.dumps(json.dumps({"name": v})).encode(),
    "URL": lambda v: quote(v).encode(),
    "URL of cp1252": lambda v: quote(v, encoding="cp1252").encode(),
    "Python bytes": lambda v: repr(v.encode()).encode(),
    "XML": lambda v: v.encode("ascii", "xmlcharrefreplace"),
}
LETTERS = st.characters(codec="cp1252", categories=["Lu", "Ll"], exclude_characters="ªºƒµ")


def _found(findings: list[Finding]) -> set[str]:
    return {finding.canary for finding in findings}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None)
@given(name=st.text(LETTERS, min_size=6, max_size=30), before=st.binary(max_size=40), after=st.binary(max_size=40))
def test_any_name_is_found_in_this_form(
    form: str, name: str, before: bytes, after: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A name of any letters is found in this form between any bytes."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "file").write_bytes(b"-" + before + FORMS[form](name) + after)
    assert _found(sweep([folder], {"name": name})) == {"name"}


def test_the_offset_is_where_the_value_stands(tmp_path: Path) -> None:
    """A finding tells the file, the offset and the encoding."""
    path = tmp_path / "file"
    path.write_bytes("é".encode() * 10 + NAME.encode())
    assert sweep([tmp_path], {"name": NAME}) == [Finding(path, 20, "name", "utf-8")]


@pytest.mark.parametrize("cut", range(-len(NAME) - 4, 5, 3))
def test_a_value_across_two_chunks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    """A value that two reads share is found, once."""
    monkeypatch.setattr(canary, "CHUNK", 4096)
    (tmp_path / "file").write_bytes(b"." * (4096 + cut) + NAME.encode() + b"." * 9000)
    assert [finding.offset for finding in sweep([tmp_path], {"name": NAME})] == [4096 + cut]


def test_names_of_files_and_folders_are_swept(tmp_path: Path) -> None:
    """A value in the name of a file, of a folder or in the target of a link is found."""
    (tmp_path / "folder-canary-1" / "x").mkdir(parents=True)
    (tmp_path / "folder-canary-1" / "x" / "FILE-CANARY-2").write_bytes(b"")
    (tmp_path / "link").symlink_to("link-canary-3")
    planted = {"1": "folder-canary-1", "2": "file-canary-2", "3": "link-canary-3", "4": "absent-canary"}
    assert _found(sweep([tmp_path], planted)) == {"1", "2", "3"}


def _zipped(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/member.txt", content)


def _tarred(path: Path, content: bytes) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("member")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def _gzipped(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content))


def _parquet(path: Path, content: bytes) -> None:
    pq.write_table(pa.table({"column": [content.decode()] * 3}), path, compression="zstd")


def _feather(path: Path, content: bytes) -> None:
    table = pa.table({"column": [content.decode()] * 3})
    with pa.OSFile(str(path), "wb") as sink:
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)


@pytest.mark.parametrize("write", [_zipped, _tarred, _gzipped, _parquet, _feather])
def test_containers_are_opened(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    """A value inside a compressed container is found, and its absence too."""
    write(tmp_path / "container", (NAME + " lorem ipsum " * 400).encode())
    assert _found(sweep([tmp_path], {"name": NAME, "other": "Personne Absente"})) == {"name"}


def test_rows_deleted_from_sqlite_are_found(tmp_path: Path) -> None:
    """A row of SQLite is found after its deletion, in the pages or in the write-ahead log."""
    connection = sqlite3.connect(tmp_path / "base.sqlite3")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE people (name TEXT)")
    connection.execute("INSERT INTO people VALUES (?)", (NAME,))
    connection.commit()
    connection.execute("DELETE FROM people")
    connection.commit()
    found = sweep([tmp_path], {"name": NAME})
    connection.close()
    assert any(finding.path.name.endswith("-wal") for finding in found)


def test_nothing_is_skipped_in_silence(tmp_path: Path) -> None:
    """No folder, no canary, too short a canary, no file, or a container that does not open: nothing is said."""
    with pytest.raises(NotSweptError, match="folder to sweep"):
        sweep([], {"name": NAME})
    with pytest.raises(NotSweptError, match="expected files"):
        sweep([tmp_path], {"name": NAME})
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 but no more")
    with pytest.raises(NotSweptError, match="does not open"):
        sweep([tmp_path], {"name": NAME})
    with pytest.raises(NotSweptError, match="expected canaries"):
        sweep([tmp_path], {})
    with pytest.raises(NotSweptError, match="characters"):
        sweep([tmp_path], {"name": "Bob"})
    with pytest.raises(NotSweptError, match="expected files"):
        sweep([tmp_path / "absent"], {"name": NAME})
