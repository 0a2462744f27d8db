"""What happened to a convention: events with a valid time (in their payload) and a recorded time, never edited (D20)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from passerelle.convention.blocks import FIRST_YEAR, LAST_YEAR
from passerelle.convention.dates import local_day
from passerelle.errors import UsageError

DATES = frozenset({"on", "sent_on", "received_on", "effect_date", "from", "to", "until", "valid_on"})
INSTANTS = frozenset({"at", "received_at", "sent_at"})
# What a delay of the GDPR runs from (D19): one of these days or instants; without it there is no clock.
RUNS_FROM = {"rights_request": ("received_on", "on"), "breach_known": ("at", "received_at")}
# What the text, a party or a person decided. Any other event is an act of the gateway, and dates the gateway's clock (D1).
LEGAL = frozenset(
    {
        "amendment_signed", "approved", "breach_known", "breach_notice", "consent_recorded",
        "contingency_met", "declared_unnecessary", "denounced", "end_recorded", "express_request",
        "extension_announced", "field_use_declared", "hold_lifted", "hold_placed", "hold_reviewed", "instrument_recorded", "legal_obligation_ended",
        "legal_obligation_recorded", "litigation_closed", "litigation_opened", "meeting_held", "minutes_sent",
        "obligation_done", "precondition_recorded", "processor_declared", "reading_recorded", "reasons_given",
        "renewal_decided", "resumed", "rights_request", "signed", "special_arrangement", "suspended",
        "termination_letter",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One row of the register of events.

    ``type`` is the word of the register ("signed", "denounced", …); ``payload`` holds JSON values: dates as YYYY-MM-DD,
    instants as ISO 8601 with an offset. ``recorded_at`` is when the hub came to know it; None means always known.

    Raises:
        UsageError: a date or an instant of the payload is not one.
    """

    type: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    recorded_at: datetime | None = None
    _dates: Mapping[str, date] = field(init=False, repr=False)
    _instants: Mapping[str, datetime] = field(init=False, repr=False)
    _key: tuple[str, str, datetime | None] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.recorded_at is not None and self.recorded_at.tzinfo is None:
            raise UsageError("expected recorded_at with an offset, got a local time")
        text = json.dumps(dict(self.payload), sort_keys=True, default=str)
        object.__setattr__(self, "payload", MappingProxyType(dict(self.payload)))
        object.__setattr__(self, "_dates", _dates(self.type, self.payload))
        object.__setattr__(self, "_instants", _instants(self.type, self.payload))
        key = (self.type, text, self.recorded_at)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    @classmethod
    def from_json(cls, row: Any) -> Event:
        """An event as in the register's JSON: ``{"e": type, …, "recorded_at": instant}``.

        Raises:
            UsageError: the row is not an event.
        """
        if not isinstance(row, Mapping) or not isinstance(row.get("e"), str):
            raise UsageError('expected an event {"e": type, …}, got something else')
        payload = {str(key): value for key, value in row.items() if key not in ("e", "recorded_at")}
        recorded = row.get("recorded_at")
        return cls(row["e"], payload, None if recorded is None else instant_of(recorded, "recorded_at", row["e"]))

    def day(self, *names: str, zone: ZoneInfo) -> date | None:
        """The first of these dates that is given; an instant of the same name gives its civil date in the zone."""
        for name in names:
            if (day := self._dates.get(name)) is not None:
                return day
            if (instant := self.instant(name.removesuffix("_on") + "_at" if name != "on" else "at")) is not None:
                return local_day(instant, zone)
        return None

    def instant(self, *names: str) -> datetime | None:
        return next((self._instants[name] for name in names if name in self._instants), None)

    def says(self, name: str) -> Any:
        return self.payload.get(name)

    def covers(self, dataset: str | None) -> bool:
        """Whether the event's scope (``dataset``, ``exchange`` or ``scope``) names the dataset; without scope, all."""
        scope = self.scope()
        return not scope or (dataset is not None and dataset in scope)

    def scope(self) -> frozenset[str]:
        names: set[str] = set()
        for name in ("dataset", "exchange", "scope", "datasets"):
            names |= set(texts(self.payload.get(name)))
        return frozenset(names)


def texts(value: Any) -> tuple[str, ...]:
    """The words that a value from outside gives: one, or a list of them; anything else gives none."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else ()


def day_of(value: Any, name: str, where: str) -> date:
    """A date given from outside.

    Raises:
        UsageError: it is not YYYY-MM-DD.
    """
    try:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return _in_range(date.fromisoformat(value))
    except ValueError:
        pass
    raise UsageError(
        f"expected a date YYYY-MM-DD from {FIRST_YEAR} to {LAST_YEAR} in '{name}' of {where}, got something else"
    )


def instant_of(value: Any, name: str, where: str) -> datetime:
    """An instant given from outside.

    Raises:
        UsageError: it is not ISO 8601 with an offset.
    """
    try:
        instant = _in_range(datetime.fromisoformat(value)) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsageError(f"expected an instant with an offset in '{name}' of {where}, got something else")
    return instant


Day = TypeVar("Day", bound=date)


def _in_range(day: Day) -> Day:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError("outside the years that the rules are meant for")
    return day


def known(events: Iterable[Event], at: datetime | None) -> tuple[Event, ...]:
    """The events that were on record at an instant (D20); all of them when no instant is asked."""
    if at is None:
        return tuple(events)
    return tuple(event for event in events if event.recorded_at is None or event.recorded_at <= at)


def _dates(type_: str, payload: Mapping[str, Any]) -> dict[str, date]:
    found = {}
    for name in DATES & payload.keys():
        value = payload[name]
        party = name in ("from", "to") and not (isinstance(value, str) and re.match(r"[0-9]{4}-", value))
        if value is not None and not party:
            found[name] = day_of(value, name, type_)
    return found


def _instants(type_: str, payload: Mapping[str, Any]) -> dict[str, datetime]:
    return {
        name: instant_of(payload[name], name, type_) for name in INSTANTS & payload.keys() if payload[name] is not None
    }
