"""The plan of a convention: what is due from one day to another, what would run and what would be refused, and why.

Pure: planning the same days twice gives the same keys, and a plan that was not made for some days is made up for by asking
for all of them. Whatever is run late goes through the gate of the day on which it is run (D18, D20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from passerelle.convention import Answer, Decision, Request, Words, decide, purge_allowed
from passerelle.convention.agenda import entries
from passerelle.convention.dates import DAY, WorkingCalendar, add_months, calendar_of, local_day
from passerelle.convention.due import Case, not_before
from passerelle.convention.event import known as on_record
from passerelle.convention.model import NotBeforeDate
from passerelle.convention.term import life
from passerelle.planning.item import Item, Known, State, words
from passerelle.planning.lead import LONGEST
from passerelle.planning.owed import Owed, owed

RUN_AT = time(6)  # local time at which the daily plan runs (prefect.yaml): when the gate will be asked
_NOTES = {"opt_out_reminder": "opt_out_alert"}
_OWED = frozenset({"due"})  # kinds of the agenda that are found with their state by ``owed``
_OPT_OUT_MONTHS = 6  # the first alert before a renewal


def plan(known: Known, start: date, end: date, now: datetime) -> list[Item]:
    """What happens from ``start`` to ``end`` (inclusive), by day, on what is on record at ``now``."""
    seen = replace(known, events=on_record(known.events, now))
    found = [item for item in _items(seen, start, end, now) if start <= item.day <= end]
    return sorted(found, key=lambda item: (item.day, item.kind, item.key))


def _items(known: Known, start: date, end: date, now: datetime) -> Iterator[Item]:
    calendar = calendar_of(known.convention)
    for one in owed(known, start, end + LONGEST * DAY, now):
        yield _gated(known, one.item, now) if one.item.kind == "exchange" else one.item
        yield from _reminder(one, calendar)
    yield from _notes(known, start, end, now)
    yield from _opens(known)


def ask(known: Known, exchange: str, day: date, now: datetime, **about: Any) -> Decision:
    """What the gate would say on ``day``: at the hour of the daily plan, or at ``now`` when that is past."""
    at = max(now, datetime.combine(day, RUN_AT, known.convention.zone))
    period = about.pop("period", None)
    return decide(known.convention, known.events, Request(exchange, at, period=period, args=about))


def _gated(known: Known, item: Item, now: datetime) -> Item:
    if item.state == "done" or item.subject is None:
        return item
    return replace(item, gate=ask(known, item.subject, item.day, now, period=item.period))


def _reminder(one: Owed, calendar: WorkingCalendar) -> Iterator[Item]:
    """The day on which people are reminded of what is not done yet (hub policy)."""
    item, lead = one.item, one.lead
    if lead is None or item.state == "done":
        return
    answer = Answer(
        lead.day(item.day, calendar), "yes", "hub_policy", item.answer.article, lead.arithmetic(item.day, calendar)
    )
    title = Words(f"Rappel : {item.title.fr}", f"Reminder: {item.title.en}")
    period = f"{item.kind}.{item.period or item.day.isoformat()}"
    yield Item(lead.day(item.day, calendar), item.convention, "reminder", title, answer, item.subject, period)


def _notes(known: Known, start: date, end: date, now: datetime) -> Iterator[Item]:
    """What the convention's own life brings: its start, its renewals, its end, and what must be gone after it."""
    convention, events = known.convention, known.events
    finished = life(convention, events).end
    prevented = None if finished is None else add_months(finished.last_day, -_OPT_OUT_MONTHS)
    for entry in entries(convention, events, start, end):
        over = prevented is not None and entry.day >= prevented and entry.kind.startswith("opt_out")
        if entry.kind in _OWED or over or not start <= entry.day <= end:
            continue
        kind = _NOTES.get(entry.kind, entry.kind)
        item = Item(entry.day, convention.id, kind, entry.title, entry.answer, entry.subject)
        yield replace(item, state=_destroyed(known, item.day, now)) if kind == "destruction" else item
        if kind == "purge_target":
            yield _purge(known, item, now)


def _destroyed(known: Known, deadline: date, now: datetime) -> State:
    if known.purged_on is not None:
        return "done"
    return "late" if local_day(now, known.convention.zone) > deadline else "due"


def _purge(known: Known, target: Item, now: datetime) -> Item:
    """Whether the purge may run on the day that it aims at, and on what ground (D11, D15, D18)."""
    convention = known.convention
    at = max(now, datetime.combine(target.day, RUN_AT, convention.zone))
    answer = purge_allowed(convention, known.events, at)
    title = Words("Destruction des données", "Destruction of the data")
    state: State = "done" if known.purged_on is not None else "due" if answer.value else "note"
    return Item(target.day, convention.id, "purge", title, answer, state=state, reason=answer.reason)


def _opens(known: Known) -> Iterator[Item]:
    """The first day on which an exchange may happen, where the text sets one (D12)."""
    convention = known.convention
    for exchange in convention.exchanges:
        rule = exchange.not_before
        if rule is None:
            continue
        name = None if isinstance(rule, NotBeforeDate) else rule.event
        causes = [event for event in known.events if event.type == name] if name else [None]
        for number, event in enumerate(causes, 1):
            only = () if event is None else (event,)
            answer = not_before(Case(convention, only, None, {}), exchange)
            if isinstance(answer.value, date):
                period = None if event is None else f"{event.type}-{number}"
                title = words(exchange.title)
                yield Item(answer.value, convention.id, "opens", title, answer, exchange.id, period)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the gate would say of an exchange on each day from ``first`` to ``last``."""

    exchange: str
    first: date
    last: date
    decision: Decision

    def as_json(self) -> dict[str, Any]:
        said = self.decision
        return {
            "convention": said.convention,
            "exchange": self.exchange,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "decision": said.outcome,
            "reason": said.reason,
            "warning": said.warning,
            "article": said.article,
            "basis": said.basis,
            "arithmetic": said.arithmetic.as_json(),
        }


def standing(known: Known, start: date, end: date, now: datetime) -> list[Standing]:
    """What the gate would say of every exchange from ``start`` to ``end``: one span of days for each answer."""
    seen = replace(known, events=on_record(known.events, now))
    found: list[Standing] = []
    for exchange in known.convention.exchanges:
        day, spans = start, list[Standing]()
        while day <= end:
            said = ask(seen, exchange.id, day, now)
            same = spans and _answer(spans[-1].decision) == _answer(said)
            spans[-1:] = (
                [replace(spans[-1], last=day)] if same else [*spans[-1:], Standing(exchange.id, day, day, said)]
            )
            day += DAY
        found += spans
    return found


def _answer(decision: Decision) -> tuple[str, str | None, str | None]:
    return decision.outcome, decision.reason, decision.warning
