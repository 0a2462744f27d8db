"""When something is due, and before when it may not happen (D3, D5, D7, D12 to D14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from passerelle.convention import cadence, dates, force, signing
from passerelle.convention.blocks import AfterEvent, AfterPeriod, AfterSignature, BeforeEnd, Grounded, Moment, Period
from passerelle.convention.dates import calendar_of, fr_period, en_period
from passerelle.convention.event import Event, day_of
from passerelle.convention.model import Convention, Exchange, NotBeforeDate, ServiceLevel
from passerelle.convention.periods import period_of
from passerelle.convention.term import life
from passerelle.convention.values import Answer, Words
from passerelle.errors import UsageError

SILENT = Words("le texte ne fixe pas de délai", "the text sets no deadline")
NO_EVENT = Words("rien d'enregistré qui fasse courir le délai", "nothing on record that starts the delay")


def due(convention: Convention, events: tuple[Event, ...], at: datetime | None, args: Mapping[str, Any]) -> Answer:
    """When an instrument, an obligation, a service level or an exchange is due.

    Raises:
        UsageError: ``args`` names none of them, or none that the convention has.
    """
    if "instrument" in args:
        instrument = _named(convention.instruments, args["instrument"], "instrument")
        return moment(convention, events, instrument.due, instrument, at, args)
    if "service_level" in args:
        level = _named(convention.service_levels, args["service_level"], "service level")
        return service_level(convention, events, level, at, args)
    if "obligation" in args:
        name = args["obligation"]
        if convention.exchange(str(name)) is None:
            obligation = _named(convention.obligations, name, "obligation")
            if obligation.due == "not_stated":
                return cadence.due(convention, events, obligation, at, args)
            return moment(convention, events, obligation.due, obligation, at, args)
        args = {**args, "exchange": name}
    if "exchange" in args:
        exchange = convention.exchange(str(args["exchange"]))
        if exchange is None:
            raise UsageError("expected an exchange of the convention, got an unknown id")
        if exchange.due == "not_stated":
            return cadence.exchange_due(exchange, args)
        return moment(convention, events, exchange.due, exchange, at, args)
    raise UsageError("expected instrument, obligation, service_level or exchange in the arguments, got none of them")


def _named(items: tuple[Any, ...], name: Any, kind: str) -> Any:
    for item in items:
        if item.id == name:
            return item
    raise UsageError(f"expected an id of {kind} of the convention, got an unknown one")


def moment(
    convention: Convention,
    events: tuple[Event, ...],
    rule: Moment | str,
    owner: Grounded,
    at: datetime | None,
    args: Mapping[str, Any],
) -> Answer:
    """The date or the instant that a rule of the text gives; no value while what it counts from is not on record."""
    if isinstance(rule, str):
        return Answer(None, "undetermined", owner.basis, owner.article, SILENT)
    if isinstance(rule, AfterEvent):
        within = _arranged(events, rule.within, args)
        return _after_event(convention, events, rule.event, within, rule, at, args)
    if isinstance(rule, AfterPeriod):
        span = period_of(args.get("period"))
        anchor = None if span is None else span.last
        return _from_date(convention, rule, anchor, rule.within, 1, ("D12", "D14"))
    if isinstance(rule, BeforeEnd):
        number = args.get("term")
        term = force.current_term(life(convention, events), at, number if isinstance(number, int) else None)
        return _from_date(convention, rule, None if term is None else term.last, rule.by, -1, ("D3", "D6", "D7"))
    if isinstance(rule, AfterSignature):
        return _from_date(convention, rule, signing.signature(convention, events), rule.within, 1, ("D3",))
    words = Words(f"date stipulée : {dates.fr(rule.day)} inclus", f"stated date: {dates.en(rule.day)} included")
    return Answer(rule.day, "yes", rule.basis, rule.article, words, rules=("D5",))


def service_level(
    convention: Convention, events: tuple[Event, ...], level: ServiceLevel, at: datetime | None, args: Mapping[str, Any]
) -> Answer:
    """When an answer is owed after an event; a longer delay announced in time replaces it."""
    for event in reversed(events):
        if event.type == "extension_announced" and event.says("service_level") in (None, level.id):
            until = event.day("until", zone=convention.zone)
            if until is not None:
                words = Words(f"délai prolongé au {dates.fr(until)}", f"delay extended to {dates.en(until)}")
                return Answer(until, "yes", level.basis, level.article, words, rules=("D13b",))
    return _after_event(convention, events, level.event, level.within, level, at, args)


def _after_event(
    convention: Convention,
    events: tuple[Event, ...],
    name: str,
    within: Period,
    ground: Grounded,
    at: datetime | None,
    args: Mapping[str, Any],
) -> Answer:
    event = latest(convention, events, name, at, args)
    if event is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    if within.hours is None:
        anchor = event.day("on", "received_on", "valid_on", zone=convention.zone)
        rules = ("D1", "D12") if within.working_days else ("D3", "D6") if within.total_months else ("D6", "D13b")
        return _from_date(convention, ground, anchor, within, 1, rules)
    instant = event.instant("at", "received_at")
    if instant is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    end = dates.after_hours(instant, within.hours, convention.zone)
    start = instant.astimezone(convention.zone)
    words = Words(
        f"{dates.fr(start.date())} {start:%H:%M} + {within.hours} heures écoulées = {dates.fr(end.date())} {end:%H:%M}",
        f"{dates.en(start.date())} {start:%H:%M} + {within.hours} elapsed hours = {dates.en(end.date())} {end:%H:%M}",
    )
    return Answer(end, "yes", ground.basis, ground.article, words, rules=("D13",))


def latest(
    convention: Convention, events: tuple[Event, ...], name: str, at: datetime | None, args: Mapping[str, Any]
) -> Event | None:
    """The last event of that type, on or before ``at``, about the same vacancy or offer when both say which."""
    found: list[tuple[float, Event]] = []
    for event in events:
        day = event.day("on", "received_on", "valid_on", zone=convention.zone)
        if event.type != name or day is None or not _same_object(event, args):
            continue
        instant = event.instant("at", "received_at") or dates.midnight(day, convention.zone)
        if at is None or instant <= at:
            found.append((instant.timestamp(), event))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _same_object(event: Event, args: Mapping[str, Any]) -> bool:
    return all(event.says(key) in (None, args.get(key)) for key in ("vacancy", "offer") if args.get(key) is not None)


def _arranged(events: tuple[Event, ...], within: Period, args: Mapping[str, Any]) -> Period:
    """The delay that both parties agreed for this recruitment instead of the text's, if any (OCE part II)."""
    for event in reversed(events):
        days = event.says("within_working_days")
        agreed = event.says("agreed_by") or ()
        if event.type == "special_arrangement" and _same_object(event, args) and len(set(agreed)) > 1:
            return Period(working_days=days) if isinstance(days, int) and days > 0 else within
    return within


