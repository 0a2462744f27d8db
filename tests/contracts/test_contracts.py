"""What every contract holds: its declarations, its judgement as a pure function, its refusal to tell values."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.config import ValidationDepth, config_context

from contracts.base import DataContract
from contracts.registry import contract, contracts
from contracts.rules import Identifier, Relation
from contracts.samples import broken
from passerelle.contract import Batch, Column, Contract, Kind, PersonClass
from passerelle.errors import ContractError, OurWayError, UsageError
from tests.contracts.making import DAY, sampled

ALL = pytest.mark.parametrize("judging", contracts(), ids=lambda one: one.reference)


@ALL
def test_it_is_a_contract(judging: DataContract) -> None:
    """Each is the engine's Contract, says every column in both languages, and maps each dialect on its columns."""
    typed: Contract = judging
    assert re.fullmatch(r"[1-9][0-9]*\.[0-9]+\.[0-9]+", typed.version)
    for column in judging.columns:
        assert column.fr
        assert column.en
        assert column.person is not PersonClass.SPECIAL
        assert column.identifier is None or column.person is PersonClass.DIRECT
    assert {column.name for column in judging.columns if column.required} <= set(
        judging.dialect("hub").columns.values()
    )


@ALL
def test_its_pandera_schema_carries_what_columns_mean(judging: DataContract) -> None:
    """Person class and meaning travel with the pandera schema."""
    metadata = {name: column.metadata for name, column in judging.schema(DAY).columns.items()}
    assert {name: found["person"] for name, found in metadata.items()} == {
        column.name: column.person.value for column in judging.columns
    }


@ALL
@settings(max_examples=8, deadline=None)
@given(rows=st.integers(0, 300), bad_rate=st.floats(0, 1), seed=st.integers(0, 9))
def test_bad_rows_are_rejected_under_their_rule(judging: DataContract, rows: int, bad_rate: float, seed: int) -> None:
    """Of a sample, exactly the bad rows are rejected, each under the rule it breaks and no other."""
    batch = sampled(judging.reference, rows, bad_rate, seed)
    judgement = judging.judge(batch, judging.dialect("hub"), DAY)
    assert {(f.rule, f.column): f.rows.size for f in judgement.failures} == broken(judging.reference, rows, bad_rate)
    parted = np.concatenate([judgement.accepted_rows, judgement.rejected_rows])
    assert sorted(parted.tolist()) == list(range(rows))
    assert judgement.accepted.num_rows == judgement.accepted_rows.size
    assert judgement.accepted.column_names == [column.name for column in judging.columns]


@ALL
def test_batches_are_judged_apart(judging: DataContract) -> None:
    """Cutting a file into batches, or judging them on several threads, changes nothing."""
    dialect = judging.dialect("hub")
    whole = sampled(judging.reference, 500, 0.2)
    cuts = [Batch(whole.rows.slice(start, 50), start + 1) for start in range(0, 500, 50)]
    with ThreadPoolExecutor(4) as pool:
        judgements = list(pool.map(lambda batch: judging.judge(batch, dialect, DAY), cuts))
    expected = judging.judge(whole, dialect, DAY)
    assert pa.concat_tables(one.accepted for one in judgements) == expected.accepted
    rejected = [
        batch.first_row - 1 + row for batch, one in zip(cuts, judgements, strict=True) for row in one.rejected_rows
    ]
    assert rejected == expected.rejected_rows.tolist()


