"""Typing is strict, repairs are declared and counted, and what fails is named by row."""

from __future__ import annotations

import re
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reading import dates, read
from passerelle.contract import Column, Dialect, Kind
from passerelle.errors import OurWayError

FORMATS = {
    "%Y-%m-%d": "{0:04d}-{1:02d}-{2:02d}",
    "%d/%m/%Y": "{2:02d}/{1:02d}/{0:04d}",
    "%Y%m%d": "{0:04d}{1:02d}{2:02d}",
}


def reading(kind: Kind, values: list[str | None], **dialect: object) -> tuple[list[object], list[int], dict[str, int]]:
    """What a column of ``kind`` becomes, the rows that fail, and the repairs."""
    declared = Dialect(id="test", sender="test", columns={"x": "x"}, **dialect)  # type: ignore[arg-type]  # any field
    got = read(pa.table({"x": pa.array(values, pa.string())}), (Column("x", "x", "x", kind),), declared)
    rows = [int(row) for failure in got.failures for row in failure.rows]
    return got.table["x"].to_pylist(), rows, got.repairs


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(sorted(FORMATS)))
def test_a_date_is_read_back(day: date, pattern: str) -> None:
    """Every date from the year 1000 on, written in a declared format, is read back as itself."""
    written = FORMATS[pattern].format(day.year, day.month, day.day)
    assert reading(Kind.DATE, [written], date_formats=(pattern,)) == ([day], [], {})


@given(
    st.lists(
        st.none()
        | st.text("0123456789/-: .", max_size=12)
        | st.from_regex(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", fullmatch=True)
    )
)
def test_anything_else_is_no_date(values: list[str | None]) -> None:
    """A text is a date exactly when it has the declared form and the calendar has the day."""

    def oracle(value: str | None) -> date | None:
        parts = re.fullmatch("([0-9]{2})/([0-9]{2})/([0-9]{4})", value or "")
        if parts is None or int(parts[3]) < 1000:
            return None
        try:
            return date(int(parts[3]), int(parts[2]), int(parts[1]))
        except ValueError:
            return None

    column, wrong = dates(pa.array(values, pa.string()), ("%d/%m/%Y",))
    expected = [oracle(value) for value in values]
    assert column.to_pylist() == expected
    assert list(wrong) == [value is not None and day is None for value, day in zip(values, expected, strict=True)]


def test_formats_are_tried_in_order() -> None:
    """A second declared format is read where the first does not fit, and a midnight only where it is declared."""
    values: list[str | None] = ["2018-05-22 00:00:00.0", "22/05/2018", "2018-05-22", "2018-05-22 01:00:00.0", None]
    typed, rows, _ = reading(Kind.DATE, values, date_formats=("%Y-%m-%d 00:00:00.0", "%d/%m/%Y"))
    assert typed == [date(2018, 5, 22), date(2018, 5, 22), None, None, None]
    assert rows == [2, 3]


@pytest.mark.parametrize("pattern", ["%d/%m/%y", "%d/%m", "%Y-%m-%d %H", "%d/%m/%Y%d", "%d·%m·%Y"])
def test_a_format_it_cannot_carry_out_is_refused(pattern: str) -> None:
    """A date format of variable width or without a full date is refused, whatever the rows."""
    with pytest.raises(OurWayError, match="date format"):
        reading(Kind.DATE, ["x"], date_formats=(pattern,))


@pytest.mark.parametrize(
    ("kind", "mark", "values", "typed"),
    [
        (Kind.INTEGER, ".", ["0", "-12", "+1", "1.0", "1e3", "१", " 1", "9" * 18, "9" * 19], [0, -12, *[None] * 5, 10**18 - 1, None]),
        (Kind.DECIMAL, ",", ["57,5", "57.5", "8", "-0,1", "1 000", "nan", "1,", ",5"], [57.5, None, 8.0, -0.1, *[None] * 4]),
        (Kind.DECIMAL, ".", ["57.5", "57,5", "inf"], [57.5, None, None]),
        (Kind.BOOLEAN, ".", ["oui", "N", "TRUE", "0", "peut-être", "2"], [True, False, True, False, None, None]),
    ],
)  # fmt: skip
def test_numbers_and_booleans_are_strict(kind: Kind, mark: str, values: list[str | None], typed: list[object]) -> None:
    """Only the declared way to write a number or a yes is read; the rest fails, row by row."""
    assert reading(kind, values, decimal=mark) == (typed, [i for i, one in enumerate(typed) if one is None], {})


def test_secrecy_is_neither_zero_nor_null() -> None:
    """A secret count stays ``*``, apart from 0 and from null, whatever mark the sender uses."""
    assert reading(Kind.COUNT, ["*", "0", None, "12", "s", "-3"], secrecy=("*",))[:2] == (
        ["*", "0", None, "12", None, None],
        [4, 5],
    )
    assert reading(Kind.COUNT, ["s", "*"], secrecy=("s",))[:2] == (["*", None], [1])
    assert reading(Kind.COUNT, ["*"])[:2] == ([None], [0])


def test_lost_zeros_come_back_and_are_counted() -> None:
    """A declared zero fill repairs shorter numbers only, and counts them."""
    values: list[str | None] = ["101", "0101", None, "2A", "10101", "7"]
    typed, rows, repairs = reading(Kind.CODE, values, zero_fill={"x": 4})
    assert typed == ["0101", "0101", None, "2A", "10101", "0007"]
    assert (rows, repairs) == ([], {"zero_fill:x": 2})


def test_control_characters_are_found() -> None:
    """A control character fails its row; tabs and line ends inside a text do not."""
    values: list[str | None] = ["plain", "nul\x00", "two\nlines\tand a tab", "del\x7f", None]
    assert reading(Kind.TEXT, values)[1] == [1, 3]


@given(st.lists(st.none() | st.text(max_size=3)), st.data())
def test_control_characters_are_found_in_any_slice(values: list[str | None], data: st.DataObject) -> None:
    """Which rows hold a control character does not depend on how the column is cut."""
    start = data.draw(st.integers(0, len(values)))
    column = Column("x", "x", "x")
    rows = pa.table({"x": pa.array(values, pa.string())}).slice(start)
    got = read(rows, (column,), Dialect(id="test", sender="test", columns={"x": "x"}))
    expected = [i for i, v in enumerate(values[start:]) if v and re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", v)]
    assert [int(row) for failure in got.failures for row in failure.rows] == expected


def test_columns_come_in_the_contracts_order() -> None:
    """A column that the dialect lacks is null, and one that the contract lacks stops the run."""
    columns = (Column("a", "a", "a", Kind.DATE), Column("b", "b", "b"))
    dialect = Dialect(id="test", sender="test", columns={"b": "b"})
    got = read(pa.table({"b": ["x"]}), columns, dialect).table
    assert got.column_names == ["a", "b"]
    assert got["a"].null_count == 1
    with pytest.raises(OurWayError, match="1 columns that the contract does not name"):
        read(pa.table({"b": ["x"], "CANARY-COLUMN": ["x"]}), columns, dialect)
