"""What somebody owes on a day: exchanges, instruments, obligations, answers within a delay (D12 to D14, D19)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from passerelle.convention import Answer
from passerelle.convention.alerting import evidence, minutes_sent
from passerelle.convention.blocks import AfterEvent, AfterPeriod, AfterSignature, BeforeEnd, Moment, OnDate, Period
from passerelle.convention.cadence import MONTHS, contract_span
from passerelle.convention.dates import DAY, local_day
from passerelle.convention.due import rights
from passerelle.convention.model import Exchange, Instrument, Obligation, ServiceLevel
from passerelle.convention.periods import Span, calendar_span
from passerelle.convention.term import Term
from passerelle.convention.values import Words
from passerelle.planning.answers import Answers
from passerelle.planning.item import Item
from passerelle.planning.lead import Lead, lead_of_cadence, lead_of_delay
from passerelle.planning.search import Block, Search, closing, evidence_of

DAILY = "day"
_CHANGES_A_DELAY = frozenset({"special_arrangement", "extension_announced"})
_RIGHTS = ("breach_known", "rights_request")
_RIGHTS_TITLE = {
    "rights_request": Words("Répondre à une demande de droits", "Answer a request of a person"),
    "breach_known": Words("Notifier une violation de données", "Notify a personal data breach"),
}
Dated = BeforeEnd | AfterSignature | OnDate


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing owed, and how long before its day people are reminded."""

    item: Item
    lead: Lead | None


def owed(search: Search, answers: Answers | None = None) -> Iterator[Owed]:
    """What is owed on what is known, in no order; with ``answers``, what the gate would say of each exchange."""
    convention = search.convention
    for exchange in convention.exchanges:
        every = exchange.trigger.every
        if isinstance(exchange.due, str | AfterPeriod) and (every in MONTHS or every == DAILY):
            yield from _scheduled(search, exchange, answers)
        else:
            yield from _moment(search, "exchange", exchange, exchange.due, answers)
    for instrument in convention.instruments:
        yield from _moment(search, "instrument", instrument, instrument.due)
    for obligation in convention.obligations:
        if obligation.due == "not_stated" and obligation.cadence.per in MONTHS:
            yield from _periodic(search, obligation)
        else:
            yield from _moment(search, "obligation", obligation, obligation.due)
    for level in convention.service_levels:
        yield from _after_events(search, "service_level", level, level)
    yield from _of_persons(search)


def _moment(
    search: Search,
    kind: str,
    block: Exchange | Instrument | Obligation,
    rule: Moment | str,
    answers: Answers | None = None,
) -> Iterator[Owed]:
    if isinstance(rule, Dated):
        yield from _dated(search, kind, block, rule, answers)
    elif isinstance(rule, AfterEvent):
        yield from _after_events(search, kind, block, rule, answers)


def _scheduled(search: Search, exchange: Exchange, answers: Answers | None) -> Iterator[Owed]:
    """Once for each civil period that the convention covers in part: at its close, or after the delay of the text (D14)."""
    if search.convention.source.kind == "template_charter":
        return
    every, rule = str(exchange.trigger.every), exchange.due
    within = rule.within if isinstance(rule, AfterPeriod) else None
    delivered, lead = search.delivered_by_period(exchange.id), lead_of_cadence(every)
    for span in _spans(search, every, within):
        answer = (
            Answer(span.last, "yes", exchange.trigger.basis, exchange.article, closing(span.last), rules=("D14",))
            if within is None
            else search.due({"exchange": exchange.id, "period": span.label})
        )
        day = answer.value
        if isinstance(day, date) and search.covers(day):
            found = delivered.get(span.label, ())
            found += search.told(exchange.id, span.first, max(day, search.today), {"period": span.label})
            yield Owed(search.item("exchange", exchange, answer, period=span.label, found=found, answers=answers), lead)


def _spans(search: Search, every: str, within: Period | None) -> Iterator[Span]:
    """The civil periods whose day may lie in the search, while the convention lasts; nobody is reminded of daily ones."""
    story = search.story
    first = search.start if within is None else search.start - _at_most(within) * DAY
    last = search.end if every == DAILY else search.horizon
    day = first if story.start is None else max(first, story.start)
    last = last if story.end is None else min(last, story.end.last_day)
    while day <= last:
        span = Span(day.isoformat(), day, day) if every == DAILY else calendar_span(day, MONTHS[every])
        yield span
        day = span.last + DAY


def _at_most(within: Period) -> int:
    """No fewer days than the delay lasts: working days are at least one day in four, holidays included."""
    months = within.total_months
    return 31 * months if months is not None else 4 * within.count + 10


