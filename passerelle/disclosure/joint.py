"""The new table and all that its readers have already, as one linear system.

What an earlier release withheld is unknown to its reader, and stays in the system: the release's own equations, the figures it
showed, and what ties each withheld figure to the same figure of the new table. The attacker is told which cells did not change
and which only grew; what an earlier release protected must stay open beside the new table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import block_diag, csr_array, vstack

from passerelle.disclosure.build import build
from passerelle.disclosure.layout import Layout, compare, with_complements
from passerelle.disclosure.past import Past
from passerelle.disclosure.roles import Release, Units
from passerelle.disclosure.rules import Counts, Mask, Numbers, Thresholds, small_counts
from passerelle.disclosure.system import System, equations
from passerelle.errors import RefusedError

MAX_UNKNOWN = 400_000  # figures that the attacker does not know, in all tables together: minutes
TIED = frozenset({Units.SAME, Units.NOT_STATED})


@dataclass(frozen=True, slots=True)
class _Part:
    """One earlier release in the joint system.

    Attributes:
        system: of its own, withheld figures hidden.
        cells: (rows,) the cell of the new table's layout that each of its cells is.
        start: the number of its first variable.
    """

    system: System
    cells: Counts
    start: int

    def values(self, width: int) -> Counts:
        """(rows, indicators) the true figures of its cells."""
        return self.system.values.reshape(-1, width)[: len(self.cells)]

    def hidden(self, width: int) -> Mask:
        """(rows, indicators) which of them it does not show."""
        return self.system.hidden.reshape(-1, width)[: len(self.cells)]


def kept(layout: Layout, system: System) -> Mask:
    """The figures that were withheld before, of cells that did not change: shown now, they would be shown for then too."""
    mask = np.zeros((len(system.values) // layout.width, layout.width), np.bool_)
    values = system.values.reshape(-1, layout.width)
    for past in layout.pasts:
        if past.hides and past.units in TIED:
            rows = np.flatnonzero(past.told & (past.at >= 0) & (past.at < layout.rows))
            cells, old = past.at[rows], past.figures.values[rows]
            same, _ = compare(values[cells], old, np.ones(old.shape, np.bool_), layout)
            mask[cells, : layout.counts] |= same[:, None] & ~past.figures.known[rows]
    return np.asarray(mask.ravel() & system.candidates)


def join(layout: Layout, system: System, thresholds: Thresholds) -> System:
    """The system of the new table, with that of each release that withheld figures; its own variables come first.

    Args:
        layout: of the new table.
        system: of the new table.
        thresholds: of the new table.

    Raises:
        RefusedError: the tables together are too large to be judged.
    """
    hiding = [index for index, past in enumerate(layout.pasts) if past.hides and past.units in TIED]
    if not hiding:
        return system
    parts, start = [], len(system.values)
    for index in hiding:
        parts.append(_part(layout, index, start))
        start += len(parts[-1].system.values)
    joint = _stack([system, *(part.system for part in parts)])
    new = _Part(system, np.arange(len(layout.keys)), 0)
    tied = [_ties(layout, new, part, thresholds) for part in parts]
    tied += [_ties(layout, late, early, None) for late, early in pairwise(parts)]
    joint = _tie(joint, tied)
    if int((joint.hidden | joint.candidates).sum()) > MAX_UNKNOWN:
        raise RefusedError(
            f"expected at most {MAX_UNKNOWN} figures in the table and in what its recipients have already, came more",
            hint="send it by period or by territory",
            fr=f"le tableau et ceux que ses destinataires ont déjà ont plus de {MAX_UNKNOWN} valeurs à examiner ensemble",
            hint_fr="envoyez-le par période ou par territoire",
        )
    return joint


def _part(layout: Layout, index: int, start: int) -> _Part:
    """The system of an earlier release; what it had to protect of its own and of changes before it is protected still."""
    past, roles = layout.pasts[index], layout.roles
    assert past.release.truth is not None  # noqa: S101 - it hides figures
    before = [Release(other.release.table, Units.OVERLAPPING) for other in layout.pasts[index + 1 :]]
    rows = np.flatnonzero(past.told)
    own, system = build(past.release.truth.take(rows), roles, past.release.thresholds, before)
    height = len(system.values) // own.width
    hidden = system.hidden.reshape(height, own.width).copy()
    hidden[: len(rows), : own.counts] = ~past.figures.known[rows]
    for part, whole, complement in own.complements:
        hidden[: len(rows), complement] = hidden[: len(rows), part] | hidden[: len(rows), whole]
    floors = system.floors.reshape(height, own.width).copy()
    for other in layout.pasts[index + 1 :]:
        _raise_floors(floors, layout, past.at[rows], past.figures.values[rows], other)
    exact, shown = system.values.astype(np.float64), ~hidden.ravel()
    frozen = System(
        system.matrix,
        system.values,
        hidden.ravel(),
        np.full(len(exact), np.inf),
        floors.ravel(),
        system.ceilings,
        np.where(shown, exact, system.need_low),
        np.where(shown, exact, system.need_high),
    )
    return _Part(frozen, past.at[rows], start)


def _raise_floors(floors: Numbers, layout: Layout, cells: Counts, values: Counts, before: Past) -> None:
    """A figure of a cell that only grew is at least what a release before showed of it."""
    place = np.full(len(layout.keys), -1)
    rows = np.flatnonzero(before.told & (before.at >= 0))
    place[before.at[rows]] = rows
    mine = np.flatnonzero(place[cells] >= 0)
    theirs = place[cells[mine]]
    old, known = before.figures.values[theirs], before.figures.known[theirs]
    parts = [values[:, [whole]] - values[:, [part]] for part, whole, _ in layout.complements]
    _, grown = compare(np.concatenate([values, *parts], axis=1)[mine], old, np.ones(old.shape, np.bool_), layout)
    shown, least = with_complements(known, old, layout)
    raised = np.maximum(floors[mine], np.where(shown & grown[:, None], least, 0))
    floors[mine] = raised


def _stack(systems: Sequence[System]) -> System:
    matrix = csr_array(block_diag([one.matrix for one in systems], format="csr"))
    names = ("values", "hidden", "weights", "floors", "ceilings", "need_low", "need_high")
    return System(matrix, *(np.concatenate([getattr(one, name) for one in systems]) for name in names))


@dataclass(frozen=True, slots=True)
class _Ties:
    """Figures of two releases: ``late`` - ``early`` = ``change``, known to be 0 where ``same``, at least 0 where ``grown``.

    ``low`` and ``high``: what must stay possible of the change; both are the change where nothing is to protect.
    """

    late: Counts
    early: Counts
    same: Mask
    grown: Mask
    change: Counts
    low: Numbers
    high: Numbers


def _ties(layout: Layout, late: _Part, early: _Part, thresholds: Thresholds | None) -> _Ties:
    """Tie each figure that the earlier release withheld; with ``thresholds``, protect small changes too."""
    width, counts = layout.width, layout.counts
    place = np.full(len(layout.keys), -1)
    place[late.cells] = np.arange(len(late.cells))
    mine = np.flatnonzero(place[early.cells] >= 0)
    theirs = place[early.cells[mine]]
    old = early.values(width)[mine]
    new = late.values(width)[theirs]
    same, grown = compare(new, old[:, :counts], np.ones((len(old), counts), np.bool_), layout)
    wanted = early.hidden(width)[mine]
    if thresholds is None:
        wanted = wanted | late.hidden(width)[theirs]
        wanted = wanted & grown[:, None]
    row, column = np.nonzero(wanted)
    change = new[row, column] - old[row, column]
    at = mine[row] * width + column
    low, high = _change_needs(change, new[row, column], _own_needs(early.system, at), thresholds)
    return _Ties(late.start + theirs[row] * width + column, early.start + at, same[row], grown[row], change, low, high)


def _own_needs(system: System, figures: Counts) -> tuple[Numbers, Numbers, Mask]:
    return system.need_low[figures], system.need_high[figures], system.primary[figures]


def _change_needs(
    change: Counts, new: Counts, own: tuple[Numbers, Numbers, Mask], thresholds: Thresholds | None
) -> tuple[Numbers, Numbers]:
    """What must stay possible of changes: nobody to the threshold, as far as the earlier figure itself is open.

    Args:
        change: from the earlier figure.
        new: the figure now.
        own: the interval that the earlier figure needs for itself, and where it needs one.
        thresholds: None where changes are not to be protected.
    """
    exact = change.astype(np.float64)
    if thresholds is None:
        return exact, exact
    small = small_counts(np.abs(change), thresholds) & (change != 0)
    far = np.sign(exact) * thresholds.min_count
    low, high, guarded = own
    least = np.where(guarded, np.maximum(np.minimum(0.0, far), new - high), np.minimum(0.0, far))
    most = np.where(guarded, np.minimum(np.maximum(0.0, far), new - low), np.maximum(0.0, far))
    return np.where(small, np.minimum(least, exact), exact), np.where(small, np.maximum(most, exact), exact)


def _tie(system: System, ties: Sequence[_Ties]) -> System:
    """Add an equation for each tie, and a hidden variable for each change."""
    names = ("late", "early", "same", "grown", "change", "low", "high")
    late, early, same, grown, change, low, high = (
        np.concatenate([getattr(one, name) for one in ties]) for name in names
    )
    size, every, moved = len(system.values), np.arange(len(late)), np.flatnonzero(~same)
    signs = [(every, late, 1), (every, early, -1), (moved, size + np.arange(len(moved)), -1)]
    width = size + len(moved)
    matrix = system.matrix
    wider = csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width))
    return System(
        csr_array(vstack([wider, equations(signs, len(late), width)], format="csr")),
        np.concatenate([system.values, change[moved]]),
        np.concatenate([system.hidden, np.ones(len(moved), np.bool_)]),
        np.concatenate([system.weights, np.full(len(moved), np.inf)]),
        np.concatenate([system.floors, np.where(grown[moved], 0.0, -np.inf)]),
        np.concatenate([system.ceilings, np.full(len(moved), np.inf)]),
        np.concatenate([system.need_low, low[moved]]),
        np.concatenate([system.need_high, high[moved]]),
    )
