"""Deliveries that should not have happened, as the record tells it since (D20): listed, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Event, retrospective_exposure
from passerelle.store import runs
from passerelle.store.runs import Sent
from passerelle.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Exposure:
    """One delivery that today's record forbids: what left, to whom, when."""

    delivery: str
    exchange: str
    period: str
    recipient: str
    delivered_at: str
    rows: int

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def exposures(workspace: Workspace, connection: Connection, convention_id: str) -> list[Exposure]:
    """The deliveries of a convention that what is on record today forbids, in the order in which they left.

    Raises:
        UsageError: there is no such convention.
    """
    history = workspace.history(connection, convention_id)
    return exposed_by(workspace, connection, convention_id, history)


def exposed_by(
    workspace: Workspace, connection: Connection, convention_id: str, history: Iterable[Event]
) -> list[Exposure]:
    """The deliveries of a convention that a history forbids."""
    text, events, now = workspace.convention(convention_id), tuple(history), workspace.now()

    @cache
    def forbidden(exchange: str, at: str) -> bool:
        left = Event("delivered", {"at": at, "exchange": exchange}, datetime.fromisoformat(at))
        return bool(retrospective_exposure(text, (*events, left), now))

    found = []
    for one in runs.sent(connection, convention=convention_id):
        at = one.delivered_at or one.intent_at
        if forbidden(one.exchange, at):
            found.append(_exposure(one, at))
    return found


def _exposure(one: Sent, at: str) -> Exposure:
    return Exposure(one.id, one.exchange, one.period, one.recipient, at, one.rows)
