"""From a table, its roles and the earlier releases to the linear system that an attacker faces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.disclosure.grid import cell_ids, encode, margins, mixed_margins, read_figures
from passerelle.disclosure.layout import Draft, Layout, primary_figures
from passerelle.disclosure.past import Past, keep_relevant, read_past
from passerelle.disclosure.recall import match_cells, positions, recall
from passerelle.disclosure.roles import Code, OutcomeTable, Release, Units
from passerelle.disclosure.rules import Counts, Mask, Thresholds, dominated
from passerelle.disclosure.system import System, equations
from passerelle.errors import RefusedError

TOTAL_WEIGHT = 8.0  # a total costs as much as that many of its parts, per dimension summed over

GRAND_WEIGHT = 1e5


def build(
    table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, earlier: Sequence[Release]
) -> tuple[Layout, System]:
    """Read, link, and mark what is to protect.

    Args:
        table: the new table.
        roles: of its columns.
        thresholds: of the exchange.
        earlier: releases before it, the latest first.

    Raises:
        RefusedError: the table is not what its roles say, its totals do not add up, or a figure to protect is out already.
    """
    figures = read_figures(table, roles)
    complete = np.flatnonzero(figures.known.all(axis=1))
    if not len(complete):
        raise RefusedError("expected at least one row whose counts are all known")
    pasts = [read_past(release, roles) for release in earlier]
    stacked, codes = encode([figures.keys, *(past.figures.keys for past in pasts)], roles)
    ids = cell_ids(stacked)
    keep_relevant(pasts, stacked, codes, roles)
    if len(np.unique(ids[: len(figures.known)])) < len(figures.known):
        raise RefusedError("expected one row for each cell, came: two rows with the same codes")
    cells, extra = _cells(len(figures.known), complete, ids, pasts)
    every = [figures, *(past.figures for past in pasts)]
    counts = np.concatenate([one.values for one in every])[cells]
    layout, values = _layout(roles, pasts, codes, stacked[cells], complete=complete, counts=counts)
    if len(complete) < len(figures.known) and any(len(margin.totals) for margin in layout.every_margin):
        raise RefusedError(
            "expected every count: where totals are published, figures withheld by the sender cannot be judged",
            hint="ask for the counts before suppression, or for a table without totals",
        )
    draft = _draft(layout, values, signed=any(past.units is Units.NOT_STATED for past in pasts))
    _protect(draft, layout, table, roles, thresholds)
    offset = len(figures.known)
    for past in pasts:
        rows = ids[offset : offset + len(past.told)]
        offset += len(past.told)
        past.at = positions(rows, ids[cells])
        recall(draft, layout, thresholds, past=past, match=match_cells(ids[cells[: layout.rows]], rows))
    old = slice(layout.rows, layout.rows + extra)
    draft.weights[old] = np.inf
    draft.hidden[old, : layout.counts] = ~np.concatenate([one.known for one in every])[cells[old]]
    draft.ceilings[draft.ceilings < draft.need_high] = np.inf  # then the edge of the rate is not shown
    return layout, _flatten(draft, layout)


def _cells(own: int, complete: Counts, ids: Counts, pasts: Sequence[Past]) -> tuple[Counts, int]:
    """Stacked row numbers of the cells: the table's, then those that only an earlier release has, the latest of each."""
    offset, extra = own, [np.empty(0, np.int64)]
    for past in pasts:
        if past.units in {Units.SAME, Units.NOT_STATED}:
            extra.append(offset + np.flatnonzero(past.told))
        offset += len(past.told)
    more = np.concatenate(extra)
    more = more[~np.isin(ids[more], ids[:own])]
    _, first = np.unique(ids[more], return_index=True)
    more = more[np.sort(first)]
    return np.concatenate([complete, more]), len(more)


