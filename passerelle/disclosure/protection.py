"""Making an outcome table safe to publish, or refusing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.disclosure.audit import Gate, Seen, blocks, bounds
from passerelle.disclosure.build import Layout, build
from passerelle.disclosure.cycles import Cycles, network_of
from passerelle.disclosure.optimum import cheapest, is_small, repair
from passerelle.disclosure.roles import Dimension, OutcomeTable, Rate, Release
from passerelle.disclosure.rules import SECRET, Mask, Thresholds
from passerelle.disclosure.system import System
from passerelle.errors import RefusedError

MAX_REPAIRS = 200  # figures that neither the optimum nor a cycle protects, taken one by one
MAX_NAMED = 10  # cells that a message names


@dataclass(frozen=True, slots=True)
class Protected:
    """A table that passed the audit, and what it cost: numbers of figures only."""

    table: pa.Table
    published: int
    primary: int
    secondary: int
    rates_withheld: int
    rates_edged: int
    withheld_by_sender: int


def protect(
    table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, earlier_releases: Sequence[Release] = ()
) -> Protected:
    """Withhold what an attacker could otherwise work out, and audit what is left.

    1. Read the table and the earlier releases as one linear system; mark the figures to protect.
    2. Choose what else to withhold: the optimum in small blocks, cheapest cycles in large ones, repairs last.
    3. Audit by linear programming: every figure to protect stays open over the whole interval that it needs.
    4. Write ``*`` for each withheld count, and for each rate that rests on one.

    Args:
        table: one row for each cell; counts as integers or text, ``*`` or null where the sender withheld them.
        roles: what the columns are.
        thresholds: of the exchange.
        earlier_releases: tables already published about the same persons or some of them, to whomever.

    Returns:
        The table, same rows and columns (largest contributions left out), counts and rates as text; ``*`` is neither 0 nor
        null.

    Raises:
        RefusedError: the table is empty, is not what its roles say, or cannot be made safe.
    """
    layout, system = build(table, roles, thresholds, earlier_releases)
    forced = _forced(layout, system)
    gate = Gate(system)
    suppressed = _choose(layout, system, forced, gate)
    if (short := gate.short(suppressed)).any():
        raise RefusedError(
            f"{int(short.sum())} figures of the table can be worked out whatever is withheld besides its grand total",
            hint="publish a coarser table: fewer territories, fewer indicators, or no totals",
        )
    return _publish(table, roles, thresholds, layout, system, suppressed)


def _forced(layout: Layout, system: System) -> Mask:
    """The primary figures, and the numerator of each primary complement.

    Raises:
        RefusedError: a primary figure cannot be withheld.
    """
    primary, width = system.primary, layout.width
    forced = primary & ~system.hidden
    if (forced & ~system.candidates).any():
        raise RefusedError(
            "the grand total of the table, or its change since an earlier release, is a number of persons to protect",
            hint="publish a table about more persons, or a period that adds more of them",
        )
    cells = forced.reshape(-1, width)
    for part, _, complement in layout.complements:
        cells[:, part] |= primary.reshape(-1, width)[:, complement]
    return cells.ravel() & system.candidates


def _choose(layout: Layout, system: System, forced: Mask, gate: Gate) -> Mask:
    """A pattern that should pass the gate; what it rests on is told to the gate.

    Without totals each cell is a block of its own, and nothing else is ever withheld: if the denominator D >= T is out, the
    numerator and its complement range over [0, D]; if it is not, all three range from 0 up without bound.
    """
    seen = gate.look(forced)
    if not seen.short.any():
        return forced
    suppressed = _optimal_blocks(system, forced, seen)
    if seen.short.any() and (network := network_of(layout)) is not None:
        cycles = Cycles(system, layout, network, suppressed)
        cycles.protect(seen)
        suppressed = cycles.suppressed
        gate.witnesses += cycles.witnesses
    return _repaired(system, suppressed, gate)


def _optimal_blocks(system: System, suppressed: Mask, seen: Seen) -> Mask:
    """The optimum in each small block that has a figure too well known; such blocks are then no longer short."""
    label = blocks(system)
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(label.max() + 2))
    for block in np.unique(label[seen.short]):
        variables = np.sort(order[starts[block] : starts[block + 1]])
        part = system.take(variables)
        if not is_small(part):
            continue
        chosen = cheapest(part, suppressed[variables])
        if chosen is not None:
            suppressed = suppressed.copy()
            suppressed[variables] = chosen
            seen.low[variables], seen.high[variables] = part.need_low, part.need_high
    return suppressed


def _repaired(system: System, suppressed: Mask, gate: Gate) -> Mask:
    """Repair, one by one, what the audit still finds too well known; what cannot be repaired is left to the gate."""
    for _ in range(MAX_REPAIRS):
        short = np.flatnonzero(gate.short(suppressed))
        wider = None
        for variable in short:
            wider = _opened(system, suppressed, int(variable))
            if wider is None:
                return suppressed
            if (wider != suppressed).any():
                break
        if wider is None or not (wider != suppressed).any():
            return suppressed
        suppressed = wider
    return suppressed


def _opened(system: System, suppressed: Mask, variable: int) -> Mask | None:
    wider: Mask | None = suppressed
    for need in (system.need_low[variable], system.need_high[variable]):
        change = float(need - system.values[variable])
        if change and wider is not None:
            wider = repair(system, wider, variable, change)
    return wider


def _publish(
    table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, layout: Layout, system: System, suppressed: Mask
) -> Protected:
    rows, width = layout.rows, layout.width
    kept = np.zeros((table.num_rows, layout.counts), np.bool_)
    kept[layout.table_rows] = ~suppressed.reshape(-1, width)[:rows, : layout.counts]
    written = table
    for index, name in enumerate(roles.counts):
        written = _replace(written, name, _starred(table[name], kept[:, index]))
    withheld = edged = 0
    for rate in roles.rates:
        if rate.column not in table.column_names:
            continue
        shown, edges = _rate(table, rate, roles, thresholds, layout, system, kept)
        withheld += int((shown == SECRET).sum())
        edged += edges
        written = _replace(written, rate.column, _rate_text(table[rate.column], shown))
    largest = [column for _, column in roles.largest if column in written.column_names]
    head = suppressed.reshape(-1, width)[:rows, : layout.counts]
    primary = system.primary.reshape(-1, width)[:rows, : layout.counts] & head
    return Protected(
        written.drop_columns(largest) if largest else written,
        int(kept.sum()), int(primary.sum()), int(head.sum() - primary.sum()), withheld, edged,
        table.num_rows - rows,
    )  # fmt: skip


def _rate(
    table: pa.Table,
    rate: Rate,
    roles: OutcomeTable,
    thresholds: Thresholds,
    layout: Layout,
    system: System,
    kept: Mask,
) -> tuple[Any, int]:
    """For each row: "" where the rate stands, the secrecy mark, or the edge that may be shown in its place."""
    part, whole = roles.counts.index(rate.numerator), roles.counts.index(rate.denominator)
    complement = layout.counts + layout.pairs.index((part, whole))
    values = np.zeros((table.num_rows, layout.width), np.int64)
    values[layout.table_rows] = system.values.reshape(-1, layout.width)[: layout.rows]
    ceilings = np.full(values.shape, np.inf)
    ceilings[layout.table_rows] = system.ceilings.reshape(-1, layout.width)[: layout.rows]
    stands = kept[:, part] & kept[:, whole] & (values[:, whole] >= thresholds.min_denominator)
    shown = np.where(stands, "", SECRET).astype(object)
    edge = f"{100 * thresholds.edge:g} %"
    low = ~stands & kept[:, whole] & np.isfinite(ceilings[:, part])
    high = ~stands & kept[:, whole] & np.isfinite(ceilings[:, complement])
    shown[low], shown[high] = f"< {edge}", f"> {100 - 100 * thresholds.edge:g} %"
    return shown, int((low | high).sum())


def _starred(column: pa.ChunkedArray, kept: Mask) -> pa.Array:
    text = pc.cast(column, pa.string()).combine_chunks()
    return pc.if_else(pa.array(kept), text, pa.scalar(SECRET))


def _rate_text(column: pa.ChunkedArray, shown: Any) -> pa.Array:
    text = pc.cast(column, pa.string()).combine_chunks()
    marks = pa.array(shown, pa.string())
    return pc.if_else(pc.equal(marks, ""), text, marks)


def _replace(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, name, column)


def decide_pattern(
    inner: Sequence[Sequence[int]], suppressed: Sequence[Sequence[int]], thresholds: Thresholds
) -> dict[str, Any]:
    """Whether a two-way table of counts, published with its totals, may go out with the cells ``suppressed`` blanked.

    Returns:
        The answer in the form of domain/cases.csv: ``released`` with ``bounds`` ("row,column" > [low, high] of each figure
        to protect), or with ``reason`` and, in ``blank``, a cheapest set of further cells.
    """
    table, roles = crossed(inner)
    layout, system = build(table, roles, thresholds, ())
    width = len(inner[0]) + 1
    mask = np.zeros(len(system.values), np.bool_)
    for row, column in suppressed:
        mask[row * width + column] = True
    head = np.arange(layout.rows)
    if (system.primary & ~mask & ~system.hidden)[head].any():
        return {"released": False, "reason": "primary_cell_published", "blank": _further(layout, system, mask, width)}
    if Gate(system).short(mask).any():
        return {"released": False, "reason": "primary_cell_recoverable", "blank": _further(layout, system, mask, width)}
    found = bounds(system, mask)
    pairs = zip(found.figures.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
    return {
        "released": True,
        "bounds": {
            f"{f // width},{f % width}": [_whole(low), _whole(high)] for f, low, high in pairs if f < layout.rows
        },
    }


def _whole(number: float) -> int | float | None:
    return None if np.isinf(number) else int(number) if number == int(number) else number


def _further(layout: Layout, system: System, mask: Mask, width: int) -> list[list[int]]:
    chosen = _choose(layout, system, mask | _forced(layout, system), Gate(system))
    return [[int(f) // width, int(f) % width] for f in np.flatnonzero(chosen & ~mask)]


def crossed(inner: Sequence[Sequence[int]]) -> tuple[pa.Table, OutcomeTable]:
    """A two-way table of one count with its totals, as a table and its roles; cells row by row, totals last."""
    body = np.asarray(inner, dtype=np.int64)
    full = np.vstack([np.column_stack([body, body.sum(axis=1)]), np.append(body.sum(axis=0), body.sum())])
    rows, columns = full.shape
    names = [[*(str(i) for i in range(size - 1)), "total"] for size in (rows, columns)]
    table = pa.table(
        {
            "row": [names[0][i] for i in range(rows) for _ in range(columns)],
            "column": names[1] * rows,
            "count": full.ravel(),
        }
    )
    ways = tuple(Dimension((name,), total=("total",)) for name in ("row", "column"))
    roles = OutcomeTable(ways, ("count",))
    return table, roles
