"""The commands on contracts: diff, export, show, and the question of the conventions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


def _passerelle(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PASSERELLE_HOME": str(folder / "home"), "LC_ALL": "C.UTF-8"}
    environment.pop("PASSERELLE_NOW", None)
    program = "import sys; from portal.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [("pep-2021-03-03", "pep-2021-03-05", "breaking"), ("job_offers@1.0.0", "job_offers", "minor")],
)
def test_diff_gives_a_verdict(tmp_path: Path, old: str, new: str, verdict: str) -> None:
    """``contract diff`` tells the verdict and its reasons as one JSON value."""
    done = _passerelle(tmp_path, "contract", "diff", old, new, "--json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, verdict)


def test_diff_of_two_datasets_is_refused(tmp_path: Path) -> None:
    """Two datasets are not two versions: a usage error with a message."""
    done = _passerelle(tmp_path, "contract", "diff", "vacancies", "job_offers")
    assert (done.returncode, done.stdout) == (2, "")
    assert "one dataset" in done.stderr or "même jeu de données" in done.stderr


def test_export_writes_yaml_and_json(tmp_path: Path) -> None:
    """``contract export`` writes the same document as YAML and, with ``--json``, as JSON; no workspace is needed."""
    written = _passerelle(tmp_path, "contract", "export", "brea_offers")
    as_json = _passerelle(tmp_path, "contract", "export", "brea_offers", "--json")
    assert (written.returncode, as_json.returncode) == (0, 0)
    assert yaml.safe_load(written.stdout) == json.loads(as_json.stdout)
    assert json.loads(as_json.stdout)["apiVersion"] == "v3.1.0"


def test_show_says_versions_and_editions(tmp_path: Path) -> None:
    """``contract show`` tells the versions served and the edition of each code list."""
    shown = json.loads(_passerelle(tmp_path, "contract", "show", "job_offers@1.0.0", "--json").stdout)
    assert (shown["version"], shown["versions"]) == ("1.0.0", ["1.1.0", "1.0.0"])
    survey = json.loads(_passerelle(tmp_path, "contract", "show", "studies_bmo", "--json").stdout)
    editions = {column["name"]: column["codes"] for column in survey["columns"]}
    assert editions["occupation"]["version"] == "2009"


def test_a_convention_is_asked_whether_rows_are_valid(tmp_path: Path) -> None:
    """``convention ask ID validate`` answers by the contract of the exchange: a row without consent is rejected."""
    events = tmp_path / "events.json"
    events.write_text("[]", encoding="utf-8")
    args = json.dumps({"exchange": "spro-call-notice", "rows": [{"consent": True}, {"consent": False}]})
    done = _passerelle(
        tmp_path, "convention", "ask", "paca-pe-2016", "validate", "--events", str(events), "--args", args, "--json"
    )
    assert json.loads(done.stdout) == {"valid": False, "rejected_rows": [1]}
