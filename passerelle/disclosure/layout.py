"""Where the figures of a table are in its linear system, and what is known of each before it is flattened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from passerelle.disclosure.grid import Margin
from passerelle.disclosure.past import Past
from passerelle.disclosure.roles import Code, OutcomeTable
from passerelle.disclosure.rules import Counts, Mask, Numbers, Thresholds, small_counts, small_shares


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are: variable = cell * ``width`` + indicator.

    ``roles`` of the columns; ``pasts``, the earlier releases as read, the latest first.
    ``keys`` (cells, dimensions) code numbers, ``codes`` what they stand for; the first ``rows`` cells are the table's complete rows, in order of
    ``table_rows``; then come cells that only earlier releases show, then rests. ``counts`` of the ``width`` indicators are
    columns; then come complements, of the rates' ``pairs`` (part, whole) first and of ``within`` next. ``margins`` of the table as
    read, ``mixed`` with cells of earlier releases; ``levels`` (cells,) in how many dimensions a cell is a total.
    """

    roles: OutcomeTable
    pasts: list[Past]
    keys: Counts
    codes: list[list[Code]]
    rows: int
    table_rows: Counts
    counts: int
    width: int
    pairs: tuple[tuple[int, int], ...]
    within: tuple[tuple[int, int], ...]
    relations: Counts
    margins: list[Margin]
    mixed: list[Margin]
    levels: Counts

    @property
    def every_margin(self) -> list[Margin]:
        """Those of the table, then those that earlier releases have a part in: rests are in this order."""
        return [*self.margins, *self.mixed]

    @property
    def complements(self) -> list[tuple[int, int, int]]:
        """(part, whole, indicator of their difference), of rates and within."""
        pairs = (*self.pairs, *self.within)
        return [(part, whole, self.counts + index) for index, (part, whole) in enumerate(pairs)]


@dataclass(slots=True)
class Draft:
    """What is known of (cells, indicators) before it is flattened into a system."""

    values: Counts
    hidden: Mask
    weights: Numbers
    floors: Numbers
    ceilings: Numbers
    need_low: Numbers
    need_high: Numbers

    def need(self, where: Mask, low: Numbers | float, high: Numbers | float) -> None:
        low_, high_ = np.broadcast_to(low, where.shape), np.broadcast_to(high, where.shape)
        self.need_low[where] = np.minimum(self.need_low[where], low_[where])
        self.need_high[where] = np.maximum(self.need_high[where], high_[where])


def primary_figures(values: Counts, layout: Layout, thresholds: Thresholds) -> Mask:
    mask = np.zeros(values.shape, np.bool_)
    mask[:] = small_counts(values, thresholds)
    for part, whole, complement in layout.complements[: len(layout.pairs)]:
        mask[:, part] |= small_shares(values[:, part], values[:, whole], thresholds)
        mask[:, complement] |= small_shares(values[:, complement], values[:, whole], thresholds)
    return mask


def compare(new: Counts, old: Counts, told: Mask, layout: Layout) -> tuple[Mask, Mask]:
    """(cells,) twice: no figure that is known of both changed; none fell, complements included.

    Args:
        new: (cells, indicators) figures.
        old: (cells, counts) figures of the same cells, earlier.
        told: (cells, counts) which of the earlier ones are known.
        layout: says which complements there are.
    """
    change = np.where(told, new[:, : layout.counts] - old, 0)
    rests = [
        np.where(told[:, part] & told[:, whole], change[:, whole] - change[:, part], 0)
        for part, whole, _ in layout.complements
    ]
    changes = np.column_stack([change, *rests])
    return np.asarray(~changes.any(axis=1)), np.asarray((changes >= 0).all(axis=1))


def with_complements(known: Mask, values: Counts, layout: Layout) -> tuple[Mask, Counts]:
    """(cells, indicators) which figures are known and what they are, complements of two known counts included."""
    nested = layout.complements
    known_ = np.concatenate([known, *(known[:, [part]] & known[:, [whole]] for part, whole, _ in nested)], axis=1)
    values_ = np.concatenate([values, *(values[:, [whole]] - values[:, [part]] for part, whole, _ in nested)], axis=1)
    return np.asarray(known_), np.asarray(values_)
