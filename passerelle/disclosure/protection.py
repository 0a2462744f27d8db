"""Making an outcome table safe to publish, or refusing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.disclosure.audit import Gate, Seen, blocks
from passerelle.disclosure.build import build
from passerelle.disclosure.coordinates import named
from passerelle.disclosure.cycles import Cycles, groups_of, network_of
from passerelle.disclosure.joint import join, kept
from passerelle.disclosure.layout import Layout
from passerelle.disclosure.optimum import cheapest, is_small, repair
from passerelle.disclosure.roles import OutcomeTable, Rate, Release
from passerelle.disclosure.rules import SECRET, Counts, Mask, Thresholds
from passerelle.disclosure.system import System
from passerelle.errors import RefusedError

MAX_REPAIRS = 2_000  # figures that neither the optimum nor a cycle protects, taken one by one


@dataclass(frozen=True, slots=True)
class Protected:
    """A table that passed the audit, and what it cost: numbers of figures only.

    ``primary`` and ``secondary`` are counts withheld, by rule and to keep the former from being worked out;
    ``withheld_by_sender`` are rows that came without all their counts, and leave without any.
    """

    table: pa.Table
    published: int
    primary: int
    secondary: int
    rates_withheld: int
    rates_edged: int
    withheld_by_sender: int

    @property
    def suppressed(self) -> int:
        """The counts that were withheld, primary and secondary."""
        return self.primary + self.secondary


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
    forced = forced_figures(layout, system)
    suppressed, short = _settled(layout, system, forced, join(layout, system, thresholds))
    if short.any():
        raise _not_safe(layout, short)
    return _publish(table, roles, thresholds, _Decided(layout, system, forced, suppressed))


def _settled(layout: Layout, system: System, forced: Mask, joint: System) -> tuple[Mask, Mask]:
    """The pattern, and the figures of the ``joint`` system that it leaves too well known: none, when it may leave."""
    gate = Gate(system)
    suppressed = choose(layout, system, forced | kept(layout, system), gate)
    if joint is system:
        return suppressed, gate.short(suppressed)
    wide = np.concatenate([suppressed, np.zeros(len(joint.values) - len(suppressed), np.bool_)])
    gate = Gate(joint)
    if (seen := gate.look(wide)).short.any():
        wide = _repaired(joint, _optimal_blocks(joint, wide, seen), gate)
    return wide[: len(suppressed)], gate.short(wide)


def _not_safe(layout: Layout, short: Mask) -> RefusedError:
    count, where = int(short.sum()), named(layout, short)
    return RefusedError(
        f"{count} figures of the table, or of one its recipients have, can be worked out whatever else is withheld: {where}",
        hint="leave those cells out and the totals above them, or publish a coarser table",
        fr=f"{count} valeurs du tableau, ou d'un tableau que ses destinataires ont déjà, peuvent être retrouvées quoi qu'on masque "
        f"de plus : {where}",
        hint_fr="retirez ces cases et les totaux dont elles font partie, ou publiez un tableau moins fin",
    )


def forced_figures(layout: Layout, system: System) -> Mask:
    """The primary figures, and the numerator of each primary complement.

    Raises:
        RefusedError: a primary figure cannot be withheld.
    """
    primary, width = system.primary, layout.width
    forced = primary & ~system.hidden
    if (stuck := forced & ~system.candidates).any():
        where = named(layout, stuck)
        raise RefusedError(
            f"a figure to protect cannot be withheld: it is the grand total, or its change since an earlier release: {where}",
            hint="leave that total out, or publish a table about more persons, or a period that adds more of them",
            fr="une valeur à protéger ne peut pas être masquée : c'est le total général, ou son évolution depuis une livraison "
            f"antérieure : {where}",
            hint_fr="retirez ce total, ou publiez un tableau sur davantage de personnes, ou une période qui en ajoute davantage",
        )
    cells = forced.reshape(-1, width)
    for part, _, complement in layout.complements:
        cells[:, part] |= primary.reshape(-1, width)[:, complement]
    return cells.ravel() & system.candidates


def choose(layout: Layout, system: System, forced: Mask, gate: Gate) -> Mask:
    """A pattern that should pass the gate; what it rests on is told to the gate.

    Without totals each cell is a block of its own, and nothing else is ever withheld: if the denominator D >= T is out, the
    numerator and its complement range over [0, D]; if it is not, all three range from 0 up without bound.
    """
    seen = gate.look(forced)
    if not seen.short.any():
        return forced
    suppressed = _optimal_blocks(system, forced, seen)
    if seen.short.any() and (network := network_of(layout)) is not None:
        suppressed = suppressed.copy()
        short = np.unique(np.flatnonzero(seen.short) // layout.width)
        for cells in (group for group in groups_of(layout) if np.isin(group, short).any()):
            cycles = Cycles(system, layout, network, cells, suppressed)
            cycles.protect(seen)
            gate.witnesses += cycles.witnesses
    return _repaired(system, suppressed, gate)


def _optimal_blocks(system: System, suppressed: Mask, seen: Seen) -> Mask:
    """The optimum in each small block that has a figure too well known; such blocks are then no longer short."""
    for variables, part in _parts(system, np.flatnonzero(seen.short)):
        if not is_small(part):
            continue
        chosen = cheapest(part, suppressed[variables])
        if chosen is not None:
            suppressed = suppressed.copy()
            suppressed[variables] = chosen
            seen.low[variables], seen.high[variables] = part.need_low, part.need_high
    return suppressed


def _parts(system: System, figures: Counts) -> Iterator[tuple[Counts, System]]:
    """Each connected block that has one of ``figures``: its variables, and its own system."""
    label = blocks(system)
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(label.max() + 2))
    for block in np.unique(label[figures]):
        variables = np.sort(order[starts[block] : starts[block + 1]])
        yield variables, system.take(variables)


def _repaired(system: System, suppressed: Mask, gate: Gate) -> Mask:
    """Repair what the audit still finds too well known, round after round; what cannot be repaired is left to the gate."""
    left = MAX_REPAIRS
    while (short := np.flatnonzero(gate.short(suppressed))).size and left > 0:
        before, suppressed = suppressed, suppressed.copy()
        for variables, part in _parts(system, short[:left]):
            wider = _all_open(part, suppressed[variables], np.flatnonzero(np.isin(variables, short[:left])))
            if wider is None:
                return suppressed
            suppressed[variables] = wider
        left -= len(short)
        if (suppressed == before).all():
            break
    return suppressed


def _all_open(system: System, suppressed: Mask, figures: Counts) -> Mask | None:
    """What to withhold so that each of ``figures`` may be as low and as high as it needs; None when one cannot."""
    wider: Mask | None = suppressed
    for figure in figures.tolist():
        for need in (system.need_low[figure], system.need_high[figure]):
            change = float(need - system.values[figure])
            if change and wider is not None:
                wider = repair(system, wider, figure, change)
    return wider


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was decided of each figure of a system."""

    layout: Layout
    system: System
    forced: Mask
    suppressed: Mask

    def rows(self, flat: Any) -> Any:
        """(rows of the table that are judged, indicators) of a flat vector."""
        return flat.reshape(-1, self.layout.width)[: self.layout.rows]

    def spread(self, flat: Any, missing: float, height: int) -> Any:
        """(rows of the table, indicators) of a flat vector, ``missing`` in rows that were not judged."""
        spread = np.full((height, self.layout.width), missing, dtype=flat.dtype)
        spread[self.layout.table_rows] = self.rows(flat)
        return spread


