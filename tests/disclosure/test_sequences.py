"""Release after release to the same reader: what was withheld stays withheld, whoever compares them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from passerelle.disclosure import Release, Thresholds, Units, protect
from passerelle.errors import RefusedError
from tests.disclosure.making import ROLES, Counts, outcome_table
from tests.disclosure.reader import Reader

COUNTS = st.one_of(st.integers(0, 15), st.integers(0, 120), st.sampled_from([0, 1, 10, 11, 20, 21, 400]))
STEPS = st.one_of(st.just(0), st.just(0), st.sampled_from([1, 2, 40]), st.integers(-3, 3))


@st.composite
def months(draw: st.DrawFn) -> list[tuple[Counts, Counts]]:
    """Leavers and employed of one to three months, each a little different from the one before."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    employed, jobless = (draw(arrays(np.int64, shape, elements=COUNTS)) for _ in range(2))
    found = [(employed + jobless, employed)]
    for _ in range(draw(st.integers(1, 2))):
        employed, jobless = (
            np.maximum(one + draw(arrays(np.int64, shape, elements=STEPS)), 0) for one in (employed, jobless)
        )
        found.append((employed + jobless, employed))
    return found


def released(tables: list[pa.Table], thresholds: Thresholds) -> tuple[list[pa.Table], list[pa.Table]]:
    """The tables that left, before and after protection, each judged beside those that had left."""
    truths: list[pa.Table] = []
    shown: list[pa.Table] = []
    for table in tables:
        pairs = list(zip(shown, truths, strict=True))[::-1]
        earlier = [Release(one, Units.NOT_STATED, truth, thresholds) for one, truth in pairs]
        try:
            after = protect(table, ROLES, thresholds, earlier).table
        except RefusedError:
            continue
        truths.append(table)
        shown.append(after)
    return truths, shown


def _survive(found: list[tuple[Counts, Counts]], thresholds: Thresholds, *, totals: bool) -> None:
    truths, shown = released([outcome_table(*one, totals=totals) for one in found], thresholds)
    if shown:
        reader = Reader(truths, shown)
        assert reader.too_well_known(thresholds) == []
        assert reader.small_changes(thresholds) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(months(), st.booleans())
def test_what_leaves_month_after_month_survives(found: list[tuple[Counts, Counts]], totals: bool) -> None:
    """Two and three releases in a row, with and without totals: every figure withheld, then or now, stays open to their reader."""
    _survive(found, Thresholds(5, 8), totals=totals)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(months(), st.booleans(), st.sampled_from([Thresholds(), Thresholds(3, 5), Thresholds(5, 8)]))
def test_what_leaves_month_after_month_survives_at_length(
    found: list[tuple[Counts, Counts]], totals: bool, thresholds: Thresholds
) -> None:
    """The same, at length and with other thresholds."""
    _survive(found, thresholds, totals=totals)
