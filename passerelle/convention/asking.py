"""What the gate's checks are given, and what a refusal is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from passerelle.convention.blocks import Basis
from passerelle.convention.dates import local_day
from passerelle.convention.event import Event
from passerelle.convention.model import Convention, Exchange
from passerelle.convention.values import Answer, Request, Words


@dataclass(frozen=True, slots=True)
class Asked:
    """All that one answer depends on; ``events`` are those on record at the instant asked."""

    convention: Convention
    exchange: Exchange
    request: Request
    events: tuple[Event, ...]
    force: Answer

    @property
    def day(self) -> date:
        return local_day(self.request.at, self.convention.zone)


@dataclass(frozen=True, slots=True)
class Block:
    """Why the answer is no: the code, what it rests on, and who can change it."""

    reason: str
    article: str | None
    basis: Basis
    words: Words
    who_decides: str | None = None
    rules: tuple[str, ...] = ()
