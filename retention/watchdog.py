"""What should have happened and did not. It reads the record and depends on no job: a purge that died, a lock that is held,
a scheduler that stopped change nothing to it. Each check stands alone: one that fails is an alert, and the others go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from passerelle.access import alerting, seal
from passerelle.canonical import canonical
from passerelle.clock import SystemClock, iso
from passerelle.errors import PasserelleError, UsageError
from passerelle.store import alerts, partners, planned, purges, runs
from passerelle.store.alerts import Alert
from passerelle.workspace import Workspace
from retention import attestations, backups, clock, quarantine, suspending
from retention.plan import plans
from retention.webhook import Webhook

KEY_WARNING = timedelta(days=30)  # before a partner is left without a key; these five are rules of the hub
DISPUTE_WARNING = timedelta(days=30)  # before the earliest reading of a disputed deadline
PLAN_AGE = timedelta(hours=26)  # the daily plan, and two hours
PURGE_AGE = timedelta(hours=24)  # from its beginning to its certificate
HELD = frozenset({"litigation", "legal_obligation"})
VOLATILE = frozenset({"count", "days", "since"})  # members of an alert that change while it is the same alert
UNSENT = "webhook_failed"

Finding = dict[str, Any]
Check = Callable[[Workspace, Connection], Iterable[Finding]]


def watch(workspace: Workspace, *more: tuple[str, Check], webhook: Webhook | None = None) -> list[Alert]:
    """Look, keep what was seen in the register, send what changed, and give the alerts that stand.

        1. Do what only needs doing regularly: sign the trail's head, seal the access log, follow up attestations.
        2. Look at everything; ``more`` are checks of the floors above, by name.
        3. Keep what was seen: raised, still standing, cleared.
        4. Send each change once.

    Where the database takes no writing, what was found is given and sent all the same.
    """
    found = _regular(workspace)
    for name, check in (*CHECKS, *more):
        found += _checked(workspace, name, check)
    try:
        with workspace.database.begin() as connection:
            _register(connection, found, workspace.now())
    except PasserelleError:
        return _unregistered(workspace, found, webhook)
    if webhook is not None:
        _send(workspace, webhook)
    with workspace.database.read() as connection:
        return alerts.alerts(connection, standing=True)


def acknowledge(workspace: Workspace, alert_id: str, *, by: str, reason: str) -> Alert:
    """Note who took note of an alert that stands, and why; told in the trail without the name.

    Raises:
        UsageError: no alert of that id stands, or the name or the reason is missing.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("expected a name and a reason", fr="il faut un nom et un motif")
    with workspace.database.begin() as connection:
        known = {one.id: one for one in alerts.alerts(connection, standing=True)}
        if alert_id not in known:
            raise UsageError(
                "no alert of that id stands",
                hint="passerelle watchdog shows the alerts",
                fr="aucune alerte de ce numéro n'est en cours",
                hint_fr="passerelle watchdog montre les alertes",
            )
        alerts.acknowledge(connection, alert_id, by=by.strip(), reason=reason.strip(), at=workspace.now())
        one = known[alert_id]
        body = {"alert": one.id, "code": one.code, "convention": one.about.get("convention")}
        workspace.append(connection, "alert_acknowledged", body)
        return next(each for each in alerts.alerts(connection, standing=True) if each.id == alert_id)


def alert_id(finding: Mapping[str, Any]) -> str:
    """The id of what was found: the same each time that it is seen."""
    kept = {name: value for name, value in finding.items() if name not in VOLATILE and value is not None}
    return "al-" + hashlib.sha256(canonical(kept)).hexdigest()[:16]


def body_of(origin: str, at: datetime, changed: Iterable[Alert]) -> bytes:
    """What the webhook is sent: ids, codes and dates."""
    told = [
        {"id": one.id, "code": one.code, "change": one.change, "first_seen": one.first_seen, "about": dict(one.about)}
        for one in changed
    ]
    return canonical({"format": "passerelle-alerts/1", "gateway": origin, "at": iso(at), "alerts": told})


def cannot_open(webhook: Webhook, error: PasserelleError) -> None:
    """Send that the workspace cannot even be opened: without its key, and each time."""
    at = SystemClock().now()  # no workspace, no clock of its own
    finding = {"code": "workspace_unreadable", "error": type(error).__name__}
    one = Alert(alert_id(finding), finding["code"], {"error": finding["error"]}, iso(at), iso(at))
    webhook.send(body_of("unknown", at, [one]), None)


def _regular(workspace: Workspace) -> list[Finding]:
    """What the watchdog does besides looking; what cannot be done is an alert, and ends it.

    A clock that is not right is given nothing to write into the trail: once set right, it would be behind.
    """
    now = workspace.now()
    try:
        with workspace.database.begin() as connection:
            if clock.note(workspace, connection).state != "right":
                return []
            seal(connection, workspace.ledger, now)
            workspace.sign_when_due(connection)  # no head vouches for what stands unsigned for too long
        attestations.follow_up(workspace)
    except PasserelleError as error:
        return [_failed("writing", error)]
    return []


def _failed(check: str, error: PasserelleError) -> Finding:
    return {"code": "check_failed", "check": check, "error": type(error).__name__}


def _checked(workspace: Workspace, name: str, check: Check) -> list[Finding]:
    try:
        with workspace.database.read() as connection:
            return list(check(workspace, connection))
    except PasserelleError as error:
        return [_failed(name, error)]


