"""The questions that ``passerelle convention ask`` answers, each in one exact JSON form (docs/spec/convention.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from passerelle.convention import destruction, due, force, lineage, synthetic
from passerelle.convention.alerting import alerts
from passerelle.convention.blocks import FIRST_YEAR, LAST_YEAR
from passerelle.convention.dates import parse_date
from passerelle.convention.due import Case
from passerelle.convention.ending import by_mode
from passerelle.convention.event import Event, instant_of, known, texts
from passerelle.convention.exposure import retrospective_exposure
from passerelle.convention.gate import decide
from passerelle.convention.holds import What
from passerelle.convention.model import Convention
from passerelle.convention.values import Answer, Decision, Request
from passerelle.errors import UsageError

Args = Mapping[str, Any]
Handler = Callable[[Convention, tuple[Event, ...], datetime | None, Args], Any]


def answer(
    convention: Convention | None, events: Iterable[Event], question: str, as_of: datetime | None, args: Args
) -> Any:
    """Answer one question of the acceptance cases as a JSON value.

    ``convention`` None is for what rests on no text: the GDPR's own delays and plain calendar arithmetic.

    Raises:
        UsageError: the question is unknown, or lacks what it needs.
    """
    everything = tuple(events)
    if as_of is not None and not FIRST_YEAR <= as_of.year <= LAST_YEAR:
        raise UsageError(f"expected an instant from {FIRST_YEAR} to {LAST_YEAR}, got another year")
    if question == "parse_date":
        return _dated(parse_date(str(args.get("text", ""))))
    if question == "add_months":
        return synthetic.add(args)
    if convention is None:
        return synthetic.answer(everything, question, as_of, args)
    handler = QUESTIONS.get(question)
    if handler is None:
        raise UsageError(f"expected one of {', '.join(names())}, got another question")
    return handler(convention, everything if question in _RAW else known(everything, as_of), as_of, args)


def names() -> list[str]:
    return sorted({*QUESTIONS, "parse_date", "add_months"})


def _at(as_of: datetime | None) -> datetime:
    if as_of is None:
        raise UsageError("expected an instant to answer for, got none", hint="give --as-of")
    return as_of


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _dated(value: date | None) -> dict[str, str] | None:
    if value is None:
        return None
    return {"instant" if isinstance(value, datetime) else "date": value.isoformat()}


def _or_disputed(result: Answer) -> Any:
    return "disputed" if result.status == "disputed" else _plain(result.value)


def _in_force(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, _args: Args) -> Any:
    return force.in_force(convention, events, _at(as_of)).value


def _last_day(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, _args: Args) -> Any:
    result = force.last_day_in_force(convention, events, as_of)
    return "undetermined" if result.status == "undetermined" else _or_disputed(result)


def _optout_deadline(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    return _plain(force.opt_out(convention, events, as_of, args.get("term")).value)


def _optout_timely(convention: Convention, events: tuple[Event, ...], _as_of: datetime | None, args: Args) -> Any:
    return force.opt_out_timely(convention, events, args.get("term")).value


def _optout_window(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    found = force.opt_out_days(convention, events, as_of, args.get("term"))
    if found is None:
        return None
    return {"safe": found[1].safe.isoformat(), "last_valid": found[1].last_valid.isoformat()}


def _can_run(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    return decision_json(decide(convention, events, request_of(_at(as_of), args)))


def request_of(at: datetime, args: Args) -> Request:
    """The request that the arguments of a question describe."""
    recipients = args.get("recipients", args.get("recipient", args.get("to", ())))
    sender = args.get("sender", args.get("from"))
    last_act = args.get("last_act")
    return Request(
        exchange=str(args.get("exchange", "")),
        at=at,
        sender=None if sender is None else str(sender),
        recipients=texts(recipients),
        period=None if args.get("period") is None else str(args["period"]),
        stage="delivery" if args.get("stage") == "delivery" else "start",
        via=None if args.get("via") is None else str(args["via"]),
        last_act=None if last_act is None else instant_of(last_act, "last_act", "the arguments"),
        args=dict(args),
    )


def decision_json(decision: Decision) -> dict[str, str]:
    """The short form: the decision, and its reason or its warning."""
    said = {"decision": decision.outcome, "reason": decision.reason, "warning": decision.warning}
    return {key: value for key, value in said.items() if value is not None}


def _what(args: Args) -> What:
    """What a question of destruction is about: a dataset or an exchange, a period, persons by their keyed tags."""
    names = {*texts(args.get("dataset")), *texts(args.get("exchange"))}
    period = args.get("period")
    return What(frozenset(names), period if isinstance(period, str) else None, frozenset(texts(args.get("person"))))


def _purge_allowed(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    result = destruction.purge_allowed(convention, events, _at(as_of), _what(args))
    return {"allowed": result.value, "reason": result.reason}


def _purge_plan(_convention: Convention, events: tuple[Event, ...], _as_of: datetime | None, _args: Args) -> Any:
    return lineage.purge_plan(events)


def _purge_state(_convention: Convention, events: tuple[Event, ...], _as_of: datetime | None, _args: Args) -> Any:
    return lineage.purge_state(events)


def _deadline(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    return _or_disputed(destruction.destruction_deadline(convention, events, as_of, _what(args)))


def _target(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    return _or_disputed(destruction.internal_purge_target(convention, events, as_of, _what(args)))


def _termination_effect(convention: Convention, events: tuple[Event, ...], _as_of: datetime | None, _args: Args) -> Any:
    found = [end for event in events for mode in convention.modes() if (end := by_mode(convention, mode, event))]
    return _plain(min(found, key=lambda end: end.out_from).effect) if found else None


def _alerts(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    return alerts(convention, events, _at(as_of), args)


def _dpo_contact(convention: Convention, _events: tuple[Event, ...], _as_of: datetime | None, args: Args) -> Any:
    for party in convention.parties:
        if party.id == args.get("party"):
            return "not_stated" if isinstance(party.dpo, str) else {"email": party.dpo.email}
    raise UsageError("expected a party of the convention, got an unknown id")


def _due(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    value = (due.due(Case(convention, events, as_of, args)) if args else due.rights(events, convention.zone)).value
    return _dated(value if isinstance(value, date) else None)


def _not_before(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, args: Args) -> Any:
    exchange = convention.exchange(str(args.get("exchange", "")))
    if exchange is None:
        raise UsageError("expected an exchange of the convention, got an unknown id")
    value = due.not_before(Case(convention, events, as_of, args), exchange).value
    return _dated(value if isinstance(value, date) else None)


def _exposure(convention: Convention, events: tuple[Event, ...], as_of: datetime | None, _args: Args) -> Any:
    return [f"delivery of {one:%Y-%m-%dT%H:%M}" for one in retrospective_exposure(convention, events, as_of)]


QUESTIONS: Mapping[str, Handler] = {
    "alerts": _alerts,
    "can_run": _can_run,
    "destruction_deadline": _deadline,
    "dpo_contact": _dpo_contact,
    "due": _due,
    "in_force": _in_force,
    "internal_purge_target": _target,
    "last_day_in_force": _last_day,
    "not_before": _not_before,
    "optout_deadline": _optout_deadline,
    "optout_timely": _optout_timely,
    "optout_window": _optout_window,
    "purge_allowed": _purge_allowed,
    "purge_plan": _purge_plan,
    "purge_state": _purge_state,
    "retrospective_exposure": _exposure,
    "termination_effect": _termination_effect,
}
_RAW = frozenset({"can_run", "retrospective_exposure"})  # these sort out themselves what was known when
