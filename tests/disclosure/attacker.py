"""An attacker that shares no code with the product: it reads a published table as text and solves linear programs.

Dense matrices and its own bookkeeping, written from the definition of the table alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

Key = tuple[str, str, str]  # row, column, indicator


@dataclass
class Attacker:
    """Knows that ``total`` is the sum of the other codes of each axis, and what the indicators of a cell have in common.

    ``sums`` are (whole, parts) of each cell; ``at_most`` are (figure, other figure, share): the first is at most that share
    of the second. Every figure is at least 0, or at least its floor.
    """

    published: Mapping[Key, str]
    total: str | None = "total"
    sums: tuple[tuple[str, tuple[str, ...]], ...] = ()
    at_most: tuple[tuple[Key, Key, float], ...] = ()
    floors: Mapping[Key, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unknown = {key: index for index, key in enumerate(k for k, v in self.published.items() if v == "*")}
        self.known = {key: float(text) for key, text in self.published.items() if text != "*"}
        self.equal: list[np.ndarray] = []
        self.equal_to: list[float] = []
        self.below: list[np.ndarray] = []
        self.below_to: list[float] = []
        self._margins()
        self._parts()

    def _line(self, terms: list[tuple[Key, float]]) -> tuple[np.ndarray, float]:
        row, right = np.zeros(len(self.unknown)), 0.0
        for key, sign in terms:
            if key in self.unknown:
                row[self.unknown[key]] += sign
            else:
                right -= sign * self.known[key]
        return row, right

    def _margins(self) -> None:
        if self.total is None:
            return
        indicators = {key[2] for key in self.published}
        for axis in (0, 1):
            for other in {key[1 - axis] for key in self.published}:
                for indicator in indicators:
                    cells = [k for k in self.published if k[1 - axis] == other and k[2] == indicator]
                    top = [k for k in cells if k[axis] == self.total]
                    if not top:
                        continue
                    row, right = self._line([(k, -1.0 if k[axis] == self.total else 1.0) for k in cells])
                    self.equal.append(row)
                    self.equal_to.append(right)

    def _parts(self) -> None:
        for whole, parts in self.sums:
            for r, c in {key[:2] for key in self.published}:
                row, right = self._line([((r, c, whole), -1.0), *(((r, c, part), 1.0) for part in parts)])
                self.equal.append(row)
                self.equal_to.append(right)
        for figure, other, share in self.at_most:
            row, right = self._line([(figure, 1.0), (other, -share)])
            self.below.append(row)
            self.below_to.append(right)

    def interval(self, terms: list[tuple[Key, float]]) -> tuple[float, float]:
        """The lowest and highest value of a combination of figures."""
        gain, right = self._line(terms)
        box = [(self.floors.get(key, 0.0), None) for key in self.unknown]
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(
                sign * gain,
                A_ub=np.array(self.below) if self.below else None,
                b_ub=self.below_to or None,
                A_eq=np.array(self.equal) if self.equal else None,
                b_eq=self.equal_to or None,
                bounds=box,
            )
            assert answer.status in (0, 3), "the published table contradicts itself"
            ends.append(sign * (answer.fun if answer.status == 0 else -np.inf) - right)
        return ends[0], ends[1]
