"""Holds: a litigation or a legal obligation keeps what it names, and nothing else, until it is lifted (D15).

A hold names datasets or exchanges (none named: all), and may be narrowed to a period or to one person, by a keyed tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from passerelle.convention import dates
from passerelle.convention.blocks import Basis
from passerelle.convention.event import Event, texts
from passerelle.convention.periods import period_of
from passerelle.convention.values import Words

HoldKind = Literal["litigation", "legal_obligation"]
_OPENING: dict[str, tuple[HoldKind, str]] = {
    "litigation_opened": ("litigation", "litigation_closed"),
    "legal_obligation_recorded": ("legal_obligation", "legal_obligation_ended"),
    "hold_placed": ("litigation", "hold_lifted"),
}
EVENTS = frozenset(
    {*_OPENING, *(lifting for _, lifting in _OPENING.values()), "hold_reviewed"}
)  # all that is said of holds
_NAMES = {
    "litigation": Words("contentieux", "litigation"),
    "legal_obligation": Words("obligation légale", "legal duty"),
}


@dataclass(frozen=True, slots=True)
class What:
    """What a hold may name of a copy: its exchange and its dataset, its period, the tags of persons it is known to have.

    ``names`` empty is the convention as a whole.
    """

    names: frozenset[str] = frozenset()
    period: str | None = None
    persons: frozenset[str] = frozenset()

    @classmethod
    def of(cls, named: What | str | None) -> What:
        """A dataset or an exchange by its name alone; None is the convention as a whole."""
        if isinstance(named, What):
            return named
        return cls() if named is None else cls(frozenset({named}))

    def among(self, scope: frozenset[str]) -> bool:
        """Whether a list of datasets and exchanges has it; an empty list has everything."""
        return not scope or bool(scope & self.names)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold: since when, on which datasets (none named: all), which period and persons, and the events that lift it."""

    kind: HoldKind
    since: date
    until: date | None
    scope: frozenset[str]
    liftings: tuple[tuple[date, Event], ...]
    basis: Basis = "hub_policy"
    id: str | None = None
    period: str | None = None
    persons: frozenset[str] = field(default=frozenset(), repr=False)
    placed: Event | None = field(default=None, repr=False)

    def covers(self, named: What | str | None) -> bool:
        """Whether it names that: a hold on a period or a person covers nothing of which neither is told."""
        what = What.of(named)
        if not what.among(self.scope) or (self.persons and not self.persons & what.persons):
            return False
        return self.period is None or (what.period is not None and meet(self.period, what.period))

    def lifted(self, named: What | str | None) -> date | None:
        """The first day on which it holds a dataset no more; None while it lasts. A stated last day is held to 24:00 (D5)."""
        over = None if self.until is None else self.until + timedelta(days=1)
        return min((day for day in (self._freed(named), over) if day is not None), default=None)

    def lasts(self, named: What | str | None, day: date | None) -> bool:
        """Whether it holds the dataset on ``day`` (None: as things stand)."""
        lifted = self.lifted(named)
        if day is None:
            return lifted is None
        return self.since <= day and (lifted is None or day < lifted)

    def _freed(self, named: What | str | None) -> date | None:
        """The first day on which a lifting on record frees a dataset."""
        what = What.of(named)
        return min((day for day, event in self.liftings if what.among(event.scope())), default=None)

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
        subject, period = event.says("id"), event.payload.get("period")
        found.append(
            Hold(
                kind, since, event.day("until", "to", zone=zone), event.scope(), liftings,
                id=subject if isinstance(subject, str) else None,
                period=period if isinstance(period, str) else None,
                persons=frozenset(texts(event.payload.get("persons"))),
                placed=event,
            )
        )  # fmt: skip
    return found


def meet(one: str, other: str) -> bool:
    """Whether two periods have a day in common; those that are no days are the same, or have nothing in common."""
    first, second = period_of(one), period_of(other)
    if first is None or second is None:
        return one == other
    return first.first <= second.last and second.first <= first.last


def keeping(found: list[Hold], what: What, day: date) -> Hold | None:
    """The first hold that keeps that on ``day``."""
    return next((one for one in found if one.covers(what) and one.lasts(what, day)), None)


def _same(opening: Event, lifting: Event) -> bool:
    """Whether a lifting speaks of that hold: the same id, where both have one."""
    return None in (opening.says("id"), lifting.says("id")) or opening.says("id") == lifting.says("id")
