"""What somebody owes on a day: exchanges, instruments, obligations, answers within a delay (D12 to D14, D19)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from passerelle.convention import Answer, Convention, Event
from passerelle.convention.alerting import evidence, minutes_sent
from passerelle.convention.blocks import AfterEvent, AfterPeriod, AfterSignature, BeforeEnd, OnDate, Period
from passerelle.convention.cadence import MONTHS, contract_span
from passerelle.convention.dates import DAY, en, fr, local_day
from passerelle.convention.due import Case, due, rights
from passerelle.convention.model import Exchange, Instrument, Obligation, ServiceLevel
from passerelle.convention.periods import Span, calendar_span
from passerelle.convention.term import Life, Term, life
from passerelle.convention.values import Words
from passerelle.planning.item import Delivery, Evidence, Item, Known, State, words
from passerelle.planning.lead import Lead, lead_of_cadence, lead_of_delay

DAILY = "day"
_CHANGES_A_DELAY = frozenset({"special_arrangement", "extension_announced"})
_RIGHTS = frozenset({"rights_request", "breach_known"})
_RIGHTS_TITLE = {
    "rights_request": Words("Répondre à une demande de droits", "Answer a request of a person"),
    "breach_known": Words("Notifier une violation de données", "Notify a personal data breach"),
}


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing owed, and how long before its day people are reminded."""

    item: Item
    lead: Lead | None


@dataclass(slots=True)
class _Search:
    """What every search needs, put in order once."""

    known: Known
    story: Life
    start: date
    end: date
    now: datetime
    delivered: Mapping[str, list[Delivery]] = field(default_factory=dict)
    by_type: Mapping[str, list[tuple[int, Event]]] = field(default_factory=dict)

    @property
    def convention(self) -> Convention:
        return self.known.convention

    @property
    def today(self) -> date:
        return local_day(self.now, self.convention.zone)

    def due(self, args: Mapping[str, Any], events: tuple[Event, ...] | None = None) -> Answer:
        return due(Case(self.convention, self.known.events if events is None else events, None, args))


def owed(known: Known, start: date, end: date, now: datetime) -> Iterator[Owed]:
    """What is owed from ``start`` to ``end`` (inclusive) on what is known, with its state at ``now``, in no order."""
    search = _Search(known, life(known.convention, known.events), start, end, now)
    delivered: dict[str, list[Delivery]] = defaultdict(list)
    for one in known.deliveries:
        delivered[one.exchange].append(one)
    by_type: dict[str, list[tuple[int, Event]]] = defaultdict(list)
    for event in known.events:
        by_type[event.type].append((len(by_type[event.type]) + 1, event))
    search.delivered, search.by_type = delivered, by_type
    for exchange in known.convention.exchanges:
        yield from _of_exchange(search, exchange)
    for instrument in known.convention.instruments:
        yield from _of_instrument(search, instrument)
    for obligation in known.convention.obligations:
        yield from _of_obligation(search, obligation)
    for level in known.convention.service_levels:
        yield from _after_events(search, "service_level", level, level.event, level.within)
    yield from _of_persons(search)


def _of_exchange(search: _Search, exchange: Exchange) -> Iterator[Owed]:
    rule, every = exchange.due, exchange.trigger.every
    if isinstance(rule, AfterEvent):
        yield from _after_events(search, "exchange", exchange, rule.event, rule.within)
    elif isinstance(rule, BeforeEnd | AfterSignature | OnDate):
        yield from _dated(search, "exchange", exchange, rule)
    elif every in MONTHS or every == DAILY:
        yield from _scheduled(search, exchange, rule if isinstance(rule, AfterPeriod) else None)


def _scheduled(search: _Search, exchange: Exchange, rule: AfterPeriod | None) -> Iterator[Owed]:
    """Once for each civil period that the convention covers in part: at its close, or after the delay of the text (D14)."""
    if search.convention.source.kind == "template_charter":
        return
    every = str(exchange.trigger.every)
    lead = lead_of_cadence(every)
    periods: dict[str, tuple[Evidence, ...]] = {}
    for one in search.delivered.get(exchange.id, ()):
        left = Evidence(local_day(one.at, search.convention.zone), "delivered")
        periods[one.period] = (*periods.get(one.period, ()), left)
    for span in _spans(search, every, None if rule is None else rule.within):
        answer = search.due({"exchange": exchange.id, "period": span.label})
        day = answer.value
        if not isinstance(day, date) or not search.start <= day <= search.end:
            continue
        found = periods.get(span.label, ())
        found += _told(search, exchange.id, span.first, max(day, search.today), span.label)
        yield Owed(_item(search, "exchange", exchange, answer, period=span.label, found=found), lead)


