"""The profile of a file as a value, written and read as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from passerelle.contract import Kind
from passerelle.errors import OurWayError
from passerelle.profile.counts import NEARLY_ALL, Count
from passerelle.profile.listing import Listing, as_json

FORMAT: Final = "passerelle-profile/1"
NEAREST: Final = 24
"""Earlier periods that a file is held against."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Aggregates of one column over the accepted rows; a field is None where the column may not or cannot show it."""

    name: str
    kind: Kind
    required: bool
    nulls: Count
    secret: Count | None = None
    lowest: str | None = None
    highest: str | None = None
    distinct: int | None = None
    top: tuple[tuple[str, int], ...] | None = None
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many rows broke one rule in one column."""

    rule: str
    column: str
    rows: Count


@dataclass(frozen=True, slots=True)
class Profile:
    """Aggregates of the file of one period; ``as_json`` and ``from_json`` are inverse."""

    period: str
    read: int
    accepted: int
    rejected: int
    rules: tuple[RuleCount, ...]
    columns: tuple[ColumnProfile, ...]

    @property
    def rejected_share(self) -> float:
        """Rejected rows over rows read; 0 for a file without rows."""
        return self.rejected / self.read if self.read else 0.0

    def share(self, count: Count) -> float:
        """``count`` over accepted rows, to four decimals; a masked count is the end it is near to (0 or 1)."""
        if isinstance(count, int):
            return round(count / self.accepted, 4) if self.accepted else 0.0
        return 1.0 if count == NEARLY_ALL else 0.0

    def as_json(self) -> dict[str, Any]:
        """The profile as JSON values (strings and integers only, so that every canonical form agrees)."""
        columns = [_written(column) for column in self.columns]
        return {
            "format": FORMAT,
            "period": self.period,
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "rules": [asdict(rule) for rule in self.rules],
            "columns": columns,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Profile:
        """Read what ``as_json`` wrote.

        Raises:
            OurWayError: the value is not a profile of this format.
        """
        try:
            if value["format"] != FORMAT:
                raise OurWayError(f"expected a profile of format {FORMAT}", where="profile")
            return cls(
                period=str(value["period"]),
                read=int(value["read"]),
                accepted=int(value["accepted"]),
                rejected=int(value["rejected"]),
                rules=tuple(RuleCount(**rule) for rule in value["rules"]),
                columns=tuple(_column(column) for column in value["columns"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            fault = "the stored profile does not have the expected members"
        raise OurWayError(fault, where="profile", hint="profiles are written by the gateway only; restore the database")


def _written(column: ColumnProfile) -> dict[str, Any]:
    value = {name: one for name, one in asdict(column).items() if one is not None}
    if column.top is not None:
        value["top"] = [list(pair) for pair in column.top]
    if column.listing is not None:
        value["listing"] = as_json(column.listing)
    return value


def _column(value: Mapping[str, Any]) -> ColumnProfile:
    top, listed = value.get("top"), value.get("listing")
    pairs = None if top is None else tuple((str(code), int(rows)) for code, rows in top)
    listing = None if listed is None else Listing.from_json(listed)
    return ColumnProfile(**{**value, "kind": Kind(value["kind"]), "top": pairs, "listing": listing})
