"""A convention's life, played day by day on a pretended clock: the real gate, the real planner, the real purge decisions.

Nothing is stored and nothing leaves: a delivery is a line in memory. Each morning, at the hour of the daily plan:

    1. what was recorded becomes known;
    2. the term engine says whether the convention is in force;
    3. the planner says what is due that day;
    4. the gate is asked for every exchange, and for what is due asked again for the delivery;
    5. the purge is decided, and carried out when it may be.

Only what changed is told. An event is known from the day on which it was valid, or from its recording if that was earlier:
a rehearsal plays the life that the record tells, not the lateness of those who kept it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from passerelle.convention import Convention, Event, Request, Words, decide, in_force, purge_allowed
from passerelle.convention.blocks import Basis
from passerelle.convention.dates import DAY, fr, midnight
from passerelle.convention.dates import en as in_english
from passerelle.convention.event import DATES
from passerelle.planning.answers import RUN_AT
from passerelle.planning.item import Delivery, Item, Known
from passerelle.planning.owed import DAILY
from passerelle.planning.planner import plan

_OWED = frozenset({"obligation", "instrument", "service_level", "rights"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change on one day: of what, from what to what, and why.

    ``kind`` is event, status, gate, delivered, refused, purge, purged, or the kind of an item of the plan.
    """

    day: date
    kind: str
    subject: str | None
    before: str | None
    after: str
    title: Words
    article: str | None
    basis: Basis
    arithmetic: Words
    period: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.day.isoformat(),
            "kind": self.kind,
            "subject": self.subject,
            "period": self.period,
            "before": self.before,
            "after": self.after,
            "title": self.title.as_json(),
            "article": self.article,
            "basis": self.basis,
            "arithmetic": self.arithmetic.as_json(),
        }


@dataclass(slots=True)
class _Stage:
    """Where the play stands: what is known, what was said last of each thing, what is held."""

    known: Known
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    held: bool = False
    owed_yesterday: bool = False
    last_act: datetime | None = None

    @property
    def convention(self) -> Convention:
        return self.known.convention

    def changed(self, kind: str, subject: str, now: str) -> tuple[bool, str | None]:
        """Whether that thing is not as it was said last; and how that was."""
        before = self.said.get((kind, subject))
        self.said[kind, subject] = now
        return before != now, before


def rehearse(convention: Convention, events: Iterable[Event], start: date, end: date) -> Iterator[Change]:
    """Play the days from ``start`` to ``end`` (inclusive); what changed, in order."""
    waiting = sorted(
        ((_known_from(convention, event), number, event) for number, event in enumerate(events)), key=_when
    )
    stage, seen = _Stage(Known(convention, ())), list[tuple[int, Event]]()
    day = start
    while day <= end:
        at = datetime.combine(day, RUN_AT, convention.zone)
        while waiting and waiting[0][0] <= at:
            _, number, event = waiting.pop(0)
            seen.append((number, Event(event.type, event.payload)))
            if day > start or _known_from(convention, event) >= midnight(start, convention.zone):
                yield _happened(event, day)
            ordered = tuple(one for _, one in sorted(seen, key=lambda pair: pair[0]))
            stage.known = replace(stage.known, events=ordered)
        yield from _play(stage, day, at)
        stage.last_act = at
        day += DAY


def _when(row: tuple[datetime, int, Event]) -> tuple[datetime, int]:
    return row[:2]


def _known_from(convention: Convention, event: Event) -> datetime:
    """The first of the event's days, or its recording if that was earlier; always, for an event without a day."""
    names = DATES - {"to", "until", "effect_date"}
    days = (event.day(name, zone=convention.zone) for name in sorted(names))
    found = [midnight(day, convention.zone) for day in days if day is not None]
    if event.recorded_at is not None:
        found.append(event.recorded_at)
    return min(found, default=datetime.min.replace(tzinfo=UTC))


def _happened(event: Event, day: date) -> Change:
    about = event.says("id") or event.says("exchange")
    words = Words(f"consigné, connu au {fr(day)}", f"recorded, known on {in_english(day)}")
    subject = about if isinstance(about, str) else None
    title = Words(f"Événement : {event.type}", f"Event: {event.type}")
    return Change(day, "event", subject, None, event.type, title, None, "hub_policy", words)


