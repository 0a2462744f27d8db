"""What a CSV dialect may declare beyond its separator, and the repairs that are made only where they are declared."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from passerelle.errors import IntakeError, UsageError
from passerelle.intake import open_source
from tests.intake.conftest import Opened, dialect, read

SIZES = [64, 4096]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", ["mac-roman", "utf-8"])
def test_lines_that_end_with_cr(opened: Opened, encoding: str, size: int) -> None:
    """Files of CR line ends are read, line breaks inside quotes stay as they are, and an LF outside is refused."""
    rows = 'a;b;c\ré;"x\ry";3\r4;"u\nv";6\r' * 1
    form = {"encoding": encoding, "line_end": "cr", "batch_bytes": size}
    assert read(opened(rows.encode(encoding), **form)) == [("é", "x\ry", "3"), ("4", "u\nv", "6")]
    with pytest.raises(IntakeError, match="LF where the dialect declares CR") as caught:
        read(opened((rows + "7;8\n;9\r").encode(encoding), **form))
    assert caught.value.where == "line 5, byte 4"


pieces = st.lists(st.sampled_from(["\\", '"', ";", "\n", "\r", "é", "a", "x"]), min_size=1, max_size=6).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(pieces, pieces, pieces), max_size=12), quoted=st.booleans())
@example(rows=[("\\", '"', "\\\\")] * 9, quoted=True)
@example(rows=[("\\", '"', "\\\\")] * 9, quoted=False)
def test_escapes(tmp_path: Path, rows: list[tuple[str, str, str]], quoted: bool) -> None:
    """With a declared escape, whatever it stands before is text, inside quotes and outside, wherever the chunks are cut."""

    def cell(value: str) -> str:
        marks = '\\"' if quoted else '\\";\n\r'
        text = "".join("\\" + character if character in marks else character for character in value)
        return f'"{text}"' if quoted else text

    path = tmp_path / "any"
    text = "a;b;c\n" + "".join(";".join(map(cell, row)) + "\n" for row in rows)
    path.write_bytes(text.encode())
    form = dialect(escape="\\", quote='"' if quoted else None)
    for size in SIZES:
        assert read(open_source(path, [form], batch_bytes=size)) == rows


def test_an_escape_at_the_end_is_refused(opened: Opened) -> None:
    """An escape that nothing follows is a file cut short."""
    with pytest.raises(IntakeError, match="an escape that nothing follows"):
        read(opened(b"a;b;c\n1;2;3\\", escape="\\"))


def test_without_header(opened: Opened) -> None:
    """Columns are by position where no header is declared; another width, or the header after all, is refused."""
    assert read(opened(b"1;2;3\n4;5;6\n", header=False)) == [("1", "2", "3"), ("4", "5", "6")]
    assert read(opened(b"\xef\xbb\xbf1;2;3\n", header=False, encoding="utf-8-sig")) == [("1", "2", "3")]
    for bad in (b"1;2\n", b"a;b;c\n1;2;3\n"):
        with pytest.raises(IntakeError):
            opened(bad, header=False)


LEAD = {"lead": (r"DEB[A-Za-z]+[0-9]{8}_[0-9]{6}",), "trail": (r"FIN(?P<rows>[0-9]+)",)}


@pytest.mark.parametrize("size", SIZES)
def test_lines_around_the_rows(opened: Opened, size: int) -> None:
    """Declared first and last lines are no rows, and the number of rows that they announce must be the one that came."""
    rows = b"1;2;3\n" * 50
    whole = b"DEBTable21112026_120000\na;b;c\n" + rows + b"FIN0050\n"
    for data in (whole, whole[:-1], whole.replace(b"\n", b"\r\n")):
        assert len(read(opened(data, batch_bytes=size, **LEAD))) == 50
    for bad, message in {
        b"DEB\na;b;c\nFIN0\n": "expected a header",
        whole.replace(b"FIN0050\n", b""): "closing lines",
        whole.replace(b"FIN0050", b"FIN0051"): "announces another number",
        whole + b"1;2;3\n": "expected 3 columns, came 1|closing lines",
    }.items():
        with pytest.raises(IntakeError, match=message):
            read(opened(bad, batch_bytes=size, **LEAD))
    assert read(opened(b"DEBTable21112026_120000\na;b;c\nFIN0\n", **LEAD)) == []
    with pytest.raises(UsageError):
        opened(whole, lead=("(",))


def test_blank_lines_are_skipped_where_declared(opened: Opened) -> None:
    """Declared blank lines are no rows and are counted."""
    with opened(b"a;b;c\n\n1;2;3\n\r\n\n4;5;6\n\n", blank_lines=True) as source:
        assert [row["a"] for batch in source.batches() for row in batch.rows.to_pylist()] == ["1", "4"]
        assert source.repairs == {"blank_lines": 4}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_that_lack_their_last_columns(opened: Opened, end: bytes) -> None:
    """As many last columns as declared may lack, and the rows that lack some are counted; one more is refused."""
    data = end.join([b"a;b;c", b"1;2;3", b'"4;";5', b"6", b"7;8;9"])
    with opened(data, short_rows=2) as source:
        rows = [tuple(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()]
        assert rows == [("1", "2", "3"), ("4;", "5", None), ("6", None, None), ("7", "8", "9")]
        assert source.repairs == {"short_rows": 2}
    for short, message in ((1, "line 4, byte 1: expected 3 columns, came 1"), (0, "line 3, byte 1")):
        with pytest.raises(IntakeError, match=message):
            read(opened(data, short_rows=short))


def test_no_break_spaces_are_made_plain_where_declared(opened: Opened) -> None:
    """No-break spaces inside cells are plain and counted, then trimming finds those at the ends."""
    data = "a;b;c\n13\u00a0010;x\u202f;z\n1 2;y;z\n".encode()
    with opened(data, nbsp=True, trim=True) as source:
        rows = [tuple(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()]
        assert rows == [("13 010", "x", "z"), ("1 2", "y", "z")]
        assert source.repairs == {"nbsp:a": 1, "nbsp:b": 1, "trim:b": 1}


@given(st.dates(date(1900, 3, 1), date(9999, 12, 31)))
def test_day_numbers_of_excel(tmp_path_factory: pytest.TempPathFactory, day: date) -> None:
    """Every date from March 1900 comes back from its number in Excel's two counts, in the dialect's first format."""
    path = tmp_path_factory.mktemp("serial") / "any"
    for epoch, origin in ((1900, date(1899, 12, 30)), (1904, date(1904, 1, 1))):
        if day <= date(1904, 1, 1):
            continue
        path.write_text(f"a;b;c\n{(day - origin).days};{(day - origin).days};3\n")
        form = dialect(serial_dates=("b",), serial_epoch=epoch, date_formats=("%d/%m/%Y", "%Y-%m-%d"))
        with open_source(path, [form]) as source:
            rows = [tuple(row.values()) for batch in source.batches() for row in batch.rows.to_pylist()]
            assert rows == [(str((day - origin).days), f"{day:%d/%m}/{day.year:04}", "3")]
            assert source.repairs == {"serial_date:b": 1}


def test_what_is_no_day_number_stays(opened: Opened) -> None:
    """Text, zero, fractions, Excel's 29 February 1900 and what is after 9999 are left for the contract to judge."""
    kept = ["01/02/2020", "0", "44197.5", "60", "2958466", "-1", "044197", "1e5"]
    data = "a;b;c\n" + "".join(f"{value};;\n" for value in kept) + "1;;\n59;;\n61;;\n25288;;\n"
    with opened(data.encode(), serial_dates=("a",)) as source:
        rows = [row["a"] for batch in source.batches() for row in batch.rows.to_pylist()]
        assert rows == [*kept, "1900-01-01", "1900-02-28", "1900-03-01", str(date(1899, 12, 30) + timedelta(25288))]
        assert source.repairs == {"serial_date:a": 4}


