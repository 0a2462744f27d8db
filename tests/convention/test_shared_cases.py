"""The acceptance cases of the field, answered on the project's own conventions."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import datetime
from pathlib import Path

from passerelle.convention import Convention, Event, answer
from passerelle.convention.questions import names


def test_every_case_whose_question_is_ours_has_its_expected_answer(
    shared: Path, conventions: dict[str, Convention]
) -> None:
    """All the shared cases about dates, the gate, purges and alerts are answered as the field expects."""
    with (shared / "domain" / "cases.csv").open(encoding="utf-8", newline="") as stream:
        cases = [case for case in csv.DictReader(stream) if case["question"] in names()]
    assert len(cases) > 90
    wrong = {}
    for case in cases:
        events = [Event.from_json(row) for row in json.loads(case["events"])]
        as_of = datetime.fromisoformat(case["as_of"]) if case["as_of"] else None
        convention = conventions.get(case["convention"])
        given = answer(convention, events, case["question"], as_of, json.loads(case["args"]))
        if given != json.loads(case["expected"]):
            wrong[case["case_id"]] = given
    assert wrong == {}


def test_the_sources_are_the_signed_texts(shared: Path, conventions: dict[str, Convention]) -> None:
    """Each convention names the file that it reads and that file's SHA-256."""
    for convention in conventions.values():
        content = (shared / "seeds" / convention.source.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == convention.source.sha256