def _layout(
    roles: OutcomeTable, pasts: list[Past], codes: list[list[Code]], keys: Counts, *, complete: Counts, counts: Counts
) -> tuple[Layout, Counts]:
    number = {name: index for index, name in enumerate(roles.counts)}
    pairs = tuple((number[part], number[whole]) for part, whole in roles.pairs)
    within = tuple((number[part], number[whole]) for part, whole in roles.within if (part, whole) not in roles.pairs)
    nested = (*pairs, *within)
    width = len(roles.counts) + len(nested)
    relations = np.zeros((len(nested) + len(roles.sums), width), np.int64)
    for index, (part, whole) in enumerate(nested):
        relations[index, [whole, part, len(roles.counts) + index]] = 1, -1, -1
    for index, total in enumerate(roles.sums, start=len(nested)):
        relations[index, number[total.whole]] = 1
        relations[index, [number[part] for part in total.parts]] = -1
    values = np.concatenate([counts, *(counts[:, [whole]] - counts[:, [part]] for part, whole in nested)], axis=1)
    own = len(complete)
    found = margins(keys[:own], codes, counts[:own], roles)
    mixed = mixed_margins(keys, codes, roles, own)
    levels = np.zeros(len(keys), np.int64)
    for margin in found:
        levels[np.unique(margin.totals)] += 1
    layout = Layout(
        roles,
        pasts,
        keys,
        codes,
        own,
        complete,
        len(roles.counts),
        width,
        pairs,
        within,
        relations,
        found,
        mixed,
        levels,
    )
    _check_sums(layout, values)
    return layout, values


def _check_sums(layout: Layout, values: Counts) -> None:
    if (values < 0).any():
        raise RefusedError("expected each part of a count to be at most the count")
    if (values @ layout.relations.T).any():
        raise RefusedError("expected linked indicators to add up in each cell")


def _draft(layout: Layout, values: Counts, *, signed: bool) -> Draft:
    """The figures with nothing to protect yet, and the rests: what a margin has besides the cells that are named.

    ``signed``: a margin and its parts may be of different releases, between which figures changed.
    """
    rests = []
    for margin in layout.every_margin:
        totals, start = np.unique(margin.totals, return_index=True)
        if len(totals):
            rest = values[totals] - np.add.reduceat(values[margin.parts], start)
            foreign = totals >= layout.rows
            foreign |= np.logical_or.reduceat(margin.parts >= layout.rows, start)
            if (rest[~(foreign & signed)] < 0).any():
                raise RefusedError("expected totals of at least the sum of their parts: the table does not add up")
            rests.append(rest)
    stacked = np.concatenate([values, *rests])
    hidden = np.zeros(stacked.shape, np.bool_)
    hidden[:, layout.counts :] = True
    hidden[len(values) :] = True
    levels = np.zeros(len(stacked))
    levels[: len(values)] = layout.levels
    weights = ((1.0 + np.log1p(np.abs(stacked))) * (TOTAL_WEIGHT**levels)[:, None]).astype(np.float64)
    if (grand := _grand_total(layout)) is not None:
        parts = [part for part, _, _ in layout.complements]
        weights[grand] = np.inf
        weights[grand, parts] = (
            GRAND_WEIGHT  # how many persons there are in all is always out, what became of them is not
        )
    exact = stacked.astype(np.float64)
    floors = np.where(stacked < 0, -np.inf, 0.0)
    return Draft(stacked, hidden, weights, floors, np.full(stacked.shape, np.inf), exact, exact.copy())


def _grand_total(layout: Layout) -> int | None:
    """The one cell that is a total in every way the table adds up and a part in none."""
    ways = [margin for margin in layout.margins if len(margin.totals)]
    top = (layout.levels == len(ways)) & (layout.levels > 0)
    for margin in ways:
        top[margin.parts] = False
    found = np.flatnonzero(top)
    return int(found[0]) if len(found) == 1 else None


