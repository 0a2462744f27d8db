"""What a plan is made of: one thing on one day, with its ground, its arithmetic and a key that names it once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from passerelle.clock import iso
from passerelle.convention import Answer, Convention, Decision, Event, Words
from passerelle.convention.blocks import Bilingual
from passerelle.convention.dates import holidays_version

State = Literal["note", "due", "late", "done"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of an exchange, for one period, at one instant."""

    exchange: str
    period: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """All that a plan depends on: the text, its history, what was delivered, and the day of the last purge."""

    convention: Convention
    events: tuple[Event, ...]
    deliveries: tuple[Delivery, ...] = ()
    purged_on: date | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that something was done: a day, what happened, and the hash of the document on file."""

    day: date | None
    event: str
    sha256: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"date": None if self.day is None else self.day.isoformat(), "event": self.event, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on one day.

    ``kind`` is starts, renews, ends, opens, opt_out_alert, opt_out_safe_day, exchange, instrument, obligation, service_level,
    rights, reminder, destruction, purge_target or purge. ``subject`` is the id of an exchange, obligation, instrument or service level; ``period`` tells apart what comes back: a
    period of the register, the number of an event, the end of a term. ``state`` is note (to know), due, late or done.
    ``gate`` is the gate's answer for an exchange, ``reason`` that of a purge.
    """

    day: date
    convention: str
    kind: str
    title: Words
    answer: Answer
    subject: str | None = None
    period: str | None = None
    state: State = "note"
    instant: datetime | None = None
    gate: Decision | None = None
    reason: str | None = None
    evidence: tuple[Evidence, ...] = field(default=())

    @property
    def key(self) -> str:
        """Names this thing once and for all: planning it again does nothing more."""
        return "/".join((self.convention, self.kind, self.subject or "convention", self.period or self.day.isoformat()))

    def as_json(self) -> dict[str, Any]:
        answer, gate = self.answer, self.gate
        return {
            "key": self.key,
            "date": self.day.isoformat(),
            "instant": None if self.instant is None else iso(self.instant),
            "convention": self.convention,
            "kind": self.kind,
            "subject": self.subject,
            "period": self.period,
            "state": self.state,
            "title": self.title.as_json(),
            "basis": answer.basis,
            "article": answer.article,
            "arithmetic": answer.arithmetic.as_json(),
            "holidays": holidays_version(),
            "decision": None if gate is None else gate.outcome,
            "reason": self.reason if gate is None else gate.reason,
            "warning": None if gate is None else gate.warning,
            "evidence": [one.as_json() for one in self.evidence],
        }


def words(title: Bilingual) -> Words:
    """A title of the text."""
    return Words(title.fr, title.en)
