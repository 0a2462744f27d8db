"""CSV as its dialect declares it: what is read, and what is refused and where."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from passerelle.contract import Dialect
from passerelle.errors import IntakeError, UsageError
from passerelle.intake import open_source
from passerelle.intake.limits import MAX_RECORD_BYTES
from tests.intake.conftest import Opened, dialect, read

# Without Ž and Ã: beside certain others they are the mark of another encoding, which is refused.
cells = st.text(st.characters(codec="cp1252", exclude_characters="\0ŽÃ"), max_size=8)
rows = st.lists(st.tuples(cells, cells, cells), max_size=30)
sizes = st.sampled_from([64, 97, 4096])


def written(values: list[tuple[str, str, str]], encoding: str, line_end: str, *, always_quoted: bool) -> bytes:
    def cell(value: str) -> str:
        needed = always_quoted or any(mark in value for mark in ';"\r\n')
        return '"' + value.replace('"', '""') + '"' if needed else value

    lines = [";".join(map(cell, row)) for row in [("a", "b", "c"), *values]]
    return "".join(line + line_end for line in lines).encode(encoding)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=rows,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
    crlf=st.booleans(),
    always=st.booleans(),
    size=sizes,
)
@example(values=[("\ufeffx", "é", "€")], encoding="utf-8", crlf=False, always=False, size=64)
@example(values=[("ï»¿x", "é", "€")] * 20, encoding="cp1252", crlf=False, always=False, size=64)
def test_what_was_written_is_read(
    tmp_path: Path, *, values: list[tuple[str, str, str]], encoding: str, crlf: bool, always: bool, size: int
) -> None:
    """Any table in the declared form is read back cell by cell, wherever the chunks are cut."""
    path = tmp_path / "any"
    path.write_bytes(written(values, encoding, "\r\n" if crlf else "\n", always_quoted=always))
    form = dialect(encoding=encoding, line_end="crlf" if crlf else "lf")
    with open_source(path, [form], batch_bytes=size) as source:
        assert [row["b"] for batch in source.digest_pass(["b"]) for row in batch.rows.to_pylist()] == [
            b or None for _, b, _ in values
        ]
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        first = 1
        came = []
        for batch in source.batches():
            assert batch.first_row == first
            batch.rows.validate(full=True)
            first += batch.rows.num_rows
            came += [tuple(row.values()) for row in batch.rows.to_pylist()]
        assert source.rows == len(values)
    assert came == [tuple(cell or None for cell in row) for row in values]


@pytest.mark.parametrize("encoding", ["iso-8859-15", "mac-roman"])
def test_other_single_byte_encodings(opened: Opened, encoding: str) -> None:
    """A declared single-byte encoding is decoded, the euro sign included."""
    assert read(opened("a;b;c\né;€;ou\n".encode(encoding), encoding=encoding)) == [("é", "€", "ou")]


REFUSED = {
    "a row too short": (b"a;b;c\n1;2;3\n1;2\n", {}, "line 3, byte 1", "expected 3 columns, came 2"),
    "a row too long": (b"a;b;c\n1;2;3;4\n", {}, "line 2, byte 1", "expected 3 columns, came 4"),
    "a row too long after a line break in quotes": (
        b'a;b;c\n1;"x\ny";3\n1;2;3;4\n',
        {},
        "line 4, byte 1",
        "expected 3 columns, came 4",
    ),
    "a blank line": (b"a;b;c\n1;2;3\n\n4;5;6\n", {}, "line 3, byte 1", "blank line"),
    "a blank line with CRLF": (b"a;b;c\r\n\r\n", {}, "line 2, byte 1", "blank line"),
    "a NUL byte": (b"a;b;c\n1;\x002;3\n", {}, "line 2, byte 3", "NUL"),
    "cp1252 without such a byte": (b"a;b;c\n1;\xe9\x81;3\n", {"encoding": "cp1252"}, "line 2, byte 4", "cp1252"),
    "bytes that are not UTF-8": (b"a;b;c\n1;2;3\nxx;\xe9;3\n", {}, "line 3, byte 4", "utf-8"),
    "a surrogate": (b"a;b;c\n\xed\xa0\x80;2;3\n", {}, "line 2, byte 1", "utf-8"),
    "accents in ASCII": ("a;b;c\né;2;3\n".encode(), {"encoding": "ascii"}, "line 2, byte 1", "ascii"),
    "an open quote": (b'a;b;c\n1;2;3\n1;"2;3\n4;5;6\n', {}, "line 3, byte 3", "quote"),
    "a quote in a bare field": (b'a;b;c\n1;x"y";3\n', {}, "line 2, byte 4", "quote"),
    "text after a closing quote": (b'a;b;c\n1;"x"y;3\n', {}, "line 2, byte 5", "quote"),
    "CRLF where LF is declared": (b"a;b;c\n1;2;3\r\n", {"line_end": "lf"}, "line 2, byte 6", "LF"),
    "LF where CRLF is declared": (b"a;b;c\r\n1;2;3\n", {"line_end": "crlf"}, "line 2, byte 6", "CRLF"),
    "CR alone": (b"a;b;c\n1;2\r3;4\n", {}, "line 2, byte 4", "CR"),
    "CR alone at the end": (b"a;b;c\n1;2;3\r", {}, "line 2, byte 6", "CR"),
    "a row over the limit": (b"a;b;c\n1;2;3\n1;2;" + b"x" * MAX_RECORD_BYTES, {}, "line 3, byte 1", "1024 KiB"),
    "a quote open over the limit": (b'a;b;c\n1;2;"' + b"x\n" * MAX_RECORD_BYTES, {}, "line 2, byte 5", "1024 KiB"),
}


@pytest.mark.parametrize("batch_bytes", [64, 4096, 1 << 22])
@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_its_place(opened: Opened, case: str, batch_bytes: int) -> None:
    """What the dialect does not allow is refused in either pass, with its line and byte, wherever the chunks are cut."""
    data, declared, where, message = REFUSED[case]
    if len(data) > MAX_RECORD_BYTES:
        batch_bytes = max(batch_bytes, 1 << 20)
    with opened(data, batch_bytes=batch_bytes, **declared) as source:
        passes: list[Callable[[], Iterable[object]]] = [lambda: source.digest_pass(["a"]), source.batches]
        for read_all in passes:
            with pytest.raises(IntakeError) as caught:
                list(read_all())
            assert caught.value.where == where
            assert message in caught.value.message


def test_null_marks(opened: Opened) -> None:
    """The declared marks are null, quoted or not, and nothing else is."""
    data = b'a;b;c\nNULL;"NULL";null\n;"";NA\n'
    assert read(opened(data, nulls=("", "NULL"))) == [(None, None, "null"), (None, None, "NA")]
    assert read(opened(data, nulls=("NULL",))) == [(None, None, "null"), ("", "", "NA")]


def test_quotes_are_text_where_none_is_declared(opened: Opened) -> None:
    """Without a declared quote, a quote is a character like another."""
    assert read(opened(b'a;b;c\n"1;x"y;3"\n', quote=None)) == [('"1', 'x"y', '3"')]


def test_dropped_columns_are_checked_and_not_read(opened: Opened) -> None:
    """A column mapped to nothing does not come out, and its bytes are still checked."""
    columns = {"a": "a", "b": None, "c": None}
    assert read(opened(b"a;b;c\n1;2;3\n", columns=columns)) == [("1",)]
    with opened(b"a;b;c\n1;\xff;3\n", columns=columns) as source, pytest.raises(IntakeError):
        list(source.batches())


def test_trim_is_counted(opened: Opened) -> None:
    """Declared trimming drops spaces and no-break spaces, counts the cells by column, and finds nulls behind them."""
    data = "a;b;c\n x;y\u00a0;\u202f\nx;y;z z\n  ;y;z\n".encode()
    with opened(data, trim=True) as source:
        for _ in range(2):
            assert [row for batch in source.batches() for row in batch.rows.to_pylist()] == [
                {"a": "x", "b": "y", "c": None},
                {"a": "x", "b": "y", "c": "z z"},
                {"a": None, "b": "y", "c": "z"},
            ]
            assert source.repairs == {"trim:a": 2, "trim:b": 1, "trim:c": 1}
        assert [batch.rows["a"].to_pylist() for batch in source.digest_pass(["a"])] == [["x", "x", None]]
    assert read(opened(data))[0] == (" x", "y\u00a0", "\u202f")


def test_a_header_alone_is_a_file_of_no_row(opened: Opened) -> None:
    """A file that ends after its header has no row, with or without a line end."""
    for data in (b"a;b;c", b"a;b;c\r\n"):
        with opened(data) as source:
            assert list(source.digest_pass(["a"])) == []
            assert list(source.batches()) == []
            assert source.rows == 0
            assert source.sha256 == hashlib.sha256(data).hexdigest()


def test_raw_bytes_go_to_the_sink_whole(opened: Opened) -> None:
    """The first pass hands over every byte of the file, in order, the header and the byte order mark included."""
    data = b"\xef\xbb\xbf" + b"a;b;c\r\n" + b"1;2;3\r\n" * 2000
    sink = io.BytesIO()
    with opened(data, encoding="utf-8-sig") as source:
        assert sum(batch.rows.num_rows for batch in source.digest_pass([], sink)) == 2000
    assert sink.getvalue() == data


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    """A file rewritten, lengthened or cut between the passes is refused, were its times put back."""
    path = tmp_path / "any"
    for change in (b"a;b;c\n1;2;4\n", b"a;b;c\n1;2;3\n4;5;6\n", b"a;b;c\n"):
        path.write_bytes(b"a;b;c\n1;2;3\n")
        with open_source(path, [dialect()]) as source:
            list(source.digest_pass(["a"]))
            path.write_bytes(change)
            with pytest.raises(IntakeError, match="changed"):
                list(source.batches())


def test_bytes_are_compared_between_the_passes(opened: Opened) -> None:
    """Other bytes are found even when the file system shows no change."""
    with opened(b"a;b;c\n1;2;3\n") as source:
        list(source.digest_pass(["a"]))
        assert source._mac is not None
        source._mac = bytes(16)
        with pytest.raises(IntakeError, match="changed"):
            list(source.batches())


def test_figures_before_their_pass_are_refused(opened: Opened) -> None:
    """The hash and the count are not to be had before the pass that makes them."""
    with opened(b"a;b;c\n1;2;3\n") as source:
        with pytest.raises(UsageError):
            _ = source.sha256
        with pytest.raises(UsageError):
            _ = source.rows


def test_unknown_key_columns_are_refused(opened: Opened) -> None:
    """A key that the file does not bring is an error of the caller."""
    with opened(b"a;b;c\n1;2;3\n") as source, pytest.raises(UsageError):
        list(source.digest_pass(["z"]))


def test_a_reader_that_stops_early_leaves_no_thread_behind(opened: Opened) -> None:
    """Whoever stops in the middle of a pass can start another one."""
    with opened(b"a;b;c\n" + b"1;2;3\n" * 5000, batch_bytes=64) as source:
        batches = source.batches()
        next(batches)
        batches.close()  # type: ignore[attr-defined]  # a generator
        assert sum(batch.rows.num_rows for batch in source.batches()) == 5000


@pytest.mark.parametrize(
    "declared",
    [
        {"encoding": "utf-16"},
        {"separator": ";;"},
        {"separator": "é"},
        {"separator": '"'},
        {"quote": "\n"},
        {"columns": {"a": "x", "b": "x"}},
        {"columns": {}},
        {"columns": {"a": None}},
        {"encoding": "cp1252", "nulls": ("néant",)},
    ],
)
def test_impossible_dialects_are_refused(opened: Opened, declared: dict[str, object]) -> None:
    """A dialect that cannot be carried out is an error of whoever wrote it."""
    with pytest.raises(UsageError):
        opened(b"a;b;c\n1;2;3\n", **declared)


def test_no_dialect_is_refused(tmp_path: Path) -> None:
    """An empty list of dialects reads nothing."""
    path = tmp_path / "any"
    path.write_bytes(b"a\n1\n")
    empty: list[Dialect] = []
    with pytest.raises(UsageError):
        open_source(path, empty)


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-15"])
def test_utf8_is_not_read_as_a_single_byte_code(tmp_path: Path, encoding: str) -> None:
    """A file in UTF-8 is refused where cp1252 or latin-9 is declared, although its bytes could be read so; the true one is read."""
    dialect = Dialect("one", "sender", {"nom": "name"}, encoding=encoding)
    text = "nom\nClément\nFrançoise\n"
    (tmp_path / "wrong").write_bytes(text.encode())
    with pytest.raises(IntakeError, match=r"UTF-8, where"), open_source(tmp_path / "wrong", [dialect]) as source:
        list(source.digest_pass([]))
    (tmp_path / "right").write_bytes(text.encode(encoding))
    with open_source(tmp_path / "right", [dialect]) as source:
        assert [row for batch in source.batches() for row in batch.rows["name"].to_pylist()] == ["Clément", "Françoise"]
