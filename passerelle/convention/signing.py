"""What takes effect only once it is complete: the signature, an amendment, an express renewal (D2, D17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from passerelle.convention.duration import ExpressRenewal
from passerelle.convention.event import Event, day_of, texts
from passerelle.convention.model import Convention


def start(convention: Convention, events: Iterable[Event]) -> date | None:
    """The first day in force, from 00:00 (D2); None while it is not known."""
    rule = convention.term.starts
    if rule.rule == "on_date":
        return rule.day
    return signature(convention, events) if rule.rule == "on_signature" else None


def signature(convention: Convention, events: Iterable[Event]) -> date | None:
    """The day of the signature: the text's, else the last signatory's (D2); None while one is missing."""
    if convention.signature.signed_on != "not_stated":
        return convention.signature.signed_on
    signed = [event for event in events if event.type == "signed"]
    days = [event.day("on", "valid_on", zone=convention.zone) for event in signed]
    by = {party for event in signed for party in texts(event.says("by"))}
    if by and not by >= set(convention.signatories()):
        return None
    return max((day for day in days if day is not None), default=None)


def complete_amendments(convention: Convention, events: tuple[Event, ...]) -> list[tuple[date, date]]:
    """The amendments that move the end: (day complete, new last day), in the order of completion (D17).

    Complete is signed, and approved by every body that the text names: the later of those days. An approval that names no
    amendment serves one, in the order of their signature.
    """
    bodies = () if isinstance(convention.amendments, str) else convention.amendments.approvals
    approvals = [_approvals(events, one.body, convention.zone) for one in bodies]
    signed = [
        (day, event)
        for event in events
        if event.type == "amendment_signed"
        if (day := event.day("on", "valid_on", zone=convention.zone)) is not None
    ]
    found = []
    for day, event in sorted(signed, key=lambda one: one[0]):
        days = [day, *(_approved(given, event.says("id")) for given in approvals)]
        sets = event.says("sets")
        moved = sets.get("term.end_on") if isinstance(sets, Mapping) else None
        if moved is not None and None not in days:
            found.append((max(one for one in days if one), day_of(moved, "term.end_on", "amendment_signed")))
    return sorted(found)


def _approvals(events: Iterable[Event], body: str, zone: ZoneInfo) -> list[tuple[date, object]]:
    """The days on which a body approved, its name as the text gives it or longer, and the amendment that each names."""
    days = (
        (event.day("on", "valid_on", zone=zone), event.says("amendment"))
        for event in events
        if event.type == "approved" and body.casefold() in str(event.says("body") or "").casefold()
    )
    return sorted(((day, named) for day, named in days if day is not None), key=lambda one: one[0])


def _approved(given: list[tuple[date, object]], amendment: object) -> date | None:
    """The first day on which that amendment was approved by name; else the first approval without one, which is then used."""
    named = next((day for day, one in given if one is not None and one == amendment), None)
    unnamed = next((at for at, (_, one) in enumerate(given) if one is None), None)
    return named if named is not None or unnamed is None else given.pop(unnamed)[0]


def complete_renewals(renewal: ExpressRenewal, events: Iterable[Event], zone: ZoneInfo) -> list[date]:
    """The days of the express renewals that name what they must be based on (D17)."""
    days = [
        event.day("on", "valid_on", zone=zone)
        for event in events
        if event.type == "renewal_decided" and renewal.based_on in ("not_stated", event.says("based_on"))
    ]
    return [day for day in days if day is not None]


def recorded_reading(events: Iterable[Event], term: int) -> Literal["timely", "late"] | None:
    """How the DPO, alone entitled to, last read a disputed opt-out of that term."""
    for event in reversed(tuple(events)):
        if event.type == "reading_recorded" and event.says("by") == "dpo" and event.says("term") in (None, term):
            reading = event.says("reading")
            if reading == "timely":
                return "timely"
            if reading == "late":
                return "late"
    return None
