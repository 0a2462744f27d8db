"""Holds: a litigation or a legal obligation keeps the recorded datasets, and no others, until it is lifted (D15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from passerelle.convention import dates
from passerelle.convention.blocks import Basis
from passerelle.convention.event import Event
from passerelle.convention.values import Words

HoldKind = Literal["litigation", "legal_obligation"]
_OPENING: dict[str, tuple[HoldKind, str]] = {
    "litigation_opened": ("litigation", "litigation_closed"),
    "legal_obligation_recorded": ("legal_obligation", "legal_obligation_ended"),
    "hold_placed": ("litigation", "hold_lifted"),
}
_NAMES = {
    "litigation": Words("contentieux", "litigation"),
    "legal_obligation": Words("obligation légale", "legal duty"),
}


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold: since when, on which datasets (none named: all), and the events that lift it."""

    kind: HoldKind
    since: date
    until: date | None
    scope: frozenset[str]
    liftings: tuple[tuple[date, Event], ...]
    basis: Basis = "hub_policy"

    def covers(self, dataset: str | None) -> bool:
        return not self.scope or dataset in self.scope

    def lifted(self, dataset: str | None) -> date | None:
        """The day on which the hold ends for a dataset; None while it lasts."""
        days = [day for day, event in self.liftings if event.covers(dataset)]
        if self.until is not None:
            days.append(self.until)
        return min(days, default=None)

    def lasts(self, dataset: str | None, day: date | None) -> bool:
        """Whether it holds the dataset on ``day`` (None: as things stand)."""
        lifted = self.lifted(dataset)
        if day is None:
            return lifted is None
        return self.since <= day and (lifted is None or day < lifted)

    @property
    def words(self) -> Words:
        name = _NAMES[self.kind]
        if self.since == date.min:
            return Words(f"{name.fr} en cours", f"{name.en} pending")
        return Words(f"{name.fr} depuis le {dates.fr(self.since)}", f"{name.en} since {dates.en(self.since)}")


def all_of(events: tuple[Event, ...], zone: ZoneInfo) -> list[Hold]:
    """Every hold on record, lifted or not."""
    found = []
    for event in events:
        if event.type not in _OPENING:
            continue
        kind, lifting = _OPENING[event.type]
        if event.type == "hold_placed" and event.says("kind") == "legal_obligation":
            kind = "legal_obligation"
        since = event.day("on", "from", "valid_on", zone=zone) or date.min
        liftings = tuple(
            (day, other)
            for other in events
            if other.type == lifting and _same(event, other)
            if (day := other.day("on", "valid_on", zone=zone)) is not None and day >= since
        )
        found.append(Hold(kind, since, event.day("until", "to", zone=zone), event.scope(), liftings))
    return found


def _same(opening: Event, lifting: Event) -> bool:
    """Whether a lifting speaks of that hold: the same id, where both have one."""
    return None in (opening.says("id"), lifting.says("id")) or opening.says("id") == lifting.says("id")
