"""The attacker: everything that linear programming can say of a withheld figure.

``bounds`` gives the exact interval of each figure to protect. ``Gate`` decides whether all the needs are met: it looks for
tables that agree with everything published and show the figure low or high enough. One such table vouches for many figures,
so that few programs are solved; a figure fails only when its own optimum says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components

from passerelle.disclosure.rules import Counts, Mask, Numbers
from passerelle.disclosure.system import System
from passerelle.errors import OurWayError

TOLERANCE = 1e-5  # persons; HiGHS keeps equations and bounds to 1e-7
SWEEP_GAIN = 0.7  # sweeps stop when more than this share of the figures is still short after one


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an attacker can say of each primary figure: ``low`` <= figure <= ``high`` (inf: no upper bound)."""

    figures: Counts
    low: Numbers
    high: Numbers


class Attack:
    """The linear programs of one table and one pattern of suppression."""

    def __init__(self, system: System, suppressed: Mask) -> None:
        self.system = system
        self.unknown = _undetermined(system, suppressed | system.hidden)
        part = csr_array(system.matrix[:, self.unknown])
        used = np.diff(part.indptr) > 0
        self._matrix = csr_array(part[used])
        self._right = self._matrix @ system.values[self.unknown]
        # no equation lets a bounded figure go further: each figure is in four equations at most per way of the table
        self.ceiling = float(8 * np.abs(system.values[self.unknown]).sum() + system.need_high.max(initial=0) + 1)
        self._low = np.maximum(system.floors[self.unknown], -self.ceiling)
        self._high = np.minimum(system.ceilings[self.unknown], self.ceiling)
        _, self.blocks = _blocks(self._matrix)

    def table(self, gain: Numbers) -> Numbers:
        """An attacker's table that minimises ``gain`` over the unknown figures; all the figures, known ones included.

        Raises:
            OurWayError: the solver found none, although the true table is one.
        """
        return self._full(self._solve(gain, self._matrix, self._low, self._high))

    def highest(self, picked: Mask, needs: Numbers) -> Numbers:
        """A table that raises as many as it can of the ``picked`` figures towards their ``needs`` together."""
        at = np.flatnonzero(picked[self.unknown])
        size, count = len(self._low), len(at)
        select = csr_array((np.ones(count), (np.arange(count), at)), shape=(count, size))
        equal = hstack([self._matrix, csr_array((self._matrix.shape[0], count))], format="csr")
        below = hstack([-select, eye_array(count)], format="csr")  # reached <= figure
        low = np.concatenate([self._low, np.minimum(self._low[at], 0.0)])  # a change may be a fall
        high = np.concatenate([self._high, needs[self.unknown][at]])
        gain = np.concatenate([np.zeros(size), np.full(count, -1.0)])
        return self._full(self._solve(gain, equal, low, high, below=below)[:size])

    def _solve(
        self, gain: Numbers, equal: csr_array, low: Numbers, high: Numbers, *, below: csr_array | None = None
    ) -> Numbers:
        answer = linprog(
            gain,
            A_ub=below,
            b_ub=None if below is None else np.zeros(below.shape[0]),
            A_eq=equal if equal.shape[0] else None,
            b_eq=self._right if equal.shape[0] else None,
            bounds=np.stack([low, high], axis=1),
            method="highs",
        )
        if answer.status != 0:
            raise OurWayError(f"expected the attacker's program to have a solution, came: status {answer.status}")
        return np.asarray(answer.x, dtype=np.float64)

    def _full(self, unknown: Numbers) -> Numbers:
        table = self.system.values.astype(np.float64)
        table[self.unknown] = unknown
        return table


def _blocks(matrix: csr_array) -> tuple[int, Counts]:
    """Connected blocks of variables: two are linked when an equation has both."""
    height, width = matrix.shape
    entries = coo_array(matrix)
    links = coo_array(
        (np.ones(entries.nnz), (entries.row, height + entries.col)), shape=(height + width, height + width)
    )
    _, labels = connected_components(links, directed=False)
    _, blocks = np.unique(labels[height:], return_inverse=True)
    return int(blocks.max(initial=-1)) + 1, np.asarray(blocks, dtype=np.int64)


def blocks(system: System) -> Counts:
    """(n,) the connected block of each variable of the whole table, published or not."""
    return _blocks(system.matrix)[1]


def _undetermined(system: System, unknown: Mask) -> Mask:
    """What stays unknown once each equation with a single unknown has been solved, again and again."""
    matrix = abs(system.matrix)
    unknown = unknown & (system.floors < system.ceilings)
    while True:
        single = np.asarray((matrix @ unknown.astype(np.int64)) == 1).astype(np.int64)
        solved = unknown & (np.asarray(matrix.T @ single) > 0)
        if not solved.any():
            return np.asarray(unknown, dtype=np.bool_)
        unknown = unknown & ~solved


def bounds(system: System, suppressed: Mask) -> Bounds:
    """The exact interval of each figure to protect: two linear programs for each, those of separate blocks solved together."""
    attack = Attack(system, suppressed)
    figures = np.flatnonzero(system.primary)
    low, high = system.values.astype(np.float64), system.values.astype(np.float64)
    place = np.cumsum(attack.unknown) - 1
    waiting = figures[attack.unknown[figures]]
    while len(waiting):
        _, first = np.unique(attack.blocks[place[waiting]], return_index=True)
        turn = waiting[first]
        gain = np.zeros(int(attack.unknown.sum()))
        gain[place[turn]] = 1.0
        low[turn] = attack.table(gain)[turn]
        high[turn] = attack.table(-gain)[turn]
        waiting = np.delete(waiting, first)
    high = np.where(high >= attack.ceiling - 1, np.inf, high)
    return Bounds(figures, np.round(low[figures], 6), np.round(high[figures], 6))


