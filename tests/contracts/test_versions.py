"""What a change of version asks of others: compatible, minor, breaking."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.base import DataContract
from contracts.codes import FAP_2021
from contracts.dialect_pages import SETTINGS
from contracts.registry import contract, contracts
from contracts.rules import Between, Identifier, Length, OneOf
from contracts.versions import Difference, Form, Level, diff, form
from passerelle.contract import Column, Kind, PersonClass
from passerelle.errors import UsageError

Change = Callable[[DataContract], DataContract]


def _between(old: DataContract, new: DataContract) -> Difference:
    return diff(Form("old", old), Form("new", new))


def _column(name: str, **changes: object) -> Change:
    def change(one: DataContract) -> DataContract:
        columns = tuple(
            replace(column, **changes) if column.name == name else column  # type: ignore[arg-type]  # one field at a time
            for column in one.columns
        )
        return replace(one, columns=columns)

    return change


def _rule(rule_id: str, column: str, new: object) -> Change:
    def change(one: DataContract) -> DataContract:
        kept = tuple(rule for rule in one.rules if (rule.id, rule.column) != (rule_id, column))
        assert len(kept) < len(one.rules) or new is not None
        return replace(one, rules=kept if new is None else (*kept, new))  # type: ignore[arg-type]  # a rule

    return change


def _without(name: str) -> Change:
    def change(one: DataContract) -> DataContract:
        return replace(
            one,
            columns=tuple(column for column in one.columns if column.name != name),
            rules=tuple(rule for rule in one.rules if rule.column != name),
            dialects=tuple(
                replace(dialect, columns={h: n for h, n in dialect.columns.items() if n != name})
                for dialect in one.dialects
            ),
        )

    return change


def _adding(*, required: bool) -> Change:
    extra = Column("extra", "En plus", "Extra", required=required)
    return lambda one: replace(one, columns=(*one.columns, extra))


@pytest.mark.parametrize(
    ("change", "level", "kind"),
    [
        (_adding(required=False), Level.MINOR, "added"),
        (_adding(required=True), Level.BREAKING, "new_required"),
        (_without("licence"), Level.BREAKING, "removed"),
        (_column("mobility_km", kind=Kind.TEXT), Level.BREAKING, "type"),
        (_column("licence", required=True), Level.BREAKING, "required"),
        (_column("rome", required=False), Level.MINOR, "optional"),
        (_column("email", identifier=None), Level.BREAKING, "identifier"),
        (_column("rome", person=PersonClass.DIRECT), Level.BREAKING, "person"),
        (_column("rome", person=PersonClass.NONE), Level.MINOR, "person"),
        (_column("rome", codes=FAP_2021), Level.BREAKING, "codes"),
        (_column("licence", en="Driver's licence"), Level.COMPATIBLE, "wording"),
        (_column("email", en="The employer's address"), Level.BREAKING, "meaning"),
        (_column("rome", en="Occupation held before"), Level.BREAKING, "meaning"),
        (_rule("range", "mobility_km", Between("mobility_km", 0, 100)), Level.BREAKING, "narrowed"),
        (_rule("range", "mobility_km", Between("mobility_km", 0, 2000)), Level.MINOR, "widened"),
        (_rule("range", "available_on", Between("available_on", date(2020, 1, 1), date(2100, 1, 1))), Level.BREAKING, "narrowed"),
        (_rule("range", "mobility_km", None), Level.MINOR, "rule_removed"),
        (_rule("code_list", "licence", OneOf("licence", ("B",))), Level.BREAKING, "narrowed"),
        (_rule("length", "last_name", Length("last_name", 1, 200)), Level.MINOR, "widened"),
        (_rule("commune", "commune", Identifier("commune", "postcode")), Level.BREAKING, "rule_added"),
        (lambda one: replace(one, columns=one.columns[::-1]), Level.MINOR, "order"),
        (lambda one: replace(one, unique=()), Level.BREAKING, "key"),
        (lambda one: replace(one, version="1.0.1"), Level.COMPATIBLE, None),
    ],
)  # fmt: skip
def test_one_change(change: Change, level: Level, kind: str | None) -> None:
    """Each kind of change, alone, gives its verdict and its reason."""
    old = contract("candidate_pool")
    found = _between(old, change(old))
    assert found.level is level
    assert kind in {one.kind for one in found.changes} or kind is None
    assert all(one.fr and one.en for one in found.changes)


@pytest.mark.parametrize("one", contracts(), ids=lambda one: one.reference)
def test_nothing_changes_from_a_version_to_itself(one: DataContract) -> None:
    """A version compared with itself has no change."""
    assert _between(one, one).changes == ()


@pytest.mark.parametrize(
    ("old", "new", "verdict", "reasons"),
    [
        ("pep-2021-03-03", "pep-2021-03-05", "breaking", {("removed", "occupation_label")}),
        ("pep-2021-03-03", "pep-2021-04-16", "breaking", {("meaning", "reference"), ("renamed", "occupation_ogr")}),
        ("pep-2021-03-03", "pep-2021-07-06", "breaking", {("meaning", "reference"), ("renamed", "occupation_ogr")}),
        ("pep-2021-03-05", "pep-2021-04-16", "breaking", {("meaning", "reference"), ("renamed", "occupation_ogr")}),
        ("pep-2021-03-05", "pep-2021-07-06", "breaking", {("meaning", "reference"), ("renamed", "occupation_ogr")}),
        ("pep-2021-04-16", "pep-2021-07-06", "minor", set()),
        ("pep-2021-04-16", "pep-2021-03-05", "breaking", {
            ("meaning", "reference"), ("renamed", "occupation_ogr"), ("removed", "occupation_label"),
            ("removed", "department"), ("removed", "department_label"),
        }),
    ],
)  # fmt: skip
def test_the_generations_of_the_public_offers(old: str, new: str, verdict: str, reasons: set[tuple[str, str]]) -> None:
    """The four generations of the feed: a column lost, an identifier that names another thing, a column added."""
    found = diff(form(old), form(new))
    assert found.level.word == verdict
    assert {(one.kind, one.column) for one in found.changes if one.level is Level.BREAKING} == reasons


def test_every_setting_of_a_dialect_is_compared() -> None:
    """A change of any one setting of a dialect is told: breaking where the sender must write otherwise, minor where not."""
    one = form("pep-2021-04-16")
    assert one.dialect is not None
    for name in SETTINGS:
        changed: dict[str, Any] = {name: "changed"}
        other = replace(one, dialect=replace(one.dialect, **changed))
        [change] = diff(one, other).changes
        assert (change.kind, change.level is Level.MINOR) == (name, name in {
            "line_end", "packings", "beside", "optional", "blank_lines", "short_rows", "nbsp", "trim", "zero_fill",
        })  # fmt: skip


def test_two_versions_are_served_side_by_side() -> None:
    """The version before stays in the registry, and an exchange may name it; the change between the two is minor."""
    old, new = form("job_offers@1.0.0"), form("job_offers")
    assert (old.name, new.name) == ("job_offers@1.0.0", "job_offers@1.1.0")
    assert diff(old, new).as_json()["verdict"] == "minor"
    assert diff(new, old).level is Level.BREAKING


def test_answers_do_not_depend_on_the_process() -> None:
    """The changes come in the same order whatever the hash seed."""
    program = "from contracts.versions import *; print(diff(form('pep-2021-03-05'), form('pep-2021-04-16')).as_json())"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("job_offers", "vacancies"), ("job_offers", "pep-2021-03-03"), ("nothing", "vacancies"), ("hub", "hub"), ("vacancies@9.9.9", "vacancies")],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(old: str, new: str) -> None:
    """Two datasets, a version with a dialect, a name of nothing or of several things: a usage error."""
    with pytest.raises(UsageError):
        diff(form(old), form(new))
