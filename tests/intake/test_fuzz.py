"""Two hundred thousand damaged files and more: only our own errors come out, without a word of the file, in bounded memory.

The readers share ``TOTAL`` inputs between them, which takes one core about a minute; the proposals get as many as one
reader. Before a release, and whenever a reader changes, give each of them two hundred thousand (some six minutes in all):

    FUZZ_INPUTS=200000 pytest -m slow tests/intake/test_fuzz.py

The inputs are some hundred bytes, in a file that lives in memory, and one process reads them all. hypothesis chooses the seed of
each group of ``GROUP`` inputs, so that a failure names the seed that makes it again.
"""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.contract import Dialect
from passerelle.errors import PasserelleError
from passerelle.intake import open_source
from passerelle.intake.declared import declaration
from passerelle.intake.probe import probe
from tests.intake.conftest import dialect
from tests.intake.packed import packed
from tests.intake.workbooks import inline, parts, sheet, write

CANARY: Final = "CANARI7391"
TOTAL: Final = 200_000
GROUP: Final = 200
MOST_GROWTH_MIB: Final = 256

WORDS: Final = [
    *(
        b";",
        b",",
        b"|",
        b'"',
        b"'",
        b"\\",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\t",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xe9",
        b"\x81",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"null",
        b"NaN",
        b"1e999",
        b"\\ud800",
        b"\\u0000",
        b'"a"',
        b"-",
        b"[" * 50,
        b'{"a":' * 40,
    ),
    *(
        b"<",
        b">",
        b"</",
        b"/>",
        b"<r>",
        b"</r>",
        b"<!DOCTYPE a>",
        b"<![CDATA[",
        b"]]>",
        b"&lt;",
        b"&#0;",
        b"&x;",
        b"xmlns=''",
    ),
    *(
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"\x1f\x8b\x08",
        b"DEB1",
        b"FIN2",
        b"44197",
        b"a;b;c\n",
        CANARY.encode(),
    ),
]


def damaged(seed: bytes, chance: random.Random) -> bytes:
    """``seed`` with one to eight pieces of it changed, doubled, moved, cut out or replaced by words that mean something."""
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 8))):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((1, 1, 2, 4, 16, 64))
        kind = chance.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at:at] = chance.choice(WORDS)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            other = chance.randrange(len(data) + 1)
            data[at:at] = data[other : other + length]
        elif kind == 4:
            data[at : at + length] = chance.choice(WORDS)
        else:
            del data[at if chance.random() < 0.1 else len(data) :]
    return bytes(data)


ROWS: Final = [("1", CANARY, "x"), ("2", "", f"é {CANARY}"), ("44197", "null", "3")]
CSV: Final = ("a;b;c\n" + "".join(f'{a};"{b}";{c}\n' for a, b, c in ROWS)).encode()
JSON: Final = ("[" + ",".join(f'{{"a":{a},"b":"{b}","c":["{c}","y"]}}' for a, b, c in ROWS) + "]").encode()
JSONL: Final = JSON[1:-1].replace(b"},{", b"}\n{") + b"\n"
XML: Final = (
    "<rs>" + "".join(f"<r q='1'><a>{a}</a><b>{b}</b><s><c>{c}</c></s></r>" for a, b, c in ROWS) + "</rs>"
).encode()
NESTED: Final = {"multivalue": {"c": "+"}, "optional": ("b",)}
XML_FORM: Final = {"format": "xml", "path": "rs/r", "columns": {"a": "a", "b": "b", "s/c": "c", "@q": None}}


CELLS: Final = '<row r="5"><c r="A5" t="s"><v>0</v></c><c r="B5"><v>1.50</v></c><c r="C5" t="b"><v>1</v></c></row>'
SHEET: Final = sheet(
    "".join(inline(*row, row=number) for number, row in enumerate([("a", "b", "c"), *ROWS], 1)) + CELLS
).encode()


def workbook(folder: Path) -> bytes:
    rows = "".join(inline(*row, row=number) for number, row in enumerate([("a", "b", "c"), *ROWS], 1))
    return write(folder / "seed", parts({"S": rows}, f"<si><t>{CANARY}</t></si>")).read_bytes()