def _play(stage: _Stage, day: date, at: datetime) -> Iterator[Change]:
    yield from _status(stage, day, at)
    yield from _planned(stage, day, at)
    yield from _gate(stage, day, at)
    yield from _purge(stage, day, at)


def _status(stage: _Stage, day: date, at: datetime) -> Iterator[Change]:
    answer = in_force(stage.convention, stage.known.events, at)
    new, before = stage.changed("status", "", str(answer.value))
    if new:
        title = Words("En vigueur ?", "In force?")
        yield Change(
            day, "status", None, before, str(answer.value), title, answer.article, answer.basis, answer.arithmetic
        )


def _planned(stage: _Stage, day: date, at: datetime) -> Iterator[Change]:
    """What is due today; and what was due yesterday, and is late today."""
    items = plan(stage.known, day, day, at)
    if stage.owed_yesterday:
        items = [item for item in plan(stage.known, day - DAY, day - DAY, at) if item.state == "late"] + items
    stage.owed_yesterday = False
    for item in items:
        stage.owed_yesterday |= item.state == "due" and item.kind in _OWED
        if item.kind == "exchange" and item.state != "late":
            yield from _exchange(stage, item, day, at)
        elif item.kind not in ("exchange", "purge") and (key := f"{item.key}/{item.state}") not in stage.told:
            stage.told.add(key)
            yield _of(item, day, item.kind, None, item.state)


def _of(item: Item, day: date, kind: str, before: str | None, after: str) -> Change:
    answer = item.answer
    return Change(
        day, kind, item.subject, before, after, item.title, answer.article, answer.basis, answer.arithmetic, item.period
    )


def _exchange(stage: _Stage, item: Item, day: date, at: datetime) -> Iterator[Change]:
    """Run what is due: the gate at the start, and again for the delivery (D18). What runs every day is not told each day."""
    name = item.subject or ""
    exchange = stage.convention.exchange(name)
    daily = exchange is not None and exchange.trigger.every == DAILY
    start = Request(name, at, period=item.period, last_act=stage.last_act)
    decision = decide(stage.convention, stage.known.events, start)
    if decision.allowed:
        decision = decide(stage.convention, stage.known.events, replace(start, stage="delivery", last_act=at))
    if decision.allowed:
        delivered = Delivery(name, item.period or day.isoformat(), at)
        kept = () if daily else (*stage.known.deliveries, delivered)
        stage.known = replace(stage.known, deliveries=kept or stage.known.deliveries, purged_on=None)
        stage.held = True
    if not daily:
        kind = "delivered" if decision.allowed else "refused"
        after = decision.reason or decision.warning or decision.outcome
        change = _of(item, day, kind, None, after)
        yield (
            change
            if decision.allowed
            else replace(change, article=decision.article, basis=decision.basis, arithmetic=decision.arithmetic)
        )


def _gate(stage: _Stage, day: date, at: datetime) -> Iterator[Change]:
    """The gate's answer for every exchange of the convention, due today or not."""
    for exchange in stage.convention.exchanges:
        said = decide(stage.convention, stage.known.events, Request(exchange.id, at, last_act=stage.last_act))
        now = ": ".join(one for one in (said.outcome, said.reason or said.warning) if one)
        new, before = stage.changed("gate", exchange.id, now)
        if new:
            title = Words(exchange.title.fr, exchange.title.en)
            yield Change(day, "gate", exchange.id, before, now, title, said.article, said.basis, said.arithmetic)


def _purge(stage: _Stage, day: date, at: datetime) -> Iterator[Change]:
    answer = purge_allowed(stage.convention, stage.known.events, at)
    now = f"{'allowed' if answer.value else 'refused'}: {answer.reason}"
    new, before = stage.changed("purge", "", now)
    ground = (answer.article, answer.basis, answer.arithmetic)
    if new:
        yield Change(day, "purge", None, before, now, Words("Destruction permise ?", "Destruction allowed?"), *ground)
    if answer.value and stage.held:
        stage.held, stage.known = False, replace(stage.known, purged_on=day)
        yield Change(
            day, "purged", None, None, str(answer.reason), Words("Données détruites", "Data destroyed"), *ground
        )
