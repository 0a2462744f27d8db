"""What is asked of an exchange, what it is done with, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from passerelle.contract import Contract
from passerelle.disclosure import OutcomeTable
from passerelle.profile import Edition, Profile, Verdict
from passerelle.workspace import Workspace

SENDING = re.compile(r"(s-[0-9a-f]{16})\.age")
Progress = Callable[[int, int], None]
"""Called with the number of the step (1 to 8) and the rows read so far."""


def quiet(_step: int, _rows: int) -> None:
    """Report progress to nobody."""


def sending_at(workspace: Workspace, source: Path) -> str | None:
    """The id of the sending that waits at ``source``; None for any other file."""
    found = SENDING.fullmatch(source.name)
    return found[1] if found and source.is_relative_to(workspace.home / "inbox") else None


@dataclass(frozen=True, slots=True)
class Order:
    """One exchange to run: ``source`` is the partner's file; its name may name a person, so it is never shown nor stored plain.

    ``supersedes`` is a delivered parcel that this exchange's own take the place of, ``resends`` one whose extract is sent again
    (then ``source`` is the encrypted raw copy); ``reason`` is a code of ``passerelle.parcel.reasons``.
    """

    convention: str
    exchange: str
    period: str
    source: Path
    sender: str | None = None
    supersedes: str | None = None
    resends: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """One version of a contract that senders may still use; ``until`` is the last day of its notice period, None: no end."""

    contract: Contract
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What an exchange is done with: handed in, because the engine names no dataset and no check.

    ``judge`` is told the profile and those of earlier periods. ``outcomes`` says which columns make a table of outcomes,
    for exchanges that need disclosure control; None where the contract has none. ``editions`` are the editions of code lists
    that the profile holds the codes against. ``versions`` are those of the contract that are served, latest first, where there
    is more than the one. ``expected`` is what a rule demands of a column, in French and English.
    """

    contract: Contract
    judge: Callable[[Profile, Sequence[Profile]], Verdict]
    page: Callable[[Verdict, Profile, Sequence[Profile]], str]
    outcomes: OutcomeTable | None = None
    editions: Sequence[Edition] = ()
    expected: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    versions: Sequence[Served] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """One parcel that left."""

    parcel: str
    recipient: str
    location: str
    rows: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an exchange: counts, rules and ids, never a value."""

    run: str
    state: str
    convention: str
    exchange: str
    period: str
    sender: str
    dialect: str
    counts: Mapping[str, int]
    by_rule: Sequence[Mapping[str, Any]]
    repairs: Mapping[str, int]
    deliveries: Sequence[Delivered]
    warning: str | None = None
    findings: Sequence[Mapping[str, Any]] = field(default=())
    report: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return {
            **shown,
            "counts": dict(self.counts),
            "by_rule": [dict(rule) for rule in self.by_rule],
            "repairs": dict(self.repairs),
            "findings": [dict(finding) for finding in self.findings],
            "deliveries": [
                {"parcel": d.parcel, "recipient": d.recipient, "location": d.location, "rows": d.rows}
                for d in self.deliveries
            ],
        }
