"""The register of obligations: what the text asks to be done and evidenced, when it is due, and what shows that it was done.

Besides the obligations of the text: its instruments with a date, its exchanges that come back at most every month or within
a delay, its service levels, the GDPR's delays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from passerelle.convention.alerting import evidence
from passerelle.convention.cadence import MONTHS
from passerelle.convention.dates import DAY, local_day
from passerelle.convention.event import known as on_record
from passerelle.convention.model import Obligation
from passerelle.convention.term import life
from passerelle.convention.values import Words
from passerelle.planning.item import Evidence, Item, Known, words
from passerelle.planning.owed import DAILY, owed
from passerelle.planning.search import Search, evidence_of

Standing = Literal["done", "due", "late", "standing", "not_dated"]
LOOK_AHEAD = 366  # days: the next close of every yearly period


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the register.

    ``state`` is due, late or done for what has a day; without one, ``standing`` is what goes on or follows events, and
    ``not_dated`` what must be done once, or for which the text gives no rhythm.
    """

    convention: str
    kind: str
    id: str
    title: Words
    who: tuple[str, ...]
    state: Standing
    basis: str
    article: str | None
    arithmetic: Words
    period: str | None = None
    due: date | None = None
    evidence: tuple[Evidence, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "convention": self.convention,
            "kind": self.kind,
            "id": self.id,
            "title": self.title.as_json(),
            "who": list(self.who),
            "state": self.state,
            "basis": self.basis,
            "article": self.article,
            "arithmetic": self.arithmetic.as_json(),
            "period": self.period,
            "due": None if self.due is None else self.due.isoformat(),
            "evidence": [one.as_json() for one in self.evidence],
        }


def register(known: Known, now: datetime, *, since: date | None = None, until: date | None = None) -> list[Entry]:
    """The register at ``now``: what is due from ``since`` (the start) to ``until`` (a year from now), and what has no day."""
    seen = replace(known, events=on_record(known.events, now))
    today = local_day(now, known.convention.zone)
    start = since or life(known.convention, seen.events).start or today
    end = until or today + LOOK_AHEAD * DAY
    dated = [_dated(seen, one.item) for one in owed(Search(seen, start, end, now)) if not _daily(seen, one.item)]
    return [*sorted(dated, key=_by_day), *_undated(seen, today)]


def late(known: Known, now: datetime, *, since: date) -> list[Entry]:
    """What is late and was due since that day."""
    today = local_day(now, known.convention.zone)
    return [entry for entry in register(known, now, since=since, until=today) if entry.state == "late"]


def _by_day(entry: Entry) -> tuple[date, str, str]:
    return entry.due or date.max, entry.kind, entry.id


def _daily(known: Known, item: Item) -> bool:
    exchange = known.convention.exchange(item.subject or "") if item.kind == "exchange" else None
    return exchange is not None and exchange.trigger.every == DAILY


def _dated(known: Known, item: Item) -> Entry:
    name = item.subject or item.kind
    state: Standing = "due" if item.state == "note" else item.state
    return Entry(
        item.convention, item.kind, name, item.title, _who(known, item.kind, name), state, item.answer.basis,
        item.answer.article, item.answer.arithmetic, item.period, item.day, item.evidence,
    )  # fmt: skip


def _who(known: Known, kind: str, name: str) -> tuple[str, ...]:
    convention = known.convention
    if kind == "obligation":
        return next(one.who for one in convention.obligations if one.id == name)
    if kind == "service_level":
        answered = next(one.exchange for one in convention.service_levels if one.id == name)
        exchange = convention.exchange(answered)
        return convention.signatories() if exchange is None else exchange.to
    exchange = convention.exchange(name) if kind == "exchange" else None
    return convention.signatories() if exchange is None else exchange.from_


def _undated(known: Known, today: date) -> Iterator[Entry]:
    convention = known.convention
    for obligation in convention.obligations:
        if obligation.due != "not_stated" or obligation.cadence.per in MONTHS:
            continue
        held = evidence(convention, known.events, obligation.id, date.min, today)
        found = tuple(evidence_of(convention, event) for _, event in held)
        yield Entry(
            convention.id, "obligation", obligation.id, words(obligation.title), obligation.who,
            _without_a_day(obligation, done=bool(found)), obligation.basis, obligation.article,
            _RHYTHMS[obligation.cadence.per], evidence=found,
        )  # fmt: skip


def _without_a_day(obligation: Obligation, *, done: bool) -> Standing:
    if obligation.cadence.per in ("event", "continuous"):
        return "standing"
    return "done" if done else "not_dated"


_RHYTHMS = {
    "event": Words("à chaque événement, sans délai stipulé", "at each event, without a stated delay"),
    "continuous": Words("en permanence", "at all times"),
    "instance": Words("une fois, sans date stipulée", "once, without a stated date"),
    "not_stated": Words("rythme non stipulé", "rhythm not stated"),
}
