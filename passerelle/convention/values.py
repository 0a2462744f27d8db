"""What the rule core answers: values that carry their ground, their arithmetic in words, and who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from passerelle.clock import iso
from passerelle.convention.blocks import Basis

Status = Literal["yes", "no", "undetermined", "disputed"]
Outcome = Literal["allow", "allow_with_warning", "block"]
Stage = Literal["start", "delivery"]


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in the two languages of the hub."""

    fr: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"fr": self.fr, "en": self.en}


NOTHING = Words("", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: ``value`` (a date, an instant, a word, or None), and how sure it is.

    ``status`` is yes when the value holds, no when there is none, undetermined when the text or the record is silent,
    disputed when two readings differ. ``reason`` is a code where the question has one (a purge).
    """

    value: date | datetime | str | bool | None
    status: Status
    basis: Basis
    article: str | None
    arithmetic: Words
    reason: str | None = None
    who_decides: str | None = None
    rules: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        value = self.value.isoformat() if isinstance(self.value, date) else self.value
        return {
            "value": value,
            "status": self.status,
            "basis": self.basis,
            "article": self.article,
            "arithmetic": self.arithmetic.as_json(),
            "reason": self.reason,
            "who_decides": self.who_decides,
            "rules": list(self.rules),
        }


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the gate: may this exchange run at this instant.

    ``recipients`` and ``sender`` are checked when given; ``via`` names a processor on the route. ``args`` carries what some
    exchanges need: ``consent`` (bool), ``vacancy`` and the count of the exchange's unit ("profiles"), ``resend_of``.
    ``last_act`` is the instant of the last entry of the trail: the clock must not run behind it (D1).
    """

    exchange: str
    at: datetime
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    period: str | None = None
    stage: Stage = "start"
    via: str | None = None
    last_act: datetime | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer: one outcome, one reason code, the article and the basis it rests on, and who decides."""

    outcome: Outcome
    reason: str | None
    warning: str | None
    article: str | None
    basis: Basis
    arithmetic: Words
    who_decides: str | None
    convention: str
    convention_sha256: str
    exchange: str
    at: datetime
    rules: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome != "block"

    def as_json(self) -> dict[str, Any]:
        """The form that the trail and the command line show."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "warning": self.warning,
            "article": self.article,
            "basis": self.basis,
            "arithmetic": self.arithmetic.as_json(),
            "who_decides": self.who_decides,
            "convention": self.convention,
            "convention_sha256": self.convention_sha256,
            "exchange": self.exchange,
            "at": iso(self.at),
            "rules": list(self.rules),
        }
