"""What must happen every month, quarter, half-year or year (D14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from passerelle.convention import dates
from passerelle.convention.dates import DAY
from passerelle.convention.event import Event
from passerelle.convention.model import Convention, Exchange, Obligation
from passerelle.convention.periods import Span, calendar_span, period_of
from passerelle.convention.term import life
from passerelle.convention.values import Answer, Words

MONTHS = {"month": 1, "quarter": 3, "semester": 6, "year": 12}
MAX_PERIODS = 2400  # two centuries of months
_ARGS = ("quarter", "month", "semester", "year", "period")
_EVERY = {"day": "day", "month": "month", "quarter": "quarter", "year": "year"}


def span_asked(
    convention: Convention, events: tuple[Event, ...], obligation: Obligation, args: Mapping[str, Any]
) -> Span | None:
    """The period that the arguments name: by its civil writing, or by its number ``n`` since the start."""
    number = args.get("n")
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= MAX_PERIODS:
        return contract_span(convention, events, MONTHS.get(obligation.cadence.per, 12), number)
    for name in _ARGS:
        if args.get(name) is not None:
            span = period_of(args[name])
            if span is not None and _is_contract_year(obligation) and name == "year":
                return _contract_year_closing(convention, events, span.first.year) or span
            return span
    return None


def _is_contract_year(obligation: Obligation) -> bool:
    return obligation.cadence.per == "year" and obligation.cadence.years == "contract"


def _contract_year_closing(convention: Convention, events: tuple[Event, ...], year: int) -> Span | None:
    start = life(convention, events).start
    return None if start is None or year <= start.year else contract_span(convention, events, 12, year - start.year)


def contract_span(convention: Convention, events: tuple[Event, ...], months: int, number: int) -> Span | None:
    """The ``number``-th period of ``months`` since the start, always counted from the start (D3, D4)."""
    start = life(convention, events).start
    if start is None:
        return None
    first = start if number == 1 else dates.last_day(start, months * (number - 1)) + DAY
    last = dates.last_day(start, months * number)
    label = str(last.year) if months == MONTHS["year"] else str(number)
    return Span(label, first, last)


def last_closed(convention: Convention, events: tuple[Event, ...], obligation: Obligation, day: date) -> Span | None:
    """The last period of an obligation that closed before ``day``."""
    months = MONTHS.get(obligation.cadence.per)
    if months is None:
        return None
    if months < MONTHS["semester"] or obligation.cadence.years == "calendar":
        return calendar_span(calendar_span(day, months).first - DAY, months)
    found = None
    number = 1
    while (span := contract_span(convention, events, months, number)) is not None and span.last < day:
        found, number = span, number + 1
    return found


def due(
    convention: Convention,
    events: tuple[Event, ...],
    obligation: Obligation,
    at: datetime | None,
    args: Mapping[str, Any],
) -> Answer:
    """The close of the period asked, when the text gives no day (D14); the period of ``at`` when none is asked."""
    span = span_asked(convention, events, obligation, args)
    if span is None and at is not None:
        span = current(convention, events, obligation, dates.local_day(at, convention.zone))
    if span is None:
        span = (
            contract_span(convention, events, MONTHS.get(obligation.cadence.per, 0), 1)
            if _periodic(obligation)
            else None
        )
    if span is None:
        words = Words("le texte ne donne ni date ni période", "the text gives neither a date nor a period")
        return Answer(None, "undetermined", obligation.basis, obligation.article, words, rules=("D14",))
    words = Words(f"clôture de la période : {dates.fr(span.last)}", f"close of the period: {dates.en(span.last)}")
    return Answer(span.last, "yes", obligation.basis, obligation.article, words, rules=("D14",))


def _periodic(obligation: Obligation) -> bool:
    return obligation.cadence.per in MONTHS


def current(convention: Convention, events: tuple[Event, ...], obligation: Obligation, day: date) -> Span | None:
    """The period of an obligation that ``day`` falls in."""
    months = MONTHS.get(obligation.cadence.per)
    if months is None:
        return None
    if months < MONTHS["semester"] or obligation.cadence.years == "calendar":
        return calendar_span(day, months)
    number = 1
    while (span := contract_span(convention, events, months, number)) is not None and span.last < day:
        number += 1
    return span


def exchange_due(exchange: Exchange, args: Mapping[str, Any]) -> Answer:
    """A scheduled exchange without a stated day is due at the close of the period asked (D14)."""
    span = period_of(args.get("period"))
    if exchange.trigger.every not in _EVERY or span is None:
        words = Words("le texte ne fixe pas de délai", "the text sets no deadline")
        return Answer(None, "undetermined", exchange.basis, exchange.article, words, rules=("D14",))
    words = Words(f"clôture de la période : {dates.fr(span.last)}", f"close of the period: {dates.en(span.last)}")
    return Answer(span.last, "yes", exchange.trigger.basis, exchange.article, words, rules=("D14",))
