"""The cheapest cycle: what else to withhold in a large table, figure by figure.

A table crossed two ways is a network: its equations are the nodes, its cells the edges. Along a cycle of cells the figures can
rise and fall by turns while every total stays: withholding a cycle leaves its figures open by as much as the cycle carries.
For each figure still too well known, and for each direction, Dijkstra finds the cheapest such cycle; what is withheld already
costs nothing. A move says how the indicators of a cell go together (one person more employed is one less without
employment), so that linked indicators stay linked. Each cycle is a witness, which the audit checks for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from passerelle.disclosure.audit import TOLERANCE, Seen, Witness
from passerelle.disclosure.grid import Margin
from passerelle.disclosure.layout import Layout
from passerelle.disclosure.rules import Counts, Mask, Numbers
from passerelle.disclosure.system import System

STEP_COST = 1e-3  # of an edge that costs nothing, so that the shortest of free cycles wins
MAX_INDICATORS = 7  # 3 ** 7 moves are tried at most
MAX_MOVES = 6
MAX_WAYS = 2


@dataclass(frozen=True, slots=True)
class Network:
    """One person more in a cell flows from node ``tail`` to node ``head`` (cells,); node 0 is no equation."""

    tail: Counts
    head: Counts
    nodes: int

    def only(self, cells: Counts) -> Network:
        """The network of some cells that no equation links to the others; node 0 stays no equation."""
        ends = np.concatenate([[0], self.tail[cells], self.head[cells]])
        names, packed = np.unique(ends, return_inverse=True)
        return Network(packed[1 : 1 + len(cells)], packed[1 + len(cells) :], len(names))


def network_of(layout: Layout) -> Network | None:
    """The table as a network: crossed at most two ways, one of which may nest; None for any other.

    The equations of a total of the nesting way follow from those of its parts and are left out, so that each cell is in two
    at most.
    """
    crossed = sorted((margin for margin in layout.margins if len(margin.totals)), key=_is_nested, reverse=True)
    cells = len(layout.keys)
    if (
        layout.width > MAX_INDICATORS
        or not crossed
        or crossed[MAX_WAYS:]
        or any(_is_nested(way) for way in crossed[1:])
    ):
        return None
    totals = np.unique(crossed[0].totals)
    entries = [*_entries(crossed[0], 0)]
    turned = np.ones(1 + 2 * cells, np.int64)
    for second in crossed[1:]:
        inner = ~np.isin(second.totals, totals)
        entries += _entries(Margin(second.totals[inner], second.parts[inner]), cells)
        turned[1 + cells :] = -1
        turned[1 + totals[np.isin(totals, second.totals)]] = -1
    ends = np.zeros((cells, 2), np.int64)
    for cell, node, sign in entries:
        side = (sign * turned[node] > 0).astype(np.int64)
        if ends[cell, side].any():
            return None
        ends[cell, side] = node
    return Network(ends[:, 0], ends[:, 1], len(turned))


def _is_nested(margin: Margin) -> bool:
    return bool(np.isin(margin.totals, margin.parts).any())


def _entries(margin: Margin, offset: int) -> list[tuple[Counts, Counts, int]]:
    """(cells, nodes, sign) of the equations of a margin; a node is named after its total."""
    totals = np.unique(margin.totals)
    return [(totals, 1 + offset + totals, 1), (margin.parts, 1 + offset + margin.totals, -1)]


def groups_of(layout: Layout) -> list[Counts]:
    """The cells of each part of the table that no equation links to another part."""
    cells = len(layout.keys)
    ends = [np.concatenate(each) for each in zip(*((way.totals, way.parts) for way in layout.margins), strict=True)]
    _, label = connected_components(
        coo_array((np.ones(len(ends[0])), tuple(ends)), shape=(cells, cells)), directed=False
    )
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def moves_of(relations: Counts, width: int, indicator: int) -> Counts:
    """(moves, width) ways to add one to ``indicator`` that keep every relation, fewest indicators first."""
    every = np.array(list(product((0, 1, -1), repeat=width)), dtype=np.int64)
    every = every[(every[:, indicator] == 1) & ~(every @ relations.T).any(axis=1)]
    order = np.argsort(np.abs(every).sum(axis=1), kind="stable")
    return np.asarray(every[order[:MAX_MOVES]], dtype=np.int64)


class Cycles:
    """Chooses cycles among ``cells`` (one of ``groups_of``) for the figures that ``seen`` says are too well known.

    ``suppressed`` is changed in place; ``witnesses`` collects the cycles.
    """

    def __init__(self, system: System, layout: Layout, network: Network, cells: Counts, suppressed: Mask) -> None:
        self._system, self._network, self._width = system, network.only(cells), layout.width
        network = self._network
        self._suppressed = suppressed
        self.witnesses: list[Witness] = []
        self._variables = cells[:, None] * layout.width + np.arange(layout.width)
        self._below = (system.values - system.floors)[self._variables]
        self._above = (system.ceilings - system.values)[self._variables]
        self._moves = [moves_of(layout.relations, layout.width, indicator) for indicator in range(layout.width)]
        one_way = network.tail * network.nodes + network.head
        other_way = network.head * network.nodes + network.tail
        arcs = np.concatenate([one_way, other_way])
        self._order = np.argsort(arcs, kind="stable")
        self._arcs, self._starts = np.unique(arcs[self._order], return_index=True)
        tails, self._heads = np.divmod(self._arcs, network.nodes)
        self._pointers = np.searchsorted(tails, np.arange(network.nodes + 1))

    def protect(self, seen: Seen) -> None:
        """Withhold cycles until each figure of a cell is as open as it needs, or no cycle can make it so."""
        needs, figures = self._system, self._variables.ravel()
        below = (needs.need_low - needs.values)[figures]
        above = (needs.need_high - needs.values)[figures]
        hardest = np.argsort(-np.maximum(-below, above), kind="stable")
        for place in hardest[seen.short[figures[hardest]]].tolist():
            figure = int(figures[place])
            if seen.low[figure] > needs.need_low[figure] + TOLERANCE:
                self._open(place, int(below[place]), seen)
            if seen.high[figure] < needs.need_high[figure] - TOLERANCE:
                self._open(place, int(above[place]), seen)

    def _open(self, place: int, change: int, seen: Seen) -> None:
        cell, indicator = divmod(place, self._width)
        tries = [move * change for move in self._moves[indicator]]
        own = self._system.values[self._variables[cell]]
        if own[indicator] == -change:
            tries.append(-own)  # nobody in the cell: its indicators all fall to 0, as they do together
        best: tuple[float, Witness] | None = None
        for move in tries:
            found = self._cycle(cell, move, np.inf if best is None else best[0])
            best = best if found is None else found
        if best is None:
            return
        witness = best[1]
        self._suppressed[witness.figures] |= ~self._system.hidden[witness.figures]
        self.witnesses.append(witness)
        seen.add_some(witness.figures, self._system.values[witness.figures] + witness.changes)

    def _cycle(self, cell: int, move: Counts, limit: float) -> tuple[float, Witness] | None:
        """The cheapest cycle that changes ``cell`` by ``move``, if it costs less than ``limit``."""
        forth, back = self._costs(move)
        own = float(forth[cell])
        if not own < limit:
            return None
        forth[cell] = back[cell] = np.inf
        costs = np.concatenate([forth, back])[self._order]
        weights = np.minimum.reduceat(costs, self._starts)
        nodes = self._network.nodes
        graph = csr_array((weights, self._heads, self._pointers), shape=(nodes, nodes))
        source, target = int(self._network.head[cell]), int(self._network.tail[cell])
        length, before = dijkstra(graph, indices=source, limit=limit - own, return_predecessors=True)
        if not np.isfinite(length[target]) or not own + length[target] < limit:
            return None
        edges, signs = [cell], [1]
        while target != source:
            arc = int(np.searchsorted(self._arcs, int(before[target]) * nodes + target))
            start = self._starts[arc]
            stop = self._starts[arc + 1] if arc + 1 < len(self._starts) else len(costs)
            chosen = int(self._order[start + int(np.argmin(costs[start:stop]))])
            edges.append(chosen % len(forth))
            signs.append(1 if chosen < len(forth) else -1)
            target = int(before[target])
        touched = np.flatnonzero(move)
        changes = np.array(signs)[:, None] * move[touched]
        figures = self._variables[np.array(edges)][:, touched]
        return own + float(length[int(self._network.tail[cell])]), Witness(figures.ravel(), changes.ravel())

    def _costs(self, move: Counts) -> tuple[Numbers, Numbers]:
        """What each cell costs when it changes by ``move`` and by its opposite; infinite when it cannot."""
        system, touched = self._system, np.flatnonzero(move)
        figures = self._variables[:, touched]
        free = self._suppressed[figures] | system.hidden[figures]
        price = np.where(free, 0.0, system.weights[figures]).sum(axis=1) + STEP_COST
        below, above, step = self._below[:, touched], self._above[:, touched], move[touched]
        forth = ((below >= -step) & (above >= step)).all(axis=1)
        back = ((below >= step) & (above >= -step)).all(axis=1)
        return np.where(forth, price, np.inf), np.where(back, price, np.inf)
