"""Plans what the workspace knows: the daily plan, the register of obligations, what is overdue. Knows no orchestrator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.convention import Event
from passerelle.convention.dates import local_day
from passerelle.convention.force import in_force
from passerelle.errors import PasserelleError
from passerelle.handover import approval
from passerelle.planning import Answers, Delivery, Item, Known, late, plan
from passerelle.planning.owed import DAILY
from passerelle.store import events, planned, purges, runs
from passerelle.store.planned import Planned
from passerelle.workspace import Workspace


def known(workspace: Workspace, connection: Connection, convention_id: str) -> Known:
    """All that a plan of one convention depends on; an event carries the hash of its evidence.

    Raises:
        UsageError: there is no such convention.
        ConventionFileError: its file breaks the format.
    """
    text = workspace.convention(convention_id)
    history = tuple(
        Event(row.type, {**row.payload, **_evidence(row.evidence_sha256)}, row.recorded_at)
        for row in events.history(connection, convention_id)
    )
    delivered = tuple(
        Delivery(row.exchange, row.period, datetime.fromisoformat(row.delivered_at))
        for row in runs.sent(connection, convention=convention_id, state="delivered")
        if row.delivered_at is not None
    )
    return Known(text, history, delivered, _purged_on(workspace, connection, convention_id, delivered))


def _evidence(sha256: str | None) -> dict[str, str]:
    return {} if sha256 is None else {"evidence_sha256": sha256}


def _purged_on(
    workspace: Workspace, connection: Connection, convention_id: str, delivered: tuple[Delivery, ...]
) -> date | None:
    """The day of the last purge, if nothing was delivered since."""
    done = purges.purges(connection, convention=convention_id, state="done")
    ended = datetime.fromisoformat(done[-1].ended_at) if done and done[-1].ended_at else None
    if ended is None or any(one.at > ended for one in delivered):
        return None
    return local_day(ended, workspace.convention(convention_id).zone)


def each(workspace: Workspace, connection: Connection) -> Iterator[Known]:
    """What is known of every convention that the gate goes by: its file can be read, and its change is approved."""
    for convention_id in workspace.convention_ids():
        try:
            found = known(workspace, connection, convention_id)
        except PasserelleError:
            continue  # the watchdog says that it cannot be read
        if not approval.pending(connection, found.convention):
            yield found


def not_approved(workspace: Workspace, connection: Connection) -> list[str]:
    """The conventions whose file changed without approval."""
    found = []
    for convention_id in workspace.convention_ids():
        try:
            text = workspace.convention(convention_id)
        except PasserelleError:
            continue
        found += [text.id] if approval.pending(connection, text) else []
    return found


def record_plan(workspace: Workspace, orders: int) -> list[Planned]:
    """Keep what is due since the last plan and was not told before, and tell the trail; what is new.

    The first plan begins on the day on which the gateway was made. A convention of which something was recorded since the
    last plan is planned again from there: what came late is told late, and once.
    """
    now = workspace.now()
    with workspace.database.begin() as connection:
        last, made = planned.through(connection), _made_at(workspace, connection)
        rows = []
        for one in each(workspace, connection):
            zone = one.convention.zone
            fresh = last is None or any(event.recorded_at and event.recorded_at >= last for event in one.events)
            since = local_day(made if fresh or last is None else last, zone)
            rows += [
                _row(item, now) for item in plan(one, since, local_day(now, zone), now) if _worth_telling(one, item)
            ]
        new = planned.keep(connection, rows)
        planned.keep_through(connection, now)
        if new or orders:
            kinds = dict(Counter(row.kind for row in new))
            body = {
                "through": iso(now)[:10],
                "planned": len(new),
                "orders": orders,
                "by_kind": kinds,
            }
            workspace.append(connection, "plan_made", body)
    return new


def _made_at(workspace: Workspace, connection: Connection) -> datetime:
    """The instant of the first entry of the trail."""
    first = next(iter(workspace.ledger.entries(connection, 0)))
    return datetime.fromisoformat(first.entry.at)


def _worth_telling(known_: Known, item: Item) -> bool:
    """Whether to tell it: what comes back every day and is refused every day is told by the plan of the days to come."""
    exchange = known_.convention.exchange(item.subject or "") if item.kind == "exchange" else None
    daily = exchange is not None and exchange.trigger.every == DAILY
    return not (daily and item.gate is not None and not item.gate.allowed)


def _row(item: Item, now: datetime) -> Planned:
    body = item.as_json()
    return Planned(item.key, item.convention, item.kind, item.subject, item.day.isoformat(), item.state, body, iso(now))


def overdue(workspace: Workspace, connection: Connection) -> list[dict[str, Any]]:
    """What is owed under the conventions in force, fell due since the gateway was made, and is not on record."""
    now = workspace.now()
    made = _made_at(workspace, connection)
    found: list[dict[str, Any]] = []
    for one in each(workspace, connection):
        text = one.convention
        if in_force(text, one.events, now).value == "no":
            continue
        answers = Answers(one, now)
        for entry in late(one, now, since=local_day(made, text.zone)):
            missed = entry.kind == "exchange"
            if missed and not answers.on(entry.id, local_day(now, text.zone)).allowed:
                continue  # nobody may send it: the gate says why
            found.append(
                {
                    "code": "exchange_overdue" if missed else "obligation_overdue",
                    "convention": text.id,
                    "exchange" if missed else "obligation": entry.id,
                    "period": entry.period,
                    "due": None if entry.due is None else entry.due.isoformat(),
                }
            )
    changed = not_approved(workspace, connection)
    return found + [{"code": approval.REASON, "convention": one} for one in changed]