def _from_date(
    convention: Convention, ground: Grounded, anchor: date | None, period: Period, sign: int, rules: tuple[str, ...]
) -> Answer:
    if anchor is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    calendar = calendar_of(convention)
    value = dates.shift(anchor, period, calendar, sign)
    mark = "+" if sign > 0 else "-"
    tables = f" ({calendar.name}, {dates.holidays_version()})" if period.working_days else ""
    words = Words(
        f"{dates.fr(anchor)} {mark} {fr_period(period)} = {dates.fr(value)}{tables}",
        f"{dates.en(anchor)} {mark} {en_period(period)} = {dates.en(value)}{tables}",
    )
    return Answer(value, "yes", ground.basis, ground.article, words, rules=rules)


def not_before(
    convention: Convention,
    events: tuple[Event, ...],
    exchange: Exchange,
    at: datetime | None,
    args: Mapping[str, Any],
) -> Answer:
    """The first day on which an exchange may happen: 00:00 of that day (D12); no value when the text sets none."""
    rule = exchange.not_before
    if rule is None:
        return Answer(None, "no", exchange.basis, exchange.article, SILENT)
    if isinstance(rule, NotBeforeDate):
        words = Words(f"à compter du {dates.fr(rule.day)}", f"from {dates.en(rule.day)}")
        return Answer(rule.day, "yes", exchange.basis, exchange.article, words, rules=("D5",))
    period = Period(working_days=rule.working_days)
    return _after_event(convention, events, rule.event, period, exchange, at, args)


def rights(events: tuple[Event, ...], zone: dates.ZoneInfo) -> Answer:
    """The GDPR's own delays: one month, rolled to a working day, for a person's request; 72 elapsed hours for a breach (D19).

    Raises:
        UsageError: no such event is on record.
    """
    for event in reversed(events):
        received = event.day("received_on", "on", zone=zone)
        if event.type == "rights_request" and received is not None:
            return _one_month(event, received)
        known_at = event.instant("at", "received_at")
        if event.type == "breach_known" and known_at is not None:
            end = dates.after_hours(known_at, 72, zone)
            words = Words("72 heures écoulées (RGPD, art. 33)", "72 elapsed hours (GDPR art. 33)")
            return Answer(end, "yes", "stated", "GDPR art. 33", words, rules=("D13", "D19"))
    raise UsageError("expected a rights_request or a breach_known among the events, got neither")


def _one_month(event: Event, received: date) -> Answer:
    months = 3 if event.says("extended") is True else 1  # GDPR art. 12(3): two further months where necessary
    plain = dates.add_months(received, months)
    value = dates.FRANCE.on_or_after(plain)
    words = Words(
        f"{dates.fr(received)} + {months} mois = {dates.fr(plain)} ; jour ouvré : {dates.fr(value)} ({dates.holidays_version()})",
        f"{dates.en(received)} + {months} month(s) = {dates.en(plain)}; working day: {dates.en(value)} ({dates.holidays_version()})",
    )
    return Answer(value, "yes", "stated", "GDPR art. 12(3)", words, rules=("D3", "D19"))
