"""What was published before counts as known: differencing across releases and recipients."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from passerelle.disclosure import SECRET, Dimension, OutcomeTable, Release, Thresholds, Units, protect
from passerelle.errors import RefusedError
from tests.disclosure.attacker import Attacker
from tests.disclosure.making import ROLES, Counts, drawn, outcome_table

MARCH = (np.array([[50, 70], [80, 90]]), np.array([[25, 30], [40, 45]]))


def _plus(cell: tuple[int, int], leavers: int, employed: int) -> tuple[Counts, Counts]:
    after = MARCH[0].copy(), MARCH[1].copy()
    after[0][cell] += leavers
    after[1][cell] += employed
    return after


def _cell(table: pa.Table, course: str, territory: str) -> dict[str, str]:
    return next(row for row in table.to_pylist() if (row["course"], row["territory"]) == (course, territory))


@pytest.mark.parametrize("units", [Units.GROWING, Units.OVERLAPPING])
def test_one_leaver_more_without_totals(units: Units) -> None:
    """Two releases a month apart that differ by one leaver: the second withholds that cell and nothing else."""
    march = protect(outcome_table(*MARCH, totals=False), ROLES, Thresholds()).table
    april = outcome_table(*_plus((0, 1), 1, 1), totals=False)
    table = protect(april, ROLES, Thresholds(), [Release(march, units)]).table
    assert [_cell(table, "c0", "t1")[name] for name in ("leavers", "employed", "rate")] == [SECRET] * 3
    assert SECRET not in _cell(table, "c0", "t0").values()


def test_one_leaver_more_with_totals_is_blocked() -> None:
    """With totals, the grand total itself tells of one leaver more: the second release is refused."""
    march = protect(outcome_table(*MARCH), ROLES, Thresholds()).table
    with pytest.raises(RefusedError, match="change since an earlier release"):
        protect(outcome_table(*_plus((0, 1), 1, 1)), ROLES, Thresholds(), [Release(march, Units.GROWING)])


def test_many_leavers_none_of_whom_works_are_protected() -> None:
    """Thirty leavers more and nobody more employed says what became of all thirty."""
    march = protect(outcome_table(*MARCH, totals=False), ROLES, Thresholds()).table
    april = outcome_table(*_plus((1, 0), 30, 0), totals=False)
    table = protect(april, ROLES, Thresholds(), [Release(march, Units.GROWING)]).table
    assert _cell(table, "c1", "t0")["employed"] == SECRET
    assert _cell(table, "c1", "t0")["leavers"] == "110"


def test_many_leavers_more_are_published() -> None:
    """A difference that could be published by itself withholds nothing."""
    march = protect(outcome_table(*MARCH), ROLES, Thresholds()).table
    april = outcome_table(*_plus((0, 1), 30, 15))
    assert protect(april, ROLES, Thresholds(), [Release(march, Units.GROWING)]).suppressed == 0


def test_growing_differences_survive_the_attacker() -> None:
    """Several small differences under totals that grew enough: each stays open between nobody and the threshold."""
    march = protect(outcome_table(*drawn(6, 4, 150, 11)), ROLES, Thresholds()).table
    leavers, employed = drawn(6, 4, 150, 11)
    april = outcome_table(leavers + 4, employed + 2)
    table = protect(april, ROLES, Thresholds(), [Release(march, Units.GROWING)]).table
    before = {(row["course"], row["territory"]): row for row in march.to_pylist()}
    figures: dict[tuple[str, str, str], str] = {}
    floors: dict[tuple[str, str, str], float] = {}
    for row in table.to_pylist():
        cell = row["course"], row["territory"]
        figures |= {(*cell, name): row[name] for name in ("leavers", "employed")} | {(*cell, "jobless"): SECRET}
        known = {name: int(before[cell][name]) for name in ("leavers", "employed") if before[cell][name] != SECRET}
        if len(known) == 2:
            known["jobless"] = known["leavers"] - known["employed"]
        floors |= {(*cell, name): floor for name, floor in known.items()}
    attacker = Attacker(figures, "total", (("leavers", ("employed", "jobless")),), floors=floors)
    small = [(key, floor) for key, floor in floors.items() if "total" not in key]
    assert len(small) > 40
    for key, floor in small:
        low, high = attacker.interval([(key, 1.0)])
        assert low <= floor + 1e-6
        assert high >= floor + 11 - 1e-6


def test_same_persons_again_add_nothing() -> None:
    """The table that a recipient has already, sent to another, passes again with the same figures withheld."""
    table = outcome_table(*drawn(6, 4, 60, 3))
    first = protect(table, ROLES, Thresholds()).table
    assert protect(table, ROLES, Thresholds(), [Release(first, Units.SAME)]).table.equals(first)


def test_what_is_out_cannot_hide_another_figure() -> None:
    """A figure that an earlier release shows is of no use to hide behind: others are withheld in its place."""
    table = outcome_table(
        np.array([[40, 60, 80], [5, 70, 90], [50, 60, 70]]), np.array([[20, 30, 40], [2, 35, 45], [25, 30, 35]])
    )
    first = protect(table, ROLES, Thresholds()).table
    hidden = [i for i, value in enumerate(first["leavers"].to_pylist()) if value == SECRET]
    shown = [i for i in hidden if table["leavers"][i].as_py() >= 11]
    known = pa.table(
        {name: [str(table[name][i].as_py()) for i in shown] for name in ("course", "territory", "leavers", "employed")}
    )
    second = protect(table, ROLES, Thresholds(), [Release(known, Units.SAME)]).table
    together = {(row["course"], row["territory"], "leavers"): row["leavers"] for row in second.to_pylist()} | {
        (row["course"], row["territory"], "leavers"): row["leavers"] for row in known.to_pylist()
    }
    low, high = Attacker(together).interval([(("c1", "t0", "leavers"), 1.0)])
    assert low < 1e-6
    assert high > 11 - 1e-6


def test_a_figure_to_protect_that_is_out_is_refused() -> None:
    """When an earlier release shows a figure that is now to be protected, the release is refused."""
    table = outcome_table(np.array([[5, 60]]), np.array([[2, 30]]), totals=False)
    known = pa.table({"course": ["c0"], "territory": ["t0"], "leavers": [5], "employed": ["*"]})
    with pytest.raises(RefusedError, match="published in an earlier release"):
        protect(table, ROLES, Thresholds(), [Release(known, Units.SAME)])


def test_nested_territories_of_two_releases() -> None:
    """A region published first, then its departments one by one: what is left of the region is protected."""
    roles = OutcomeTable(
        (
            Dimension(("course",)),
            Dimension(
                ("level", "territory"),
                parent=lambda code: ("region", code[1][:1]) if code[0] == "department" else None,
            ),
        ),
        ("leavers",),
    )
    region = pa.table({"course": ["a"], "level": ["region"], "territory": ["A"], "leavers": ["104"]})
    departments = pa.table(
        {"course": ["a"] * 2, "level": ["department"] * 2, "territory": ["A1", "A2"], "leavers": [40, 60]}
    )
    assert protect(departments, roles, Thresholds()).suppressed == 0
    table = protect(departments, roles, Thresholds(), [Release(region, Units.SAME)]).table
    assert sorted(table["leavers"].to_pylist()) == [SECRET, "60"]
