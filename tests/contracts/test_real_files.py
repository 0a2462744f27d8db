"""The field's own files, read by the gateway's intake and judged by their contracts: the measured figures come out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from contracts.registry import contract
from passerelle.intake import open_source


class Outcome:
    """Everything a file gives when its batches are judged one after the other."""

    def __init__(self, contract_id: str, path: Path) -> None:
        judging = contract(contract_id)
        self.read = 0
        self.rules: Counter[tuple[str, str]] = Counter()
        self.repairs: Counter[str] = Counter()
        accepted: list[pa.Table] = []
        keys: Counter[tuple[object, ...]] = Counter()
        with open_source(path, judging.dialects) as source:
            self.dialect = source.dialect.id
            for batch in source.batches():
                judgement = judging.judge(batch, source.dialect)
                self.read += batch.rows.num_rows
                self.rules.update({(f.rule, f.column): f.rows.size for f in judgement.failures})
                self.repairs.update(judgement.repairs)
                accepted.append(judgement.accepted)
                keys.update(zip(*(batch.rows[name].to_pylist() for name in judging.unique[0]), strict=True))
            self.trims = source.repairs
        self.accepted = pa.concat_tables(accepted)
        self.repeated = sum(times - 1 for times in keys.values())


def _count(table: pa.Table, column: str, value: str) -> int:
    return table[column].to_pylist().count(value)


def test_survey_of_labour_needs(shared: Path) -> None:
    """The 2023 workbook: 50,437 rows, all accepted; secrecy marks stay, lost zeros come back, no key repeats."""
    got = Outcome("studies_bmo", shared / "data" / "bmo_2023.xlsx")
    assert (got.read, got.accepted.num_rows, got.rules, got.repeated) == (50_437, 50_437, {}, 0)
    assert [_count(got.accepted, name, "*") for name in ("met", "xmet", "smet")] == [9_196, 17_304, 36_388]
    assert [_count(got.accepted, name, "0") for name in ("met", "xmet", "smet")] == [0, 0, 0]
    assert sum(got.accepted[name].null_count for name in got.accepted.column_names) == 0
    published = [
        int(value) for name in ("met", "xmet", "smet") for value in got.accepted[name].to_pylist() if value != "*"
    ]
    assert min(published) == 5
    assert got.repairs == {"zero_fill:basin": 1_912}
    assert len(set(got.accepted["basin"].to_pylist())) == 405


def test_offers_first_generation(shared: Path) -> None:
    """March 2021: 397 offers read, 5 descriptions too short, 67 references seen before."""
    got = Outcome("job_offers", shared / "data" / "pep_vers_pe_2021-03-03.csv")
    assert (got.dialect, got.read, got.accepted.num_rows) == ("pep-2021-03-03", 397, 392)
    assert got.rules == {("length", "description"): 5}
    assert got.repeated == 67
    assert got.accepted["department"].null_count == 392


def test_offers_third_generation(shared: Path) -> None:
    """April 2021: 596 offers, all accepted once trimmed, 40 references seen before."""
    got = Outcome("job_offers", shared / "data" / "pep_vers_pe_2021-04-16.csv")
    assert (got.dialect, got.read, got.accepted.num_rows, got.rules) == ("pep-2021-04-16", 596, 596, {})
    assert got.repeated == 40
    assert got.trims["trim:department_label"] == 576
    assert got.accepted["department"].null_count == 20


def test_two_senders_of_trainees(shared: Path) -> None:
    """The two senders' files give rows of the same columns and types; a false SIRET or phone rejects its row."""
    operator = Outcome("training_entries", shared / "data" / "stagiaires_pe_format.csv")
    region = Outcome("training_entries", shared / "data" / "stagiaires_region_idf_format.csv")
    assert operator.accepted.schema == region.accepted.schema
    assert (operator.dialect, operator.read, operator.rules) == ("pole-emploi", 5, {("phone", "phone"): 1})
    assert (region.dialect, region.read, region.rules) == ("region-idf", 5, {("siret", "provider_siret"): 4})
    assert set(operator.accepted["funders"].to_pylist()) == {"4;7"}
