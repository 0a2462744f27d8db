"""The export in the Open Data Contract Standard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.odcs import odcs
from contracts.registry import contract, contracts
from passerelle.convention import Convention, load


@pytest.fixture(scope="module")
def texts(root: Path) -> list[Convention]:
    return [load(path) for path in sorted((root / "conventions").glob("*.yaml"))]


def test_exports_fit_the_standard(shared: Path, texts: list[Convention]) -> None:
    """Every version of every contract, with its exchanges, fits the standard's own JSON Schema."""
    [path] = (shared / "vectors" / "odcs").glob("*.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    for one in contracts():
        document = json.loads(json.dumps(odcs(one, texts)))
        assert [error.json_path for error in validator.iter_errors(document)] == []
        assert [found["name"] for found in document["schema"][0]["properties"]] == [
            column.name for column in one.columns
        ]


def _property(document: dict[str, Any], name: str) -> Any:
    return {one["property"]: one["value"] for one in document["customProperties"]}[name]


def test_an_export_says_what_the_standard_has_no_word_for(texts: list[Convention]) -> None:
    """Person class, identifier and code list of columns; article, legal basis and retention of exchanges."""
    document = odcs(contract("candidate_pool"), texts)
    columns = {
        one["name"]: {p["property"]: p["value"] for p in one["customProperties"]}
        for one in document["schema"][0]["properties"]
    }
    assert columns["jobseeker_id"] == {"personClass": "direct", "identifier": "france-travail"}
    assert columns["birth_date"]["identityPart"] == "birth_date"
    assert _property(document, "personClass") == "direct"
    [use] = _property(document, "exchanges")
    assert (use["convention"], use["exchange"], use["legalBasis"]) == ("csp-ft-2024", "candidate-pools", "not_stated")
    assert use["retention"] == {
        "destroy": ["data", "copies"], "asSoonAs": "no_longer_necessary", "latest": {"months": 2}, "basis": "stated",
    }  # fmt: skip


def test_an_older_version_is_deprecated(texts: list[Convention]) -> None:
    """The version before the latest is exported as deprecated and without the exchanges that take the latest."""
    old, new = odcs(contract("job_offers@1.0.0"), texts), odcs(contract("job_offers"), texts)
    assert (old["status"], new["status"]) == ("deprecated", "active")
    assert _property(old, "exchanges") == []
    assert _property(new, "exchanges") != []
