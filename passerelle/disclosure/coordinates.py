"""Saying which cells are meant: codes and names of columns, never a figure."""

from __future__ import annotations

import numpy as np

from passerelle.disclosure.layout import Layout
from passerelle.disclosure.rules import Mask

MAX_NAMED = 10


def named(layout: Layout, figures: Mask) -> str:
    """The cells that have one of ``figures``, as ``course=A, territory=13 (leavers)``; ``MAX_NAMED`` of them at most."""
    told: dict[int, dict[str, None]] = {}
    beyond = 0
    for figure in np.flatnonzero(figures).tolist():
        cell, indicator = divmod(figure, layout.width)
        if cell >= len(layout.keys):
            beyond += 1  # the rest of a total, or a figure that an earlier release withheld
            continue
        told.setdefault(cell, {}).update(dict.fromkeys(_columns(layout, indicator)))
    lines = [f"{_cell(layout, cell)} ({', '.join(columns)})" for cell, columns in told.items()]
    rest = len(lines[MAX_NAMED:]) + (beyond if not lines else 0)
    return "; ".join([*lines[:MAX_NAMED], *([f"+ {rest}"] if rest else [])])


def _columns(layout: Layout, indicator: int) -> list[str]:
    if indicator < layout.counts:
        return [layout.roles.counts[indicator]]
    part, whole, _ = layout.complements[indicator - layout.counts]
    return [layout.roles.counts[whole], layout.roles.counts[part]]


def _cell(layout: Layout, cell: int) -> str:
    codes = zip(layout.roles.dimensions, layout.codes, layout.keys[cell].tolist(), strict=True)
    return ", ".join(
        f"{column}={value}"
        for dimension, names, number in codes
        for column, value in zip(dimension.columns, names[number], strict=True)
    )
