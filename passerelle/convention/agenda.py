"""The days of a convention's life that someone must know of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from passerelle.convention import alerting, cadence, dates, destruction, due, force
from passerelle.convention.blocks import Bilingual
from passerelle.convention.dates import DAY
from passerelle.convention.event import Event
from passerelle.convention.model import Convention
from passerelle.convention.term import Life, Term, life
from passerelle.convention.values import Answer, Words


@dataclass(frozen=True, slots=True)
class Entry:
    """One day: what happens (``kind``), to what (``subject``), and on what ground."""

    day: date
    kind: str
    title: Words
    answer: Answer
    subject: str | None = None

    def as_json(self, convention: str) -> dict[str, Any]:
        return {
            "date": self.day.isoformat(),
            "convention": convention,
            "kind": self.kind,
            "subject": self.subject,
            "title": self.title.as_json(),
            "basis": self.answer.basis,
            "article": self.answer.article,
            "arithmetic": self.answer.arithmetic.as_json(),
        }


def entries(convention: Convention, events: tuple[Event, ...], start: date, end: date) -> Iterator[Entry]:
    """The days from ``start`` to ``end``, and some around them."""
    story = life(convention, events)
    begins = force.starts(convention, events)
    if isinstance(begins.value, date):
        yield Entry(begins.value, "starts", Words("Prise d'effet", "Takes effect"), begins)
    for term in _terms(story, start, end):
        yield from _of_term(convention, events, story, term)
    yield from _of_the_end(convention, events, story)
    yield from _obligations(convention, events, story, start, end)


def _terms(story: Life, start: date, end: date) -> Iterator[Term]:
    for term in story.terms():
        if term.first > end or (story.end is not None and term.first > story.end.last_day):
            return
        if term.last >= start:
            yield term


def _of_term(convention: Convention, events: tuple[Event, ...], story: Life, term: Term) -> Iterator[Entry]:
    renewal = convention.term.renewal
    ground = Answer(term.last, "yes", renewal.basis, renewal.article, term.words)
    if term.number > 1:
        yield Entry(term.first, "renews", Words("Reconduction", "Renewal"), ground)
    if story.end is not None and story.end.last_day < term.last:
        return
    safe = force.opt_out(convention, events, None, term.number)
    if isinstance(safe.value, date):
        title = Words("Dernier jour sûr pour dénoncer", "Last safe day to denounce")
        yield Entry(safe.value, "opt_out_safe_day", title, safe)
        yield from _last_valid(convention, events, term.number, safe)
        for day, label, words in alerting.opt_out_reminders(convention, events, None, term.number):
            title = Words(f"Reconduction dans {words.fr}", f"Renewal in {words.en}")
            sums = Words(f"{dates.fr(term.last)} - {words.fr}", f"{dates.en(term.last)} - {words.en}")
            ground = Answer(day, "yes", "hub_policy", safe.article, sums)
            yield Entry(day, "opt_out_reminder", title, ground, label)
    for name in alerting.dated(convention):
        exchange = convention.exchange(name)
        if exchange is not None:
            answer = due.due(due.Case(convention, events, None, {"exchange": name, "term": term.number}))
            yield from _due(name, exchange.title, answer)


def _last_valid(convention: Convention, events: tuple[Event, ...], number: int, safe: Answer) -> Iterator[Entry]:
    """The last day of a timely notice on the kindest reading, where it is not the safe day: at the ends of months (D7)."""
    found = force.opt_out_days(convention, events, None, number)
    if found is not None and found[1].last_valid != safe.value:
        words = Words(
            f"dernier jour dont le délai s'achève au plus tard le {dates.fr(found[0].last)}",
            f"last day whose delay runs out by {dates.en(found[0].last)}",
        )
        ground = Answer(found[1].last_valid, "disputed", safe.basis, safe.article, words, who_decides="dpo")
        title = Words("Dernier jour valable pour dénoncer", "Last valid day to denounce")
        yield Entry(found[1].last_valid, "opt_out_last_valid_day", title, ground)


def _of_the_end(convention: Convention, events: tuple[Event, ...], story: Life) -> Iterator[Entry]:
    for instrument in convention.instruments:
        if instrument.id in alerting.dated(convention):
            answer = due.due(due.Case(convention, events, None, {"instrument": instrument.id}))
            yield from _due(instrument.id, instrument.title, answer)
    for end, title in ((story.disputed, Words("Fin contestée", "Disputed end")), (story.end, Words("Fin", "End"))):
        if end is not None:
            ground = Answer(end.last_day, "yes", end.basis, end.article, end.words)
            yield Entry(end.last_day, "ends", title, ground)
    for kind, title, answer in (
        ("destruction", Words("Destruction au plus tard", "Destruction at the latest"),
         destruction.destruction_deadline(convention, events, None)),
        ("purge_target", Words("Purge visée", "Purge aimed at"),
         destruction.internal_purge_target(convention, events, None)),
    ):  # fmt: skip
        if isinstance(answer.value, date):
            yield Entry(answer.value, kind, title, answer)


def _due(subject: str, title: Bilingual, answer: Answer) -> Iterator[Entry]:
    if isinstance(answer.value, date):
        yield Entry(answer.value, "due", Words(title.fr, title.en), answer, subject)


def _obligations(
    convention: Convention, events: tuple[Event, ...], story: Life, start: date, end: date
) -> Iterator[Entry]:
    """The close of each period of an obligation, while the convention is in force (D14)."""
    if story.start is None:
        return
    until = end if story.end is None else min(end, story.end.last_day)
    for obligation in convention.obligations:
        if obligation.due != "not_stated":
            answer = due.due(due.Case(convention, events, None, {"obligation": obligation.id}))
            yield from _due(obligation.id, obligation.title, answer)
            continue
        day = max(start, story.start)
        while day <= until and (span := cadence.current(convention, events, obligation, day)) is not None:
            words = Words(
                f"clôture de la période : {dates.fr(span.last)}", f"close of the period: {dates.en(span.last)}"
            )
            answer = Answer(span.last, "yes", obligation.basis, obligation.article, words)
            yield from _due(obligation.id, obligation.title, answer)
            day = span.last + DAY