def _spans(search: _Search, every: str, within: Period | None) -> Iterator[Span]:
    """The civil periods whose day may lie in the search, while the convention lasts."""
    first = search.start if within is None else search.start - _at_most(within) * DAY
    day = first if search.story.start is None else max(first, search.story.start)
    last = search.end if search.story.end is None else min(search.end, search.story.end.last_day)
    while day <= last:
        span = Span(day.isoformat(), day, day) if every == DAILY else calendar_span(day, MONTHS[every])
        yield span
        day = span.last + DAY


def _at_most(within: Period) -> int:
    """No fewer days than the delay lasts: working days are at least one day in four, holidays included."""
    months = within.total_months
    return 31 * months if months is not None else 4 * within.count + 10


def _dated(
    search: _Search, kind: str, block: Exchange | Instrument | Obligation, rule: BeforeEnd | AfterSignature | OnDate
) -> Iterator[Owed]:
    """Once, or once in each term (D3, D5)."""
    terms: list[Term | None] = list(_terms(search)) if isinstance(rule, BeforeEnd) else [None]
    for term in terms:
        answer = search.due({kind: block.id, **({} if term is None else {"term": term.number})})
        day = answer.value
        if not isinstance(day, date) or not search.start <= day <= search.end:
            continue
        first, last = (date.min, search.today) if term is None else (term.first, min(term.last, search.today))
        found = _told(search, block.id, first, last)
        if kind == "exchange":
            found += _deliveries(search, block.id, first, last)
        if kind == "instrument":
            recorded = (event for _, event in search.by_type.get("instrument_recorded", ()))
            found += tuple(_evidence(search, event) for event in recorded if event.says("id") == block.id)
        yield Owed(_item(search, kind, block, answer, found=found), lead_of_cadence("year"))


def _terms(search: _Search) -> Iterator[Term]:
    story = search.story
    for term in story.terms():
        if term.first > search.end or (story.end is not None and term.first > story.end.last_day):
            return
        if term.last >= search.start:
            yield term


def _of_instrument(search: _Search, instrument: Instrument) -> Iterator[Owed]:
    rule = instrument.due
    if isinstance(rule, BeforeEnd | AfterSignature | OnDate):
        yield from _dated(search, "instrument", instrument, rule)
    elif isinstance(rule, AfterEvent):
        yield from _after_events(search, "instrument", instrument, rule.event, rule.within)


def _of_obligation(search: _Search, obligation: Obligation) -> Iterator[Owed]:
    rule = obligation.due
    if isinstance(rule, BeforeEnd | AfterSignature | OnDate):
        yield from _dated(search, "obligation", obligation, rule)
    elif isinstance(rule, AfterEvent):
        yield from _after_events(search, "obligation", obligation, rule.event, rule.within)
    elif obligation.cadence.per in MONTHS:
        for span in _cadence(search, obligation):
            if search.start <= span.last <= search.end:
                yield Owed(_periodic(search, obligation, span), lead_of_cadence(obligation.cadence.per))


