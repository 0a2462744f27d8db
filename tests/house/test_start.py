"""The command line answers at once: heavy libraries are imported where they are used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer

from portal.cli import app, run

HEAVY = {
    "alembic", "altair", "fastapi", "great_expectations", "holidays", "jinja2", "numpy", "pandas", "pandera", "polars",
    "prefect", "psycopg", "pyarrow", "pydantic", "scipy", "sqlalchemy",
}  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    """`passerelle --help` imports no frame, database, orchestration or checking library."""
    command = [sys.executable, "-X", "importtime", "-m", "portal.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert {"portal", "typer"} <= imported
    assert imported & HEAVY == set()


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`passerelle --version` answers in one line, in any folder."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"passerelle {metadata.version('passerelle')}\n"


def test_no_line_of_help_stops_at_an_abbreviation() -> None:
    """The one line that a list of commands has of each is not cut at a point that ends no sentence."""

    def lines(group: Any) -> Iterator[str]:
        for command in getattr(group, "commands", {}).values():
            yield command.get_short_help_str(200)
            yield from lines(command)

    told = list(lines(typer.main.get_command(app)))
    assert len(told) > 100
    assert [line for line in told if not line or line.rpartition(" ")[2] == "art."] == []


def test_checking_a_file_loads_no_library_that_it_does_not_use(tmp_path: Path) -> None:
    """`passerelle contract check` judges with pandera and polars, and imports neither pandas nor hypothesis beside them."""
    source = tmp_path / "rows.csv"
    passerelle = [sys.executable, "-m", "portal.cli", "contract"]
    subprocess.run([*passerelle, "sample", "training_entries", "--rows", "20", "--out", str(source)], check=True)
    program = (
        "import atexit, sys; from portal.cli import main;"
        "atexit.register(lambda: print(sorted({'pandas', 'hypothesis', 'pandera', 'polars'} & set(sys.modules)), file=sys.stderr));"
        "main()"
    )
    command = [sys.executable, "-c", program, "contract", "check", "training_entries", str(source), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "['pandera', 'polars']\n"


def test_a_process_that_stays_looks_for_garbage() -> None:
    """Only a process that runs one command and ends leaves most of the looking for garbage."""
    program = "import gc, sys; from portal.starting import start; start(sys.argv[1:]); print(gc.get_threshold()[0])"
    asked = {
        command: int(subprocess.run([sys.executable, "-c", program, command], capture_output=True, check=True).stdout)
        for command in ("contract", "purge", "serve")
    }
    assert asked["serve"] < 10_000 < asked["purge"] == asked["contract"]