@ALL
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_value_is_told(judging: DataContract, data: st.DataObject) -> None:
    """Whatever a row holds, neither the judgement's failures nor the notebook's error shows it."""
    canary = data.draw(st.sampled_from(["CANARY-Dupont", "canary@example.org", "269054958815780", "0639981234"]))
    text = st.none() | st.text(max_size=5) | st.just(canary) | st.text(max_size=3).map(canary.__add__)
    rows = data.draw(st.lists(st.tuples(*(text for _ in judging.columns)), min_size=1, max_size=5))
    columns = zip(*rows, strict=True)
    table = pa.table({c.name: pa.array(v, pa.string()) for c, v in zip(judging.columns, columns, strict=True)})
    judgement = judging.judge(Batch(table, 1), judging.dialect("hub"), DAY)
    assert judgement.rejected_rows.size == table.num_rows
    assert canary not in f"{judgement.failures!r} {judgement.repairs!r}"
    with pytest.raises(ContractError) as caught:
        judging.validate(table.to_pandas(), DAY)
    assert canary not in f"{caught.value} {caught.value!r} {caught.value.args} {caught.value.hint}"
    assert caught.value.__cause__ is caught.value.__context__ is None


@ALL
def test_pandera_settings_do_not_open_the_gate(judging: DataContract) -> None:
    """Rows are judged although the process switches pandera's validation off."""
    batch = sampled(judging.reference, 100, 1.0)
    with config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert judging.judge(batch, judging.dialect("hub"), DAY).rejected_rows.size == 100


@ALL
def test_a_notebook_gets_a_typed_frame(judging: DataContract) -> None:
    """``validate`` gives back the accepted rows, typed, and takes its own answer again."""
    judgement = judging.judge(sampled(judging.reference, 50, 0.0), judging.dialect("hub"), DAY)
    frame = judging.validate(judgement.accepted.to_pandas(types_mapper=pd.ArrowDtype), DAY)
    again = judging.validate(frame, DAY)
    assert list(frame.columns) == [column.name for column in judging.columns]
    assert again.equals(frame)


def test_a_notebook_is_told_counts() -> None:
    """A frame with bad rows and a repeated key is refused with counts by rule and column."""
    judging = contract("studies_bmo")
    frame = judging.judge(sampled("studies_bmo", 20, 0.0), judging.dialect("hub"), DAY).accepted.to_pandas()
    frame.loc[3, "met"] = "2"
    frame.loc[7, ["occupation", "basin", "department"]] = frame.loc[6, ["occupation", "basin", "department"]].to_numpy()
    with pytest.raises(ContractError, match=r"2 of 20 rows break studies_bmo 1\.0\.0: .*unique on occupation 1"):
        judging.validate(frame, DAY)
    with pytest.raises(ContractError, match="mixes types"):
        judging.validate(frame.assign(met=[1, "x", *[None] * 18]), DAY)
    with pytest.raises(ContractError, match="1 columns that the contract does not name"):
        judging.validate(frame.assign(CANARY=1), DAY)
    with pytest.raises(ContractError, match="lacks"):
        judging.validate(frame.drop(columns="met"), DAY)


def test_an_untyped_value_is_not_missing_as_well() -> None:
    """A required date that cannot be read fails as a date; an empty one as required."""
    judging = contract("training_entries")
    batch = sampled("training_entries", 3, 0.0)
    column = pa.array(["31/02/2024", None, "01/02/2024"])
    rows = batch.rows.set_column(batch.rows.column_names.index("entry_date"), "entry_date", column)
    failures = judging.judge(Batch(rows, 1), judging.dialect("hub"), DAY).failures
    assert [(f.rule, f.column, f.rows.tolist()) for f in failures if f.column == "entry_date"] == [
        ("date", "entry_date", [0]),
        ("required", "entry_date", [1]),
    ]


