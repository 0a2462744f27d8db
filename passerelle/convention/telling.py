"""A convention told to people: its status, each derived date with its basis, article and arithmetic, its calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from passerelle.clock import iso
from passerelle.convention import agenda, alerting, destruction, due, force
from passerelle.convention.event import Event, known
from passerelle.convention.gate import decide
from passerelle.convention.model import Convention, Exchange
from passerelle.convention.values import Answer, Request


def show(convention: Convention, events: Iterable[Event], as_of: datetime) -> dict[str, Any]:
    """What ``passerelle convention show --json`` prints: one JSON object.

    ``status`` is yes, no, undetermined or disputed; ``dates`` maps each derived date's name to an ``Answer``; ``exchanges``
    has the gate's decision for each at ``as_of``.
    """
    everything = tuple(events)
    seen = known(everything, as_of)
    status = force.in_force(convention, seen, as_of)
    return {
        "id": convention.id,
        "title": {"fr": convention.title.fr, "en": convention.title.en},
        "sha256": convention.sha256,
        "source": {"file": convention.source.file, "sha256": convention.source.sha256, "kind": convention.source.kind},
        "as_of": iso(as_of),
        "status": status.value,
        "in_force": status.as_json(),
        "dates": {name: answer.as_json() for name, answer in derived_dates(convention, seen, as_of)},
        "exchanges": [_exchange(convention, everything, exchange, as_of) for exchange in convention.exchanges],
        "parties": [
            {
                "id": party.id,
                "name": party.name,
                "signatory": party.signatory,
                "dpo": "not_stated" if isinstance(party.dpo, str) else party.dpo.email,
            }
            for party in convention.parties
        ],
        "alerts": alerting.alerts(convention, seen, as_of),
        "interpretations": [one.model_dump(mode="json") for one in convention.interpretations],
        "silences": list(convention.silences),
    }


def derived_dates(
    convention: Convention, events: tuple[Event, ...], as_of: datetime | None
) -> Iterator[tuple[str, Answer]]:
    """Every date that the text and the record let one compute, by name."""
    yield "starts", force.starts(convention, events)
    yield "last_day_in_force", force.last_day_in_force(convention, events, as_of)
    yield "optout_deadline", force.opt_out(convention, events, as_of, None)
    yield "destruction_deadline", destruction.destruction_deadline(convention, events, as_of)
    yield "internal_purge_target", destruction.internal_purge_target(convention, events, as_of)
    for name in alerting.dated(convention):
        kind = "exchange" if convention.exchange(name) is not None else "instrument"
        yield f"due:{name}", due.due(due.Case(convention, events, as_of, {kind: name}))
    for obligation in convention.obligations:
        if obligation.due != "not_stated":
            yield f"due:{obligation.id}", due.due(due.Case(convention, events, as_of, {"obligation": obligation.id}))


def _exchange(convention: Convention, events: tuple[Event, ...], exchange: Exchange, as_of: datetime) -> dict[str, Any]:
    decision = decide(convention, events, Request(exchange.id, as_of))
    return {
        "id": exchange.id,
        "title": {"fr": exchange.title.fr, "en": exchange.title.en},
        "from": list(exchange.from_),
        "to": list(exchange.to),
        "data_class": exchange.data_class,
        "persons": exchange.persons,
        "contract": None if exchange.handling is None else exchange.handling.contract,
        "decision": decision.outcome,
        "reason": decision.reason,
        "warning": decision.warning,
        "article": decision.article,
        "basis": decision.basis,
        "arithmetic": decision.arithmetic.as_json(),
        "who_decides": decision.who_decides,
    }


def calendar_entries(convention: Convention, events: Iterable[Event], start: date, end: date) -> list[dict[str, Any]]:
    """What happens from ``start`` to ``end`` (inclusive), by date: JSON objects with date, convention, kind, subject (an
    exchange's, obligation's or instrument's id, or None), title {fr, en}, basis, article, arithmetic {fr, en}.

    Kinds: starts, renews, ends, opt_out_reminder, opt_out_safe_day, opt_out_last_valid_day (where it is another day), due,
    purge_target, destruction.
    """
    found = [
        entry.as_json(convention.id)
        for entry in agenda.entries(convention, tuple(events), start, end)
        if start <= entry.day <= end
    ]
    return sorted(found, key=lambda entry: (entry["date"], entry["kind"], entry["subject"] or ""))