READERS: Final[dict[str, tuple[bytes, str, list[Dialect]]]] = {
    "csv": (CSV, "plain", [dialect(), dialect(id="e", encoding="cp1252", separator=",", line_end="crlf")]),
    "csv with everything": (
        b"DEB1\n" + CSV + b"FIN3\n",
        "plain",
        [
            dialect(
                lead=(r"DEB\d",),
                trail=(r"FIN(?P<rows>\d+)",),
                escape="\\",
                blank_lines=True,
                short_rows=2,
                nbsp=True,
                trim=True,
                serial_dates=("a",),
            )
        ],
    ),
    "csv that ends with cr": (CSV.replace(b"\n", b"\r"), "plain", [dialect(line_end="cr", encoding="mac-roman")]),
    "csv without header": (CSV[6:], "plain", [dialect(header=False, quote=None)]),
    "json": (JSON, "plain", [dialect(format="json", **NESTED)]),
    "json lines": (JSONL, "plain", [dialect(format="jsonl", blank_lines=True, **NESTED)]),
    "xml": (XML, "plain", [dialect(**XML_FORM)]),
    "xml in latin-9": (XML.decode().encode("iso-8859-15"), "plain", [dialect(**XML_FORM, encoding="iso-8859-15")]),
    "workbook": (b"", "plain", [dialect(format="xlsx")]),
    "sheet of a workbook": (SHEET, "workbook", [dialect(format="xlsx")]),
    "csv in zip": (CSV, "zip", [dialect()]),
    "csv in gzip": (CSV, "gzip", [dialect()]),
    "workbook in gzip": (b"", "gzip", [dialect(format="xlsx")]),
}


def read_whole(path: Path, dialects: list[Dialect]) -> None:
    with open_source(path, dialects, batch_bytes=64) as source:
        keys = [row["a"] for batch in source.digest_pass(["a"]) for row in batch.rows.to_pylist()]
        assert keys == [row["a"] for batch in source.batches() for row in batch.rows.to_pylist()]


def survives(read: Callable[[], object]) -> None:
    """Nothing but our own error comes out, with no word of the file and no other error behind it."""
    try:
        read()
    except PasserelleError as error:
        said = f"{error.args!r}{vars(error)!r}{error.__cause__!r}"
        assert CANARY not in said
        assert error.__context__ is None or CANARY not in repr(vars(error.__context__)) + repr(error.__context__)  # noqa: PT017 -- either outcome is right


class Memory:
    """One file in memory (memfd_create(2)), written over and over."""

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("fuzz")
        self.path = Path(f"/proc/self/fd/{self._descriptor}")
        self.read = 0

    def close(self) -> None:
        os.close(self._descriptor)

    def run(self, seed: int, make: Callable[[random.Random], bytes], read: Callable[[Path], object]) -> None:
        """Read one group of inputs."""
        chance = random.Random(seed)  # noqa: S311 -- no secret
        for _ in range(GROUP):
            data = make(chance)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, data, 0)
            survives(lambda: read(self.path))
            self.read += 1


@pytest.fixture
def memory() -> Iterator[Memory]:
    made = Memory()
    yield made
    made.close()


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


EACH: Final = int(os.environ.get("FUZZ_INPUTS", TOTAL // len(READERS)))
"""Inputs for one reader."""
many = settings(
    max_examples=-(-EACH // GROUP),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    database=None,
)


def test_the_readers_share_all_inputs() -> None:
    """What the readers are given adds up to two hundred thousand inputs at least."""
    assert many.max_examples * GROUP * len(READERS) >= min(TOTAL, EACH * len(READERS)) >= TOTAL - len(READERS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", READERS)
def test_damaged_files(tmp_path: Path, memory: Memory, name: str) -> None:
    """Every reader takes damaged files, damaged packings and damaged contents of sound packings."""
    seed, packing, dialects = READERS[name]
    seed = seed or workbook(tmp_path)
    before = peak_mib()

    def one(chance: random.Random) -> bytes:
        if packing != "plain" and chance.random() < 0.5:
            return damaged(packed(seed, packing), chance)
        return packed(damaged(seed, chance), packing)

    @many
    @given(st.integers(0, 2**63))
    def groups(number: int) -> None:
        memory.run(number, one, lambda path: read_whole(path, dialects))

    groups()
    assert memory.read >= EACH
    assert peak_mib() - before < MOST_GROWTH_MIB


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_damaged_files_are_probed(tmp_path: Path, memory: Memory) -> None:
    """Proposals are made of damaged files of every kind, hold no value of theirs, and can be written down or say why not."""
    seeds = [packed(seed or workbook(tmp_path), packing) for seed, packing, _ in READERS.values()]
    before = peak_mib()

    def look(path: Path) -> None:
        proposal = probe(path)
        assert CANARY not in repr(proposal.as_json())
        assert declaration(proposal)["id"] == "proposed"

    @many
    @given(st.integers(0, 2**63))
    def groups(number: int) -> None:
        memory.run(number, lambda chance: damaged(chance.choice(seeds), chance), look)

    groups()
    assert memory.read >= EACH
    assert peak_mib() - before < MOST_GROWTH_MIB
