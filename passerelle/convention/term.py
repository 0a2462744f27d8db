"""The life of a convention: when it starts, the terms it goes through, what ends it (D2 to D10b, D17).

``Life`` is derived from the text and the events on record; it never looks at a clock. Terms are half-open and touch: the
first day of one is the day after the last day of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import count
from typing import Literal

from passerelle.convention import dates, ending, signing
from passerelle.convention.blocks import LAST_YEAR
from passerelle.convention.dates import DAY
from passerelle.convention.duration import ExpressRenewal, FixedDuration, FixedEnd, NoRenewal, TacitRenewal
from passerelle.convention.ending import Ending
from passerelle.convention.event import Event
from passerelle.convention.model import Convention
from passerelle.convention.values import Words

OptOut = Literal["timely", "late", "disputed"]


@dataclass(frozen=True, slots=True)
class Term:
    """One term: first and last day (inclusive), the last day of the other reading, and how and where it was found."""

    number: int
    first: date
    last: date
    other_last: date
    words: Words
    article: str | None
    opt_out: OptOut | None = None


class Life:
    """What the text and the record say of a convention's time in force."""

    def __init__(self, convention: Convention, events: tuple[Event, ...]) -> None:
        self.convention = convention
        self.events = events
        self.zone = convention.zone
        self.start = signing.start(convention, events)
        endings = ending.recorded(convention, events)
        self._amendments = signing.complete_amendments(convention, events, shared=True)
        term_end, disputed = self._term_end()
        self.doubtful_approval = self._unless_shared(term_end)
        if self.doubtful_approval is not None:
            disputed = min(filter(None, (self.doubtful_approval, disputed)), key=lambda one: one.out_from)
        if term_end is not None:
            endings.append(term_end)
        self.end: Ending | None = min(endings, key=lambda one: (one.out_from, one.anchor), default=None)
        decided = ending.decided(convention, events)
        settled = disputed is None or decided or (self.end is not None and self.end.out_from <= disputed.out_from)
        self.disputed: Ending | None = None if settled else disputed

    def _term_end(self) -> tuple[Ending | None, Ending | None]:
        """The end of the last term (None when the terms go on or are not known), and the first disputed one before it."""
        renewal = self.convention.term.renewal
        endless = isinstance(renewal, TacitRenewal) and renewal.max_times == "not_stated"
        last_word = max((day for event in self.opt_outs() for day in self.days(event)), default=date.min)
        end: Ending | None = None
        disputed: Ending | None = None
        for term in self.terms():
            end = ending.of_term(self.convention, term.last, term.article, term.words)
            if term.opt_out == "disputed" and disputed is None:
                disputed = end
            if endless and term.opt_out != "timely" and term.first > last_word:
                return None, disputed
        return end, disputed

    def days(self, event: Event) -> list[date]:
        """The days of receipt and of sending of a denunciation that are known."""
        days = (event.day(name, zone=self.zone) for name in ("received_on", "sent_on", "on", "valid_on"))
        return [day for day in days if day is not None]

    def _unless_shared(self, term_end: Ending | None) -> Ending | None:
        """The earlier end where an approval that names no amendment serves one of several; None where it is the same (D17, D18)."""
        shared = self._amendments
        self._amendments = signing.complete_amendments(self.convention, self.events, shared=False)
        found = self._term_end()[0] if self._amendments != shared else None
        self._amendments = shared
        return found if found is not None and (term_end is None or found.out_from < term_end.out_from) else None

    @property
    def anchor(self) -> date | None:
        """What terms are counted from: the start, or the stated end when the start is unknown."""
        term = self.convention.term
        if self.start is None and isinstance(term, FixedEnd):
            return term.last_day
        return self.start

    def opt_outs(self) -> tuple[Event, ...]:
        signatories = self.convention.signatories()
        return tuple(
            event for event in self.events if event.type == "denounced" and event.says("by") in (None, *signatories)
        )

    def terms(self) -> Iterator[Term]:
        """The terms in order; without end for a tacit renewal that nobody prevented."""
        text = self.convention.term
        if self.anchor is None or not isinstance(text, FixedEnd | FixedDuration):
            return
        first = base = self.anchor
        months = 0
        for number in count(1):
            months += self._months(text, number)
            stated = isinstance(text, FixedEnd) and number == 1
            last, other, words = _stated_last(text) if stated else self._counted_last(base, months)
            amended = self._amended_last(first, last)
            if amended is not None:
                last, other, words = amended
            if stated or amended is not None:
                base, months = last + DAY, 0
            opt_out = self._opt_out(number, last, other)
            yield Term(number, first, last, other, words, self._article(number, amended is not None), opt_out)
            if last.year > LAST_YEAR or not self._renewed(number, first, last, opt_out):
                return
            first = last + DAY

    def _article(self, number: int, amended: bool) -> str | None:
        """Where the last day of a term rests: on the clause of amendments, of the renewal, or of the term."""
        text, amendments = self.convention.term, self.convention.amendments
        if amended and not isinstance(amendments, str):
            return amendments.article
        return text.renewal.article if number > 1 else text.article

    def _months(self, text: FixedEnd | FixedDuration, number: int) -> int:
        if number == 1:
            return text.duration.civil_months if isinstance(text, FixedDuration) else 0
        renewal = text.renewal
        return 0 if isinstance(renewal, NoRenewal) else renewal.period.civil_months

    def _counted_last(self, base: date, months: int) -> tuple[date, date, Words]:
        """The last day of ``months`` from ``base``, always one step from the anchor (D3, D4), on both readings."""
        text = self.convention.term
        inclusive = isinstance(text, FixedDuration) and text.last_day == "anniversary_inclusive"
        last = dates.last_day(base, months, inclusive=inclusive)
        other = last
        if isinstance(text, FixedDuration) and text.other_reading is not None:
            other = dates.last_day(base, months, inclusive=not inclusive)
        words = Words(
            f"{dates.fr(base)} + {dates.fr_months(months)}, dernier jour : {dates.fr(last)} à 24 h",
            f"{dates.en(base)} + {dates.en_months(months)}, last day: {dates.en(last)} at 24:00",
        )
        return last, other, words

    def _amended_last(self, first: date, last: date) -> tuple[date, date, Words] | None:
        found = None
        for amended_on, new_last in self._amendments:
            if amended_on <= last and new_last >= first:
                last = new_last
                words = Words(
                    f"avenant complet le {dates.fr(amended_on)}, avant le terme : fin portée au {dates.fr(new_last)} inclus",
                    f"amendment complete on {dates.en(amended_on)}, before the end: end moved to {dates.en(new_last)} included",
                )
                found = (last, last, words)
        return found

    def _renewed(self, number: int, first: date, last: date, opt_out: OptOut | None) -> bool:
        renewal = self.convention.term.renewal
        if isinstance(renewal, TacitRenewal):
            limit = renewal.max_times
            return opt_out != "timely" and (isinstance(limit, str) or number <= limit)
        if isinstance(renewal, ExpressRenewal):
            return any(first <= day <= last for day in signing.complete_renewals(renewal, self.events, self.zone))
        return False

    def _opt_out(self, number: int, last: date, other_last: date) -> OptOut | None:
        """Whether a denunciation prevents the renewal of the term that ends on ``last`` (D7)."""
        renewal = self.convention.term.renewal
        if not isinstance(renewal, TacitRenewal):
            return None
        recorded = signing.recorded_reading(self.events, number)
        judged = [self._timeliness(event, renewal, last, other_last) for event in self.opt_outs()]
        if "timely" in judged:
            return "timely"
        if "disputed" in judged:
            return recorded or "disputed"
        return "late" if judged else None

    def _timeliness(self, event: Event, renewal: TacitRenewal, last: date, other_last: date) -> OptOut:
        received = event.day("received_on", zone=self.zone)
        sent = event.day("sent_on", zone=self.zone)
        if received is None and sent is None:
            received = event.day("on", "valid_on", zone=self.zone)
        counted, other = (received, sent) if renewal.opt_out.counts == "receipt" else (sent, received)
        days = [day for day in (counted, other if renewal.opt_out.other_reading else None) if day is not None]
        window = opt_out_window(renewal, last)
        latest = max(window.last_valid, opt_out_window(renewal, other_last).last_valid)
        if counted is not None and max(days) <= window.safe:
            return "timely"
        if not days or min(days) > latest:
            return "late"
        return "disputed"

    def term_on(self, day: date) -> Term | None:
        """The term that ``day`` falls in, or None."""
        for term in self.terms():
            if day <= term.last:
                return term if day >= term.first else None
        return None

    def term_number(self, number: int) -> Term | None:
        return next((term for term in self.terms() if term.number == number), None)


