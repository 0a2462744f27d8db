"""Any table that passes survives an attacker with an LP solver who shares no code with the product."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from passerelle.disclosure import Thresholds, protect
from passerelle.errors import RefusedError
from tests.disclosure.making import ROLES, Counts, drawn, outcome_table, too_well_known

COUNTS = st.one_of(st.integers(0, 15), st.integers(0, 120), st.sampled_from([0, 1, 10, 11, 20, 21, 400]))
THRESHOLDS = st.builds(Thresholds, min_count=st.integers(2, 12), min_denominator=st.integers(1, 25))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Counts, Counts]:
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 4)))
    employed = draw(arrays(np.int64, shape, elements=COUNTS))
    return employed + draw(arrays(np.int64, shape, elements=COUNTS)), employed


def _survives(leavers: Counts, employed: Counts, thresholds: Thresholds, *, totals: bool) -> None:
    before = outcome_table(leavers, employed, totals=totals)
    try:
        after = protect(before, ROLES, thresholds).table
    except RefusedError:
        return
    assert too_well_known(before, after, thresholds, totals=totals) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), THRESHOLDS, st.booleans())
def test_what_passes_survives(table: tuple[Counts, Counts], thresholds: Thresholds, totals: bool) -> None:
    """Small tables, with or without totals, any thresholds."""
    _survives(*table, thresholds, totals=totals)


@pytest.mark.slow
@settings(max_examples=160, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), THRESHOLDS, st.booleans())
def test_what_passes_survives_at_length(table: tuple[Counts, Counts], thresholds: Thresholds, totals: bool) -> None:
    """The same, at length."""
    _survives(*table, thresholds, totals=totals)


@pytest.mark.parametrize(("shape", "mean", "seed"), [((6, 5), 60, 1), ((12, 6), 100, 2), ((20, 8), 200, 3)])
def test_larger_tables_pass_and_survive(shape: tuple[int, int], mean: float, seed: int) -> None:
    """Tables too large for the optimum are protected by cycles, keep most of their figures, and survive."""
    before = outcome_table(*drawn(*shape, mean, seed))
    protected = protect(before, ROLES, Thresholds())
    assert protected.published > 0.5 * 2 * before.num_rows
    assert too_well_known(before, protected.table, Thresholds()) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_many_larger_tables_survive(seed: int) -> None:
    """The same for tables of many shapes."""
    rng = np.random.default_rng(seed)
    shape = int(rng.integers(5, 24)), int(rng.integers(4, 10))
    before = outcome_table(*drawn(*shape, float(rng.uniform(10, 200)), seed))
    protected = protect(before, ROLES, Thresholds())
    assert too_well_known(before, protected.table, Thresholds()) == []


def test_the_attacker_finds_what_primary_suppression_leaves() -> None:
    """The attacker of these tests is a real one: blanking the small counts alone, it names what it recovers."""
    before = outcome_table(np.array([[40, 60], [5, 70]]), np.array([[20, 30], [2, 30]]))
    blanked = [{k: "*" if r["leavers"] == 5 else str(v) for k, v in r.items()} for r in before.to_pylist()]
    keys = [{"course": r["course"], "territory": r["territory"]} for r in before.to_pylist()]
    after = before.from_pylist([b | k for b, k in zip(blanked, keys, strict=True)])
    assert any("leavers: 5 in [5.0, 5.0]" in line for line in too_well_known(before, after, Thresholds()))
