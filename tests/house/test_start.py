"""The command line answers at once: heavy libraries are imported where they are used."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

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


def test_help_answers_in_less_than_400_milliseconds() -> None:
    """`passerelle --help` costs less than 0.4 s of processor time, compiled."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "portal.cli", "--help"]
    costs = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.4
