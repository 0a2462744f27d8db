"""What is known of a convention, put in order for one search: who did what, and how each thing stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from passerelle.convention import Answer, Convention, Event
from passerelle.convention.alerting import evidence
from passerelle.convention.dates import en, fr, local_day
from passerelle.convention.due import Case, due
from passerelle.convention.model import Exchange, Instrument, Obligation, ServiceLevel
from passerelle.convention.term import Term, life
from passerelle.convention.values import Words
from passerelle.planning.answers import Answers
from passerelle.planning.item import Delivery, Evidence, Item, Known, State, words

Block = Exchange | Instrument | Obligation | ServiceLevel


class Search:
    """From ``start`` to ``end``, and ``ahead`` days more for what people are reminded of; states are those of ``now``."""

    def __init__(self, known: Known, start: date, end: date, now: datetime, *, ahead: int = 0) -> None:
        self.known, self.now = known, now
        self.convention: Convention = known.convention
        self.events = known.events
        self.start, self.end, self.horizon = start, end, end + timedelta(days=ahead)
        self.story = life(known.convention, known.events)
        self.zone = known.convention.zone
        self.today = local_day(now, self.zone)
        self.by_type: dict[str, list[tuple[int, Event]]] = defaultdict(list)
        for event in known.events:
            self.by_type[event.type].append((len(self.by_type[event.type]) + 1, event))
        self._named = {name for event in known.events if isinstance(name := event.says("id"), str)}
        self._delivered: dict[str, list[Delivery]] = defaultdict(list)
        for one in known.deliveries:
            self._delivered[one.exchange].append(one)

    def covers(self, day: date) -> bool:
        return self.start <= day <= self.horizon

    def due(self, args: Mapping[str, Any], events: tuple[Event, ...] | None = None) -> Answer:
        return due(Case(self.convention, self.events if events is None else events, None, args))

    def terms(self) -> Iterator[Term]:
        """The terms that have a day in the search."""
        end = self.story.end
        for term in self.story.terms():
            if term.first > self.horizon or (end is not None and term.first > end.last_day):
                return
            if term.last >= self.start:
                yield term

    def told(self, name: str, first: date, last: date, about: Mapping[str, Any] | None = None) -> tuple[Evidence, ...]:
        """The events that say that something was done; where they say about what, about that."""
        if name not in self._named:
            return ()
        held = evidence(self.convention, self.events, name, first, last)
        return tuple(
            evidence_of(self.convention, event)
            for _, event in held
            if all(event.says(key) in (None, value) for key, value in (about or {}).items())
        )

    def delivered(self, exchange: str, first: date, last: date) -> tuple[Evidence, ...]:
        """The deliveries of an exchange between two days."""
        days = (local_day(one.at, self.zone) for one in self._delivered.get(exchange, ()))
        return tuple(Evidence(day, "delivered") for day in days if first <= day <= last)

    def delivered_by_period(self, exchange: str) -> dict[str, tuple[Evidence, ...]]:
        """The deliveries of an exchange, by the period that they cover."""
        found: dict[str, tuple[Evidence, ...]] = {}
        for one in self._delivered.get(exchange, ()):
            left = Evidence(local_day(one.at, self.zone), "delivered")
            found[one.period] = (*found.get(one.period, ()), left)
        return found

    def state(self, day: date, instant: datetime | None, *, done: bool) -> State:
        if done:
            return "done"
        late = self.today > day if instant is None else self.now > instant
        return "late" if late else "due"

    def item(
        self,
        kind: str,
        block: Block,
        answer: Answer,
        *,
        period: str | None = None,
        found: tuple[Evidence, ...] = (),
        done: bool | None = None,
        instant: datetime | None = None,
        answers: Answers | None = None,
    ) -> Item:
        """One thing owed, with its state; with ``answers``, what the gate would say on its day."""
        day = answer.value if instant is None else instant.date()
        assert isinstance(day, date)  # noqa: S101 - the callers have looked
        state = self.state(day, instant, done=bool(found) if done is None else done)
        ask = answers is not None and state != "done" and day <= self.end
        gate = answers.on(block.id, day, period) if ask and answers is not None else None
        return Item(
            day,
            self.convention.id,
            kind,
            words(block.title),
            answer,
            block.id,
            period,
            state,
            instant,
            gate,
            None,
            found,
        )


def evidence_of(convention: Convention, event: Event) -> Evidence:
    """What an event shows: its day, and the hash of its document (``evidence_sha256`` of the payload)."""
    sha256 = event.says("evidence_sha256")
    day = event.day("on", "from", "valid_on", zone=convention.zone)
    return Evidence(day, event.type, sha256 if isinstance(sha256, str) else None)


@lru_cache(maxsize=4096)
def closing(day: date) -> Words:
    """The arithmetic of what is due at the close of its period (D14)."""
    return Words(f"clôture de la période : {fr(day)}", f"close of the period: {en(day)}")
