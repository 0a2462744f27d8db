"""What an earlier release adds to what is known of a new table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from passerelle.disclosure.coordinates import named
from passerelle.disclosure.layout import Draft, Layout, compare, primary_figures, with_complements
from passerelle.disclosure.past import Past
from passerelle.disclosure.roles import Units
from passerelle.disclosure.rules import Counts, Mask, Thresholds
from passerelle.errors import RefusedError

SAME_PATTERN = 0.25  # what was withheld before costs less to withhold again


def positions(rows: Counts, cells: Counts) -> Counts:
    """(rows,) the position in ``cells`` of each of ``rows`` (cell ids), -1 where there is none."""
    order = np.argsort(cells, kind="stable")
    at = np.minimum(np.searchsorted(cells, rows, sorter=order), len(cells) - 1)
    return np.where(cells[order[at]] == rows, order[at], -1)


def match_cells(new: Counts, old: Counts) -> tuple[Counts, Counts]:
    """Positions of the cells that are both in ``new`` and in ``old`` (cell ids, each without duplicates)."""
    _, in_new, in_old = np.intersect1d(new, old, return_indices=True)
    return in_new, in_old


def recall(draft: Draft, layout: Layout, thresholds: Thresholds, *, past: Past, match: tuple[Counts, Counts]) -> None:
    """What an earlier release adds: figures that are out, floors, and differences that are small counts themselves."""
    new, at = match
    units, old, counts = past.units, past.figures, slice(0, layout.counts)
    values, known = draft.values[new, counts], old.known[at]
    same, grown = compare(draft.values[new], old.values[at], known | past.told[at, None], layout)
    out = known & (values == old.values[at]) & (units is Units.SAME)
    out |= known & same[:, None] & (units is Units.NOT_STATED)
    flat = np.zeros(draft.values.shape, np.bool_)
    flat[new, counts] = out
    needed = flat & ((draft.need_low < draft.values) | (draft.need_high > draft.values))
    if needed.any():
        where = named(layout, needed.ravel())
        raise RefusedError(
            f"a figure to protect was published in an earlier release: {where}",
            hint="withdraw that release, or record who accepts the exposure",
            fr=f"une valeur à protéger a été publiée dans une livraison antérieure : {where}",
            hint_fr="retirez cette livraison, ou consignez qui accepte l'exposition",
        )
    draft.weights[flat] = np.inf
    flat[new, counts] = ~known
    draft.weights[flat] *= SAME_PATTERN
    known, before = with_complements(known, old.values[at], layout)
    if units is Units.GROWING:
        draft.floors[new] = np.where(known, np.maximum(draft.floors[new], before), draft.floors[new])
        if (draft.floors[new] > draft.values[new]).any():
            raise RefusedError("expected figures at least those of the earlier release, since they are said to grow")
    if units is Units.NOT_STATED:
        known_ = known & grown[:, None]
        draft.floors[new] = np.where(known_, np.maximum(draft.floors[new], before), draft.floors[new])
    _guard_differences(draft, layout, thresholds, before=before, known=known, new=new)


def _guard_differences(
    draft: Draft, layout: Layout, thresholds: Thresholds, *, before: Counts, known: Mask, new: Counts
) -> None:
    """Protect each figure that differs from an earlier one by a number of persons that could not be published."""
    change = np.where(known, draft.values[new] - before, 0)  # of a figure that was not shown, nothing is known
    small = primary_figures(np.abs(change), layout, replace(thresholds, zeros=False)) & known
    far = np.where(change < 0, -thresholds.min_count, thresholds.min_count)
    mask = np.zeros(draft.values.shape, np.bool_)
    low, high = np.zeros(mask.shape), np.zeros(mask.shape)
    mask[new] = small
    low[new] = np.maximum(np.minimum(before, before + far), 0)
    high[new] = np.maximum(before, before + far)
    draft.need(mask, low, high)