def test_control_codes_are_a_mistaken_encoding(opened: Opened) -> None:
    """A byte that cp1252 uses and ISO 8859 leaves to control codes is refused where ISO 8859 is declared."""
    for encoding in ("iso-8859-1", "iso-8859-15"):
        with pytest.raises(IntakeError, match="does not define"):
            read(opened(b"a;b;c\n\x93;2;3\n", encoding=encoding))
    assert read(opened("a;b;c\né;2;3\n".encode("iso-8859-1"), encoding="iso-8859-1")) == [("é", "2", "3")]


@pytest.mark.parametrize(
    "declared",
    [
        {"escape": '"'},
        {"escape": ";"},
        {"serial_dates": ("z",)},
        {"serial_dates": ("a",), "date_formats": ()},
        {"multivalue": {"z": ";"}},
        {"packings": ()},
        {"short_rows": -1},
        {"format": "json", "lead": ("x",)},
        {"format": "json", "optional": ("z",)},
        {"format": "json", "columns": {"a": "a", "a/b": "b", "c": None, "c/d": "d"}},
        {"format": "json", "multivalue": {"a": ""}},
    ],
)
def test_impossible_dialects_are_refused(opened: Opened, declared: dict[str, object]) -> None:
    """A dialect that cannot be carried out is an error of whoever wrote it."""
    with pytest.raises(UsageError):
        read(opened(b'[{"a": 1}]', **declared))
