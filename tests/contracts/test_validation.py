"""The question "is this valid?", as the shared cases ask it and at its edges."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from contracts.validation import MAX_ROWS, validate
from passerelle.convention import Convention, Event, load
from passerelle.errors import UsageError
from tests.contracts.making import DAY

OFFER = {
    "libelle_metier": "Infirmier", "description_offre": "…", "duree_minimale_experience": "0", "type_contrat": "CDI",
    "lieu_travail": "Nice", "siret": "13000548100010",
}  # fmt: skip


@pytest.fixture(scope="module")
def texts(root: Path) -> dict[str, Convention]:
    return {path.stem: load(path) for path in (root / "conventions").glob("*.yaml")}


def test_the_shared_cases(shared: Path, texts: dict[str, Convention]) -> None:
    """Every shared case of this question is answered exactly as expected."""
    with (shared / "domain" / "cases.csv").open(encoding="utf-8", newline="") as stream:
        cases = [case for case in csv.DictReader(stream) if case["question"] == "validate"]
    assert len(cases) == 8
    for case in cases:
        events = [Event.from_json(row) for row in json.loads(case["events"])]
        answer = validate(texts[case["convention"]], json.loads(case["args"]), DAY, events)
        assert answer == json.loads(case["expected"]), case["case_id"]


@pytest.mark.parametrize("missing", ["libelle_metier", "description_offre", "duree_minimale_experience", "type_contrat", "lieu_travail", "siret"])  # fmt: skip
def test_each_minimum_field_of_an_offer(texts: dict[str, Convention], missing: str) -> None:
    """Without any one of the fields that article 17 asks for, an offer is not valid."""
    row = {name: value for name, value in OFFER.items() if name != missing}
    answer = validate(texts["paca-pe-2016"], {"exchange": "brea-offers", "row": row}, DAY)
    assert answer == {"valid": False, "errors": [f"{missing}:missing"]}


@pytest.mark.parametrize(("days", "note"), [(1, True), (14, True), (15, False), (None, False)])
def test_a_vacancy_is_owed_over_fourteen_days(texts: dict[str, Convention], days: int | None, note: bool) -> None:
    """A post of fourteen days or fewer is noted as not owed; a longer or open-ended one is not."""
    row = {
        "annonce_piece_jointe": "a.pdf",
        "responsable_nom": "N",
        "responsable_email": "n@example.org",
        "duration_days": days,
    }
    answer = validate(texts["oce-ge-charter"], {"exchange": "vacancies", "row": row}, DAY)
    assert answer == ({"valid": True, "notes": [f"not_owed:duration_{days}_days"]} if note else {"valid": True})


@pytest.mark.parametrize(
    ("request_", "valid"),
    [
        ({"vacancy": "v1", "max_profiles": 8}, True),
        ({"vacancy": "v1"}, True),
        ({"vacancy": "v2", "max_profiles": 8}, False),
        ({"vacancy": "v1", "max_profiles": 5}, False),
    ],
)
def test_an_express_request_is_for_its_vacancy(
    texts: dict[str, Convention], request_: dict[str, Any], valid: bool
) -> None:
    """Six profiles go when the employer asked for more, for that vacancy, and for that many."""
    events = [Event("express_request", request_)]
    args = {"exchange": "candidate-profiles", "vacancy": "v1", "profiles": 6}
    assert validate(texts["oce-ge-charter"], args, DAY, events)["valid"] is valid


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"exchange": "nothing"},
        {"exchange": ["vacancies"]},
        {"exchange": "vacancies"},
        {"exchange": "vacancies", "row": ["CANARY"]},
        {"exchange": "vacancies", "row": {"CANARY": 1}},
        {"exchange": "vacancies", "row": {"responsable_nom": {"CANARY": 1}}},
        {"exchange": "vacancies", "rows": []},
        {"exchange": "vacancies", "rows": "CANARY"},
        {"exchange": "vacancies", "rows": [{}] * (MAX_ROWS + 1)},
        {"exchange": "candidate-profiles", "profiles": "CANARY"},
        {"exchange": "candidate-profiles", "profiles": True},
    ],
)
def test_what_cannot_be_judged_is_refused(texts: dict[str, Convention], args: dict[str, Any]) -> None:
    """An unknown exchange, no row, or rows that are none raise a usage error that tells no value."""
    with pytest.raises(UsageError) as caught:
        validate(texts["oce-ge-charter"], args, DAY)
    assert "CANARY" not in f"{caught.value!r} {caught.value.hint}"


def test_an_exchange_without_rows_has_nothing_to_judge(texts: dict[str, Convention]) -> None:
    """An exchange that carries no rows is refused, and so is a question without a convention."""
    with pytest.raises(UsageError, match="no data contract"):
        validate(texts["paca-pe-2016"], {"exchange": "regional-news", "row": {}}, DAY)
    with pytest.raises(UsageError, match="expected a convention"):
        validate(None, {"exchange": "vacancies", "row": {}}, DAY)
