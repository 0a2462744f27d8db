"""What in the access log is not as usual: much taken by one person, odd hours, many persons looked up, many refusals, a new key, a new token.

An alert is a question for whoever runs the gateway, no finding: it says who, what and how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from passerelle.clock import iso
from passerelle.store.access import actions
from passerelle.store.access_tables import access
from passerelle.store.tables import partner_key

FRESH = timedelta(hours=1)  # what the watchdog, which looks every hour, tells as new
Code = Literal["many_taken", "many_persons", "many_refused", "odd_hours", "new_key", "new_token"]


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many on it is told, for one actor within ``window``; hours are of ``zone``, ``opens`` included.

    The hub's own numbers: no text sets them.
    """

    window: timedelta = timedelta(hours=24)
    taken: int = 30
    persons: int = 20
    refused: int = 5
    opens: int = 7
    closes: int = 20
    working_days: int = 5  # Monday to Friday
    zone: str = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Alert:
    """``actor`` did ``count`` things of a kind, the last at ``last``; a new key has its partner instead of an actor."""

    code: Code
    actor: str | None
    partner: str | None
    count: int
    last: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Act:
    actor: str
    at: str


def alerts(connection: Connection, now: datetime, limits: Limits | None = None) -> list[Alert]:
    """What stands out within ``limits.window`` before ``now``, by kind, then by actor."""
    limits = limits or Limits()
    since = iso(now - limits.window)
    taken: list[_Act] = []
    persons: list[_Act] = []
    refused: list[_Act] = []
    tokens: list[_Act] = []
    query = select(access.c.actor, access.c.at, access.c.action, access.c.outcome).where(access.c.at >= since)
    for actor, at, action, outcome in connection.execute(query):
        kind = actions().get(action, {}).get("kind")
        if outcome == "refused":
            refused.append(_Act(actor, at))
        elif kind == "take":
            taken.append(_Act(actor, at))
        elif kind == "person":
            persons.append(_Act(actor, at))
        elif action == "token_made":
            tokens.append(_Act(actor, at))
    odd = [act for act in (*taken, *persons) if _is_odd(act.at, limits)]
    return [
        *_many("many_taken", taken, limits.taken),
        *_many("many_persons", persons, limits.persons),
        *_many("many_refused", refused, limits.refused),
        *_many("odd_hours", odd, 1),
        *_new_keys(connection, since),
        *_many("new_token", tokens, 1),
    ]


def _many(code: Code, acts: Iterable[_Act], limit: int) -> list[Alert]:
    acts = list(acts)
    counts = Counter(act.actor for act in acts)
    return [
        Alert(code, actor, None, count, max(act.at for act in acts if act.actor == actor))
        for actor, count in sorted(counts.items())
        if count >= limit
    ]


def _is_odd(at: str, limits: Limits) -> bool:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(limits.zone))
    return not limits.opens <= local.hour < limits.closes or local.isoweekday() > limits.working_days


def _new_keys(connection: Connection, since: str) -> list[Alert]:
    query = select(partner_key.c.partner, partner_key.c.enrolled_at).where(partner_key.c.enrolled_at >= since)
    keys = [_Act(row.partner, row.enrolled_at) for row in connection.execute(query)]
    return [Alert("new_key", None, one.actor, one.count, one.last) for one in _many("new_key", keys, 1)]
