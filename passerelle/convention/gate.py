"""The gate: one function, one decision, one reason code with the article it rests on.

The questions are asked in this order, and the first refusal is the answer: the clock, the exchange, the time in force, the
parties, suspensions and holds, what must be on file, an end that the text does not state, the earliest date, the consent,
the number, the route. Asked at the start of a run and again in the transaction that commits the delivery (D18).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from passerelle.convention import dates, force, record, route
from passerelle.convention.asking import Asked, Block
from passerelle.convention.event import Event, known
from passerelle.convention.model import Convention
from passerelle.convention.periods import period_of
from passerelle.convention.term import life
from passerelle.convention.values import Decision, Request, Words


def decide(convention: Convention, events: Iterable[Event], request: Request) -> Decision:
    """Say whether an exchange may run at ``request.at``, on what was on record at that instant (D20).

    An unknown exchange, party or processor is an answer, not an error.
    """
    everything = tuple(events)
    block = record.clock_behind(convention, everything, request.at, request.last_act)
    if block is not None:
        return _blocked(convention, request, block)
    exchange = convention.exchange(request.exchange)
    if exchange is None:
        return _blocked(convention, request, route.not_an_exchange())
    seen = known(everything, request.at)
    asked = Asked(convention, exchange, request, seen, force.in_force(convention, seen, request.at))
    for check in _CHECKS:
        block = check(asked)
        if block is not None:
            return _blocked(convention, request, block)
    return _allowed(asked)


def _blocked(convention: Convention, request: Request, block: Block) -> Decision:
    return Decision(
        "block", block.reason, None, block.article, block.basis, block.words, block.who_decides,
        convention.id, convention.sha256, request.exchange, request.at, block.rules,
    )  # fmt: skip


def _allowed(asked: Asked) -> Decision:
    convention, exchange, request, answer = asked.convention, asked.exchange, asked.request, asked.force
    unknown_end = answer.value == "undetermined"
    return Decision(
        "allow_with_warning" if unknown_end else "allow", None, "term_not_stated" if unknown_end else None,
        exchange.article, "hub_policy" if unknown_end else exchange.basis, answer.arithmetic, answer.who_decides,
        convention.id, convention.sha256, request.exchange, request.at, answer.rules,
    )  # fmt: skip


def _out_of_force(asked: Asked) -> Block | None:
    """Not yet, or no longer, in force; what counts is the instant of the delivery, not the period covered (D2, D18)."""
    answer = asked.force
    if answer.value != "no":
        return None
    reason = "out_of_force_at_delivery" if _was_covered(asked) else "not_in_force"
    return Block(reason, answer.article, answer.basis, answer.arithmetic, "signatories", answer.rules)


def _was_covered(asked: Asked) -> bool:
    """Whether something of this delivery was covered: its data's period, its run's start, the delivery it repeats."""
    end = life(asked.convention, asked.events).end
    request = asked.request
    if end is None or request.at < end.out_from:
        return False
    if request.stage == "delivery" or request.args.get("resend_of") or request.args.get("started_at"):
        return True
    covered = period_of(request.period)
    return covered is not None and covered.first <= end.last_day


def _undetermined_start(asked: Asked) -> Block | None:
    """An unknown start blocks everything (D16)."""
    if asked.force.value != "undetermined" or life(asked.convention, asked.events).start is not None:
        return None
    answer = asked.force
    return Block("start_undetermined", answer.article, answer.basis, answer.arithmetic, "signatories", answer.rules)


def _disputed_term(asked: Asked) -> Block | None:
    """A disputed reading blocks now (D18)."""
    if asked.force.value != "disputed":
        return None
    answer = asked.force
    return Block("term_disputed", answer.article, answer.basis, answer.arithmetic, answer.who_decides, answer.rules)


def _unstated_end(asked: Asked) -> Block | None:
    """An unknown end lets only open and aggregate data through, with a warning (D16)."""
    if asked.force.value != "undetermined" or asked.exchange.data_class in ("open", "aggregate"):
        return None
    start = life(asked.convention, asked.events).start
    since = Words("", "") if start is None else Words(dates.fr(start), dates.en(start))
    words = Words(
        f"en vigueur depuis le {since.fr}, fin non stipulée : seules passent les données ouvertes ou agrégées",
        f"in force since {since.en}, end not stated: only open or aggregate data may pass",
    )
    return Block("term_not_stated", None, "hub_policy", words, "dpo", ("D16",))


_CHECKS: tuple[Callable[[Asked], Block | None], ...] = (
    _out_of_force,
    _disputed_term,
    _undetermined_start,
    route.unknown_party,
    record.suspended,
    record.held,
    record.contingency_not_met,
    record.missing_instrument,
    record.missing_precondition,
    record.missing_processing_record,
    _unstated_end,
    route.too_early,
    route.over_cardinality,
    route.consent_missing,
    route.processor_without_guarantees,
)
