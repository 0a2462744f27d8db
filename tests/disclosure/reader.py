"""A recipient that keeps every table it was sent: an attacker over several releases, who shares no code with the product.

It knows of each cell whether it changed from one release to another, and whether it only grew, and solves one linear program
over all the releases together. Dense matrices and its own bookkeeping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pyarrow as pa
from scipy.optimize import linprog

from passerelle.disclosure import Thresholds

Cell = tuple[str, str]
Key = tuple[int, str, str, str]  # release, row, column, indicator
INDICATORS = ("leavers", "employed", "jobless")


@dataclass
class Reader:
    """Has the published tables; is told which cells stayed the same and which grew, from the true ones."""

    truths: Sequence[pa.Table]
    shown: Sequence[pa.Table]
    known: dict[Key, float] = field(default_factory=dict)
    true: dict[Key, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for release, (truth, table) in enumerate(zip(self.truths, self.shown, strict=True)):
            for row, seen in zip(truth.to_pylist(), table.to_pylist(), strict=True):
                at = release, row["course"], row["territory"]
                self.true |= {(*at, "leavers"): row["leavers"], (*at, "employed"): row["employed"]}
                self.true[*at, "jobless"] = row["leavers"] - row["employed"]
                self.known |= {(*at, name): float(seen[name]) for name in INDICATORS[:2] if seen[name] != "*"}
        self.place = {key: index for index, key in enumerate(key for key in self.true if key not in self.known)}
        self.equal: list[tuple[list[tuple[Key, float]], float]] = []
        self.below: list[tuple[list[tuple[Key, float]], float]] = []
        self._tables()
        self._changes()

    def _tables(self) -> None:
        for key in self.true:
            release, row, column, name = key
            if name == "leavers":
                self.equal.append(
                    ([(key, 1.0), *(((release, row, column, part), -1.0) for part in INDICATORS[1:])], 0.0)
                )
            for axis, code in ((1, row), (2, column)):
                if code == "total":
                    parts = [
                        k
                        for k in self.true
                        if k[0] == release and k[3] == name and k[3 - axis] == key[3 - axis] and k[axis] != "total"
                    ]
                    self.equal.append(([(key, 1.0), *((part, -1.0) for part in parts)], 0.0))

    def cells(self, release: int) -> list[Cell]:
        """The cells of a release."""
        return [key[1:3] for key in self.true if key[0] == release and key[3] == "leavers"]

    def _changes(self) -> None:
        for early, late in combinations(range(len(self.truths)), 2):
            for cell in set(self.cells(early)) & set(self.cells(late)):
                changes = [self.true[(late, *cell, name)] - self.true[(early, *cell, name)] for name in INDICATORS]
                for name in INDICATORS:
                    tie = [((early, *cell, name), 1.0), ((late, *cell, name), -1.0)]
                    if not any(changes):
                        self.equal.append((tie, 0.0))
                    elif min(changes) >= 0:
                        self.below.append((tie, 0.0))

    def _lines(self, wanted: list[tuple[list[tuple[Key, float]], float]]) -> tuple[np.ndarray, np.ndarray]:
        matrix, right = np.zeros((len(wanted), len(self.place))), np.zeros(len(wanted))
        for at, (terms, to) in enumerate(wanted):
            right[at] = to
            for key, sign in terms:
                if key in self.place:
                    matrix[at, self.place[key]] += sign
                else:
                    right[at] -= sign * self.known[key]
        return matrix, right

    def interval(self, terms: list[tuple[Key, float]]) -> tuple[float, float]:
        """The lowest and highest value of a combination of figures."""
        gain, off = self._lines([(terms, 0.0)])
        if not gain.any():
            return -off[0], -off[0]
        equal, below = self._lines(self.equal), self._lines(self.below)
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * gain[0],
                A_eq=equal[0],
                b_eq=equal[1],
                A_ub=below[0] if self.below else None,
                b_ub=below[1] if self.below else None,
                bounds=(0, None),
            )
            assert answer.status in (0, 3), "the published tables contradict themselves"
            ends.append(sign * (answer.fun if answer.status == 0 else -np.inf) - off[0])
        return ends[0], ends[1]

    def too_well_known(self, thresholds: Thresholds) -> list[str]:
        """The small figures of every release that are not open from nobody to the threshold; empty when all are."""
        found = []
        for release in range(len(self.truths)):
            for cell in self.cells(release):
                left, jobs, out = (int(self.true[(release, *cell, name)]) for name in INDICATORS)
                for name, figure in zip(INDICATORS, (left, jobs, out), strict=True):
                    rated = name == "employed" and left < thresholds.min_denominator
                    if left > 0 and (figure < thresholds.min_count or rated):
                        low, high = self.interval([((release, *cell, name), 1.0)])
                        if low > 1e-6 or high < min(thresholds.min_count, thresholds.min_denominator) - 1e-6:
                            found.append(f"release {release} {cell} {name}: {figure} in [{low}, {high}]")
        return found

    def _shown(self, key: Key) -> float | None:
        """A figure as it was shown, or as two that were shown give it."""
        if key[3] != "jobless":
            return self.known.get(key)
        left, jobs = (self.known.get((*key[:3], name)) for name in INDICATORS[:2])
        return None if left is None or jobs is None else left - jobs

    def _own(self, key: Key, thresholds: Thresholds) -> tuple[float, float]:
        """The interval that a withheld figure was withheld for: as a small one, or as a small change of one shown before."""
        release, row, column, name = key
        figure, least, most = self.true[key], thresholds.min_count, thresholds.min_count
        ends = [figure]
        if name == "employed" and self.true[(release, row, column, "leavers")] < thresholds.min_denominator:
            ends += [0, min(thresholds.min_count, thresholds.min_denominator)]
        if figure < least:
            ends += [0, most]
        for before in range(release):
            was = self._shown((before, row, column, name))
            if was is not None and 0 < abs(figure - was) < thresholds.min_count:
                ends += [was, max(was + most * np.sign(figure - was), 0)]
        return min(ends), max(ends)

    def small_changes(self, thresholds: Thresholds) -> list[str]:
        """The figures that changed by a few persons from a release to the last, of which the few are too well known.

        Open from nobody to the threshold; from a figure that was withheld itself, as far as that is open.
        """
        found, last = [], len(self.truths) - 1
        for early in range(last):
            for cell in set(self.cells(early)) & set(self.cells(last)):
                for name in INDICATORS:
                    now, then = (last, *cell, name), (early, *cell, name)
                    change = self.true[now] - self.true[then]
                    if 0 < abs(change) < thresholds.min_count:
                        low, high = self.interval([(now, 1.0), (then, -1.0)])
                        far = thresholds.min_count * np.sign(change)
                        least, most = min(0, far), max(0, far)
                        a, b = self._own(then, thresholds)
                        if then not in self.known and a < b:
                            least, most = (
                                min(max(least, self.true[now] - b), change),
                                max(min(most, self.true[now] - a), change),
                            )
                        if low > least + 1e-6 or high < most - 1e-6:
                            found.append(f"{early} to {last} {cell} {name}: {change} in [{low}, {high}]")
        return found
