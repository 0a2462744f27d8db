"""From a table, its roles and the earlier releases to the linear system that an attacker faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.disclosure.grid import Figures, Margin, cell_ids, encode, margins, read_figures
from passerelle.disclosure.roles import Code, OutcomeTable, Release, Units
from passerelle.disclosure.rules import Counts, Mask, Numbers, Thresholds, dominated, small_counts, small_shares
from passerelle.disclosure.system import System, equations
from passerelle.errors import RefusedError

TOTAL_WEIGHT = 8.0  # a total costs as much as that many of its parts, per dimension summed over

GRAND_WEIGHT = 1e5
SAME_PATTERN = 0.25  # what was withheld before costs less to withhold again


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are: variable = cell * ``width`` + indicator.

    ``keys`` (cells, dimensions) code numbers; the first ``rows`` cells are the table's complete rows, in order of
    ``table_rows``; then come cells that only earlier releases show, then rests. ``counts`` of the ``width`` indicators are
    columns; then come complements, of the rates' ``pairs`` (part, whole) first and of ``within`` next. ``margins`` as read;
    ``levels`` (cells,) in how many dimensions a cell is a total.
    """

    keys: Counts
    rows: int
    table_rows: Counts
    counts: int
    width: int
    pairs: tuple[tuple[int, int], ...]
    within: tuple[tuple[int, int], ...]
    relations: Counts
    margins: list[Margin]
    levels: Counts

    @property
    def complements(self) -> list[tuple[int, int, int]]:
        """(part, whole, indicator of their difference), of rates and within."""
        pairs = (*self.pairs, *self.within)
        return [(part, whole, self.counts + index) for index, (part, whole) in enumerate(pairs)]


@dataclass(slots=True)
class _Draft:
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


def build(
    table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, earlier: Sequence[Release]
) -> tuple[Layout, System]:
    """Read, link, and mark what is to protect.

    Raises:
        RefusedError: the table is not what its roles say, its totals do not add up, or a figure to protect is out already.
    """
    figures = read_figures(table, roles)
    complete = np.flatnonzero(figures.known.all(axis=1))
    if not len(complete):
        raise RefusedError("expected at least one row whose counts are all known")
    earlier_figures = [read_figures(release.table, roles) for release in earlier]
    stacked, codes = encode([figures.keys, *(other.keys for other in earlier_figures)], roles)
    ids = cell_ids(stacked)
    if len(np.unique(ids[: len(figures.known)])) < len(figures.known):
        raise RefusedError("expected one row for each cell, came: two rows with the same codes")
    cells, extra = _cells(figures, complete, ids, earlier, earlier_figures)
    layout, values = _layout(roles, codes, stacked[cells], complete, _all_values(figures, earlier_figures)[cells])
    if len(complete) < len(figures.known) and any(len(margin.totals) for margin in layout.margins):
        raise RefusedError(
            "expected every count: where totals are published, figures withheld by the sender cannot be judged",
            hint="ask for the counts before suppression, or for a table without totals",
        )
    draft = _draft(layout, values)
    _protect(draft, layout, table, roles, thresholds)
    offset = len(figures.known)
    for release, other in zip(earlier, earlier_figures, strict=True):
        match = _match(ids[cells[: layout.rows]], ids[offset : offset + len(other.known)])
        offset += len(other.known)
        _recall(draft, layout, thresholds, units=release.units, old=other, match=match)
    draft.weights[layout.rows : layout.rows + extra] = np.inf
    draft.ceilings[draft.ceilings < draft.need_high] = np.inf  # then the edge of the rate is not shown
    return layout, _flatten(draft, layout)


def _all_values(figures: Figures, earlier: list[Figures]) -> Counts:
    return np.concatenate([figures.values, *(other.values for other in earlier)])


def _cells(
    figures: Figures, complete: Counts, ids: Counts, earlier: Sequence[Release], earlier_figures: list[Figures]
) -> tuple[Counts, int]:
    """Stacked row numbers of the cells: the table's, then those that only an earlier release of the same persons shows."""
    offset, extra = len(figures.known), [np.empty(0, np.int64)]
    for release, other in zip(earlier, earlier_figures, strict=True):
        if release.units is Units.SAME:
            extra.append(offset + np.flatnonzero(other.known.all(axis=1)))
        offset += len(other.known)
    more = np.concatenate(extra)
    more = more[~np.isin(ids[more], ids[: len(figures.known)])]
    _, first = np.unique(ids[more], return_index=True)
    more = more[np.sort(first)]
    return np.concatenate([complete, more]), len(more)


