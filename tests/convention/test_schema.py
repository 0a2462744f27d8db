"""The committed JSON Schema is the model's."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from passerelle.convention.schema import schema


@pytest.fixture(scope="session")
def committed(root: Path) -> str:
    return (root / "docs" / "spec" / "convention.schema.json").read_text("utf-8")


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_json(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def test_the_committed_schema_is_current(committed: str) -> None:
    """Regenerating the schema changes nothing."""
    assert committed == schema(), "run: python -m passerelle.convention.schema > docs/spec/convention.schema.json"


def test_the_conventions_obey_the_schema(root: Path, committed: str) -> None:
    """Another reader that only has the schema accepts the five conventions, and refuses an unknown key."""
    judge = jsonschema.Draft202012Validator(json.loads(committed))
    files = sorted((root / "conventions").glob("*.yaml"))
    assert len(files) == 5
    for file in files:
        data = _json(yaml.safe_load(file.read_text("utf-8")))
        judge.validate(data)
        assert not judge.is_valid({**data, "colour": "blue"})
