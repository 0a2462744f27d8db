"""Reading earlier releases: what each showed, what it withheld, and which of its cells have to do with the new table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from passerelle.disclosure.grid import Figures, cell_ids, read_figures
from passerelle.disclosure.roles import Code, Dimension, OutcomeTable, Release, Units
from passerelle.disclosure.rules import Counts, Mask
from passerelle.errors import RefusedError

MAX_CLIMB = 12  # levels of a nesting


@dataclass(slots=True)
class Past:
    """One earlier release, read.

    Attributes:
        figures: ``known`` where a figure was shown; ``values`` are true in ``told`` rows, and wherever shown.
        told: (rows,) the rows of which every figure is known to us, withheld or not, and that concern the new table.
        release: as it was handed in.
        at: (rows,) the cell of the new table's layout that a row is; -1 for none.
    """

    release: Release
    figures: Figures
    told: Mask
    at: Counts = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def units(self) -> Units:
        """How its persons relate to those of the new table."""
        return self.release.units

    @property
    def hides(self) -> bool:
        """Whether the release withheld a figure that we can still stand up for."""
        return self.release.truth is not None and not bool(self.figures.known[self.told].all())


def read_past(release: Release, roles: OutcomeTable) -> Past:
    """Read one release.

    Raises:
        RefusedError: a table that is not what its roles say, or a truth that is not of the same rows.
    """
    figures = read_figures(release.table, roles)
    if release.truth is None:
        return Past(release, figures, np.asarray(figures.known.all(axis=1)))
    true = read_figures(release.truth, roles)
    if len(true.known) != len(figures.known) or any(
        not one.equals(other) for one, other in zip(true.keys, figures.keys, strict=True)
    ):
        raise RefusedError("expected an earlier release and its figures before protection to have the same rows")
    values = np.where(figures.known, figures.values, true.values)
    read = Figures(figures.keys, values, figures.known)
    return Past(release, read, np.asarray(true.known.all(axis=1)))


def keep_relevant(pasts: Sequence[Past], stacked: Counts, codes: list[list[Code]], roles: OutcomeTable) -> None:
    """Leave out the rows of earlier releases that no total links to a cell of the new table.

    Args:
        pasts: changed in place.
        stacked: (rows of the new table, then of each release; dimensions) code numbers.
        codes: what they stand for.
        roles: how they nest.
    """
    tops = [_tops(names, dimension) for names, dimension in zip(codes, roles.dimensions, strict=True)]
    families = cell_ids(np.stack([top[column] for top, column in zip(tops, stacked.T, strict=True)], axis=1))
    start = len(families) - sum(len(past.told) for past in pasts)
    own = np.unique(families[:start])
    for past in pasts:
        past.told &= np.isin(families[start : start + len(past.told)], own)
        start += len(past.told)


def _tops(codes: list[Code], dimension: Dimension) -> Counts:
    """(codes,) the number of the topmost code above each."""
    numbers: dict[Code, int] = {}
    return np.array([numbers.setdefault(_top(code, dimension), len(numbers)) for code in codes], dtype=np.int64)


def _top(code: Code, dimension: Dimension) -> Code:
    for _ in range(MAX_CLIMB):
        above = dimension.parent(code) if dimension.parent else None
        if above is None and code != dimension.total:
            above = dimension.total
        if above is None:
            return code
        code = above
    return code
