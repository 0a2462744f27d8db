"""What a gateway promises of its copies, told again without it: conventions, runs, copies, holds, persons, requests, as plain values.

Written from the README, docs/operations.md, docs/spec and the rules D5, D8, D11, D15 and D19; it imports nothing of the gateway.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

CLOSED = frozenset(
    date.fromisoformat(one)
    for one in [
        "2025-07-14",
        "2025-08-15",
        "2025-11-01",
        "2025-11-11",
        "2025-12-25",
        "2026-01-01",
        "2026-04-06",
        "2026-05-01",
        "2026-05-08",
        "2026-05-14",
        "2026-05-25",
        "2026-07-14",
    ]
)  # days off in France while the model's clock runs
OURS_WITH_ROWS = frozenset({"raw", "quarantine"})


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last one (D6)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def working_day(day: date) -> date:
    """The last working day on or before ``day``."""
    while day.weekday() > 4 or day in CLOSED:
        day -= timedelta(days=1)
    return day


def span(period: str) -> tuple[str, str]:
    """First and last month of a period."""
    if "Q" in period:
        first = 3 * int(period[-1]) - 2
        return f"{period[:4]}-{first:02d}", f"{period[:4]}-{first + 2:02d}"
    return (period, period) if "-" in period else (f"{period}-01", f"{period}-12")


def meet(one: str, other: str) -> bool:
    """Whether two periods have a month in common."""
    first, second = span(one), span(other)
    return first[0] <= second[1] and second[0] <= first[1]


@dataclass
class Run:
    """One run that left copies: whose rows its file had, whose left, its parcels by recipient, our copies that are present."""

    id: str
    convention: str
    exchange: str
    dataset: str
    period: str
    content: str
    had: frozenset[str]
    left: frozenset[str]
    parcels: dict[str, str]
    copies: set[str]
    taken_on: date
    original: Run | None = None
    replaced: set[str] = field(default_factory=set)
    cleared: bool = False
    erased: bool = False

    @property
    def first(self) -> Run:
        """The run that took the file in."""
        return self if self.original is None else self.original.first


@dataclass
class Hold:
    """What a hold names, and until when."""

    convention: str
    kind: str
    names: frozenset[str]
    period: str | None
    person: str | None
    since: date
    review: date
    lifted: date | None = None

    def names_run(self, run: Run) -> bool:
        """Whether it names the copies of a run."""
        return (
            self.convention == run.convention
            and (not self.names or bool(self.names & {run.exchange, run.dataset}))
            and (self.period is None or meet(self.period, run.period))
            and (self.person is None or self.person in run.left)
        )

    def lasts(self, day: date) -> bool:
        """Whether it keeps what it names on ``day``."""
        return self.since <= day and (self.lifted is None or day < self.lifted)

    def state(self, day: date) -> str:
        """How the list of holds calls it."""
        return "lifted" if self.lifted else "review_overdue" if self.review < day else "active"


@dataclass
class Asked:
    """An attestation that was asked for."""

    convention: str
    party: str
    cause: str
    parcels: frozenset[str]
    due: date
    attested: set[str] = field(default_factory=set)

    @property
    def missing(self) -> frozenset[str]:
        return self.parcels - self.attested


@dataclass
class Model:
    """Everything that is known of the gateway by what was asked of it."""

    day: date
    runs: list[Run] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    letters: dict[str, date] = field(default_factory=dict)
    unnecessary: dict[str, dict[str, date]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    shut: set[str] = field(default_factory=set)
    objections: dict[tuple[str, str], str] = field(default_factory=dict)
    erased: set[tuple[str, str]] = field(default_factory=set)
    notices: dict[tuple[str, str], str | None] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    receipts: set[str] = field(default_factory=set)

    def effect(self, convention: str) -> date | None:
        """First day out of force after a registered letter: two months from its receipt (D8)."""
        letter = self.letters.get(convention)
        return None if letter is None else months_after(letter, 2)

    def in_force(self, convention: str) -> bool:
        """Whether the convention allows an exchange today."""
        effect = self.effect(convention)
        return effect is None or self.day < effect

    def deadline(self, convention: str) -> date | None:
        """The last day for destruction after the end: two months, no roll (D11)."""
        effect = self.effect(convention)
        return None if effect is None else months_after(effect, 2)

    def over(self, convention: str, exchange: str | None = None) -> bool:
        """Whether what is of an exchange, or the whole convention, has had its time, holds apart."""
        said = self.unnecessary.get(convention, {})
        if "" in said or (exchange is not None and exchange in said):
            return True
        last = self.deadline(convention)
        return last is not None and self.day >= working_day(last)

    def due(self, run: Run) -> date:
        """The last day on which the copies of a run may be there: of the end, of a declaration, or the day of a late lifting (D11, D15)."""
        said = self.unnecessary.get(run.convention, {})
        days = [said.get(""), said.get(run.exchange), self.deadline(run.convention)]
        ordinary = min(day for day in days if day is not None)
        return max([ordinary, *(hold.lifted for hold in self.holds.values() if hold.lifted and hold.names_run(run))])

    def blocked(self, convention: str, exchange: str, period: str) -> bool:
        """Whether a litigation that names the exchange stops it meanwhile (D15)."""
        return any(
            hold.convention == convention and hold.kind == "litigation" and exchange in hold.names
            and (hold.period is None or meet(hold.period, period)) and hold.person is None and hold.lasts(self.day)
            for hold in self.holds.values()
        )  # fmt: skip

    def may_be_held(self, run: Run) -> bool:
        """Whether a hold may name a run's copies, whoever its file bears."""
        return any(replace(hold, person=None).names_run(run) and hold.lasts(self.day) for hold in self.holds.values())

    def held(self, run: Run) -> bool:
        """Whether a hold keeps the copies of a run today."""
        return any(hold.names_run(run) and hold.lasts(self.day) for hold in self.holds.values())

    def may_go(self, run: Run) -> bool:
        """Whether the copies of a run may be destroyed today."""
        return self.over(run.convention, run.exchange) and not self.held(run)

    def within(self, convention: str, exchange: str | None = None, period: str | None = None) -> list[Run]:
        """Runs of a convention or a part of it, of which copies of ours are present."""
        return [
            run for run in self.runs
            if run.convention == convention and run.copies
            and exchange in {None, run.exchange} and (period is None or meet(period, run.period))
        ]  # fmt: skip

    def kept_by(self, hold: Hold) -> int:
        """How many copies a hold keeps today."""
        if not hold.lasts(self.day):
            return 0
        return sum(len(run.copies) for run in self.runs if hold.names_run(run))

    def whole(self, convention: str) -> bool:
        """Whether a purge of the convention leaves nothing of it."""
        everything = [
            hold for hold in self.holds.values()
            if hold.convention == convention and not hold.names and hold.period is None and hold.person is None and hold.lasts(self.day)
        ]  # fmt: skip
        return self.over(convention) and not everything and all(self.may_go(run) for run in self.within(convention))

    def received(self, person: str) -> set[tuple[str, str, bool]]:
        """Parcel, recipient, and whether another took its place, of each delivery with a row of the person."""
        return {
            (parcel, party, parcel in run.replaced)
            for run in self.runs
            if person in run.left
            for party, parcel in run.parcels.items()
        }

    def left_out(self, convention: str, had: frozenset[str]) -> frozenset[str]:
        """Who of a file is left out of its extract today."""
        return frozenset(one for one in had if (convention, one) in self.objections or (convention, one) in self.erased)

    def ask(self, convention: str, party: str, cause: str, parcels: set[str]) -> None:
        """Ask a party to attest the destruction of parcels that it has not attested yet."""
        attested = {one for asked in self.asked if asked.party == party for one in asked.attested}
        if left := frozenset(parcels - attested):
            self.asked.append(Asked(convention, party, cause, left, self.day + timedelta(days=30)))

    def ask_for_purge(self, convention: str, runs: list[Run]) -> None:
        """What a purge asks before it destroys: each recipient, for what no purge asked of it before."""
        known = {
            one
            for asked in self.asked
            if (asked.convention, asked.cause) == (convention, "purge")
            for one in asked.parcels
        }
        wanted: dict[str, set[str]] = {}
        for run in runs:
            for party, parcel in run.parcels.items():
                if parcel not in known:
                    wanted.setdefault(party, set()).add(parcel)
        for party in sorted(wanted):
            self.ask(convention, party, "purge", wanted[party])

    def alerts(self) -> Iterator[tuple[str, str]]:
        """What the watchdog must tell of destruction: code, and the convention or the hold that it is about."""
        late = {run.convention for run in self.runs if run.copies and self.may_go(run) and self.due(run) < self.day}
        yield from (("purge_overdue", convention) for convention in late)
        yield from (
            ("hold_review_overdue", name) for name, one in self.holds.items() if one.state(self.day) == "review_overdue"
        )
        yield from (("attestation_overdue", one.party) for one in self.asked if one.missing and one.due < self.day)
