"""The gate trusts nobody: a pattern passes on tables that the equations allow, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from passerelle.disclosure import Thresholds
from passerelle.disclosure.audit import Gate, Seen, Witness, bounds, bridges
from passerelle.disclosure.build import build
from passerelle.disclosure.cycles import Cycles, network_of
from passerelle.disclosure.pattern import crossed, decide_pattern, further_blanks
from passerelle.disclosure.protection import forced_figures
from passerelle.errors import UsageError
from tests.disclosure.making import ROLES, drawn, outcome_table


def test_false_witness_is_ignored() -> None:
    """A table that breaks an equation, a published figure or a bound vouches for nothing."""
    table, roles = crossed([[5, 40], [50, 60]])
    _, system = build(table, roles, Thresholds(), ())
    alone = np.arange(len(system.values)) == 0
    gate = Gate(system)
    gate.witnesses += [
        Witness(np.array([0]), np.array([-5])),  # its totals no longer add up
        Witness(np.array([0, 1, 3, 4]), np.array([-5, 5, 5, -5])),  # the others are published
        Witness(np.array([0, 1, 3, 4]), np.array([60, -60, -60, 60])),  # below zero
    ]
    assert gate.short(alone)[0]


def test_gate_agrees_with_the_exact_bounds() -> None:
    """The gate, which stops at what is needed, and the exact bounds of each figure say the same of random patterns."""
    rng = np.random.default_rng(4)
    for seed in range(30):
        _, system = build(outcome_table(*drawn(4, 3, 40, seed)), ROLES, Thresholds(), ())
        pattern = (rng.random(len(system.values)) < 0.5) & system.candidates
        found = bounds(system, pattern)
        exact = (found.low > system.need_low[found.figures] + 1e-4) | (
            found.high < system.need_high[found.figures] - 1e-4
        )
        assert np.array_equal(np.flatnonzero(Gate(system).short(pattern)), found.figures[exact])


@pytest.mark.parametrize("seed", range(6))
def test_cycles_are_true_witnesses(seed: int) -> None:
    """Each cycle that is chosen respects every equation and every bound, exactly, and moves only what is withheld."""
    layout, system = build(outcome_table(*drawn(10, 6, 60, seed)), ROLES, Thresholds(), ())
    network = network_of(layout)
    assert network is not None
    suppressed = forced_figures(layout, system)
    cycles = Cycles(system, layout, network, np.arange(len(layout.keys)), suppressed)
    cycles.protect(Seen.true_table(system))
    assert len(cycles.witnesses) > 5
    for witness in cycles.witnesses:
        change = np.zeros(len(system.values), np.int64)
        np.add.at(change, witness.figures, witness.changes)
        assert not (system.matrix @ change).any()
        assert ((system.values + change >= system.floors) & (system.values + change <= system.ceilings)).all()
        assert (suppressed | system.hidden)[change != 0].all()


@given(arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 6))))
@settings(deadline=None)
def test_bridges_are_what_removal_disconnects(withheld: np.ndarray) -> None:
    """A withheld cell is a bridge exactly when its row and column are no longer linked without it."""

    def linked(mask: np.ndarray, row: int, column: int) -> bool:
        rows = {row}
        columns: set[int] = set()
        while True:
            grown = {int(c) for r in rows for c in np.flatnonzero(mask[r])}
            more = {int(r) for c in grown for r in np.flatnonzero(mask[:, c])}
            if grown <= columns and more <= rows:
                return column in columns
            columns |= grown
            rows |= more

    expected = []
    for row, column in np.argwhere(withheld).tolist():
        without = withheld.copy()
        without[row, column] = False
        if not linked(without, row, column):
            expected.append((row, column))
    assert bridges(withheld) == expected


def test_bridge_is_what_the_solver_recovers() -> None:
    """Away from zero, the figures that linear programming gives back exactly are the bridges."""
    rng = np.random.default_rng(8)
    for _ in range(25):
        inner = rng.integers(20, 60, size=(4, 5))
        withheld = rng.random(inner.shape) < 0.4
        table, roles = crossed(inner.tolist())
        _, system = build(table, roles, Thresholds(min_count=10_000), ())
        mask = np.zeros((5, 6), np.bool_)
        mask[:4, :5] = withheld
        flat = np.zeros(len(system.values), np.bool_)
        flat[:30] = mask.ravel()
        found = bounds(system, flat)
        exact = {
            divmod(int(f), 6) for f, low, high in zip(found.figures, found.low, found.high, strict=True) if low == high
        }
        assert {cell for cell in exact if mask[cell]} == set(bridges(withheld))


def test_published_primary_is_named() -> None:
    """A pattern that leaves a small count in sight is refused as such, and told what to blank."""
    inner = [[5, 40], [50, 60]]
    assert decide_pattern(inner, [], Thresholds()) == {"released": False, "reason": "primary_cell_published"}
    assert (0, 0) in further_blanks(inner, [], Thresholds())


@pytest.mark.parametrize(
    ("inner", "cells"), [([[1, 2], [3]], []), ([], []), ([[1, 2]], [[5, 0]]), ([[1, 2]], [[0, -1]])]
)
def test_malformed_pattern_is_a_usage_error(inner: list[list[int]], cells: list[list[int]]) -> None:
    """A ragged table, no table, or a position outside it is refused."""
    with pytest.raises(UsageError):
        decide_pattern(inner, cells, Thresholds())
