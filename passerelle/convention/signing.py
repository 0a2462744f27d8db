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


def complete_amendments(convention: Convention, events: tuple[Event, ...], *, shared: bool) -> list[tuple[date, date]]:
    """The amendments that move the end: (day complete, new last day), in the order of completion (D17).

    Complete is signed, and approved by every body that the text names: the later of those days. An approval that names no
    amendment serves each of them (``shared``), or one of them, in the order of their signature.
    """
    bodies = () if isinstance(convention.amendments, str) else convention.amendments.approvals
    approvals = [_approvals(events, one.body, convention.zone) for one in bodies]
    signed = [(day, event) for event in events if (day := _signed(convention, event)) is not None]
    found = []
    for day, event in sorted(signed, key=lambda one: one[0]):
        given = [_approved(known, event.says("id"), shared=shared) for known in approvals]
        if None in given:
            continue
        whole = [one for one in given if one is not None]
        for known, one in zip(approvals, whole, strict=True):
            if one[1] is None and not shared:
                known.remove(one)
        last = day_of(event.says("sets")["term.end_on"], "term.end_on", "amendment_signed")
        found.append((max(day, *(at for at, _ in whole)) if whole else day, last))
    return sorted(found)


def _signed(convention: Convention, event: Event) -> date | None:
    """The day on which an amendment that moves the end was signed."""
    sets = event.says("sets") if event.type == "amendment_signed" else None
    moves = isinstance(sets, Mapping) and sets.get("term.end_on") is not None
    return event.day("on", "valid_on", zone=convention.zone) if moves else None


_Approval = tuple[date, object]


def _approvals(events: Iterable[Event], body: str, zone: ZoneInfo) -> list[_Approval]:
    """The days on which a body approved, its name as the text gives it or longer, and the amendment that each names."""
    days = (
        (event.day("on", "valid_on", zone=zone), event.says("amendment"))
        for event in events
        if event.type == "approved" and body.casefold() in str(event.says("body") or "").casefold()
    )
    return sorted(((day, named) for day, named in days if day is not None), key=lambda one: one[0])


def _approved(given: list[_Approval], amendment: object, *, shared: bool) -> _Approval | None:
    """The first approval of that amendment, by name or without one; where none is shared, one without counts last."""
    named = [one for one in given if one[1] is not None and one[1] == amendment]
    unnamed = [one for one in given if one[1] is None]
    found = [*named, *unnamed]
    return min(found, key=lambda one: one[0], default=None) if shared else next(iter(found), None)


def complete_renewals(renewal: ExpressRenewal, events: Iterable[Event], zone: ZoneInfo) -> list[date]:
    """The days of the express renewals that name what they must be based on (D17)."""
    days = [
        event.day("on", "valid_on", zone=zone)
        for event in events
        if event.type == "renewal_decided" and renewal.based_on in ("not_stated", event.says("based_on"))
    ]
    return [day for day in days if day is not None]


def recorded_reading(events: Iterable[Event], term: int) -> Literal["timely", "late"] | None:
    """How the DPO, alone entitled to, last read a disputed opt-out of that term; of no term by its number, where none names it."""
    found: dict[bool, Literal["timely", "late"]] = {}
    for event in events:
        named = event.says("term")
        if event.type == "reading_recorded" and event.says("by") == "dpo" and named in (None, term):
            reading = event.says("reading")
            if reading == "timely":
                found[named is None] = "timely"
            if reading == "late":
                found[named is None] = "late"
    return found.get(False, found.get(True))
