"""The rules that make a figure one to protect (primary), and how wide an attacker's interval must stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from passerelle.errors import UsageError

SECRET = "*"  # noqa: S105 - the mark of statistical secrecy, in place of a count

HALF = 0.5
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of one exchange; the defaults are the hub's (domain decision 5).

    ``min_count``: a count of 1 to ``min_count`` - 1 persons is not published (Insee, fiscal data on persons: 11).
    ``min_denominator``: a rate needs that many persons under it (InserJeunes: 20). ``dominance``: the largest contributor
    may make up at most this share of a count (Insee, businesses: 0.85); None where contributors are persons.
    ``no_full_rates``: nobody and everybody are disclosive of a group, so 0 % and 100 % are not published. ``zeros``: an
    empty cell is disclosive too. ``edge``: the share shown in place of an extreme rate ("< 5 %").
    """

    min_count: int = 11
    min_denominator: int = 20
    dominance: float | None = None
    no_full_rates: bool = True
    zeros: bool = False
    edge: float = 0.05

    def __post_init__(self) -> None:
        if self.min_count <= 1 or self.min_denominator < 1:
            raise UsageError("expected a count threshold of 2 or more and a denominator of 1 or more")
        if self.dominance is not None and not 0 < self.dominance < 1:
            raise UsageError("expected a dominance share between 0 and 1")
        if not 0 < self.edge < HALF:
            raise UsageError("expected an edge share between 0 and 0.5")


def small_counts(counts: Counts, thresholds: Thresholds) -> Mask:
    """The counts that are primary by themselves: 1 to the threshold less one, and 0 where zeros are disclosive."""
    return (counts < thresholds.min_count) & (thresholds.zeros | (counts > 0))


def small_shares(part: Counts, whole: Counts, thresholds: Thresholds) -> Mask:
    """The parts of a whole that are primary: too few, or (0 %) none at all, of the persons of a cell that has some.

    Asked of the numerator and of its complement alike: 19 employed of 20 says as much as 1 not employed.
    """
    return (whole > 0) & (part < thresholds.min_count) & (thresholds.no_full_rates | thresholds.zeros | (part > 0))


def dominated(counts: Counts, largest: Counts, share: float) -> tuple[Mask, Counts, Counts]:
    """The counts that one contributor dominates, with the interval to keep.

    The upper end is the value that the largest contribution would not dominate (Handbook on SDC, protection levels of the
    (n, k) rule with n = 1); the lower end mirrors it.

    Returns:
        mask, low, high; each of the shape of ``counts``.
    """
    high = np.ceil(largest / share).astype(np.int64)
    return largest > share * counts, np.maximum(2 * counts - high, 0), high