def _dated(
    search: Search, kind: str, block: Exchange | Instrument | Obligation, rule: Dated, answers: Answers | None
) -> Iterator[Owed]:
    """Once, or once in each term (D3, D5)."""
    terms: list[Term | None] = list(search.terms()) if isinstance(rule, BeforeEnd) else [None]
    for term in terms:
        answer = search.due({kind: block.id, **({} if term is None else {"term": term.number})})
        if not isinstance(answer.value, date) or not search.covers(answer.value):
            continue
        first, last = (date.min, search.today) if term is None else (term.first, min(term.last, search.today))
        found = search.told(block.id, first, last)
        if kind == "exchange":
            found += search.delivered(block.id, first, last)
        if kind == "instrument":
            recorded = (event for _, event in search.by_type.get("instrument_recorded", ()))
            found += tuple(evidence_of(search.convention, one) for one in recorded if one.says("id") == block.id)
        yield Owed(search.item(kind, block, answer, found=found, answers=answers), lead_of_cadence("year"))


def _periodic(search: Search, obligation: Obligation) -> Iterator[Owed]:
    """Once for each period of the cadence that the convention covers in part, at its close (D14)."""
    for span in _cadence(search, obligation):
        if not search.covers(span.last):
            continue
        held = evidence(search.convention, search.events, obligation.id, span.first, span.last)
        complete = len(held) >= obligation.cadence.at_least and (
            not obligation.minutes or minutes_sent(search.convention, search.events, obligation.id, span)
        )
        answer = Answer(span.last, "yes", obligation.basis, obligation.article, closing(span.last), rules=("D14",))
        found = tuple(evidence_of(search.convention, event) for _, event in held)
        item = search.item("obligation", obligation, answer, period=span.label, found=found, done=complete)
        yield Owed(item, lead_of_cadence(obligation.cadence.per))


def _cadence(search: Search, obligation: Obligation) -> Iterator[Span]:
    """The periods of an obligation that the convention covers in part, around the search."""
    months, story = MONTHS[obligation.cadence.per], search.story
    if story.start is None:
        return
    last = search.horizon if story.end is None else min(search.horizon, story.end.last_day)
    if months < MONTHS["semester"] or obligation.cadence.years == "calendar":
        day = max(search.start, story.start)
        while day <= last:
            civil = calendar_span(day, months)
            yield civil
            day = civil.last + DAY
        return
    passed = (search.start.year - story.start.year) * 12 + search.start.month - story.start.month
    number = max(1, passed // months)
    while (span := contract_span(search.convention, search.events, months, number)) and span.first <= last:
        yield span
        number += 1


def _after_events(
    search: Search, kind: str, block: Block, rule: AfterEvent | ServiceLevel, answers: Answers | None = None
) -> Iterator[Owed]:
    """Once for each event that starts the delay, told apart by its number in the register (D12, D13, D13b)."""
    changes = tuple(event for event in search.events if event.type in _CHANGES_A_DELAY)
    for number, event in search.by_type.get(rule.event, ()):
        about = {key: event.says(key) for key in ("vacancy", "offer") if event.says(key) is not None}
        answer = search.due({kind: block.id, **about}, (*changes, event))
        if not isinstance(answer.value, date):
            continue
        instant = answer.value.astimezone(search.zone) if isinstance(answer.value, datetime) else None
        if not search.covers(answer.value if instant is None else instant.date()):
            continue
        since = event.day("on", "received_on", "valid_on", zone=search.zone) or date.min
        found = search.told(block.id, since, search.today, about)
        if kind == "exchange":
            found += search.delivered(block.id, since, search.today)
        period = f"{event.type}-{number}"
        item = search.item(kind, block, answer, period=period, found=found, instant=instant, answers=answers)
        yield Owed(item, lead_of_delay(rule.within))


def _of_persons(search: Search) -> Iterator[Owed]:
    """The GDPR's own delays: a request of a person, a breach (D19)."""
    for name in _RIGHTS:
        for number, event in search.by_type.get(name, ()):
            answer = rights((event,), search.zone)
            if not isinstance(answer.value, date):
                continue
            instant = answer.value if isinstance(answer.value, datetime) else None
            day = answer.value if instant is None else local_day(instant, search.zone)
            if not search.covers(day):
                continue
            own = event.says("id")
            found = search.told(own, date.min, search.today) if isinstance(own, str) else ()
            state = search.state(day, instant, done=bool(found))
            title, period = _RIGHTS_TITLE[name], f"{name}-{number}"
            item = Item(
                day, search.convention.id, "rights", title, answer, None, period, state, instant, evidence=found
            )
            yield Owed(item, None if instant else lead_of_cadence("month"))
