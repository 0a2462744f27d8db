"""The generated pages and schemas say what the contracts say."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from contracts.dialect_pages import ONLY, SETTINGS, Language, said
from contracts.pages import files, json_schema, main
from contracts.registry import contract, contracts
from passerelle.contract import Dialect
from tests.contracts.making import DAY, sampled

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
    rows = judging.judge(sampled(contract_id, 200, 0.1), judging.dialect("hub"), DAY).accepted.to_pylist()
    assert len(rows) == 180
    for row in rows:
        plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        validator.validate(plain)


def test_every_setting_of_a_dialect_has_words() -> None:
    """Each field of a dialect is told by the pages, apart from its name, sender and columns, which have tables."""
    assert {one.name for one in fields(Dialect)} - {"id", "sender", "columns"} == set(SETTINGS)
    assert frozenset().union(*ONLY.values()) <= set(SETTINGS)


@pytest.mark.parametrize("contract_id", IDS)
def test_a_page_tells_what_each_dialect_declares(contract_id: str) -> None:
    """Whatever a dialect declares that is not usual is on the page, with its value, in both languages."""
    usual = Dialect("", "", {})
    page = files()[f"{contract_id if f'{contract_id}.md' in files() else contract_id.partition('@')[0]}.md"]
    french, english = page.split("\n## English\n")
    for dialect in contract(contract_id).dialects:
        for name in SETTINGS:
            value = getattr(dialect, name)
            if value != getattr(usual, name):
                halves: tuple[tuple[str, Language], ...] = ((french, "fr"), (english, "en"))
                for half, language in halves:
                    told = half.split(f"`{dialect.id}`\n\n", 1)[1]
                    assert f"| `{name}` | {said(name, value, language)} |".replace("\\|", "|") in told.replace(
                        "\\|", "|"
                    )


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


def test_a_page_tells_free_text_and_parts_of_the_weak_key() -> None:
    """What may speak of persons, and what makes name and date of birth, is on the page and in the schema."""
    pool, offers = files()["candidate_pool.md"], files()["job_offers.md"]
    assert pool.count("partie de la clé nom et date de naissance") == 3
    assert "free text: persons may be spoken of in it" in offers
    columns = json_schema(contract("job_offers"))["properties"]
    marked = {name for name, one in columns.items() if one.get("x-free-text")}
    assert marked == {column.name for column in contract("job_offers").columns if column.free_text} != set()
    assert json_schema(contract("candidate_pool"))["properties"]["last_name"]["x-identity-part"] == "last_name"
