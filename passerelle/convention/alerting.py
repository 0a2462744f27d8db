"""What was owed and is not on record, and what must be decided soon (D7, D14).

An alert is a code: ``copil:2017-Q2:missing``, ``clep:2025:1_of_2``, ``annual-review:2025:overdue``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from passerelle.convention import cadence, dates, due, ending, force
from passerelle.convention.blocks import AfterSignature, BeforeEnd, OnDate
from passerelle.convention.dates import local_day
from passerelle.convention.duration import LetterDate, TacitRenewal
from passerelle.convention.event import Event
from passerelle.convention.model import Convention, Obligation
from passerelle.convention.periods import Span
from passerelle.convention.term import life
from passerelle.convention.values import Words
from passerelle.errors import UsageError

_NOT_EVIDENCE = frozenset({"minutes_sent", "approved", "precondition_recorded", "instrument_recorded"})


def alerts(
    convention: Convention, events: tuple[Event, ...], at: datetime, args: Mapping[str, Any] | None = None
) -> list[str]:
    """The alerts at ``at``: of the obligation, exchange or instrument that ``args`` name, else all.

    Raises:
        UsageError: the name is none of the convention's.
    """
    args = args or {}
    day = local_day(at, convention.zone)
    name = args.get("obligation", args.get("exchange", args.get("instrument")))
    if name is None:
        return _all(convention, events, at, day)
    if isinstance(name, str) and name in _SPECIAL:
        return _SPECIAL[name](convention, events, at, day)
    for obligation in convention.obligations:
        if obligation.id == name:
            return _of_obligation(convention, events, obligation, at, args)
    ids = [exchange.id for exchange in convention.exchanges] + [instrument.id for instrument in convention.instruments]
    if name not in ids:
        raise UsageError("expected an obligation, an exchange or an instrument of the convention, got an unknown id")
    return _overdue(convention, events, str(name), at, args)


def _all(convention: Convention, events: tuple[Event, ...], at: datetime, day: date) -> list[str]:
    found = [alert for special in _SPECIAL.values() for alert in special(convention, events, at, day)]
    if force.in_force(convention, events, at).value == "no":
        return found
    for obligation in convention.obligations:
        found += _of_obligation(convention, events, obligation, at, {})
    for name in dated(convention):
        found += _overdue(convention, events, name, at, {})
    return found


def dated(convention: Convention) -> list[str]:
    """The exchanges and instruments that are due by a date of the convention's own life."""
    dues = [(exchange.id, exchange.due) for exchange in convention.exchanges]
    dues += [(instrument.id, instrument.due) for instrument in convention.instruments]
    return [name for name, rule in dues if isinstance(rule, BeforeEnd | AfterSignature | OnDate)]


def _of_obligation(
    convention: Convention, events: tuple[Event, ...], obligation: Obligation, at: datetime, args: Mapping[str, Any]
) -> list[str]:
    if obligation.due != "not_stated":
        return _overdue(convention, events, obligation.id, at, args)
    day = local_day(at, convention.zone)
    span = cadence.span_asked(convention, events, obligation, args)
    if span is None:
        span = cadence.last_closed(convention, events, obligation, day)
    if span is None or span.last >= day or not _owed(convention, events, span):
        return []
    held = len(evidence(convention, events, obligation.id, span.first, span.last))
    wanted = obligation.cadence.at_least
    if held < wanted:
        return [f"{obligation.id}:{span.label}:{'missing' if wanted == 1 else f'{held}_of_{wanted}'}"]
    if obligation.minutes and not minutes_sent(convention, events, obligation.id, span):
        return [f"{obligation.id}:{span.label}:minutes_missing"]
    return []


def _owed(convention: Convention, events: tuple[Event, ...], span: Span) -> bool:
    """Whether some day of the period was in force."""
    story = life(convention, events)
    if story.start is None or span.last < story.start:
        return False
    return story.end is None or span.first <= story.end.last_day


