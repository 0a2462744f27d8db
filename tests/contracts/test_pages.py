"""The generated pages and schemas say what the contracts say."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from contracts.pages import files, json_schema, main
from contracts.registry import contract, contracts
from tests.contracts.making import sampled

IDS = [one.reference for one in contracts()]


def test_nothing_has_drifted(root: Path) -> None:
    """docs/contracts holds the generated files, no more and no less: `python -m contracts.pages docs/contracts`."""
    folder = root / "docs" / "contracts"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert written == files()
    assert len(written) == 2 * len(IDS)


def test_writing_makes_the_same_files(tmp_path: Path) -> None:
    """The command writes exactly the generated files."""
    main(tmp_path / "pages")
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "pages").iterdir()} == files()


@pytest.mark.parametrize("contract_id", IDS)
def test_accepted_rows_fit_the_schema(contract_id: str) -> None:
    """The JSON Schema is valid and every accepted row, dates in ISO form, fits it."""
    judging = contract(contract_id)
    schema = json_schema(judging)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    rows = judging.judge(sampled(contract_id, 200, 0.1), judging.dialect("hub")).accepted.to_pylist()
    assert len(rows) == 180
    for row in rows:
        plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        validator.validate(plain)


@pytest.mark.parametrize("contract_id", IDS)
def test_a_page_says_every_rule_in_both_languages(contract_id: str) -> None:
    """Each column and each rule is on the page, in French and in English."""
    judging = contract(contract_id)
    name = judging.id if judging is contract(judging.id) else contract_id
    page = files()[f"{name}.md"]
    french, english = page.split("\n## English\n")
    for column in contract(contract_id).columns:
        assert column.fr in french
        assert column.en in english
    for rule in contract(contract_id).rules:
        assert f"`{rule.id}` : {rule.fr}".replace("|", "\\|") in french
        assert f"`{rule.id}`: {rule.en}".replace("|", "\\|") in english
