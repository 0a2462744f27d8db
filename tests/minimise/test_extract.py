"""The extract for machines: RFC 4180 that any reader reads back."""

from __future__ import annotations

import csv
import io
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import UsageError
from passerelle.formulas import is_formula
from passerelle.minimise import CsvSink, select
from passerelle.minimise.people import neutralised

texts = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12))


def written(*tables: pa.Table) -> tuple[bytes, CsvSink]:
    out = io.BytesIO()
    sink = CsvSink(out.write, tables[0].column_names)
    for table in tables:
        sink.write(table)
    return out.getvalue(), sink


@given(st.lists(st.tuples(texts, texts), max_size=20), st.integers(0, 20))
def test_the_standard_library_reads_it_back(rows: list[tuple[str | None, str | None]], cut: int) -> None:
    """Any text comes back as it was, in however many tables it was written."""
    schema = pa.schema({"a": pa.string(), "b, c": pa.string()})
    table = pa.table({"a": [a for a, _ in rows], "b, c": [b for _, b in rows]}, schema)
    data, sink = written(table.slice(0, cut), table.slice(cut))
    came = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    assert came == [["a", "b, c"], *[[a or "", b or ""] for a, b in rows]]
    assert sink.rows == len(rows)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), st.dates()),
            st.one_of(st.none(), st.booleans()),
            texts,
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 20),
)
def test_the_bytes_do_not_depend_on_the_batches(rows: list[tuple[object, ...]], cut: int) -> None:
    """However a file is cut into tables, its bytes are the same, and no cell is quoted without need."""
    types = [pa.float64(), pa.int64(), pa.date32(), pa.bool_(), pa.string()]
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(types)]
    table = pa.table(columns, ["f", "i", "d", "b", "t"])
    whole, _ = written(table)
    assert written(table.slice(0, cut), table.slice(cut))[0] == whole
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(csv.reader(io.StringIO(whole.decode(), newline="")))
    assert whole.decode().replace(',""\r\n', ",\r\n") == out.getvalue()


def test_the_machine_format() -> None:
    """CRLF, ISO dates, a decimal point, null empty, an empty text quoted, the secrecy mark as it is."""
    table = pa.table(
        {
            "day": [date(2024, 2, 29), None],
            "rate": [60.5, None],
            "count": ["*", "0"],
            "text": ["", None],
            "yes": [True, False],
        }
    )
    assert written(table)[0] == b'day,rate,count,text,yes\r\n2024-02-29,60.5,*,"",true\r\n,,0,,false\r\n'


def test_an_extract_without_rows_has_its_header() -> None:
    """A table of no row still says what its columns are."""
    assert written(pa.table({"a": pa.array([], pa.string())}))[0] == b"a\r\n"


@given(st.lists(texts, max_size=30), st.integers(0, 3))
def test_formulas_are_counted_and_left(values: list[str | None], skip: int) -> None:
    """Cells that a spreadsheet would take for formulas are counted by column, and written as they are."""
    values = [*values, "=1+1", "-", "+33", "@x", "\tx", "\rx", "1-1", " =1", "\ufeff=1", "＝1", "à"]
    column = pa.array(values, pa.string()).slice(skip)
    expected = sum(1 for value in values[skip:] if value and is_formula(value))
    for form in (column, column.cast(pa.large_string())):
        _, sink = written(pa.table({"a": form, "n": pa.array([-1] * len(column))}))
        assert sink.formulas == {"a": expected}


def test_no_first_character_of_a_formula_is_passed_over() -> None:
    """Whatever stands before the sign, what the copy for people makes text is counted in the machine format."""
    values = [f"{chr(code)}=" for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    _, sink = written(pa.table({"a": pa.array(values)}))
    assert (
        sink.formulas
        == {"a": sum(map(is_formula, values))}
        == {"a": neutralised(pa.table({"a": values}), ["string"])[1]}
    )


def test_other_columns_are_refused() -> None:
    """A table whose columns are not the sink's, or not in its order, is refused."""
    sink = CsvSink(io.BytesIO().write, ["a", "b"])
    with pytest.raises(UsageError):
        sink.write(pa.table({"b": ["x"], "a": ["y"]}))


def test_an_empty_list_allows_nothing() -> None:
    """No column means no extract, not every column."""
    table = pa.table({"a": ["x"], "b": ["y"]})
    assert select(table, ["b"]).column_names == ["b"]
    with pytest.raises(UsageError):
        select(table, [])
    with pytest.raises(UsageError):
        select(table, ["a", "z"])
    with pytest.raises(UsageError):
        CsvSink(io.BytesIO().write, [])