def _stated_last(text: FixedEnd | FixedDuration) -> tuple[date, date, Words]:
    """A stated end is inclusive, to 24:00 (D5)."""
    assert isinstance(text, FixedEnd)  # noqa: S101 - only the first term of a fixed end comes here
    words = Words(
        f"échéance stipulée : {dates.fr(text.last_day)} inclus, jusqu'à 24 h",
        f"stated end: {dates.en(text.last_day)} included, until 24:00",
    )
    return text.last_day, text.last_day, words


@dataclass(frozen=True, slots=True)
class Window:
    """Until when a renewal can be prevented: ``safe`` on every reading, ``last_valid`` on the kindest (D7)."""

    safe: date
    last_valid: date


def window(last: date, months: int) -> Window:
    """The days before ``last``: counted backwards, and forwards (the last day whose notice ends by ``last``)."""
    safe = dates.add_months(last, -months)
    last_valid = safe
    while dates.add_months(last_valid + DAY, months) <= last:
        last_valid += DAY
    return Window(safe, last_valid)


def opt_out_window(renewal: TacitRenewal, last: date) -> Window:
    period = renewal.opt_out.at_least
    if period.total_months is not None:
        return window(last, period.total_months)
    day = last - period.count * DAY
    return Window(day, day)


@lru_cache(maxsize=4096)
def life(convention: Convention, events: tuple[Event, ...]) -> Life:
    """The life of a convention as these events tell it (cached: both are immutable)."""
    return Life(convention, events)
