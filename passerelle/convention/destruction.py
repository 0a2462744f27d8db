"""When copies must be gone, and whether a purge may run (D11, D15, D18).

A block follows the earliest reading; a purge never follows a disputed one without the DPO's recorded reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from passerelle.convention import dates, holds
from passerelle.convention.blocks import Basis
from passerelle.convention.dates import calendar_of, local_day
from passerelle.convention.ending import Ending
from passerelle.convention.event import Event, known
from passerelle.convention.model import Convention
from passerelle.convention.term import life
from passerelle.convention.values import Answer, Status, Words

NOT_ENDED = Words(
    "aucune échéance n'a mis fin à la convention : rien n'est à détruire à ce titre",
    "no end has closed the convention: nothing is due for destruction on that ground",
)


class _Ordinary(NamedTuple):
    """The deadline of the end on record, before holds and declarations."""

    deadline: date
    basis: Basis
    words: Words
    disputed: bool


def _ordinary(convention: Convention, events: tuple[Event, ...]) -> _Ordinary | None:
    story = life(convention, events)
    end = story.disputed or story.end
    if end is None:
        return None
    deadline = after_end(convention, end.anchor)
    latest = convention.retention.latest
    words = Words(
        f"{end.words.fr} ; {dates.fr(end.anchor)} + {dates.fr_period(latest)} = {dates.fr(deadline)}, sans report",
        f"{end.words.en}; {dates.en(end.anchor)} + {dates.en_period(latest)} = {dates.en(deadline)}, no roll",
    )
    disputed = story.disputed is not None
    if disputed:
        words = Words(
            f"{words.fr} ; fin contestée : date de la lecture la plus proche, au DPO de trancher",
            f"{words.en}; disputed end: date of the earliest reading, for the DPO to settle",
        )
    return _Ordinary(deadline, _basis(convention, end, disputed=disputed), words, disputed)


def after_end(convention: Convention, anchor: date) -> date:
    """The last day for destruction: the anchor of the ending plus the text's or the hub's two months (D11)."""
    return dates.shift(anchor, convention.retention.latest, calendar_of(convention))


def _basis(convention: Convention, end: Ending, *, disputed: bool) -> Basis:
    if convention.retention.basis == "hub_policy":
        return "hub_policy"
    return "interpreted" if end.by_termination or disputed else convention.retention.basis


def destruction_deadline(
    convention: Convention, events: Iterable[Event], at: datetime | None, dataset: holds.What | str | None = None
) -> Answer:
    """The last day on which copies may exist, inclusive to 24:00.

    No value while the convention has not ended, or while a hold keeps the dataset (``reason`` names it). Disputed: the value
    is the earliest reading's.
    """
    seen = known(events, at)
    day = None if at is None else local_day(at, convention.zone)
    retention = convention.retention
    kept = holds.all_of(seen, convention.zone)
    for hold in kept:
        if hold.covers(dataset) and hold.lasts(dataset, day):
            return Answer(None, "no", hold.basis, retention.article, hold.words, hold.kind, "dpo", ("D15",))
    ordinary = _ordinary(convention, seen)
    unnecessary = declared_unnecessary(convention, seen, day, dataset)
    if unnecessary is not None and (ordinary is None or unnecessary < ordinary.deadline):
        words = Words(
            f"déclarées inutiles le {dates.fr(unnecessary)} : à détruire aussitôt",
            f"declared unnecessary on {dates.en(unnecessary)}: to be destroyed at once",
        )
        ordinary = _Ordinary(unnecessary, retention.basis, words, disputed=False)
    if ordinary is None:
        return Answer(None, "no", retention.basis, retention.article, NOT_ENDED, "not_due", None, ("D11",))
    lifted = max((free for hold in kept if hold.covers(dataset) and (free := hold.lifted(dataset))), default=None)
    status: Status = "disputed" if ordinary.disputed else "yes"
    who = "dpo" if ordinary.disputed else None
    if lifted is not None and lifted > ordinary.deadline:
        words = Words(
            f"{ordinary.words.fr} ; suspension levée le {dates.fr(lifted)} : due aussitôt",
            f"{ordinary.words.en}; hold lifted on {dates.en(lifted)}: due at once",
        )
        return Answer(lifted, status, ordinary.basis, retention.article, words, who_decides=who, rules=("D11", "D15"))
    return Answer(
        ordinary.deadline, status, ordinary.basis, retention.article, ordinary.words, who_decides=who,
        rules=("D3", "D6", "D11"),
    )  # fmt: skip


def declared_unnecessary(
    convention: Convention, events: tuple[Event, ...], day: date | None, dataset: holds.What | str | None
) -> date | None:
    """The first day, not after ``day``, on which a party declared the dataset no longer necessary (D11)."""
    what = holds.What.of(dataset)
    days = [
        event.day("on", "valid_on", zone=convention.zone)
        for event in events
        if event.type == "declared_unnecessary" and what.among(event.scope())
    ]
    return min((one for one in days if one is not None and (day is None or one <= day)), default=None)


def internal_purge_target(
    convention: Convention, events: Iterable[Event], at: datetime | None, dataset: holds.What | str | None = None
) -> Answer:
    """The day that the purge aims at: the last working day on or before the deadline (D11)."""
    deadline = destruction_deadline(convention, events, at, dataset)
    if not isinstance(deadline.value, date):
        return deadline
    calendar = calendar_of(convention)
    target = calendar.on_or_before(deadline.value)
    words = Words(
        f"{deadline.arithmetic.fr} ; dernier jour ouvré : {dates.fr(target)} ({calendar.name}, {dates.holidays_version()})",
        f"{deadline.arithmetic.en}; last working day: {dates.en(target)} ({calendar.name}, {dates.holidays_version()})",
    )
    return Answer(
        target, deadline.status, "hub_policy", deadline.article, words, who_decides=deadline.who_decides, rules=("D11",)
    )


def purge_allowed(
    convention: Convention, events: Iterable[Event], at: datetime, dataset: holds.What | str | None = None
) -> Answer:
    """Whether a purge may run at ``at``: ``value`` True or False, and the reason.

    Reasons: no_longer_necessary, deadline_reached; not_due, legal_obligation, litigation, term_disputed_needs_human_decision.
    """
    seen = known(events, at)
    day = local_day(at, convention.zone)
    deadline = destruction_deadline(convention, seen, at, dataset)
    if deadline.value is None:
        return _purge(deadline, allowed=False, reason=deadline.reason or "not_due")
    if declared_unnecessary(convention, seen, day, dataset) is not None:
        return _purge(deadline, allowed=True, reason="no_longer_necessary")
    target = internal_purge_target(convention, seen, at, dataset)
    if not isinstance(target.value, date) or day < target.value:
        return _purge(target, allowed=False, reason="not_due")
    if deadline.status == "disputed":
        return _purge(deadline, allowed=False, reason="term_disputed_needs_human_decision")
    return _purge(deadline, allowed=True, reason="deadline_reached")


def _purge(ground: Answer, *, allowed: bool, reason: str) -> Answer:
    who = "dpo" if reason == "term_disputed_needs_human_decision" else ground.who_decides
    return Answer(
        allowed, "yes" if allowed else "no", ground.basis, ground.article, ground.arithmetic, reason, who,
        ("D11", "D15", "D18"),
    )  # fmt: skip
