"""What ends a convention, and from which instant nothing may leave (D8 to D10b).

Each ending has its own anchor for the two months of the destruction (D11): the last day of a term or of a notice, the day a
termination takes effect, the day a letter that ends it at once was received.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from passerelle.convention import dates
from passerelle.convention.blocks import Basis
from passerelle.convention.dates import DAY, midnight
from passerelle.convention.duration import EndOfNotice, LetterDate, Termination
from passerelle.convention.event import Event
from passerelle.convention.model import Convention
from passerelle.convention.values import Words


@dataclass(frozen=True, slots=True)
class Ending:
    """``out_from``: the first instant out of force; ``last_day``: the last civil day with time in force."""

    rule: str
    out_from: datetime
    last_day: date
    anchor: date
    effect: date | datetime
    basis: Basis
    article: str | None
    words: Words
    by_termination: bool


def of_term(convention: Convention, last: date, article: str | None, words: Words) -> Ending:
    """The end of a term: its last day counts until 24:00 (D4, D5)."""
    out = midnight(last + DAY, convention.zone)
    return Ending("D4 D5", out, last, last, last, convention.term.basis, article, words, False)


def recorded(convention: Convention, events: tuple[Event, ...]) -> list[Ending]:
    """The endings that events bring about: terminations in their form, and an end recorded by the DPO."""
    found = [end for event in events for mode in convention.modes() if (end := by_mode(convention, mode, event))]
    decided = of_the_dpo(convention, events)
    return found if decided is None else [*found, decided]


def of_the_dpo(convention: Convention, events: tuple[Event, ...]) -> Ending | None:
    """The end that the DPO recorded last: a later record corrects an earlier one."""
    days = [
        day
        for event in events
        if event.type == "end_recorded" and event.says("by") in (None, "dpo")
        if (day := event.day("on", "valid_on", zone=convention.zone)) is not None
    ]
    if not days:
        return None
    day = days[-1]
    words = Words(f"fin enregistrée au {dates.fr(day)} inclus", f"end recorded on {dates.en(day)} included")
    return Ending("D16", midnight(day + DAY, convention.zone), day, day, day, "hub_policy", None, words, False)


def decided(convention: Convention, events: tuple[Event, ...]) -> bool:
    """Whether the DPO recorded an end after all that may be disputed: denunciations, amendments and their approvals (D18)."""
    doubtful = {"denounced", "amendment_signed", "approved"}
    since = max((place for place, event in enumerate(events, 1) if event.type in doubtful), default=0)
    last = of_the_dpo(convention, tuple(event for event in events[since:] if event.says("by") == "dpo"))
    return last is not None


def by_mode(convention: Convention, mode: Termination, event: Event) -> Ending | None:
    """The ending that an event brings about under one clause of termination, or None: wrong form, no date yet."""
    if event.type not in mode.events or not in_form(mode, event) or not by_a_party(convention, event):
        return None
    effect = mode.effect
    if isinstance(effect, LetterDate):
        return _letter(convention, mode, effect, event)
    if isinstance(effect, EndOfNotice):
        return _notice(convention, mode, effect, event)
    return _at_once(convention, mode, event)


def in_form(mode: Termination, event: Event) -> bool:
    """Whether the event has the form that the clause wants; one without a recorded form is taken at its word."""
    return mode.form in ("any", "not_stated") or event.says("form") in (None, mode.form)


def by_a_party(convention: Convention, event: Event) -> bool:
    return event.says("by") is None or any(event.says("by") == party.id for party in convention.parties)


def received_on(convention: Convention, event: Event) -> date | None:
    """The day of receipt; the event's own day when it says neither receipt nor sending."""
    received = event.day("received_on", zone=convention.zone)
    if received is None and event.day("sent_on", zone=convention.zone) is None:
        return event.day("on", "valid_on", zone=convention.zone)
    return received


def _letter(convention: Convention, mode: Termination, effect: LetterDate, event: Event) -> Ending | None:
    received = received_on(convention, event)
    if received is None:
        return None  # no receipt, no effect (D8)
    calendar = dates.calendar_of(convention)
    floor = dates.shift(received, effect.not_before, calendar)
    own = event.day("effect_date", zone=convention.zone)
    first_out = max(floor, own) if own else floor
    fr = f"reçue le {dates.fr(received)} + {dates.fr_period(effect.not_before)} = {dates.fr(floor)}"
    en = f"received on {dates.en(received)} + {dates.en_period(effect.not_before)} = {dates.en(floor)}"
    if own:
        fr += f" ; date du courrier : {dates.fr(own)} ; la plus tardive : {dates.fr(first_out)}"
        en += f"; date in the letter: {dates.en(own)}; the later: {dates.en(first_out)}"
    words = Words(f"{fr}, premier jour hors convention", f"{en}, first day out")
    out = midnight(first_out, convention.zone)
    return Ending("D8", out, first_out - DAY, first_out, first_out, mode.basis, mode.article, words, True)


def _notice(convention: Convention, mode: Termination, effect: EndOfNotice, event: Event) -> Ending | None:
    sending = effect.counted_from == "sending"
    day = event.day("sent_on", zone=convention.zone) if sending else received_on(convention, event)
    if day is None:
        return None
    last = dates.shift(day, effect.notice, dates.calendar_of(convention))
    fr_from, en_from = ("envoyée", "sent") if sending else ("reçue", "received")
    words = Words(
        f"{fr_from} le {dates.fr(day)} + {dates.fr_period(effect.notice)} = {dates.fr(last)}, dernier jour du préavis",
        f"{en_from} on {dates.en(day)} + {dates.en_period(effect.notice)} = {dates.en(last)}, last day of the notice",
    )
    out = midnight(last + DAY, convention.zone)
    return Ending("D9", out, last, last, last, mode.basis, mode.article, words, True)


def _at_once(convention: Convention, mode: Termination, event: Event) -> Ending | None:
    instant = event.instant("received_at", "at")
    if instant is not None:
        local = instant.astimezone(convention.zone)
        day = local.date()
        last = day if local > midnight(day, convention.zone) else day - DAY
        words = Words(
            f"reçue le {dates.fr(day)} à {local:%H:%M} : hors convention dès cet instant",
            f"received on {dates.en(day)} at {local:%H:%M}: out from that instant",
        )
        return Ending("D10b", local, last, day, local, mode.basis, mode.article, words, True)
    received = received_on(convention, event)
    if received is None:
        return None
    words = Words(
        f"reçue le {dates.fr(received)}, heure inconnue : hors convention toute la journée",
        f"received on {dates.en(received)}, hour unknown: out for the whole day",
    )
    out = midnight(received, convention.zone)
    return Ending("D10b", out, received - DAY, received, received, "hub_policy", mode.article, words, True)