def _cadence(search: _Search, obligation: Obligation) -> Iterator[Span]:
    """The periods of an obligation that the convention covers in part, around the search."""
    months, story = MONTHS[obligation.cadence.per], search.story
    if story.start is None:
        return
    last = search.end if story.end is None else min(search.end, story.end.last_day)
    if months < MONTHS["semester"] or obligation.cadence.years == "calendar":
        day = max(search.start, story.start)
        while day <= last:
            span: Span | None = calendar_span(day, months)
            assert span is not None  # noqa: S101 - a civil period always is
            yield span
            day = span.last + DAY
        return
    passed = (search.start.year - story.start.year) * 12 + search.start.month - story.start.month
    number = max(1, passed // months)
    while (span := contract_span(search.convention, search.known.events, months, number)) is not None:
        if span.first > last:
            return
        yield span
        number += 1


def _periodic(search: _Search, obligation: Obligation, span: Span) -> Item:
    convention, events = search.convention, search.known.events
    held = evidence(convention, events, obligation.id, span.first, span.last)
    complete = len(held) >= obligation.cadence.at_least and (
        not obligation.minutes or minutes_sent(convention, events, obligation.id, span)
    )
    sums = Words(f"clôture de la période : {fr(span.last)}", f"close of the period: {en(span.last)}")
    answer = Answer(span.last, "yes", obligation.basis, obligation.article, sums, rules=("D14",))
    found = tuple(_evidence(search, event) for _, event in held)
    return _item(search, "obligation", obligation, answer, period=span.label, found=found, done=complete)


def _after_events(
    search: _Search,
    kind: str,
    block: Exchange | Instrument | Obligation | ServiceLevel,
    name: str,
    within: Period,
) -> Iterator[Owed]:
    """Once for each event that starts the delay, told apart by its number in the register (D12, D13, D13b)."""
    changes = tuple(event for event in search.known.events if event.type in _CHANGES_A_DELAY)
    for number, event in search.by_type.get(name, ()):
        about = {key: event.says(key) for key in ("vacancy", "offer") if event.says(key) is not None}
        answer = search.due({kind: block.id, **about}, (*changes, event))
        if not isinstance(answer.value, date):
            continue
        instant = answer.value.astimezone(search.convention.zone) if isinstance(answer.value, datetime) else None
        day = answer.value if instant is None else instant.date()
        if not search.start <= day <= search.end:
            continue
        since = event.day("on", "received_on", "valid_on", zone=search.convention.zone) or date.min
        found = tuple(_told_about(search, block.id, since, about))
        if kind == "exchange":
            found += _deliveries(search, block.id, since, search.today)
        period = f"{event.type}-{number}"
        item = _item(search, kind, block, answer, period=period, found=found, instant=instant)
        yield Owed(item, lead_of_delay(within))


def _of_persons(search: _Search) -> Iterator[Owed]:
    """The GDPR's own delays: a request of a person, a breach (D19)."""
    for name in _RIGHTS & search.by_type.keys():
        for number, event in search.by_type[name]:
            answer = rights((event,), search.convention.zone)
            if not isinstance(answer.value, date):
                continue
            instant = answer.value if isinstance(answer.value, datetime) else None
            day = answer.value if instant is None else local_day(instant, search.convention.zone)
            if not search.start <= day <= search.end:
                continue
            own = event.says("id")
            found = () if own is None else _told(search, own, date.min, search.today)
            period = f"{name}-{number}"
            state = _state(search, day, instant, done=bool(found))
            item = Item(
                day, search.convention.id, "rights", _RIGHTS_TITLE[name], answer, None, period, state, instant,
                evidence=found,
            )  # fmt: skip
            yield Owed(item, None if instant else lead_of_cadence("month"))


def _item(
    search: _Search,
    kind: str,
    block: Exchange | Instrument | Obligation | ServiceLevel,
    answer: Answer,
    *,
    period: str | None = None,
    found: tuple[Evidence, ...] = (),
    done: bool | None = None,
    instant: datetime | None = None,
) -> Item:
    day = answer.value if instant is None else instant.date()
    assert isinstance(day, date)  # noqa: S101 - the callers have looked
    state = _state(search, day, instant, done=bool(found) if done is None else done)
    title = words(block.title)
    return Item(day, search.convention.id, kind, title, answer, block.id, period, state, instant, evidence=found)


def _state(search: _Search, day: date, instant: datetime | None, *, done: bool) -> State:
    if done:
        return "done"
    late = search.today > day if instant is None else search.now > instant
    return "late" if late else "due"


def _told(search: _Search, name: str, first: date, last: date, period: str | None = None) -> tuple[Evidence, ...]:
    """The events of the register that say that it was done, for that period where they say which."""
    held = evidence(search.convention, search.known.events, name, first, last)
    return tuple(_evidence(search, event) for _, event in held if event.says("period") in (None, period))


def _told_about(search: _Search, name: str, since: date, about: Mapping[str, Any]) -> Iterator[Evidence]:
    for _, event in evidence(search.convention, search.known.events, name, since, search.today):
        if all(event.says(key) in (None, value) for key, value in about.items()):
            yield _evidence(search, event)


def _deliveries(search: _Search, exchange: str, first: date, last: date) -> tuple[Evidence, ...]:
    days = (local_day(one.at, search.convention.zone) for one in search.delivered.get(exchange, ()))
    return tuple(Evidence(day, "delivered") for day in days if first <= day <= last)


def _evidence(search: _Search, event: Event) -> Evidence:
    return evidence_of(search.convention, event)


def evidence_of(convention: Convention, event: Event) -> Evidence:
    """What an event shows: its day, and the hash of its document (``evidence_sha256`` of the payload)."""
    sha256 = event.says("evidence_sha256")
    day = event.day("on", "from", "valid_on", zone=convention.zone)
    return Evidence(day, event.type, sha256 if isinstance(sha256, str) else None)
