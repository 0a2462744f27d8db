"""Judging a pattern that someone else chose: may a two-way table go out with these cells blanked, and if not, which more?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from passerelle.disclosure.audit import Gate, bounds
from passerelle.disclosure.build import build
from passerelle.disclosure.layout import Layout
from passerelle.disclosure.protection import choose, forced_figures
from passerelle.disclosure.roles import Dimension, OutcomeTable
from passerelle.disclosure.rules import Mask, Thresholds
from passerelle.disclosure.system import System
from passerelle.errors import UsageError

Grid = Sequence[Sequence[int]]
"""The inner cells of a table, row by row, without its totals; or [row, column] positions in it."""


def crossed(inner: Grid) -> tuple[pa.Table, OutcomeTable]:
    """A two-way table of one count with its totals, as a table and its roles; cells row by row, totals last."""
    if not inner or not inner[0] or any(len(row) != len(inner[0]) for row in inner):
        raise UsageError("expected rows of the same length, and at least one cell")
    body = np.asarray(inner, dtype=np.int64)
    full = np.vstack([np.column_stack([body, body.sum(axis=1)]), np.append(body.sum(axis=0), body.sum())])
    names = [[*(str(i) for i in range(size - 1)), "total"] for size in full.shape]
    table = pa.table(
        {
            "row": [name for name in names[0] for _ in names[1]],
            "column": names[1] * len(names[0]),
            "count": full.ravel(),
        }
    )
    ways = tuple(Dimension((name,), total=("total",)) for name in ("row", "column"))
    return table, OutcomeTable(ways, ("count",))


def decide_pattern(inner: Grid, suppressed: Grid, thresholds: Thresholds) -> dict[str, Any]:
    """Whether the table, published with its totals, may go out with the cells ``suppressed`` blanked.

    Returns:
        ``released`` true with ``bounds`` ("row,column" > [low, high], of each cell to protect), or false with ``reason``:
        ``primary_cell_published``, ``primary_cell_recoverable``.
    """
    _, system, mask, width = _posed(inner, suppressed, thresholds)
    if (system.primary & ~system.hidden & ~mask).any():
        return {"released": False, "reason": "primary_cell_published"}
    if Gate(system).short(mask).any():
        return {"released": False, "reason": "primary_cell_recoverable"}
    found = bounds(system, mask)
    return {
        "released": True,
        "bounds": {
            f"{figure // width},{figure % width}": [_whole(low), _whole(high)]
            for figure, low, high in zip(found.figures.tolist(), found.low, found.high, strict=True)
        },
    }


def further_blanks(inner: Grid, suppressed: Grid, thresholds: Thresholds) -> list[tuple[int, int]]:
    """A cheapest set of cells to blank besides ``suppressed`` so that the table may go out; totals have the last numbers.

    Raises:
        RefusedError: nothing short of its grand total makes the table safe.
    """
    layout, system, mask, width = _posed(inner, suppressed, thresholds)
    chosen = choose(layout, system, mask | forced_figures(layout, system), Gate(system))
    return [divmod(int(figure), width) for figure in np.flatnonzero(chosen & ~mask)]


def _posed(inner: Grid, suppressed: Grid, thresholds: Thresholds) -> tuple[Layout, System, Mask, int]:
    table, roles = crossed(inner)
    layout, system = build(table, roles, thresholds, ())
    width, mask = len(inner[0]) + 1, np.zeros(len(system.values), np.bool_)
    for row, column in suppressed:
        if not (0 <= row <= len(inner) and 0 <= column < width):
            raise UsageError(f"expected positions of a table of {len(inner)} by {width - 1}")
        mask[row * width + column] = True
    return layout, system, mask, width


def _whole(number: float) -> float | int | None:
    """As JSON writes it: an integer where it is one, null for no bound."""
    return None if np.isinf(number) else int(number) if number == int(number) else float(number)
