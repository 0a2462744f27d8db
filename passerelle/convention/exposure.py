"""Deliveries that should not have happened, seen with what was recorded since (D20)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from passerelle.convention.event import Event, known
from passerelle.convention.force import in_force
from passerelle.convention.gate import decide
from passerelle.convention.model import Convention
from passerelle.convention.values import Request

_OUT = frozenset({"no", "disputed"})


def retrospective_exposure(convention: Convention, events: Iterable[Event], at: datetime | None) -> list[datetime]:
    """The instants, in the convention's zone, of the deliveries that today's record forbids.

    A late event never rewrites the decision of its day: it lists what that decision let out.
    """
    everything = tuple(events)
    seen = known(everything, at)
    legal = tuple(event for event in everything if event.type != "delivered")
    found = []
    for event in seen:
        instant = event.instant("at")
        if event.type == "delivered" and instant is not None and _exposed(convention, seen, legal, event, instant):
            found.append(instant.astimezone(convention.zone))
    return sorted(found)


def _exposed(
    convention: Convention, seen: tuple[Event, ...], legal: tuple[Event, ...], delivery: Event, instant: datetime
) -> bool:
    now_known = tuple(Event(event.type, event.payload) for event in seen if event.type != "delivered")
    if in_force(convention, now_known, instant).value in _OUT:
        return True
    exchange = delivery.says("exchange")
    if not isinstance(exchange, str):
        return False
    request = Request(exchange, instant)
    then = decide(convention, legal, request)
    return then.allowed and not decide(convention, now_known, request).allowed
