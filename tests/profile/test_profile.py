"""The profile of a file: aggregates only, whatever the batches."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.canonical import canonical, parse
from passerelle.contract import Column, Failure, Judgement, Kind, PersonClass
from passerelle.errors import OurWayError
from passerelle.profile import SMALL, Finding, Profile, ProfileBuilder, RuleCount, Verdict, masked
from passerelle.profile import build as module

CODE = Column("rome", "métier", "occupation", Kind.CODE)
COUNT = Column("projects", "projets", "projects", Kind.COUNT)
DATE = Column("published_on", "publié le", "published on", Kind.DATE)


def _judgement(table: pa.Table, rejected: int = 0, failures: tuple[Failure, ...] = ()) -> Judgement:
    rows = table.num_rows
    return Judgement(table, np.arange(rows), np.arange(rows, rows + rejected), failures)


def _profile(columns: tuple[Column, ...], *tables: pa.Table, rejected: int = 0) -> Profile:
    builder = ProfileBuilder(columns)
    for table in tables:
        builder.add(_judgement(table, rejected))
    return builder.finish("2024-03")


codes = st.lists(st.sampled_from(["M1801", "K1304", "G1602", None]), max_size=60)
counts = st.lists(st.sampled_from(["*", "0", "12", "7000", None]), max_size=60)


@given(codes, st.integers(1, 7))
def test_a_profile_does_not_depend_on_the_batches(values: list[str | None], size: int) -> None:
    """The same rows in one batch or in many give the same profile."""
    table = pa.table({"rome": pa.array(values, pa.string())})
    batches = [table.slice(start, size) for start in range(0, table.num_rows, size)]
    assert _profile((CODE,), table) == _profile((CODE,), *batches)


@given(codes)
def test_codes_are_counted_as_a_plain_count_does(values: list[str | None]) -> None:
    """The listed codes are those that at least 11 rows share, most frequent first, with their true counts."""
    (column,) = _profile((CODE,), pa.table({"rome": pa.array(values, pa.string())})).columns
    known = Counter(value for value in values if value is not None)
    expected = sorted(((c, n) for c, n in known.items() if n >= SMALL), key=lambda pair: (-pair[1], pair[0]))
    assert list(column.top or ()) == expected
    assert column.distinct == (len(known) if len(values) >= SMALL else None)


@given(counts)
def test_secret_zero_and_null_are_three_different_things(values: list[str | None]) -> None:
    """A secrecy mark counts as secret, a null as null, and a zero as a number."""
    (column,) = _profile((COUNT,), pa.table({"projects": pa.array(values, pa.string())})).columns
    numbers = [int(value) for value in values if value not in {"*", None}]
    assert column.secret == masked(values.count("*"), len(values))
    assert column.nulls == masked(values.count(None), len(values))
    if len(numbers) >= SMALL:
        assert (column.lowest, column.highest) == (str(min(numbers)), str(max(numbers)))
    else:
        assert (column.lowest, column.highest) == (None, None)


@given(codes, counts)
def test_a_profile_survives_canonical_json(first: list[str | None], second: list[str | None]) -> None:
    """Written as canonical JSON and read back, a profile is the same."""
    rows = min(len(first), len(second))
    table = pa.table({"rome": pa.array(first[:rows], pa.string()), "projects": pa.array(second[:rows], pa.string())})
    profile = _profile((CODE, COUNT), table, rejected=2)
    assert Profile.from_json(parse(canonical(profile.as_json()))) == profile


@given(st.integers(0, 500), st.integers(0, 500))
def test_no_small_count_is_shown(count: int, rest: int) -> None:
    """A count of 1 to 10, or one whose complement is 1 to 10, is replaced by a mark; any other is exact."""
    shown = masked(count, count + rest)
    if 0 < count < SMALL:
        assert shown == "<11"
    elif 0 < rest < SMALL:
        assert shown == "all but <11"
    else:
        assert shown == count


@pytest.mark.parametrize("person", [PersonClass.INDIRECT, PersonClass.DIRECT, PersonClass.SPECIAL])
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CODE, Kind.INTEGER, Kind.DECIMAL])
def test_a_column_of_persons_shows_its_nulls_only(person: PersonClass, kind: Kind) -> None:
    """No value, range or frequent code of a column that says something of a person is in its profile."""
    types = {Kind.INTEGER: pa.int64(), Kind.DECIMAL: pa.float64()}
    array = pa.array(["987654321"] * 40 + [None] * 20).cast(types.get(kind, pa.string()))
    profile = _profile((Column("who", "qui", "who", kind, person),), pa.table({"who": array}))
    assert "987654321" not in json.dumps(profile.as_json())
    assert profile.as_json()["columns"] == [{"name": "who", "kind": kind.value, "required": True, "nulls": 20}]


def test_an_identifier_is_never_a_classification() -> None:
    """A column with an identifier scheme shows its nulls only, even when it is declared to say nothing of a person."""
    column = Column("reference", "référence", "reference", Kind.CODE, identifier="france-travail")
    shown = _profile((column,), pa.table({"reference": ["0123456789A"] * 40})).as_json()["columns"]
    assert shown == [{"name": "reference", "kind": "code", "required": True, "nulls": 0}]


def test_a_date_of_persons_shows_shared_years_only() -> None:
    """Of an indirect date, the range shown is that of the years with at least 11 rows: the oldest person is not seen."""
    days = ["1931-02-03"] + ["1980-05-06"] * 11 + ["1999-07-08"] * 30 + ["2006-09-10"] * 10
    table = pa.table({"born_on": pa.array(days).cast(pa.date32())})
    (column,) = _profile((Column("born_on", "né le", "born on", Kind.DATE, PersonClass.INDIRECT),), table).columns
    assert (column.lowest, column.highest) == ("1980", "1999")


def test_a_date_of_things_shows_its_range() -> None:
    """Of a date that says nothing of a person, the first and last day are shown."""
    table = pa.table({"published_on": pa.array(["2024-03-01"] * 10 + [None, "2024-03-31"]).cast(pa.date32())})
    (column,) = _profile((DATE,), table, table).columns
    assert (column.lowest, column.highest) == ("2024-03-01", "2024-03-31")


def test_too_many_codes_are_an_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of distinct codes nothing more of the column is kept, so that memory does not grow with the file."""
    monkeypatch.setattr(module, "DISTINCT_LIMIT", 30)
    builder = ProfileBuilder((CODE,))
    for batch in range(4):
        values = [f"X{number:04d}" for number in range(batch * 20, batch * 20 + 20)] + ["M1801"] * 20
        builder.add(_judgement(pa.table({"rome": values})))
    (column,) = builder.finish("2024").columns
    assert (column.distinct, column.top) == (None, None)


