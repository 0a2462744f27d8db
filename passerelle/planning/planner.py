"""The plan of a convention: what is due from one day to another, what would run and what would be refused, and why.

Pure: planning the same days twice gives the same keys, and a plan that was not made for some days is made up for by asking
for all of them. Whatever is run late goes through the gate of the day on which it is run (D18, D20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from passerelle.convention import Answer, Decision, Words, purge_allowed
from passerelle.convention.agenda import entries
from passerelle.convention.dates import DAY, WorkingCalendar, add_months, calendar_of, en, fr, local_day
from passerelle.convention.event import known as on_record
from passerelle.convention.term import life
from passerelle.planning.answers import RUN_AT, Answers, openings
from passerelle.planning.item import Item, Known, State, words
from passerelle.planning.lead import LONGEST, Lead
from passerelle.planning.owed import owed
from passerelle.planning.search import Search

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
    for one in owed(Search(known, start, end, now, ahead=LONGEST), Answers(known, now)):
        yield one.item
        if one.lead is not None and one.item.state != "done":
            yield from _reminder(one.item, one.lead, calendar, (start, end))
    yield from _notes(known, start, end, now)
    yield from _opens(known)


def _reminder(item: Item, lead: Lead, calendar: WorkingCalendar, days: tuple[date, date]) -> Iterator[Item]:
    """The day on which people are reminded of what is not done yet (hub policy)."""
    day = lead.day(item.day, calendar)
    if days[0] <= day <= days[1]:
        sums = lead.arithmetic(item.day, calendar)
        answer = Answer(day, "yes", "hub_policy", item.answer.article, sums)
        title = Words(f"Rappel : {item.title.fr}", f"Reminder: {item.title.en}")
        period = f"{item.kind}.{item.period or item.day.isoformat()}"
        yield Item(day, item.convention, "reminder", title, answer, item.subject, period)


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
        for period, day in openings(known, exchange):
            ground = Words(f"à compter du {fr(day)}", f"from {en(day)}")
            answer = Answer(day, "yes", exchange.basis, exchange.article, ground, rules=("D12",))
            yield Item(day, convention.id, "opens", words(exchange.title), answer, exchange.id, period)


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
    answers = Answers(replace(known, events=on_record(known.events, now)), now)
    found: list[Standing] = []
    for exchange in known.convention.exchanges:
        day, first = start, len(found)
        while day <= end:
            said = answers.on(exchange.id, day)
            if len(found) > first and _answer(found[-1].decision) == _answer(said):
                found[-1] = replace(found[-1], last=day)
            else:
                found.append(Standing(exchange.id, day, day, said))
            day += DAY
    return found


def _answer(decision: Decision) -> tuple[str, str | None, str | None]:
    return decision.outcome, decision.reason, decision.warning
