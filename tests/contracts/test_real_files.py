"""The field's own files, read by the gateway's intake and judged by their contracts: the measured figures come out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest

from contracts.registry import contract
from passerelle.intake import open_source
from tests.contracts.making import DAY


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
                judgement = judging.judge(batch, source.dialect, DAY)
                self.read += batch.rows.num_rows
                self.rules.update({(f.rule, f.column): f.rows.size for f in judgement.failures})
                self.repairs.update(judgement.repairs)
                accepted.append(judgement.accepted)
                if judging.unique:
                    keys.update(zip(*(batch.rows[name].to_pylist() for name in judging.unique[0]), strict=True))
            self.trims = source.repairs
        self.accepted = pa.concat_tables(accepted)
        self.repeated = sum(times - 1 for times in keys.values())


def _count(table: pa.Table, column: str, value: str) -> int:
    return int(table[column].to_pylist().count(value))


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


class Expected(NamedTuple):
    """What one file of the field gives."""

    contract_id: str
    name: str
    dialect: str
    read: int
    accepted: int
    rules: dict[tuple[str, str], int]
    repairs: dict[str, int]


WHOLE = [
    Expected("territorial_diagnoses", "tensions_bassin_rome_2021.csv", "tensions-bassin-rome-2021", 27_135, 27_135, {}, {}),
    Expected(
        "labour_market_information", "dares_tensions_fap_2019.csv", "dares-tensions-2019", 31_034, 31_034, {},
        {"whole_number:region": 4_471, "zero_fill:region": 1_052},
    ),
    Expected("jobseekers_by_occupation", "dares_demandeurs_emploi_fap.csv", "dares-demandeurs-fap", 14_256, 14_256, {}, {}),
    Expected("unemployment_rates", "chomage_departements_insee.csv", "insee-chomage-departements", 500, 500, {}, {}),
    Expected("apprentice_outcomes", "inserjeunes_cfa.csv", "inserjeunes-cfa", 11_314, 11_314, {}, {}),
    Expected(
        "public_offers_source", "pep_source_talentsoft_50.csv", "talentsoft-2021", 50, 49,
        {("departement", "departement"): 1}, {},
    ),
    Expected("public_offers_list", "csp_offres_2026_extrait.json", "csp-2026", 12, 12, {}, {}),
    Expected(
        "missions_locales_directory", "missions_locales_structures.json", "i-milo-structures", 450, 447,
        {
            ("mission-locale", "id"): 2, ("required", "nom_region"): 1, ("required", "code_region"): 1,
            ("required", "nom_departement"): 1, ("required", "code_departement"): 1,
        },
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize("expected", WHOLE, ids=lambda one: one.contract_id)
def test_a_file_of_the_field(shared: Path, expected: Expected) -> None:
    """Each real file is read in its own dialect; rows read, accepted, rejected by rule and repaired are as measured."""
    got = Outcome(expected.contract_id, shared / "data" / expected.name)
    assert (got.dialect, got.read, got.accepted.num_rows) == (expected.dialect, expected.read, expected.accepted)
    assert (got.rules, got.repairs, got.repeated) == (expected.rules, expected.repairs, 0)


def test_what_is_left_empty_stays_empty(shared: Path) -> None:
    """Categories that Dares leaves out, values below 20 and the trimmed levels come out as measured, never as zero."""
    dares = Outcome("labour_market_information", shared / "data" / "dares_tensions_fap_2019.csv")
    assert dares.accepted["categorie_tension"].null_count == 13_891
    assert dares.trims == {"trim:niveau_geo": 1_309}
    assert dares.accepted["region"].null_count + 4_471 == 31_034
    jobseekers = Outcome("jobseekers_by_occupation", shared / "data" / "dares_demandeurs_emploi_fap.csv")
    assert jobseekers.accepted["effectif_milliers"].null_count == 48
    centres = Outcome("apprentice_outcomes", shared / "data" / "inserjeunes_cfa.csv")
    assert centres.accepted["taux_emploi_6_mois"].null_count == 3_481
    tensions = Outcome("territorial_diagnoses", shared / "data" / "tensions_bassin_rome_2021.csv")
    assert min(tensions.accepted["offres"].to_pylist()) >= 10
    offers = Outcome("public_offers_list", shared / "data" / "csp_offres_2026_extrait.json")
    assert offers.accepted["date_limite"].null_count == 8
