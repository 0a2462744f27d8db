"""Examples that others published, and those worked out by hand for the project: they come out as published."""

from __future__ import annotations

import csv
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from passerelle.disclosure import Dimension, OutcomeTable, Rate, Sum, Thresholds, protect
from passerelle.disclosure.audit import Gate, bounds, bridges
from passerelle.disclosure.build import build
from passerelle.disclosure.pattern import crossed, decide_pattern, further_blanks
from passerelle.errors import RefusedError
from tests.disclosure.attacker import Attacker

OWN = [[25, 40, 18, 60], [3, 22, 30, 15], [14, 12, 9, 33], [50, 16, 21, 28]]
SDC_TABLE = [[30, 47, 64, 89], [90, 124, 5, 31], [92, 100, 59, 85], [800, 991, 651, 685]]
SDC_BLANKS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 1), (2, 3), (3, 1), (3, 3)]
EVERYTHING = Thresholds(min_count=2_000)


def _intervals(inner: list[list[int]], blanks: list[tuple[int, int]]) -> dict[tuple[int, int], list[float]]:
    table, roles = crossed(inner)
    _, system = build(table, roles, EVERYTHING, ())
    width, mask = len(inner[0]) + 1, np.zeros(len(system.values), np.bool_)
    for row, column in blanks:
        mask[row * width + column] = True
    found = bounds(system, mask)
    cells = {divmod(int(figure), width): i for i, figure in enumerate(found.figures)}
    return {cell: [float(found.low[cells[cell]]), float(found.high[cells[cell]])] for cell in blanks}


def test_geurts_intervals() -> None:
    """T1: Geurts 1992, example 3 of the Handbook on SDC: four blanks, the intervals as published and recomputed."""
    found = _intervals([[5, 2], [1, 2], [3, 3]], [(0, 0), (0, 1), (1, 0), (1, 1)])
    assert found == {(0, 0): [3, 6], (0, 1): [1, 4], (1, 0): [0, 3], (1, 1): [0, 3]}


def test_sdctable_bridge_is_recovered() -> None:
    """T2: with two blanks or more in each line, w|b is still given back exactly: it is the only bridge."""
    mask = np.zeros((4, 4), np.bool_)
    mask[tuple(np.array(SDC_BLANKS).T)] = True
    assert bridges(mask) == [(0, 1)]
    found = _intervals(SDC_TABLE, SDC_BLANKS)
    assert [cell for cell, (low, high) in found.items() if low == high] == [(0, 1)]
    assert found[0, 1] == [47, 47]


def test_sdctable_one_more_blank_opens_it() -> None:
    """T2: blanking x|d as well leaves no bridge and opens w|b to the published [0, 78]."""
    mask = np.zeros((4, 4), np.bool_)
    mask[tuple(np.array([*SDC_BLANKS, (1, 3)]).T)] = True
    assert bridges(mask) == []
    assert _intervals(SDC_TABLE, [*SDC_BLANKS, (1, 3)])[0, 1] == [0, 78]


def test_single_blank_beside_its_total() -> None:
    """T3: Handbook, example 1a: one blank and its total give 998, so a second figure goes with it."""
    values = [56_600, 47_600, 8_002, 998]
    table = pa.table({"activity": ["a", "b", "c", "d", "total"], "turnover": [*values, sum(values)]})
    roles = OutcomeTable((Dimension(("activity",), total=("total",)),), ("turnover",))
    thresholds = Thresholds(min_count=1_000)
    _, system = build(table, roles, thresholds, ())
    alone = bounds(system, np.arange(len(system.values)) == 3)
    assert [alone.low[0], alone.high[0]] == [998, 998]
    assert protect(table, roles, thresholds).table["turnover"].to_pylist() == ["56600", "47600", "*", "*", "113200"]


def test_own_table_optimum() -> None:
    """T4: two primaries, and the optimum blanks four more cells."""
    table, roles = crossed(OWN)
    protected = protect(table, roles, Thresholds())
    assert (protected.primary, protected.secondary) == (2, 4)
    assert len(further_blanks(OWN, [[1, 0], [2, 2]], Thresholds())) == 4