def _protect(draft: Draft, layout: Layout, table: pa.Table, roles: OutcomeTable, thresholds: Thresholds) -> None:
    judged = _judged(layout, len(draft.values))
    draft.need(primary_figures(draft.values, layout, thresholds) & judged[:, None], 0.0, float(thresholds.min_count))
    fallen = (draft.values < 0) & (draft.values > -thresholds.min_count) & judged[:, None]
    draft.need(fallen, -float(thresholds.min_count), 0.0)
    for part, whole, complement in layout.complements[: len(layout.pairs)]:
        few = (draft.values[:, whole] > 0) & (draft.values[:, whole] < thresholds.min_denominator) & judged
        few_ = np.zeros(draft.values.shape, np.bool_)
        few_[:, part] = few
        draft.need(few_, 0.0, float(min(thresholds.min_count, thresholds.min_denominator)))
        for shown in (part, complement):
            edge = np.floor(thresholds.edge * draft.values[:, whole])
            low = (draft.values[:, shown] < thresholds.edge * draft.values[:, whole]) & judged
            low &= (edge >= thresholds.min_count) & (draft.values[:, shown] < thresholds.min_count)
            draft.ceilings[low, shown] = edge[low]
    if thresholds.dominance is None:
        return
    if not roles.largest:
        raise RefusedError("expected the columns of largest contributions: the exchange has a dominance rule")
    for count, column in roles.largest:
        at = roles.counts.index(count)
        largest = _largest(table, column)[layout.table_rows]
        mask = np.zeros(draft.values.shape, np.bool_)
        low_, high_ = np.zeros(mask.shape), np.zeros(mask.shape)
        head = slice(0, layout.rows)
        mask[head, at], low_[head, at], high_[head, at] = dominated(
            draft.values[head, at], largest, thresholds.dominance
        )
        draft.need(mask, low_, high_)


def _judged(layout: Layout, height: int) -> Mask:
    """(cells and rests,) those that the new table has a part in; the others were published before, by other rules perhaps."""
    judged = np.zeros(height, np.bool_)
    judged[: layout.rows] = True
    rest = len(layout.keys)
    for margin in layout.every_margin:
        totals, start = np.unique(margin.totals, return_index=True)
        if len(totals):
            judged[rest : rest + len(totals)] = (totals < layout.rows) | np.logical_or.reduceat(
                margin.parts < layout.rows, start
            )
        rest += len(totals)
    return judged


def _largest(table: pa.Table, name: str) -> Counts:
    column = table[name].combine_chunks() if name in table.column_names else None
    if column is None or not pa.types.is_integer(column.type) or column.null_count:
        raise RefusedError("expected a whole number in each row of the largest contributions", where=name)
    return np.asarray(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def _flatten(draft: Draft, layout: Layout) -> System:
    """The equations of margins (per count), of indicators (per cell), and the flat vectors."""
    width, cells = layout.width, len(layout.keys)
    signs, height, rest = [], 0, cells
    for margin in layout.every_margin:
        totals, group = np.unique(margin.totals, return_inverse=True)
        rests = np.arange(rest, rest + len(totals))
        rest += len(totals)
        for count in range(layout.counts):
            base = height + count * len(totals)
            signs.append((base + np.arange(len(totals)), totals * width + count, 1))
            signs.append((base + group, margin.parts * width + count, -1))
            signs.append((base + np.arange(len(totals)), rests * width + count, -1))
        height += len(totals) * layout.counts
    every = np.arange(len(draft.values))
    for relation in layout.relations:
        for indicator in np.flatnonzero(relation):
            sign = int(relation[indicator])
            signs.append((height + every, every * width + indicator, sign))
        height += len(every)
    values = draft.values.ravel()
    rested = np.repeat(np.arange(len(draft.values)) >= cells, width)
    empty = rested & np.repeat(~draft.values.any(axis=1), width)  # the total names every part: the attacker sees that
    ceilings = draft.ceilings.ravel()
    ceilings[empty] = 0.0
    matrix = equations(signs, height, len(values))
    return System(
        matrix, values, draft.hidden.ravel(), draft.weights.ravel(), draft.floors.ravel(), ceilings,
        draft.need_low.ravel(), draft.need_high.ravel(),
    )  # fmt: skip
