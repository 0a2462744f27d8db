"""The profile of a batch or a file: aggregates only, built batch by batch, and the verdict that checks give on it.

What a column may show depends on what it says of a person (``PersonClass``):

    none              nulls, range of numbers and dates, and for codes: distinct count and the most frequent codes
    indirect          nulls; for dates the years that at least 11 rows share; for codes of a public list how many rows are
                      in which of its editions on file, and why the rest is not
    direct, special   nulls

A count of 1 to 10 rows is written ``<11`` and one that leaves 1 to 10 rows on the other side ``all but <11`` (at least 11
units, as French public statistics do). The three totals (read, accepted, rejected) are exact: the sender is told them.
"""

from __future__ import annotations

from passerelle.profile.build import ProfileBuilder
from passerelle.profile.counts import FEW, NEARLY_ALL, SMALL, Count, masked
from passerelle.profile.editions import Edition, read_editions
from passerelle.profile.listing import Coverage, Listing, Rest
from passerelle.profile.model import NEAREST, ColumnProfile, Profile, RuleCount
from passerelle.profile.verdict import Finding, Verdict

__all__ = [
    "FEW", "NEAREST", "NEARLY_ALL", "SMALL", "ColumnProfile", "Count", "Coverage", "Edition", "Finding", "Listing", "Profile",
    "ProfileBuilder", "Rest", "RuleCount", "Verdict", "masked", "read_editions",
]  # fmt: skip
