"""What the columns of an outcome table are, said by the caller: the engine names no dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from passerelle.disclosure.rules import Thresholds
from passerelle.errors import UsageError

Code = tuple[str, ...]
"""The value of each column of a dimension, in order."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way in which a table crosses persons: by course, by territory, by period.

    ``columns`` name it together; when there are several, the last has the code and those before it the level that the code
    belongs to (region 93 is not department 93). ``total`` is the code of the total that covers every other code;
    ``parent`` gives the code one level up, None at the top, for codes that nest. A total is recognised when it is in the
    table; codes that are not in it do no harm.
    """

    columns: tuple[str, ...]
    total: Code | None = None
    parent: Callable[[Code], Code | None] | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A column that shows ``numerator`` / ``denominator``; both are columns of ``OutcomeTable.counts``."""

    column: str
    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Linked indicators of the same persons: ``whole`` is the sum of ``parts``, in each cell."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """The roles of the columns of one table.

    ``dimensions`` together identify a cell. ``counts`` are numbers of persons. ``within`` pairs a count with another that
    counts some more of the same persons, when no rate shows them (those who left, those who entered). ``largest`` pairs a
    count with the column that has its largest single contribution (it never leaves). ``carried`` columns pass through
    untouched: they must say nothing of a person.
    """

    dimensions: tuple[Dimension, ...]
    counts: tuple[str, ...]
    rates: tuple[Rate, ...] = ()
    within: tuple[tuple[str, str], ...] = ()
    sums: tuple[Sum, ...] = ()
    largest: tuple[tuple[str, str], ...] = ()
    carried: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.dimensions or not self.counts:
            raise UsageError("expected at least one dimension and one count")
        if len(set(self.named)) != len(self.named):
            raise UsageError("expected each column of an outcome table in one role")
        used = {name for pair in (*self.pairs, *self.within) for name in pair}
        used |= {name for total in self.sums for name in (total.whole, *total.parts)}
        used |= {count for count, _ in self.largest}
        if unknown := used - set(self.counts):
            raise UsageError(f"expected counts of the table, came: {', '.join(sorted(unknown))}")

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The distinct (numerator, denominator) of the rates, in order."""
        return tuple(dict.fromkeys((rate.numerator, rate.denominator) for rate in self.rates))

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which there is no table."""
        return (*(column for dimension in self.dimensions for column in dimension.columns), *self.counts)

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that has a role."""
        rates = tuple(rate.column for rate in self.rates)
        return (*self.required, *rates, *self.carried, *(column for _, column in self.largest))


class Units(StrEnum):
    """How the persons behind an earlier release relate to those behind the new one."""

    SAME = "same"  # the same period again, another recipient, another breakdown
    GROWING = "growing"  # each of them is in the new one too: cumulative figures
    OVERLAPPING = "overlapping"  # many of them are: moving windows
    NOT_STATED = "not_stated"  # nobody says: the attacker is told which cells did not change and which only grew


@dataclass(frozen=True, slots=True)
class Release:
    """A table as it was published, to whomever: the same roles, ``*`` where a figure was withheld.

    ``truth`` is the same table before it was protected, row by row, with the ``thresholds`` of then: what was withheld then
    stays withheld beside the new table. Without it, only the figures that were shown are reckoned with. Cells about other
    persons altogether (another year's leavers) have other codes, and do no harm.
    """

    table: pa.Table
    units: Units
    truth: pa.Table | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