@pytest.mark.parametrize(
    ("contract_id", "column", "values", "rule", "rows"),
    [
        ("training_entries", "entry_date", ["01/01/1980", "01/01/1990", "31/12/2100"], "range", [0]),
        ("training_entries", "postcode", ["91130", "00100", "9113"], "postcode", [1, 2]),
        ("training_entries", "phone", ["06 39 98 12 34", "0639981234 ", "+33639981234"], "phone", [1]),
        ("candidate_pool", "birth_date", ["29/02/1884", "31/12/9999", "01/06/1990"], "range", [0, 1]),
        ("candidate_pool", "experience_years", ["0", "60", "61"], "range", [2]),
        ("job_offers", "experience_code", ["D", "d", "X"], "code_list", [1, 2]),
        ("training_outcomes", "employment_rate", ["100,1", "57.5", None], "range", [0]),
        ("studies_bmo", "department", ["2A", "2a", "20"], "department", [1]),
    ],
)
def test_a_rule_at_its_bounds(
    contract_id: str, column: str, values: list[str | None], rule: str, rows: list[int]
) -> None:
    """Values at and beyond the bounds of a rule are told apart."""
    judging = contract(contract_id)
    table = sampled(contract_id, len(values), 0.0).rows
    if column in table.column_names:
        table = table.drop_columns([column])
    failures = judging.judge(
        Batch(table.append_column(column, pa.array(values)), 1), judging.dialect("hub"), DAY
    ).failures
    assert [f.rows.tolist() for f in failures if (f.rule, f.column) == (rule, column)] == [rows]


def test_consent_is_row_by_row() -> None:
    """A candidate without a yes leaves no trace in the accepted rows: no, unreadable and missing are all refused."""
    judging = contract("candidate_pool")
    batch = sampled("candidate_pool", 4, 0.0)
    answers = pa.array(["oui", "non", None, "?"])
    rows = batch.rows.set_column(batch.rows.column_names.index("consent"), "consent", answers)
    assert judging.judge(Batch(rows, 1), judging.dialect("hub"), DAY).accepted_rows.tolist() == [0]


def test_special_categories_have_no_column() -> None:
    """A contract that would hold health data cannot be made (GDPR art. 9)."""
    judging = contract("candidate_pool")
    health = Column("rqth", "Reconnaissance de handicap", "Disability status", Kind.BOOLEAN, PersonClass.SPECIAL)
    with pytest.raises(OurWayError, match="special category of data in column rqth"):
        replace(judging, columns=(*judging.columns, health))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": ()}, "lacks columns, rules or dialects"),
        ({"columns": ()}, "lacks columns, rules or dialects"),
        ({"dialects": ()}, "lacks columns, rules or dialects"),
        ({"rules": (Identifier("nowhere", "siret"),)}, "a rule names nowhere"),
        ({"unique": (("nowhere",),)}, "a key names nowhere"),
    ],
)
def test_a_contract_that_checks_nothing_is_refused(change: dict[str, tuple[object, ...]], message: str) -> None:
    """Empty lists and names that are not there are refused at construction."""
    with pytest.raises(OurWayError, match=message):
        replace(contract("studies_bmo"), **change)  # type: ignore[arg-type]  # one wrong field at a time


def test_a_check_that_cannot_run_stops_the_run() -> None:
    """A rule that breaks while it judges is our fault, not an acceptance, and tells no value."""
    judging = contract("training_entries")
    rule = Relation("odd", "email", lambda: pl.col("email").str.to_integer(strict=True) > 0, "x", "x")
    with pytest.raises(OurWayError, match="schema cannot be applied: CHECK_ERROR on email") as caught:
        replace(judging, rules=(rule,)).judge(sampled("training_entries", 2, 0.0), judging.dialect("hub"), DAY)
    assert "example.org" not in f"{caught.value!r}"
    assert caught.value.__context__ is None


def test_the_registry_is_light_and_strict() -> None:
    """Listing the contracts imports neither pandera nor a frame library; unknown names are refused."""
    program = (
        "import sys, contracts.registry as r; r.contracts(); print({'pandera', 'polars', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert contract("job_offers", "1.0.0") is contract("job_offers@1.0.0") is not contract("job_offers")
    with pytest.raises(UsageError, match="no contract of that name"):
        contract("nothing")
    with pytest.raises(UsageError, match="no such version of job_offers"):
        contract("job_offers", "0.0.1")
