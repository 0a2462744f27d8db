"""The page on clauses is current, and what it names exists."""

from __future__ import annotations

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

from passerelle.convention import Convention
from tests.convention.clauses import PAGE, Clause, clauses, page, place

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WANTED = 120  # clauses that the gateway carries, of 145


@pytest.fixture(scope="module")
def found() -> list[Clause]:
    return clauses()


@cache
def _functions(path: Path) -> frozenset[str]:
    """The functions of a module, and of its classes."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def _names(convention: Convention) -> set[str]:
    """The ids and the blocks of a convention file."""
    parts = (
        convention.exchanges, convention.obligations, convention.instruments, convention.service_levels,
        convention.parties, convention.third_parties, convention.interpretations,
        () if isinstance(convention.security, str) else convention.security.preconditions,
    )  # fmt: skip
    return {one.id for part in parts for one in part} | set(type(convention).model_fields)


def test_the_page_is_current(found: list[Clause]) -> None:
    """Generating the page again changes nothing."""
    assert PAGE.read_text("utf-8") == page(found), "run: python -m tests.convention.clauses"


def test_every_clause_is_carried_or_says_why_not(found: list[Clause]) -> None:
    """The clauses are numbered without gap, each is carried or has its reason and never both, and most are carried."""
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert [one.number for one in found if bool(one.carried_by) == bool(one.reason)] == []
    assert sum(bool(one.carried_by) for one in found) >= WANTED


def test_what_carries_a_clause_exists(root: Path, found: list[Clause]) -> None:
    """Each test and each function that the page names is where it says; a test is a test."""
    references = {reference for one in found for reference in one.carried_by}
    assert len(references) > 50
    gone = [reference for reference in references if place(reference)[1] not in _functions(root / place(reference)[0])]
    assert gone == []
    assert all("::test_" in reference for reference in references if reference.startswith("tests/"))


def test_what_is_said_to_be_in_the_file_is_there(conventions: dict[str, Convention], found: list[Clause]) -> None:
    """Each id and each block that the page names is in the file of that convention."""
    known = {name: _names(convention) for name, convention in conventions.items()}
    assert {one.convention for one in found} == known.keys()
    assert [(one.number, name) for one in found for name in one.file if name not in known[one.convention]] == []


def test_everything_that_a_file_reads_is_on_the_page(conventions: dict[str, Convention], found: list[Clause]) -> None:
    """Each exchange, obligation, service level and stated instrument of the five files belongs to a clause of the page."""
    said = {(one.convention, name) for one in found for name in one.file}
    read = {
        (convention.id, one.id)
        for convention in conventions.values()
        for part in (convention.exchanges, convention.obligations, convention.service_levels, convention.instruments)
        for one in part
        if one.basis != "hub_policy"
    }
    assert read - said == set()


def test_the_clauses_are_those_of_the_field(shared: Path, found: list[Clause]) -> None:
    """The page has as many clauses of each text as the field's list, in its order, in words of its own."""
    with (shared / "domain" / "clauses.csv").open(encoding="utf-8", newline="") as lines:
        field = list(csv.DictReader(lines))
    texts = {"000": "oce-ge-charter", "001": "face-pe-2014", "002": "paca-pe-2016", "003": "geiq-amilaura-2024", "004": "csp-ft-2024"}  # fmt: skip
    assert [texts[row["seed"][:3]] for row in field] == [one.convention for one in found]
    assert [one.number for one, row in zip(found, field, strict=True) if one.what == row["clause"]] == []
