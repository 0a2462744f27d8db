"""When something is due, and before when it may not happen (D3, D5, D7, D12 to D14, D19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from passerelle.convention import cadence, dates, force, signing
from passerelle.convention.blocks import AfterEvent, AfterPeriod, AfterSignature, BeforeEnd, Grounded, Moment, Period
from passerelle.convention.event import Event, texts
from passerelle.convention.model import Convention, Exchange, NotBeforeDate, ServiceLevel
from passerelle.convention.periods import period_of
from passerelle.convention.term import life
from passerelle.convention.values import Answer, Words
from passerelle.errors import UsageError

SILENT = Words("le texte ne fixe pas de délai", "the text sets no deadline")
NO_EVENT = Words("rien d'enregistré qui fasse courir le délai", "nothing on record that starts the delay")
MAX_ARRANGED = 366  # working days that parties may agree on
BREACH_HOURS = 72  # GDPR art. 33(1)


@dataclass(frozen=True, slots=True)
class Case:
    """What a date is asked of: the text, the events on record, the instant (or None), and the question's arguments."""

    convention: Convention
    events: tuple[Event, ...]
    at: datetime | None
    args: Mapping[str, Any]

    @property
    def zone(self) -> ZoneInfo:
        return self.convention.zone


def due(case: Case) -> Answer:
    """When an instrument, an obligation, a service level or an exchange is due.

    Raises:
        UsageError: the arguments name none of them, or none that the convention has.
    """
    convention, args = case.convention, case.args
    if "instrument" in args:
        instrument = _named(convention.instruments, args["instrument"], "instrument")
        return _moment(case, instrument.due, instrument)
    if "service_level" in args:
        return _service_level(case, _named(convention.service_levels, args["service_level"], "service level"))
    name = args.get("exchange", args.get("obligation"))
    if name is None:
        raise UsageError(
            "expected instrument, obligation, service_level or exchange in the arguments, got none of them"
        )
    exchange = convention.exchange(str(name))
    if exchange is not None:
        silent = exchange.due == "not_stated"
        return cadence.exchange_due(exchange, args) if silent else _moment(case, exchange.due, exchange)
    obligation = _named(convention.obligations, name, "obligation or exchange")
    if obligation.due == "not_stated":
        return cadence.due(convention, case.events, obligation, case.at, args)
    return _moment(case, obligation.due, obligation)


def _named(items: tuple[Any, ...], name: Any, kind: str) -> Any:
    for item in items:
        if item.id == name:
            return item
    raise UsageError(f"expected an id of {kind} of the convention, got an unknown one")


def _moment(case: Case, rule: Moment | str, owner: Grounded) -> Answer:
    """The date or the instant that a rule of the text gives; no value while what it counts from is not on record."""
    if isinstance(rule, str):
        return Answer(None, "undetermined", owner.basis, owner.article, SILENT)
    if isinstance(rule, AfterEvent):
        return _after_event(case, rule.event, _arranged(case, rule.within), rule)
    if isinstance(rule, AfterPeriod):
        span = period_of(case.args.get("period"))
        return _from_date(case, rule, None if span is None else span.last, rule.within, ("D12", "D14"))
    if isinstance(rule, BeforeEnd):
        number = case.args.get("term")
        term = force.current_term(
            life(case.convention, case.events), case.at, number if isinstance(number, int) else None
        )
        return _from_date(case, rule, None if term is None else term.last, rule.by, ("D3", "D6", "D7"), sign=-1)
    if isinstance(rule, AfterSignature):
        return _from_date(case, rule, signing.signature(case.convention, case.events), rule.within, ("D3",))
    words = Words(f"date stipulée : {dates.fr(rule.day)} inclus", f"stated date: {dates.en(rule.day)} included")
    return Answer(rule.day, "yes", rule.basis, rule.article, words, rules=("D5",))


def _service_level(case: Case, level: ServiceLevel) -> Answer:
    """When an answer is owed after an event; a longer delay announced at first contact replaces it."""
    for event in reversed(case.events):
        if event.type == "extension_announced" and event.says("service_level") in (None, level.id):
            until = event.day("until", zone=case.zone)
            if until is not None:
                words = Words(f"délai prolongé au {dates.fr(until)}", f"delay extended to {dates.en(until)}")
                return Answer(until, "yes", level.basis, level.article, words, rules=("D13b",))
    return _after_event(case, level.event, level.within, level)


def _after_event(case: Case, name: str, within: Period, ground: Grounded) -> Answer:
    event = _latest(case, name)
    if event is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    if within.hours is None:
        rules = ("D1", "D12") if within.working_days else ("D3", "D6") if within.total_months else ("D6", "D13b")
        return _from_date(case, ground, event.day("on", "received_on", "valid_on", zone=case.zone), within, rules)
    instant = event.instant("at", "received_at")
    if instant is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    start, end = instant.astimezone(case.zone), dates.after_hours(instant, within.hours, case.zone)
    words = Words(
        f"{dates.fr(start.date())} {start:%H:%M} + {within.hours} heures écoulées = {dates.fr(end.date())} {end:%H:%M}",
        f"{dates.en(start.date())} {start:%H:%M} + {within.hours} elapsed hours = {dates.en(end.date())} {end:%H:%M}",
    )
    return Answer(end, "yes", ground.basis, ground.article, words, rules=("D13",))


