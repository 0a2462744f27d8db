"""What the gate would say on the days to come, asked once for each stretch of days on which nothing can change it.

At 6:00 of a day the gate's answer depends on that day only through dates: those of the events on record, the start and the end
of the convention, the earliest day of an exchange. Between two of them it is the same (a property of the tests compares
every day with the gate itself).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time

from passerelle.convention import Decision, Request, decide
from passerelle.convention.dates import DAY, local_day
from passerelle.convention.due import Case, not_before
from passerelle.convention.event import DATES
from passerelle.convention.model import Exchange, NotBeforeDate
from passerelle.convention.periods import period_of
from passerelle.convention.term import life
from passerelle.planning.item import Known

RUN_AT = time(6)  # local time at which the daily plan runs (prefect.yaml): when the gate will be asked
_NOW = -1  # the stretch of what is asked at once


class Answers:
    """The gate's answers for one convention, on what is known, from ``now`` on. What is late is asked at ``now`` (D18)."""

    def __init__(self, known: Known, now: datetime) -> None:
        self._known, self._now = known, now
        self._today = local_day(now, known.convention.zone)
        self._ended = life(known.convention, known.events).end
        self._turns = sorted({turn for day in _dates(known) for turn in (day, day + DAY)})
        self._said: dict[tuple[str, int, bool], Decision] = {}

    def on(self, exchange: str, day: date, period: str | None = None) -> Decision:
        """The answer at the hour of the daily plan on ``day``, or at ``now`` if that is past; ``at`` is the first such instant."""
        at = self._at(day)
        stretch = _NOW if at is self._now else bisect_right(self._turns, day)
        key = (exchange, stretch, self._covered(period))
        if key not in self._said:
            request = Request(exchange, at, period=period)
            self._said[key] = decide(self._known.convention, self._known.events, request)
        return self._said[key]

    def _at(self, day: date) -> datetime:
        if day < self._today:
            return self._now
        at = datetime.combine(day, RUN_AT, self._known.convention.zone)
        return max(self._now, at)

    def _covered(self, period: str | None) -> bool:
        """Whether the data's period began before the end: the gate then says that the delivery comes too late."""
        span = None if self._ended is None else period_of(period)
        return span is not None and self._ended is not None and span.first <= self._ended.last_day


def _dates(known: Known) -> Iterator[date]:
    """The days on which an answer may change; the day after each is one too."""
    convention, events = known.convention, known.events
    for event in events:
        days = (event.day(name, zone=convention.zone) for name in DATES)
        yield from (day for day in days if day is not None)
    story = life(convention, events)
    if story.start is not None:
        yield story.start
    for end in (story.end, story.disputed):
        if end is not None:
            yield local_day(end.out_from, convention.zone)
    for exchange in convention.exchanges:
        yield from (day for _, day in openings(known, exchange))


def openings(known: Known, exchange: Exchange) -> Iterator[tuple[str | None, date]]:
    """The first days on which an exchange may happen (D12): of the text, or of each event (by its number) that it counts from."""
    rule = exchange.not_before
    if rule is None:
        return
    if isinstance(rule, NotBeforeDate):
        yield None, rule.day
        return
    causes = [event for event in known.events if event.type == rule.event]
    for number, event in enumerate(causes, 1):
        day = not_before(Case(known.convention, (event,), None, {}), exchange).value
        if isinstance(day, date):
            yield f"{event.type}-{number}", day
