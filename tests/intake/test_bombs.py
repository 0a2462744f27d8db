"""Files made to exhaust a reader: refused in bounded memory and time, measured in a process of their own."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from passerelle.intake import limits
from tests.intake.packed import zipped
from tests.intake.workbooks import inline, parts, write

MIB = limits.MIB
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from passerelle.contract import Dialect
from passerelle.errors import IntakeError
from passerelle.intake import open_source
import lzma, zipfile, xml.parsers.expat, pyarrow.csv, pyarrow.compute
form = Dialect("d", "s", {"a": "a", "b": "b", "c": "c"}, **json.loads(sys.argv[2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.process_time()
try:
    with open_source(Path(sys.argv[1]), [form]) as source:
        for batch in source.digest_pass(["a"]): pass
    said = "read"
except IntakeError as error:
    said = str(error)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
print(json.dumps([said, grown, time.process_time() - begun]))
"""
XML: dict[str, object] = {"format": "xml", "path": "rs/r"}


def zeros(path: Path, packing: str, head: bytes, size: int, fill: bytes = b"x") -> None:
    """``head`` and then ``size`` bytes of one letter, packed as well as can be, never in memory."""
    if packing == "gzip":
        with gzip.open(path, "wb") as file:
            file.write(head)
            for _ in range(size // MIB):
                file.write(fill * MIB)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("any", "w") as member:
            member.write(head)
            for _ in range(size // MIB):
                member.write(fill * MIB)


def lying(path: Path) -> None:
    """A zip archive whose directory says that its one member is small."""
    zeros(path, "zip", b"a;b;c\n", 256 * MIB, b"1;2;3\n")
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 1000)
    path.write_bytes(data)


def laughs(path: Path) -> None:
    """A billion laughs."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    path.write_text(f'<!DOCTYPE rs [<!ENTITY l0 "lol">{entities}]><rs><r><a>&l9;</a><b/><c/></r></rs>')


def deep(path: Path, opening: bytes, head: bytes = b"") -> None:
    path.write_bytes(head + opening * (16 * MIB // len(opening)))


def many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(limits.MAX_MEMBERS + 1):
            archive.writestr(str(number), b"")


def link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("any")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")


def packed_workbook(path: Path) -> None:
    """A workbook of one column that unpacks to 15 MiB, in a gzip file."""
    rows = "".join(inline("1", "2", "3", row=number) for number in range(2, 100_000))
    write(path, parts({"S": inline("a", "b", "c", row=1) + rows}))
    path.write_bytes(gzip.compress(path.read_bytes()))


def tiny_members(path: Path) -> None:
    """Ten megabytes of empty gzip members."""
    path.write_bytes(gzip.compress(b"a;b;c\n") + gzip.compress(b"", mtime=0) * (10 * MIB // 20))


Bomb = tuple[Callable[[Path], object], dict[str, object], str]
BOMBS: dict[str, Bomb] = {
    "gzip of one line": (lambda path: zeros(path, "gzip", b"a;b;c\n", 512 * MIB), {}, "times its size|1024 KiB"),
    "gzip of short lines": (
        lambda path: zeros(path, "gzip", b"a;b;c\n", 512 * MIB, b"\n"),
        {"blank_lines": True},
        "times its size|blank",
    ),
    "zip of one line": (lambda path: zeros(path, "zip", b"a;b;c\n", 512 * MIB), {}, "times its size"),
    "zip that lies": (lying, {}, "damaged|KiB|times its size|read"),
    "zip in zip": (
        lambda path: path.write_bytes(zipped(zipped(b"x" * MIB))) and None,
        {},
        "archive in an archive",
    ),
    "many members": (many_members, {}, "at most 1000 members"),
    "traversal": (lambda path: path.write_bytes(zipped(b"a", name="../../any")) and None, {}, "outside"),
    "link": (link, {}, "link"),
    "tiny members": (tiny_members, {}, "read"),
    "packed workbook": (packed_workbook, {"format": "xlsx"}, "read|MiB"),
    "billion laughs": (laughs, XML, "document type"),
    "deep XML": (lambda path: deep(path, b"<r>", b"<rs>"), XML, "inside one another|declare"),
    "long tag": (lambda path: deep(path, b"r", b"<rs><r a='"), XML, "KiB"),
    "long text": (lambda path: deep(path, b"r", b"<rs><r><a>"), XML, "KiB"),
    "many attributes": (lambda path: deep(path, b' a="1"', b"<rs><r"), XML, "KiB|well-formed"),
    "deep JSON": (lambda path: deep(path, b"[", b'[{"a":'), {"format": "json"}, "inside one another"),
    "deep JSON objects": (lambda path: deep(path, b'{"a":', b"["), {"format": "json"}, "inside one another|expected"),
    "long JSON string": (lambda path: deep(path, b"r", b'[{"a":"'), {"format": "json"}, "expected JSON"),
    "long JSON number": (lambda path: deep(path, b"1", b'[{"a":'), {"format": "json"}, "expected JSON"),
    "long JSON space": (lambda path: deep(path, b" ", b"["), {"format": "json"}, "expected"),
    "long line of JSON": (lambda path: deep(path, b"r", b'{"a":"'), {"format": "jsonl"}, "expected|KiB"),
    "open quote": (lambda path: deep(path, b"\n", b'a;b;c\n1;2;"'), {}, "not closed"),
    "many columns": (lambda path: deep(path, b";", b"a;b;c\n"), {}, "KiB"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_refused_in_bounded_memory_and_time(tmp_path: Path, name: str) -> None:
    """No bomb takes more than 200 MiB or 20 seconds of a processor before it is refused or harmlessly read."""
    make, settings, message = BOMBS[name]
    path = tmp_path / "any"
    make(path)
    command = [sys.executable, "-c", SCRIPT, str(path), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    said, grown, seconds = json.loads(done.stdout)
    assert any(part in said for part in message.split("|")), said
    assert grown < 200
    assert seconds < 20


def test_limits_name_their_unit() -> None:
    """Each limit says what it counts."""
    units = ("BYTES", "RATIO", "MEMBERS", "SHEETS", "STRINGS", "CHARACTERS", "ELEMENTS", "COLUMNS", "CELLS", "DEPTH", "ROWS", "VALUES", "TEXT")  # fmt: skip
    for name in vars(limits):
        if name.startswith("MAX_"):
            assert name.endswith(units), name
    assert zlib.MAX_WBITS == 15  # what a gzip member may ask of memory is 32 KiB (RFC 1951)
