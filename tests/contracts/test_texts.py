"""The rules that the texts state, each shown on a row that keeps it and on one that breaks it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.registry import contract, contracts
from contracts.rules import Happened
from passerelle.contract import Batch, Kind
from passerelle.convention import load
from tests.contracts.making import DAY, sampled


def broken(dataset: str, **written: str | None) -> set[tuple[str, str]]:
    """Rule and column of what one good row breaks once ``written`` stands over it."""
    judging = contract(dataset)
    rows = sampled(dataset, 1, 0.0).rows
    for name, value in written.items():
        rows = rows.set_column(rows.column_names.index(name), name, pa.array([value], pa.string()))
    return {(one.rule, one.column) for one in judging.judge(Batch(rows, 1), judging.dialect("hub"), DAY).failures}


HAPPENED = [(one.reference, rule.column) for one in contracts() for rule in one.rules if isinstance(rule, Happened)]


@pytest.mark.parametrize(("dataset", "column"), HAPPENED)
def test_what_has_happened_is_not_dated_after_the_day_of_the_run(dataset: str, column: str) -> None:
    """An agreement, a referral or a decision dated on the day of the run is taken, one dated on the day after is rejected."""
    days = {DAY: False, DAY + timedelta(1): True}
    assert {day: ("happened", column) in broken(dataset, **{column: f"{day:%d/%m/%Y}"}) for day in days} == days


def test_agreements_are_among_what_has_happened() -> None:
    """Each contract whose rows need a person's dated agreement judges that date."""
    assert {("candidate_pool@1.0.0", "consented_on"), ("spro_call_notice@1.0.0", "consent_le")} <= set(HAPPENED)


@pytest.mark.parametrize("field", ["libelle_metier", "description_offre", "duree_minimale_experience", "type_contrat", "lieu_travail", "siret"])  # fmt: skip
def test_article_17_asks_for_seven_fields(field: str) -> None:
    """PACA art. 17: six of the seven minimum fields are required of every offer; the seventh is the length of a fixed term."""
    assert broken("brea_offers") == set()
    assert ("required", field) in broken("brea_offers", **{field: None})


@pytest.mark.parametrize("kind", ["CDD", "CDI"])
def test_the_length_of_a_fixed_term(kind: str) -> None:
    """PACA art. 17: the seventh field, the contract's length, is required of a fixed-term contract and of no other."""
    found = broken("brea_offers", type_contrat=kind, duree_contrat=None)
    assert found == ({("required_when_CDD", "duree_contrat")} if kind == "CDD" else set())


@pytest.mark.parametrize(("rank", "asked", "kept"), [("5", "non", True), ("6", "non", False), ("6", None, False), ("6", "oui", True)])  # fmt: skip
def test_five_profiles_for_a_vacancy(rank: str, asked: str | None, *, kept: bool) -> None:
    """OCE charter: at most five profiles for a vacancy, more only where the employer expressly asked."""
    found = broken("candidate_profiles", rang=rank, demande_expresse=asked)
    assert found == (set() if kept else {("at_most_5_profiles", "rang")})


@pytest.mark.parametrize(("decision", "reason", "kept"), [("refuse", None, False), ("refuse", "prerequis_non_atteints", True), ("admis", None, True), ("refuse", "autre chose", False)])  # fmt: skip
def test_a_refusal_has_its_reason(decision: str, reason: str | None, *, kept: bool) -> None:
    """PACA art. 6: a refused person is told why, by a reason of the list; an admitted one needs none."""
    found = {rule for rule, _ in broken("training_selection_decisions", decision=decision, motif_refus=reason)}
    assert found == (set() if kept else {"required_when_refused" if reason is None else "code_list"})


@pytest.mark.parametrize(("dataset", "column"), [("candidate_pool", "consent"), ("placements", "accord"), ("spro_call_notice", "consent")])  # fmt: skip
@pytest.mark.parametrize(("answer", "rule"), [("oui", None), ("non", "consent"), (None, "required"), ("?", "boolean")])
def test_consent_is_given_row_by_row(dataset: str, column: str, answer: str | None, rule: str | None) -> None:
    """Only a yes on the person's own row lets it pass: no, nothing and anything else are refused."""
    assert broken(dataset, **{column: answer}) == (set() if rule is None else {(rule, column)})


@pytest.mark.parametrize(
    ("born", "kept"),
    [("02/06/2007", True), ("03/06/2007", False), ("03/06/1999", True), ("02/06/1999", False)],
)  # fmt: skip
def test_young_people_are_18_to_25(born: str, *, kept: bool) -> None:
    """GEIQ charter: 18 on the day of the referral at the earliest, not yet 26 on it."""
    found = broken("placements", date_naissance=born, prescrit_le="02/06/2025")
    assert found == (set() if kept else {("age_18_25", "date_naissance")})


def test_the_annual_review_has_four_indicators() -> None:
    """GEIQ charter: the yearly review carries its four indicators, each required, each a number."""
    four = [
        "inventaire_collectives_metiers_conseillers", "inventaire_collectives_metiers_jeunes",
        "nb_jeunes_positionnes_par_ml", "nb_jeunes_recrutes_par_type_contrat",
    ]  # fmt: skip
    judging = contract("annual_review")
    assert [
        one.name for one in judging.columns if one.kind in {Kind.INTEGER, Kind.COUNT} and one.name != "annee"
    ] == four
    for name in four:
        assert ("required", name) in broken("annual_review", **{name: None})
        assert {column for _, column in broken("annual_review", **{name: "beaucoup"})} >= {name}


CARRY_NO_ROWS = {
    "csp-ft-2024": {"communication-material", "attractiveness-initiatives", "employment-events", "security-policies", "incident-notice"},
    "face-pe-2014": {"video-cv"},
    "paca-pe-2016": {"regional-news", "governance-information"},
}  # fmt: skip
"""Documents, messages and videos: they are no tables."""


def test_every_exchange_of_rows_has_a_contract(root: Path) -> None:
    """Of the five conventions, every exchange is bound to a contract but those that carry documents; every contract is known."""
    paths = sorted((root / "conventions").glob("*.yaml"))
    assert len(paths) == 5
    bound: set[str] = set()
    for text in map(load, paths):
        unbound = {one.id for one in text.exchanges if one.handling is None}
        assert unbound == CARRY_NO_ROWS.get(text.id, set()), text.id
        bound |= {contract(one.handling.contract).id for one in text.exchanges if one.handling is not None}
    references = {one.id for one in contracts()} - bound
    assert len(bound) >= 25
    assert references == {"apprentice_outcomes", "jobseekers_by_occupation", "public_offers_list", "public_offers_source", "unemployment_rates"}  # fmt: skip
