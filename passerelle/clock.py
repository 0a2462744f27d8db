"""Time comes in as a value: the only module of the engine that reads the machine's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the instant. Implementations MUST return an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PretendedClock:
    """A clock that stands still at one instant: rehearsals and tests."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """``instant`` as RFC 3339 in UTC with seconds, the form of manifests, trail entries and tables."""
    return f"{instant.astimezone(UTC).isoformat('T', 'seconds')[:19]}Z"