def _publish(table: pa.Table, roles: OutcomeTable, thresholds: Thresholds, decided: _Decided) -> Protected:
    counts = decided.layout.counts
    kept = decided.spread(~decided.suppressed, missing=False, height=table.num_rows)[:, :counts]
    written = table
    for index, name in enumerate(roles.counts):
        text = pc.cast(table[name], pa.string()).combine_chunks()
        written = _replace(written, name, pc.if_else(pa.array(kept[:, index]), text, pa.scalar(SECRET)))
    if not kept.any():
        raise RefusedError(
            "nothing of the table can be published", hint="publish a coarser table: more persons in each cell"
        )
    withheld = edged = 0
    for rate in roles.rates:
        if rate.column in table.column_names:
            marks = _marks(rate, roles, thresholds, decided, kept)
            withheld += int((marks == SECRET).sum())
            edged += int((marks != SECRET).sum() - (marks == "").sum())
            text = pc.cast(table[rate.column], pa.string()).combine_chunks()
            marked = pa.array(marks, pa.string())
            written = _replace(written, rate.column, pc.if_else(pc.equal(marked, ""), text, marked))
    primary = int(decided.rows(decided.forced)[:, :counts].sum())
    suppressed = int(decided.rows(decided.suppressed)[:, :counts].sum())
    return Protected(
        written.drop_columns([column for _, column in roles.largest if column in written.column_names]),
        published=int(kept.sum()),
        primary=primary,
        secondary=suppressed - primary,
        rates_withheld=withheld,
        rates_edged=edged,
        withheld_by_sender=table.num_rows - decided.layout.rows,
    )


def _marks(rate: Rate, roles: OutcomeTable, thresholds: Thresholds, decided: _Decided, kept: Mask) -> Any:
    """For each row: "" where the rate stands, the secrecy mark, or the edge that may be shown in its place."""
    layout, height = decided.layout, len(kept)
    part, whole = roles.counts.index(rate.numerator), roles.counts.index(rate.denominator)
    complement = layout.counts + layout.pairs.index((part, whole))
    values = decided.spread(decided.system.values, missing=0, height=height)
    ceilings = decided.spread(decided.system.ceilings, missing=np.inf, height=height)
    both = kept[:, part] & kept[:, whole]
    stands = both & ((values[:, whole] >= thresholds.min_denominator) | (values[:, whole] == 0))
    marks = np.where(stands, "", SECRET).astype(object)
    edged = ~stands & kept[:, whole]
    marks[edged & np.isfinite(ceilings[:, part])] = f"< {100 * thresholds.edge:g} %"
    marks[edged & np.isfinite(ceilings[:, complement])] = f"> {100 - 100 * thresholds.edge:g} %"
    return marks


def _replace(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
