"""The acceptance cases of the field, asked of the command as people and programs ask it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.cli import run

QUESTIONS = frozenset(
    {
        "add_months", "alerts", "can_run", "destruction_deadline", "dpo_contact", "due", "in_force", "internal_purge_target",
        "last_day_in_force", "not_before", "optout_deadline", "optout_timely", "optout_window", "parse_date", "purge_allowed",
        "purge_plan", "purge_state",
        "retrospective_exposure", "termination_effect",
    }
)  # fmt: skip

Case = dict[str, str]


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[Case]:
    """The rows of cases.csv whose question the command answers."""
    with (shared / "domain" / "cases.csv").open(encoding="utf-8", newline="") as stream:
        found = [case for case in csv.DictReader(stream) if case["question"] in QUESTIONS]
    assert {case["question"] for case in found} == QUESTIONS
    assert {"any", "synthetic"} <= {case["convention"] for case in found}
    return found


def _arguments(case: Case, events: str) -> list[str]:
    given = ["convention", "ask", case["convention"], case["question"], "--events", events, "--args", case["args"]]
    return [*given, *(["--as-of", case["as_of"]] if case["as_of"] else []), "--json"]


def test_the_command_answers_every_case_in_its_exact_form(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each case, with its events in a file and without a workspace, gets its expected JSON value and nothing else."""
    monkeypatch.chdir(tmp_path)
    events = tmp_path / "events.json"
    wrong = {}
    for case in cases:
        events.write_text(case["events"], "utf-8")
        status = run(_arguments(case, str(events)))
        out, err = capsys.readouterr()
        if (status, err) != (0, "") or json.loads(out) != json.loads(case["expected"]):
            wrong[case["case_id"]] = (status, out, err, case["expected"])
    assert wrong == {}
    assert list(tmp_path.iterdir()) == [events]


def test_the_events_of_a_case_may_come_through_a_pipe(cases: list[Case], tmp_path: Path) -> None:
    """One case of each question gets its answer in a process of its own, its events on standard input."""
    chosen = {case["question"]: case for case in cases if case["convention"] != "any"}
    for case in list(chosen.values())[::4]:
        command = [sys.executable, "-m", "portal.cli", *_arguments(case, "/dev/stdin")]
        done = subprocess.run(
            command, input=case["events"].encode(), cwd=tmp_path, env={**os.environ, "PASSERELLE_LANG": "fr"},
            capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout) == json.loads(case["expected"])