def evidence(
    convention: Convention, events: tuple[Event, ...], name: str, first: date, last: date
) -> list[tuple[date, Event]]:
    """The events, with their days, that show that something was done from ``first`` to ``last``."""
    found = (
        (event.day("on", "valid_on", zone=convention.zone), event)
        for event in events
        if event.says("id") == name and event.type not in _NOT_EVIDENCE
    )
    return [(day, event) for day, event in found if day is not None and first <= day <= last]


def minutes_sent(convention: Convention, events: tuple[Event, ...], name: str, span: Span) -> bool:
    """Whether the minutes of the period's meetings were sent."""
    for event in events:
        day = event.day("on", "valid_on", zone=convention.zone)
        if event.says("id") != name or day is None or day < span.first:
            continue
        if event.type == "minutes_sent" or (event.type == "meeting_held" and event.says("minutes") is True):
            return True
    return False


def _overdue(
    convention: Convention, events: tuple[Event, ...], name: str, at: datetime, args: Mapping[str, Any]
) -> list[str]:
    """The alert of something due by a date and not on record since the term began."""
    key = "instrument" if any(one.id == name for one in convention.instruments) else "obligation"
    deadline = due.due(due.Case(convention, events, at, {**args, key: name})).value
    day = local_day(at, convention.zone)
    if not isinstance(deadline, date) or day <= deadline:
        return []
    term = force.current_term(life(convention, events), at)
    since = term.first if term is not None and key == "obligation" else date.min
    done = evidence(convention, events, name, since, day) or any(
        event.type == "instrument_recorded" and event.says("id") == name for event in events
    )
    return [] if done else [f"{name}:{deadline.year}:overdue"]


def _reasons(convention: Convention, events: tuple[Event, ...], _at: datetime, _day: date) -> list[str]:
    """A termination whose author owes reasons and gave none; it stands all the same (OCE III)."""
    given = any(event.type == "reasons_given" for event in events)
    for mode in convention.modes():
        for event in events:
            owed = event.type in mode.events and mode.reasons_from is not None and event.says("by") == mode.reasons_from
            if owed and not given and not event.says("reasons"):
                return [f"{mode.id}:reasons_missing"]
    return []


def _letters(convention: Convention, events: tuple[Event, ...], _at: datetime, _day: date) -> list[str]:
    """Letters that do not end the convention yet: in another form than the clause wants, or not received."""
    found = []
    for mode in convention.modes():
        for event in events:
            if event.type not in mode.events:
                continue
            if not ending.in_form(mode, event):
                found.append(f"{mode.id}:wrong_form")
            elif isinstance(mode.effect, LetterDate) and ending.received_on(convention, event) is None:
                found.append(f"{mode.id}:pending_receipt")
    return found


def _opt_out(convention: Convention, events: tuple[Event, ...], at: datetime, day: date) -> list[str]:
    """The renewal that can still be prevented: reminders at 6, 4 and 3½ months before the end of the term."""
    if force.in_force(convention, events, at).value != "yes":
        return []
    passed = [label for when, label, _ in opt_out_reminders(convention, events, at) if when <= day]
    found = force.opt_out_days(convention, events, at)
    if found is None or not passed or day > found[1].last_valid or found[0].opt_out == "timely":
        return []
    return [f"opt-out:{found[1].safe.isoformat()}:{passed[-1]}"]


def opt_out_reminders(
    convention: Convention, events: tuple[Event, ...], at: datetime | None, number: int | None = None
) -> list[tuple[date, str, Words]]:
    """The days on which the parties are reminded that the term will renew, with the code and the words of each."""
    renewal = convention.term.renewal
    term = force.current_term(life(convention, events), at, number)
    if term is None or not isinstance(renewal, TacitRenewal):
        return []
    half = dates.add_months(term.last, -3) - timedelta(days=15)
    return [
        (dates.add_months(term.last, -6), "6_months", Words("six mois", "six months")),
        (dates.add_months(term.last, -4), "4_months", Words("quatre mois", "four months")),
        (half, "3_5_months", Words("trois mois et demi", "three and a half months")),
    ]


_SPECIAL: Mapping[str, Callable[[Convention, tuple[Event, ...], datetime, date], list[str]]] = {
    "reasons": _reasons,
    "termination": _letters,
    "opt-out": _opt_out,
}
