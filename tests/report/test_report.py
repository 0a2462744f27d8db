"""The report's form: its schema is committed, its page loads nothing, and each rule of each contract has its words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from contracts.base import DataContract
from contracts.registry import contracts
from contracts.wording import expected
from passerelle.report import FORMAT, Report, as_bytes, page
from passerelle.report.schema import schema

HOSTILE = "<script>alert(1)</script>"


def report(text: str = "texte") -> Report:
    """A report with one of everything, ``text`` among its words."""
    said = {"fr": text, "en": text}
    value = {
        "format": FORMAT, "run": "r-1", "written_at": "2026-03-01T09:30:00Z", "convention": "face-pe-2014",
        "exchange": "shared-studies", "title": said, "article": None, "period": "2026", "sender": "pole-emploi",
        "contract": {"id": "studies_bmo", "version": "1.0.0", "title": said},
        "dialect": {"id": "hub", "format": "csv", "encoding": "cp1252", "separator": ";", "decimal": ",", "date_formats": ["%d/%m/%Y"]},
        "outcome": {"state": "refused", "error": "ContractError", "message": said, "hint": said, "where": "line 3"},
        "tolerated_share": 0.025, "counts": {"read": 50437, "accepted": 50400, "rejected": 37},
        "rules": [{"rule": "required", "column": "basin", "label": said, "count": 37, "first_rows": [1, 2], "expected": said}],
        "repairs": [{"repair": "trim", "column": "basin", "count": 1, "says": said}],
        "code_lists": [{"name": "FAP", "version": "2021", "valid_from": "2021-01-01", "valid_to": None, "columns": ["occupation"]}],
        "checks": [{"id": "volume", "level": "error", **said}],
        "verdicts": {"state": "none", "parcel": None, "reason": "no_approved_key", "hint": said},
    }  # fmt: skip
    return Report.model_validate_json(json.dumps(value))


def test_the_schema_is_committed(root: Path) -> None:
    """docs/spec/report.schema.json is what the model gives, and a report validates against it."""
    committed = (root / "docs" / "spec" / "report.schema.json").read_text("utf-8")
    assert committed == schema(), "run: python -m passerelle.report.schema > docs/spec/report.schema.json"
    validator = jsonschema.Draft202012Validator(json.loads(committed))
    written = json.loads(as_bytes(report()))
    validator.validate(written)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**written, "value": "x"})


def test_every_field_is_on_the_page_of_the_format(root: Path) -> None:
    """docs/spec/report.md names every member of a report and its parts, and its format id."""
    text = (root / "docs" / "spec" / "report.md").read_text("utf-8")
    document = json.loads(schema())
    named = {name for part in [document, *document["$defs"].values()] for name in part["properties"]}
    assert named - set(re.findall(r"`([a-z_]+)`", text)) == set()
    assert FORMAT in text


def test_a_report_reads_back() -> None:
    """A report written as JSON reads back as the same report."""
    assert Report.model_validate_json(as_bytes(report())) == report()


def test_the_page_loads_and_runs_nothing() -> None:
    """The page has no script, link or address, escapes hostile words, and writes figures as people do, in both languages."""
    html = page(report(HOSTILE)).decode()
    assert "<script" not in html
    assert not re.search(r"(?:src=|href=|url\(|@import|https?:)", html)
    assert "50\u202f437" in html
    assert "50,437" in html
    assert "2,5\u202f%" in html
    assert "JJ/MM/AAAA" in html
    assert html.index('<main lang="fr"') < html.index('<main lang="en"')


@pytest.mark.parametrize("contract", contracts(), ids=lambda one: one.reference)
def test_each_rule_is_said(contract: DataContract) -> None:
    """What a rule demands is said in French and English, and names of columns and rules part at spaces and colons."""
    words = expected(contract)
    assert all(fr and en and len(fr) <= 4000 for fr, en in words.values())
    assert {(rule.id, rule.column) for rule in contract.rules} <= words.keys()
    assert not [name for key in words for name in key if " " in name or ":" in name]
    assert not {"row", "rules"} & {column.name for column in contract.columns}