@pytest.mark.parametrize(
    "type_", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_is_read_in_each_form_arrow_has(type_: pa.DataType) -> None:
    """The codes of a column are the same in every Arrow type that frames hand over."""
    table = pa.table({"rome": pa.array(["M1801"] * 12 + ["K1304"] * 11).cast(type_)})
    (column,) = _profile((CODE,), table).columns
    assert column.top == (("M1801", 12), ("K1304", 11))


def test_rejects_are_counted_by_rule() -> None:
    """Rejected rows are counted under each rule and column, small counts masked, and totals add up."""
    builder = ProfileBuilder((CODE,))
    failures = (Failure("rome_form", "rome", np.arange(30)), Failure("unique", "rome", np.arange(2)))
    builder.add(_judgement(pa.table({"rome": ["M1801"] * 70}), 30, failures))
    builder.add(_judgement(pa.table({"rome": ["M1801"] * 100}), 0))
    profile = builder.finish("2024")
    assert (profile.read, profile.accepted, profile.rejected, profile.rejected_share) == (200, 170, 30, 0.15)
    assert profile.rules == (RuleCount("rome_form", "rome", 30), RuleCount("unique", "rome", "<11"))


def test_a_file_without_rows_has_a_profile() -> None:
    """An empty file gives a profile of zeros, which the checks then refuse."""
    profile = _profile((CODE, COUNT, DATE))
    assert (profile.read, profile.rejected_share, profile.share(0)) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "passerelle-profile/2"},
        {"read": "many"},
        {"rules": [{"rule": "r"}]},
        {"columns": [{"name": "c"}]},
        {"columns": [{"name": "c", "kind": "colour", "required": True, "nulls": 0}]},
        {"columns": ["c"]},
        {"columns": None},
    ],
)
def test_a_stored_profile_that_is_not_one_is_refused(change: dict[str, Any]) -> None:
    """A malformed stored profile raises our error and nothing else."""
    value = {**_profile((CODE,)).as_json(), **change}
    with pytest.raises(OurWayError):
        Profile.from_json(value)


def test_nothing_to_profile_is_refused() -> None:
    """A profile of no column, and a verdict of no finding, are refused."""
    with pytest.raises(OurWayError, match="at least one column"):
        ProfileBuilder(())
    with pytest.raises(OurWayError, match="at least one check"):
        Verdict(passed=True, findings=())


def test_a_verdict_agrees_with_its_findings() -> None:
    """A verdict that passes despite a failed check is refused; a failed warning does not stop it."""
    with pytest.raises(OurWayError, match="contradicts"):
        Verdict(passed=True, findings=(Finding("volume", passed=False, fr="non", en="no"),))
    warned = Verdict(passed=True, findings=(Finding("volume", passed=False, fr="non", en="no", level="warning"),))
    assert warned.as_json()["findings"][0]["level"] == "warning"