def _register(connection: Connection, found: Iterable[Finding], now: datetime) -> None:
    seen = set()
    for one in found:
        name = alert_id(one)
        seen.add(name)
        about = {key: value for key, value in one.items() if key != "code" and value is not None}
        alerts.see(connection, name, one["code"], about, at=now)
    unsent = {one.id for one in alerts.alerts(connection, standing=True) if one.code == UNSENT}
    alerts.clear(connection, seen | unsent, at=now)


def _unregistered(workspace: Workspace, found: Iterable[Finding], webhook: Webhook | None) -> list[Alert]:
    """The alerts of a register that cannot be written: each is sent each time."""
    at = iso(workspace.now())
    made = {
        alert_id(one): Alert(alert_id(one), one["code"], {k: v for k, v in one.items() if k != "code"}, at, at)
        for one in found
    }
    if webhook is not None and made:
        webhook.send(body_of(workspace.origin, workspace.now(), made.values()), workspace.keys.signing_key)
    return list(made.values())


def _send(workspace: Workspace, webhook: Webhook) -> None:
    """Send what changed since it was last sent; what is not taken is sent by the next watch."""
    with workspace.database.read() as connection:
        changed = [one for one in alerts.unsent(connection) if one.code != UNSENT]
    if not changed:
        return
    taken = webhook.send(body_of(workspace.origin, workspace.now(), changed), workspace.keys.signing_key)
    with workspace.database.begin() as connection:
        failure = {"code": UNSENT}
        if taken:
            alerts.sent(connection, {one.id: one.change for one in changed})
            standing = {one.id for one in alerts.alerts(connection, standing=True)}
            alerts.clear(connection, standing - {alert_id(failure)}, at=workspace.now())
        else:
            alerts.see(connection, alert_id(failure), UNSENT, {}, at=workspace.now())


def _purges(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    """Certificates that are missing, and disputed deadlines that come near: nobody may destroy on those (D18)."""
    for plan in plans(workspace, connection):
        end = plan.end.value if plan.end.status == "disputed" else None
        if isinstance(end, date) and end - DISPUTE_WARNING <= plan.now:
            yield {"code": "deadline_disputed", "convention": plan.convention, "due": end.isoformat()}
        if plan.overdue and plan.deadline.status != "disputed" and plan.reason not in HELD:
            yield {"code": "purge_overdue", "convention": plan.convention, "due": plan.due}


def _unended(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    """Purges and runs that were begun and not ended."""
    limit = iso(workspace.now() - PURGE_AGE)
    for purge in purges.purges(connection):
        if purge.state != "done" and purge.planned_at < limit:
            yield {"code": "purge_not_ended", "convention": purge.convention, "purge": purge.id, "state": purge.state}
    for run in runs.runs(connection, state="running"):
        yield {"code": "run_not_ended", "convention": run.convention, "run": run.id}


def _keys(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    for key in partners.expiring(connection, workspace.now(), KEY_WARNING):
        yield {"code": "partner_key_expiring", "recipient": key.partner, "due": key.not_after}


def _quarantines(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    for one in quarantine.overdue(workspace, connection):
        yield {"code": "quarantine_overdue", "convention": one.copy.convention, "run": one.copy.run}


def _attestations(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    for one in attestations.standing(workspace, connection):
        about = {"convention": one.convention, "party": one.party, "request": one.request}
        if one.overdue:
            yield {"code": "attestation_overdue", **about, "due": one.due}
        if one.unwritten:
            yield {"code": "notice_not_written", **about}


def _holds(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    for one in suspending.overdue(workspace, connection):
        due = None if one.review is None else one.review.isoformat()
        yield {"code": "hold_review_overdue", "convention": one.convention, "hold": one.id, "due": due}


def _clock(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    found = clock.read(workspace, connection)
    if found.state != "right":
        yield {"code": f"clock_{found.state}", "since": found.since, "days": found.days}


def _scheduler(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    """No daily plan for more than a day, counted from the making of the gateway where there never was one."""
    last = planned.through(connection)
    if last is None:
        last = datetime.fromisoformat(next(workspace.ledger.entries(connection, 0, 1)).entry.at)
    if last < workspace.now() - PLAN_AGE:
        yield {"code": "scheduler_stopped", "since": iso(last)}


def _accesses(workspace: Workspace, connection: Connection) -> Iterable[Finding]:
    """What in the last hour of the access log is not as usual: codes and counts, for it names people who work."""
    now = workspace.now()
    fresh = iso(now - alerting.FRESH)
    for one in alerting.alerts(connection, now):
        if one.last >= fresh:
            yield {"code": f"access_{one.code}", "count": one.count}


def _texts(workspace: Workspace, _connection: Connection) -> Iterable[Finding]:
    for convention in workspace.convention_ids():
        try:
            workspace.convention(convention)
        except PasserelleError:
            yield {"code": "convention_unreadable", "convention": convention}


CHECKS: tuple[tuple[str, Check], ...] = (
    ("clock", _clock),
    ("scheduler", _scheduler),
    ("purges", _purges),
    ("unended", _unended),
    ("holds", _holds),
    ("attestations", _attestations),
    ("backups", backups.alerts),
    ("keys", _keys),
    ("quarantines", _quarantines),
    ("conventions", _texts),
    ("accesses", _accesses),
)