@dataclass(frozen=True, slots=True)
class Witness:
    """A table that someone claims an attacker cannot rule out: the ``figures`` in which it differs, and by how much."""

    figures: Counts
    changes: Counts | Numbers


@dataclass(slots=True)
class Seen:
    """The lowest and highest that some attacker's table shows for each figure; the true table is one of them."""

    system: System
    low: Numbers
    high: Numbers

    @classmethod
    def true_table(cls, system: System) -> Seen:
        return cls(system, system.values.astype(np.float64), system.values.astype(np.float64))

    def add_some(self, figures: Counts, table: Counts | Numbers) -> None:
        np.minimum.at(self.low, figures, table.astype(np.float64))
        np.maximum.at(self.high, figures, table.astype(np.float64))

    @property
    def short_below(self) -> Mask:
        return np.asarray(self.low > self.system.need_low + TOLERANCE)

    @property
    def short_above(self) -> Mask:
        return np.asarray(self.high < self.system.need_high - TOLERANCE)

    @property
    def short(self) -> Mask:
        return self.short_below | self.short_above


class Gate:
    """The decision on a pattern of suppression: which primary figures an attacker knows too well.

    Witnesses are kept from one pattern to the next: a table that cannot be ruled out still cannot when more is withheld.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self.witnesses: list[Witness] = []

    def look(self, suppressed: Mask) -> Seen:
        """Search for witnesses for many figures together: all low, then all high, while that brings anything."""
        attack, seen = Attack(self.system, suppressed), Seen.true_table(self.system)
        self._admit(attack, seen)
        self._sweep(attack, seen)
        return seen

    def short(self, suppressed: Mask) -> Mask:
        """(n,) the figures to protect that an attacker knows too well; none: the pattern is safe."""
        attack, seen = Attack(self.system, suppressed), Seen.true_table(self.system)
        self._admit(attack, seen)
        self._sweep(attack, seen)
        place = np.cumsum(attack.unknown) - 1
        for sign in (1.0, -1.0):
            settled = ~attack.unknown
            while True:
                short = seen.short_below if sign > 0 else seen.short_above
                waiting = np.flatnonzero(short & ~settled)
                if not len(waiting):
                    break
                _, first = np.unique(attack.blocks[place[waiting]], return_index=True)
                gain = np.zeros(int(attack.unknown.sum()))
                gain[place[waiting[first]]] = sign
                self._learn(attack.table(gain), seen)
                settled[waiting[first]] = True
        return seen.short

    def _sweep(self, attack: Attack, seen: Seen) -> None:
        while (before := int((seen.short & attack.unknown).sum())) > 0:
            low = seen.short_below & attack.unknown
            if low.any():
                self._learn(attack.table(low[attack.unknown].astype(np.float64)), seen)
            high = seen.short_above & attack.unknown
            if high.any():
                self._learn(attack.highest(high, self.system.need_high), seen)
            if (seen.short & attack.unknown).sum() > SWEEP_GAIN * before:
                return

    def _learn(self, table: Numbers, seen: Seen) -> None:
        changes = table - self.system.values
        figures = np.flatnonzero(np.abs(changes) > TOLERANCE / 10)
        self.witnesses.append(Witness(figures, changes[figures]))
        seen.add_some(figures, table[figures])

    def _admit(self, attack: Attack, seen: Seen) -> None:
        """Check every witness against what is published, every equation and every bound; a false one is ignored."""
        if not self.witnesses:
            return
        system, count = self.system, len(self.witnesses)
        figures = np.concatenate([witness.figures for witness in self.witnesses])
        columns = np.repeat(np.arange(count), [len(witness.figures) for witness in self.witnesses])
        changes = np.concatenate([witness.changes for witness in self.witnesses]).astype(np.float64)
        table = system.values[figures] + changes
        wrong = ~attack.unknown[figures]
        wrong |= (table < system.floors[figures] - TOLERANCE) | (table > system.ceilings[figures] + TOLERANCE)
        changed = csr_array(coo_array((changes, (figures, columns)), shape=(len(system.values), count)))
        broken = coo_array(system.matrix @ changed)
        bad = np.union1d(columns[wrong], broken.col[np.abs(broken.data) > TOLERANCE])
        keep = ~np.isin(columns, bad)
        seen.add_some(figures[keep], table[keep])


def bridges(withheld: Mask) -> list[tuple[int, int]]:
    """The withheld cells that a two-way table with all its margins gives back exactly (Handbook on SDC, cycle condition).

    Rows and columns are the nodes of a graph, withheld cells its edges: a cell on no cycle is a bridge. Linear time.

    Args:
        withheld: (rows, columns); for a table that withholds margins too, with them as last row and last column.
    """
    rows, columns = withheld.shape
    edges = [(int(r), rows + int(c)) for r, c in np.argwhere(withheld)]
    near: list[list[tuple[int, int]]] = [[] for _ in range(rows + columns)]
    for index, (one, other) in enumerate(edges):
        near[one].append((other, index))
        near[other].append((one, index))
    order, lowest = [-1] * len(near), [0] * len(near)
    found, clock = [], 0
    for root in range(len(near)):
        if order[root] >= 0:
            continue
        order[root] = lowest[root] = clock
        clock += 1
        path = [(root, -1, iter(near[root]))]
        while path:
            node, came, rest = path[-1]
            for other, edge in rest:
                if order[other] < 0:
                    order[other] = lowest[other] = clock
                    clock += 1
                    path.append((other, edge, iter(near[other])))
                    break
                if edge != came:
                    lowest[node] = min(lowest[node], order[other])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                    if lowest[node] > order[above]:
                        found.append(edges[came])
    return sorted((row, column - rows) for row, column in found)
