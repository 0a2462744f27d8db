"""A published table as a linear system: what an attacker knows, and what must stay wide.

Every figure, published or not, is a variable: counts, complements (those that a rate leaves out), margins, and the rest of a
margin that names no cell. ``matrix @ values == 0``: a total less its parts, a whole less its indicators.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from passerelle.disclosure.rules import Counts, Mask, Numbers


@dataclass(frozen=True, slots=True)
class System:
    """``n`` variables in ``m`` equations.

    Attributes:
        matrix: (m, n), entries -1, 0, 1; each row of it applied to ``values`` gives 0.
        values: (n,) the true figures.
        hidden: (n,) never published as such: complements, rests.
        weights: (n,) what withholding costs; infinite where it is impossible (grand total, published before).
        floors, ceilings: (n,) what the attacker knows of each besides the equations.
        need_low, need_high: (n,) the interval that must stay possible; equal to ``values`` where nothing is to protect.
    """

    matrix: csr_array
    values: Counts
    hidden: Mask
    weights: Numbers
    floors: Numbers
    ceilings: Numbers
    need_low: Numbers
    need_high: Numbers

    @property
    def primary(self) -> Mask:
        """(n,) the figures to protect."""
        return np.asarray((self.need_low < self.values) | (self.need_high > self.values))

    @property
    def candidates(self) -> Mask:
        """(n,) what may be withheld."""
        return ~self.hidden & np.isfinite(self.weights)

    def take(self, variables: Counts) -> System:
        """The subsystem of whole connected blocks: no equation of ``variables`` has another variable."""
        part = csr_array(self.matrix[:, variables])
        return System(
            csr_array(part[np.diff(part.indptr) > 0]),
            self.values[variables],
            self.hidden[variables],
            self.weights[variables],
            self.floors[variables],
            self.ceilings[variables],
            self.need_low[variables],
            self.need_high[variables],
        )


def equations(signs: list[tuple[Counts, Counts, int]], height: int, width: int) -> csr_array:
    """A matrix from (equation numbers, variable numbers, sign) triples."""
    rows = np.concatenate([rows for rows, _, _ in signs] or [np.empty(0, np.int64)])
    columns = np.concatenate([columns for _, columns, _ in signs] or [np.empty(0, np.int64)])
    data = np.concatenate([np.full(len(rows), sign, np.int64) for rows, _, sign in signs] or [np.empty(0, np.int64)])
    return csr_array((data, (rows, columns)), shape=(height, width))