def _latest(case: Case, name: str) -> Event | None:
    """The last event of that type, on or before the instant asked, about the same vacancy or offer where both say which."""
    found: list[tuple[float, Event]] = []
    for event in case.events:
        day = event.day("on", "received_on", "valid_on", zone=case.zone)
        if event.type != name or day is None or not _same_object(event, case.args):
            continue
        instant = event.instant("at", "received_at") or dates.midnight(day, case.zone)
        if case.at is None or instant <= case.at:
            found.append((instant.timestamp(), event))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _same_object(event: Event, args: Mapping[str, Any]) -> bool:
    return all(event.says(key) in (None, args[key]) for key in ("vacancy", "offer") if args.get(key) is not None)


def _arranged(case: Case, within: Period) -> Period:
    """The delay that all the signatories agreed for this recruitment instead of the text's, if any (OCE part II)."""
    signatories = set(case.convention.signatories())
    for event in reversed(case.events):
        days, agreed = event.says("within_working_days"), set(texts(event.says("agreed_by")))
        if event.type != "special_arrangement" or event.says("vacancy") not in (None, case.args.get("vacancy")):
            continue
        if signatories <= agreed and isinstance(days, int) and 0 < days <= MAX_ARRANGED:
            return Period(working_days=days)
    return within


def _from_date(
    case: Case, ground: Grounded, anchor: date | None, period: Period, rules: tuple[str, ...], *, sign: int = 1
) -> Answer:
    if anchor is None:
        return Answer(None, "undetermined", ground.basis, ground.article, NO_EVENT)
    calendar = dates.calendar_of(case.convention)
    value = dates.shift(anchor, period, calendar, sign)
    mark = "+" if sign > 0 else "-"
    tables = f" ({calendar.name}, {dates.holidays_version()})" if period.working_days else ""
    words = Words(
        f"{dates.fr(anchor)} {mark} {dates.fr_period(period)} = {dates.fr(value)}{tables}",
        f"{dates.en(anchor)} {mark} {dates.en_period(period)} = {dates.en(value)}{tables}",
    )
    return Answer(value, "yes", ground.basis, ground.article, words, rules=rules)


def not_before(case: Case, exchange: Exchange) -> Answer:
    """The first day on which an exchange may happen: 00:00 of that day (D12); no value when the text sets none."""
    rule = exchange.not_before
    if rule is None:
        return Answer(None, "no", exchange.basis, exchange.article, SILENT)
    if isinstance(rule, NotBeforeDate):
        words = Words(f"à compter du {dates.fr(rule.day)}", f"from {dates.en(rule.day)}")
        return Answer(rule.day, "yes", exchange.basis, exchange.article, words, rules=("D5",))
    return _after_event(case, rule.event, Period(working_days=rule.working_days), exchange)


def rights(events: tuple[Event, ...], zone: ZoneInfo) -> Answer:
    """The GDPR's own delays (D19): one month, rolled to a working day, for a request; 72 elapsed hours for a breach.

    Raises:
        UsageError: no such event is on record.
    """
    for event in reversed(events):
        received = event.day("received_on", "on", zone=zone)
        if event.type == "rights_request" and received is not None:
            return _one_month(event, received)
        known_at = event.instant("at", "received_at")
        if event.type == "breach_known" and known_at is not None:
            end = dates.after_hours(known_at, BREACH_HOURS, zone)
            words = Words("72 heures écoulées (RGPD, art. 33)", "72 elapsed hours (GDPR art. 33)")
            return Answer(end, "yes", "stated", "RGPD, art. 33", words, rules=("D13", "D19"))
    raise UsageError("expected a rights_request or a breach_known among the events, got neither")


def _one_month(event: Event, received: date) -> Answer:
    months = 3 if event.says("extended") is True else 1  # GDPR art. 12(3): two further months where necessary
    plain = dates.add_months(received, months)
    value = dates.FRANCE.on_or_after(plain)
    tables = dates.holidays_version()
    words = Words(
        f"{dates.fr(received)} + {months} mois = {dates.fr(plain)} ; jour ouvré : {dates.fr(value)} (jours fériés : {tables})",
        f"{dates.en(received)} + {months} month{'s' if months > 1 else ''} = {dates.en(plain)}; working day: {dates.en(value)} (public holidays: {tables})",
    )
    return Answer(value, "yes", "stated", "RGPD, art. 12 § 3", words, rules=("D3", "D19"))
