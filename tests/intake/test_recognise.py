"""Which dialect a file is in: by its exact header, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source


def form(id_: str, *names: str, **declared: object) -> Dialect:
    return Dialect(id=id_, sender="s", columns={name: name for name in names}, **declared)  # type: ignore[arg-type]


OLD = form("old", "ref", "nom", "date")
NEW = form("new", "ref", "nom", "prénom", "date")
PIPES = form("pipes", "ref", "nom", "date", separator="|")


def opened(tmp_path: Path, data: bytes, *dialects: Dialect) -> str:
    path = tmp_path / "any"
    path.write_bytes(data)
    with open_source(path, dialects) as source:
        return source.dialect.id


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"ref;nom;date\n", "old"),
        ("ref;nom;prénom;date\r\n".encode(), "new"),
        (b"ref|nom|date\n", "pipes"),
        (b'"ref";"nom";"date"\n', "old"),
    ],
)
def test_the_exact_header_decides(tmp_path: Path, data: bytes, found: str) -> None:
    """The one dialect with that header is taken."""
    assert opened(tmp_path, data, OLD, NEW, PIPES) == found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ref;nom;date;x\n", "expected the 3 columns of dialect old, came 4; first difference at column 4"),
        (b"ref;nom\n", "expected the 3 columns of dialect old, came 2; first difference at column 3"),
        (b"ref;nom ;date\n", "expected the 3 columns of dialect old, came 3; first difference at column 2"),
        (b"nom;ref;date\n", "expected the 3 columns of dialect old, came 3; first difference at column 1"),
        (
            b"\xef\xbb\xbfref;nom;date\n",
            "expected a header of old (csv, utf-8, 3 columns), came text with a byte order mark",
        ),
        (b"r\xe9f;nom;date\n", "expected a header of old (csv, utf-8, 3 columns), came text"),
        (b"%PDF-1.7\n\xff", "expected a header of old (csv, utf-8, 3 columns), came a PDF document"),
        (b"PK\x03\x04\xff\xff", "the archive has no directory: it is cut short or not a zip archive"),
        (b"", "expected a header, came an empty file"),
    ],
)
def test_another_header_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    """The message says what was expected, how many columns came and where they first differ, in no word of the file."""
    with pytest.raises(IntakeError) as caught:
        opened(tmp_path, data, OLD)
    assert caught.value.message == message
    assert caught.value.where == "input"


def test_the_nearest_of_several_is_named(tmp_path: Path) -> None:
    """Among several dialects, the message speaks of the one that differs last."""
    with pytest.raises(
        IntakeError, match=r"dialect new \(the nearest of 3 dialects\), came 4; first difference at column 4"
    ):
        opened(tmp_path, "ref;nom;prénom;x\n".encode(), OLD, NEW, PIPES)


def test_two_dialects_with_one_header_are_refused(tmp_path: Path) -> None:
    """Where the header cannot tell two dialects apart, neither is taken."""
    twin = form("twin", "ref", "nom", "date", encoding="cp1252")
    with pytest.raises(IntakeError, match="fits 2 dialects: old, twin"):
        opened(tmp_path, b"ref;nom;date\n", OLD, twin)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are refused without waiting and without their name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "MARTIN.csv", tmp_path, pipe, Path("MARTIN\0.csv")):
        with pytest.raises(IntakeError) as caught:
            open_source(path, [OLD])
        shown = f"{caught.value!r} {caught.value} {caught.value.hint} {caught.value.__context__!r}"
        assert "MARTIN" not in shown
        assert str(tmp_path) not in shown