def _layout(
    roles: OutcomeTable, codes: list[list[Code]], keys: Counts, complete: Counts, counts: Counts
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
    found = margins(keys, codes, counts, roles)
    levels = np.zeros(len(keys), np.int64)
    for margin in found:
        levels[np.unique(margin.totals)] += 1
    layout = Layout(keys, len(complete), complete, len(roles.counts), width, pairs, within, relations, found, levels)
    _check_sums(layout, values)
    return layout, values


def _check_sums(layout: Layout, values: Counts) -> None:
    if (values < 0).any():
        raise RefusedError("expected each part of a count to be at most the count")
    if (values @ layout.relations.T).any():
        raise RefusedError("expected linked indicators to add up in each cell")


def _draft(layout: Layout, values: Counts) -> _Draft:
    """The figures with nothing to protect yet, and the rests: what a margin has besides the cells that are named."""
    rests = []
    for margin in layout.margins:
        totals, start = np.unique(margin.totals, return_index=True)
        if len(totals):
            rest = values[totals] - np.add.reduceat(values[margin.parts], start)
            if (rest < 0).any():
                raise RefusedError("expected totals of at least the sum of their parts: the table does not add up")
            rests.append(rest)
    stacked = np.concatenate([values, *rests])
    hidden = np.zeros(stacked.shape, np.bool_)
    hidden[:, layout.counts :] = True
    hidden[len(values) :] = True
    levels = np.zeros(len(stacked))
    levels[: len(values)] = layout.levels
    weights = ((1.0 + np.log1p(stacked)) * (TOTAL_WEIGHT**levels)[:, None]).astype(np.float64)
    if (grand := _grand_total(layout)) is not None:
        parts = [part for part, _, _ in layout.complements]
        weights[grand] = np.inf
        weights[grand, parts] = (
            GRAND_WEIGHT  # how many persons there are in all is always out, what became of them is not
        )
    exact = stacked.astype(np.float64)
    floors = np.zeros(stacked.shape)
    return _Draft(stacked, hidden, weights, floors, np.full(stacked.shape, np.inf), exact, exact.copy())


def _grand_total(layout: Layout) -> int | None:
    """The one cell that is a total in every way the table adds up and a part in none."""
    ways = [margin for margin in layout.margins if len(margin.totals)]
    top = (layout.levels == len(ways)) & (layout.levels > 0)
    for margin in ways:
        top[margin.parts] = False
    found = np.flatnonzero(top)
    return int(found[0]) if len(found) == 1 else None


def _protect(draft: _Draft, layout: Layout, table: pa.Table, roles: OutcomeTable, thresholds: Thresholds) -> None:
    judged = np.ones(len(draft.values), np.bool_)
    judged[layout.rows : len(layout.keys)] = False  # published before, by other rules perhaps
    draft.need(_primary(draft.values, layout, thresholds) & judged[:, None], 0.0, float(thresholds.min_count))
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


def _largest(table: pa.Table, name: str) -> Counts:
    column = table[name].combine_chunks() if name in table.column_names else None
    if column is None or not pa.types.is_integer(column.type) or column.null_count:
        raise RefusedError("expected a whole number in each row of the largest contributions", where=name)
    return np.asarray(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def _primary(values: Counts, layout: Layout, thresholds: Thresholds) -> Mask:
    mask = np.zeros(values.shape, np.bool_)
    mask[:] = small_counts(values, thresholds)
    for part, whole, complement in layout.complements[: len(layout.pairs)]:
        mask[:, part] |= small_shares(values[:, part], values[:, whole], thresholds)
        mask[:, complement] |= small_shares(values[:, complement], values[:, whole], thresholds)
    return mask


def _match(new: Counts, old: Counts) -> tuple[Counts, Counts]:
    """Positions of the cells that are both in ``new`` and in ``old`` (cell ids, each without duplicates)."""
    _, in_new, in_old = np.intersect1d(new, old, return_indices=True)
    return in_new, in_old


def _recall(
    draft: _Draft, layout: Layout, thresholds: Thresholds, *, units: Units, old: Figures, match: tuple[Counts, Counts]
) -> None:
    """What an earlier release adds: figures that are out, floors, and differences that are small counts themselves."""
    new, at = match
    counts = slice(0, layout.counts)
    values, known = draft.values[new, counts], old.known[at]
    out = known & (values == old.values[at]) & (units is Units.SAME)
    flat = np.zeros(draft.values.shape, np.bool_)
    flat[new, counts] = out
    if (flat & (draft.need_low < draft.values) | flat & (draft.need_high > draft.values)).any():
        raise RefusedError(
            "a figure to protect was published in an earlier release",
            hint="withdraw that release, or record who accepts the exposure",
        )
    draft.weights[flat] = np.inf
    flat[new, counts] = ~known
    draft.weights[flat] *= SAME_PATTERN
    before, nested = old.values[at], layout.complements
    known = np.concatenate([known, *(known[:, [part]] & known[:, [whole]] for part, whole, _ in nested)], axis=1)
    before = np.concatenate([before, *(before[:, [whole]] - before[:, [part]] for part, whole, _ in nested)], axis=1)
    if units is Units.GROWING:
        draft.floors[new] = np.where(known, np.maximum(draft.floors[new], before), draft.floors[new])
        if (draft.floors[new] > draft.values[new]).any():
            raise RefusedError("expected figures at least those of the earlier release, since they are said to grow")
    _guard_differences(draft, layout, thresholds, before=before, known=known, new=new)


def _guard_differences(
    draft: _Draft, layout: Layout, thresholds: Thresholds, *, before: Counts, known: Mask, new: Counts
) -> None:
    """Protect each figure that differs from an earlier one by a number of persons that could not be published."""
    change = draft.values[new] - before
    small = _primary(np.abs(change), layout, replace(thresholds, zeros=False)) & known
    far = np.where(change < 0, -thresholds.min_count, thresholds.min_count)
    mask = np.zeros(draft.values.shape, np.bool_)
    low, high = np.zeros(mask.shape), np.zeros(mask.shape)
    mask[new] = small
    low[new] = np.maximum(np.minimum(before, before + far), 0)
    high[new] = np.maximum(before, before + far)
    draft.need(mask, low, high)


def _flatten(draft: _Draft, layout: Layout) -> System:
    """The equations of margins (per count), of indicators (per cell), and the flat vectors."""
    width, cells = layout.width, len(layout.keys)
    signs, height, rest = [], 0, cells
    for margin in layout.margins:
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
