"""Write docs/clauses.md from docs/clauses.csv: each clause of the five texts, and what carries it.

    python -m tests.convention.clauses

test_clauses.py refuses a page that is not current, and a test or a function that does not exist.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "clauses.csv"
PAGE = ROOT / "docs" / "clauses.md"

_HEAD = """\
# Clauses

Each clause of the five texts that software could enforce, schedule, measure or evidence: where the convention file reads it, and
the test (or the code) that carries it; or why none does. {carried} of {all} are carried.

Generated from `docs/clauses.csv` by `python -m tests.convention.clauses`; the words are ours, the texts decide.
"""
_TABLE_HEAD = """\
| # | Article | Who | What | In the file | Carried by |
| --- | --- | --- | --- | --- | --- |"""


class Clause(NamedTuple):
    """One clause; ``file`` are ids or blocks of the convention's file, ``carried_by`` tests and functions."""

    number: int
    convention: str
    article: str
    who: str
    what: str
    file: tuple[str, ...]
    carried_by: tuple[str, ...]
    reason: str


def clauses(path: Path = TABLE) -> list[Clause]:
    """The clauses in the order of the table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            Clause(
                int(row["number"]),
                row["convention"],
                row["article"],
                row["who"],
                row["what"],
                tuple(row["file"].split()),
                tuple(row["carried_by"].split()),
                row["reason"],
            )
            for row in csv.DictReader(lines, delimiter=";")
        ]


def place(reference: str) -> tuple[Path, str]:
    """The file, relative to the checkout, and the name of the test or the function that a reference means."""
    if "::" in reference:
        path, _, name = reference.partition("::")
        return Path(path), name
    module, _, name = reference.partition(":")
    return Path(*module.split(".")).with_suffix(".py"), name


def page(found: list[Clause]) -> str:
    """The page, one table for each convention."""
    parts = [_HEAD.format(carried=sum(bool(one.carried_by) for one in found), all=len(found))]
    for convention in dict.fromkeys(one.convention for one in found):
        rows = [_row(one) for one in found if one.convention == convention]
        parts.append("\n".join([f"## {convention}", "", _TABLE_HEAD, *rows, ""]))
    return "\n".join(parts)


def _row(one: Clause) -> str:
    named = ", ".join(f"`{name}`" for name in one.file) or "–"
    links = [f"[{name}](../{path.as_posix()})" for path, name in map(place, one.carried_by)]
    cells = (str(one.number), one.article, one.who, one.what, named, ", ".join(links) or one.reason)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(clauses()), "utf-8")