@pytest.mark.slow
def test_own_table_optimum_by_brute_force() -> None:
    """T4: of all patterns of inner blanks, none of five passes and eight of six do."""
    table, _ = crossed(OWN)
    figures = {(r, c, "count"): str(n) for r, c, n in zip(*table.to_pydict().values(), strict=True)}
    others = [(str(r), str(c)) for r in range(4) for c in range(4) if (r, c) not in {(1, 0), (2, 2)}]

    def passes(more: tuple[tuple[str, str], ...]) -> bool:
        blanks = [("1", "0"), ("2", "2"), *more]
        lines = [line for cell in blanks for line in (f"r{cell[0]}", f"c{cell[1]}")]
        if min(lines.count(line) for line in lines) < 2:
            return False  # a line with a single blank gives it back
        attacker = Attacker(figures | {(*cell, "count"): "*" for cell in blanks})
        ends = [attacker.interval([((*cell, "count"), 1.0)]) for cell in blanks[:2]]
        return all(low < 1e-6 and high > 11 - 1e-6 for low, high in ends)

    assert sum(passes(more) for more in combinations(others, 3)) == 0
    assert sum(passes(more) for more in combinations(others, 4)) == 8


def test_controlled_rounding_is_additive() -> None:
    """T5: the Handbook's controlled rounding adds up; conventional rounding of the same table does not."""
    controlled, _ = crossed([[5, 0], [0, 5], [10, 20]])
    assert controlled["count"].to_pylist() == [5, 0, 5, 0, 5, 5, 10, 20, 30, 15, 25, 40]
    conventional, roles = crossed([[1, 0], [3, 3], [12, 20]])
    rounded = [5 * ((2 * n + 5) // 10) for n in conventional["count"].to_pylist()]
    assert rounded[:2] + rounded[3:5] + rounded[6:8] == [0, 0, 5, 5, 10, 20]
    build(controlled, roles, Thresholds(), ())
    with pytest.raises(RefusedError, match="does not add up"):
        build(conventional.set_column(2, "count", pa.array(rounded)), roles, Thresholds(), ())


INSERJEUNES = OutcomeTable(
    (Dimension(("school",)),),
    ("pupils", "continuing", "leaving", "employed", "favourable"),
    rates=(
        Rate("continuation_rate", "continuing", "pupils"),
        Rate("favourable_rate", "favourable", "pupils"),
        Rate("employment_rate", "employed", "leaving"),
    ),
    sums=(Sum("pupils", ("continuing", "leaving")), Sum("favourable", ("continuing", "employed"))),
)


def _school() -> pa.Table:
    return pa.table(
        {
            "school": ["s"],
            "pupils": [30],
            "continuing": [20],
            "leaving": [10],
            "employed": [3],
            "favourable": [23],
            "continuation_rate": [66.67],
            "favourable_rate": [76.67],
            "employment_rate": [30.0],
        }
    )


def test_inserjeunes_hidden_rate_leaks() -> None:
    """T6: with the employment rate hidden alone, the two other rates give back 3 of 10."""
    _, system = build(_school(), INSERJEUNES, Thresholds(), ())
    hidden = np.zeros(len(system.values), np.bool_)
    hidden[[2, 3]] = True
    found = bounds(system, hidden)
    intervals = {int(f): (low, high) for f, low, high in zip(found.figures, found.low, found.high, strict=True)}
    assert intervals[3] == (3, 3)
    assert intervals[2] == (10, 10)
    assert Gate(system).short(hidden)[[2, 3]].all()


def test_inserjeunes_indicators_are_protected_together() -> None:
    """T6: protected together, neither the number employed nor the number who left can be narrowed below the threshold."""
    row = protect(_school(), INSERJEUNES, Thresholds()).table.to_pylist()[0]
    assert row["pupils"] == "30"
    assert row["employment_rate"] == "*"
    figures = {("s", "s", name): row[name] for name in INSERJEUNES.counts}
    sums = (("pupils", ("continuing", "leaving")), ("favourable", ("continuing", "employed")))
    figures["s", "s", "jobless"] = "*"
    attacker = Attacker(figures, None, (*sums, ("leaving", ("employed", "jobless"))))
    for name in ("leaving", "employed", "jobless"):
        low, high = attacker.interval([(("s", "s", name), 1.0)])
        assert low < 1e-6
        assert high > 11 - 1e-6


@pytest.mark.parametrize("case", ["PACA-39", "PACA-40"])
def test_acceptance_cases(shared: Path, case: str) -> None:
    """The two acceptance cases of the domain are answered exactly in the form of their expected column."""
    with (shared / "domain" / "cases.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["case_id"] == case)
    args = json.loads(row["args"])
    assert decide_pattern(args["inner"], args["suppressed"], Thresholds()) == json.loads(row["expected"])
