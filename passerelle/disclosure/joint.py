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
from passerelle.disclosure.layout import Layout, compare
from passerelle.disclosure.past import Past
from passerelle.disclosure.roles import OutcomeTable, Release, Units
from passerelle.disclosure.rules import Counts, Mask, Thresholds, small_counts
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
        parts.append(_part(layout.pasts, index, layout.roles, start))
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


def _part(pasts: Sequence[Past], index: int, roles: OutcomeTable, start: int) -> _Part:
    """The system of an earlier release; what it had to protect of its own and of changes before it is protected still."""
    past = pasts[index]
    assert past.release.truth is not None  # noqa: S101 - it hides figures
    before = [Release(other.release.table, Units.OVERLAPPING) for other in pasts[index + 1 :]]
    rows = np.flatnonzero(past.told)
    own, system = build(past.release.truth.take(rows), roles, past.release.thresholds, before)
    height = len(system.values) // own.width
    hidden = system.hidden.reshape(height, own.width).copy()
    hidden[: len(rows), : own.counts] = ~past.figures.known[rows]
    for part, whole, complement in own.complements:
        hidden[: len(rows), complement] = hidden[: len(rows), part] | hidden[: len(rows), whole]
    exact, shown = system.values.astype(np.float64), ~hidden.ravel()
    frozen = System(
        system.matrix,
        system.values,
        hidden.ravel(),
        np.full(len(exact), np.inf),
        system.floors,
        system.ceilings,
        np.where(shown, exact, system.need_low),
        np.where(shown, exact, system.need_high),
    )
    return _Part(frozen, past.at[rows], start)


def _stack(systems: Sequence[System]) -> System:
    matrix = csr_array(block_diag([one.matrix for one in systems], format="csr"))
    names = ("values", "hidden", "weights", "floors", "ceilings", "need_low", "need_high")
    return System(matrix, *(np.concatenate([getattr(one, name) for one in systems]) for name in names))


@dataclass(frozen=True, slots=True)
class _Ties:
    """Figures of two releases: ``late`` - ``early`` is 0 where ``same``, at least 0 where ``grown``; ``small`` changes are protected.

    A change from a figure that is protected itself is as open as that figure.
    """

    late: Counts
    early: Counts
    same: Mask
    grown: Mask
    change: Counts
    small: Mask
    threshold: int


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
    small = np.zeros(len(change), np.bool_)
    if thresholds is not None:
        guarded = early.system.primary.reshape(-1, width)[mine[row], column]
        small = small_counts(np.abs(change), thresholds) & (change != 0) & ~guarded
    return _Ties(
        late.start + theirs[row] * width + column,
        early.start + mine[row] * width + column,
        same[row],
        grown[row],
        change,
        small,
        thresholds.min_count if thresholds is not None else 0,
    )


def _tie(system: System, ties: Sequence[_Ties]) -> System:
    """Add an equation for each tie, and a hidden variable for each change."""
    names = ("late", "early", "same", "grown", "change", "small")
    late, early, same, grown, change, small = (np.concatenate([getattr(one, name) for one in ties]) for name in names)
    threshold = np.concatenate([np.full(len(one.late), one.threshold) for one in ties])
    size, every, moved = len(system.values), np.arange(len(late)), np.flatnonzero(~same)
    changes = size + np.arange(len(moved))
    signs = [(every, late, 1), (every, early, -1), (moved, changes, -1)]
    width = size + len(moved)
    wider = csr_array(
        (system.matrix.data, system.matrix.indices, system.matrix.indptr), shape=(system.matrix.shape[0], width)
    )
    exact = change[moved].astype(np.float64)
    far = np.where(small[moved], np.sign(exact) * threshold[moved], exact)
    near = np.where(small[moved], 0.0, exact)
    return System(
        csr_array(vstack([wider, equations(signs, len(late), width)], format="csr")),
        np.concatenate([system.values, change[moved]]),
        np.concatenate([system.hidden, np.ones(len(moved), np.bool_)]),
        np.concatenate([system.weights, np.full(len(moved), np.inf)]),
        np.concatenate([system.floors, np.where(grown[moved], 0.0, -np.inf)]),
        np.concatenate([system.ceilings, np.full(len(moved), np.inf)]),
        np.concatenate([system.need_low, np.minimum(near, far)]),
        np.concatenate([system.need_high, np.maximum(near, far)]),
    )
