"""Partners' attestations of destruction: asked, recalled, escalated; what came of each request. No partner's copy is called gone.

A parcel whose destruction its party attested, in answer to whichever request, is owed in none any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.convention.dates import local_day
from passerelle.errors import PasserelleError, RefusedError
from passerelle.receipt.attestation import (
    Asked,
    Cause,
    Request,
    read_attestation,
    read_request,
)
from passerelle.store import attestations as store
from passerelle.store import links, runs
from passerelle.store.purges import Purge
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace
from retention.asking import ASKED, ESCALATED, STAGES, dpo_of, put_notice

DUE_DAYS = 30  # to attest, counted from the request; no convention states a time: a rule of the hub
REMINDERS = {15: STAGES[1], 30: STAGES[2]}  # by days since the request
ESCALATION_DAYS = 45


@dataclass(frozen=True, slots=True)
class Standing:
    """One request and what came of it; ``state`` is requested, reminded, escalated, partial or received.

    ``dpo`` is the route to the party's data protection officer that the convention states, or ``not_stated``.
    ``unwritten`` are notices that its folder did not take yet.
    """

    request: str
    convention: str
    party: str
    cause: str
    asked_at: str
    due: str
    state: str
    overdue: bool
    parcels: int
    attested: int
    missing: tuple[str, ...]
    reminders: tuple[str, ...]
    escalated_at: str | None
    dpo: str
    attested_at: str | None
    unwritten: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def request(
    workspace: Workspace,
    convention: str,
    *,
    party: str | None = None,
    cause: Cause = "asked",
    cause_id: str | None = None,
) -> list[Standing]:
    """Ask the recipients of a convention (or one of them) to attest what they were delivered and did not attest yet.

    Each is asked once for the same parcels and cause; asked again, the request that there is stands.

    Raises:
        UsageError: an unknown convention.
        RefusedError: nothing was delivered to be attested.
    """
    workspace.convention(convention)
    with workspace.database.begin() as connection:
        wanted = {one.recipient for one in runs.deliveries(connection, convention=convention, state="delivered")}
        chosen = sorted(wanted if party is None else wanted & {party})
        made = [_ask(workspace, connection, convention, one, cause, cause_id) for one in chosen]
        known = standing(workspace, connection, convention=convention)
    ids = {one for one in made if one is not None}
    found = [one for one in known if one.request in ids or (one.party in chosen and one.state != "received")]
    if not found:
        raise RefusedError(
            "there is nothing to attest: no parcel was delivered, or every one is attested",
            hint="passerelle attestation list shows the requests, receipt list the deliveries",
            fr="il n'y a rien à attester : aucun colis n'a été remis, ou tous sont attestés",
            hint_fr="passerelle attestation list montre les demandes, receipt list les remises",
        )
    write_notices(workspace)
    with workspace.database.read() as connection:
        fresh = {one.request: one for one in standing(workspace, connection, convention=convention)}
    return [fresh[one.request] for one in found]


def ask_for_purge(
    workspace: Workspace, connection: Connection, purge: Purge, runs_gone: frozenset[str] | None
) -> list[str]:
    """Ask the recipients of what a purge destroys, before anything goes, in the caller's transaction; the requests made.

    ``runs_gone`` are those of a partial purge; None is all of them. What an earlier request of a purge names is not asked again.
    """
    asked = {
        one.parcel
        for row in store.requests(connection, convention=purge.convention, cause="purge")
        for one in read_request(row.line).parcels
    }
    wanted: dict[str, list[str]] = {}
    for one in runs.deliveries(connection, convention=purge.convention, state="delivered"):
        if one.id not in asked and (runs_gone is None or one.run in runs_gone):
            wanted.setdefault(one.recipient, []).append(one.id)
    made = [
        _ask(workspace, connection, purge.convention, party, "purge", None, only=wanted[party])
        for party in sorted(wanted)
    ]
    return [one for one in made if one is not None]


def follow_up(workspace: Workspace) -> list[str]:
    """Ask what superseded parcels call for, recall what is not answered, escalate; the ids that were acted on.

    Once more changes nothing: each notice is made once.
    """
    with workspace.database.begin() as connection:
        acted = _ask_after_superseding(workspace, connection) + _recall(workspace, connection)
    write_notices(workspace)
    return sorted(set(acted))


def write_notices(workspace: Workspace) -> int:
    """Put what is not yet in its party's folder there; how many could not be written."""
    with workspace.database.read() as connection:
        waiting = [one for one in store.notices(connection) if one.told_at is None]
        rows = {row.id: row for row in store.requests(connection)}
        seen = {one.request: one for one in standing(workspace, connection)} if waiting else {}
    failed = 0
    for one in waiting:
        try:
            put_notice(workspace, rows[one.request], one, seen[one.request].missing, seen[one.request].dpo)
        except PasserelleError:
            failed += 1
            continue
        with workspace.database.begin() as connection:
            store.told(connection, one.request, one.stage, at=workspace.now())
    return failed


def standing(workspace: Workspace, connection: Connection, **where: str) -> list[Standing]:
    """Every request whose columns equal ``where`` and what came of it, oldest first."""
    told: dict[str, list[store.NoticeRow]] = {}
    for notice in store.notices(connection):
        told.setdefault(notice.request, []).append(notice)
    came: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for one in store.attestations(connection):
        destroyed = frozenset(each.parcel for each in read_attestation(one.body).destroyed)
        came.setdefault(one.party, []).append((one.signed_at, destroyed))
    return [
        _standing(workspace, row, told.get(row.id, []), came.get(row.party, []))
        for row in store.requests(connection, **where)
    ]


def overdue(workspace: Workspace, connection: Connection) -> list[Standing]:
    """The requests past their day that were not answered in full."""
    return [one for one in standing(workspace, connection) if one.overdue]


def _standing(
    workspace: Workspace,
    row: store.RequestRow,
    told: Sequence[store.NoticeRow],
    came: Sequence[tuple[str, frozenset[str]]],
) -> Standing:
    """``came`` has, of each attestation of the party, when it was signed and the parcels that it says are destroyed."""
    asked = {one.parcel for one in read_request(row.line).parcels}
    attested = asked & frozenset[str]().union(*(parcels for _, parcels in came))
    stages = {one.stage: one.made_at for one in told}
    missing = tuple(sorted(asked - attested))
    state = "escalated" if ESCALATED in stages else "reminded" if len(stages) > 1 else "requested"
    if attested:
        state = "partial" if missing else "received"
    return Standing(
        request=row.id,
        convention=row.convention,
        party=row.party,
        cause=row.cause,
        asked_at=row.asked_at,
        due=row.due,
        state=state,
        overdue=bool(missing) and _today(workspace, row.convention).isoformat() > row.due,
        parcels=len(asked),
        attested=len(attested),
        missing=missing,
        reminders=tuple(stages[stage] for stage in STAGES[1:3] if stage in stages),
        escalated_at=stages.get(ESCALATED),
        dpo=dpo_of(workspace, row.convention, row.party),
        attested_at=max((signed for signed, parcels in came if parcels & asked), default=None),
        unwritten=tuple(one.stage for one in told if one.told_at is None),
    )


def _today(workspace: Workspace, convention: str) -> date:
    return local_day(workspace.now(), workspace.convention(convention).zone)


def _ask_after_superseding(workspace: Workspace, connection: Connection) -> list[str]:
    closed: dict[str, list[str]] = {}
    for link in links.links(connection, kind="supersedes"):
        if link.closed_at is not None:
            closed.setdefault(link.later, []).append(link.earlier)
    made = []
    for later, earlier in closed.items():
        (one,) = runs.deliveries(connection, id=later)
        made.append(_ask(workspace, connection, one.convention, one.recipient, "superseded", later, only=earlier))
    return [one for one in made if one is not None]


def _ask(  # noqa: PLR0917 -- one question: of whom, what, why
    workspace: Workspace,
    connection: Connection,
    convention: str,
    party: str,
    cause: Cause,
    cause_id: str | None,
    only: Iterable[str] | None = None,
) -> str | None:
    """Keep a request and its notice; None when it was made before, or nothing is left to attest."""
    left = _not_attested(connection, convention, party, only)
    if not left:
        return None
    named = cause_id or hashlib.sha256(canonical([one.id for one in left])).hexdigest()[:16]
    if store.requests(connection, convention=convention, party=party, cause=cause, cause_id=named):
        return None
    now = workspace.now()
    due = local_day(now, workspace.convention(convention).zone) + timedelta(days=DUE_DAYS)
    said = Request(
        asked_at=iso(now),
        cause=cause,
        convention=convention,
        due=due.isoformat(),
        parcels=tuple(_asked(workspace, one) for one in left),
        party=party,
        request="ar-" + hashlib.sha256(canonical([convention, party, cause, named])).hexdigest()[:16],
        version=1,
    )
    row = store.RequestRow(said.request, convention, party, cause, named, said.asked_at, said.due, said.line())
    store.ask(connection, row)
    store.tell(connection, row.id, ASKED, at=now)
    body = {
        "request": row.id, "convention": convention, "party": party, "cause": cause, "parcels": len(left), "due": said.due,
        "request_sha256": said.sha256,
    }  # fmt: skip
    workspace.append(connection, "attestation_requested", body)
    return row.id


def _not_attested(connection: Connection, convention: str, party: str, only: Iterable[str] | None) -> list[Delivery]:
    delivered = runs.deliveries(connection, convention=convention, recipient=party, state="delivered")
    attested = {
        one.parcel
        for row in store.attestations(connection, party=party)
        for one in read_attestation(row.body).destroyed
    }
    chosen = None if only is None else set(only)
    left = [one for one in delivered if one.id not in attested and (chosen is None or one.id in chosen)]
    return sorted(left, key=lambda one: one.id)


def _asked(workspace: Workspace, one: Delivery) -> Asked:
    exchange = workspace.convention(one.convention).exchange(one.exchange)
    return Asked(
        article=exchange.article if exchange is not None and exchange.article else None,
        delivered_at=one.delivered_at or one.intent_at,
        exchange=one.exchange,
        manifest_sha256=one.manifest_sha256,
        parcel=one.id,
        period=one.period,
        sequence=one.sequence,
    )


def _recall(workspace: Workspace, connection: Connection) -> list[str]:
    """Make the notice that is due of each request that is not answered in full: the latest stage, once."""
    told: dict[str, set[str]] = {}
    for notice in store.notices(connection):
        told.setdefault(notice.request, set()).add(notice.stage)
    made = []
    for one in standing(workspace, connection):
        stage = _stage(workspace, one)
        if not one.missing or stage is None or stage in told[one.request]:
            continue
        store.tell(connection, one.request, stage, at=workspace.now())
        body = {
            "request": one.request,
            "convention": one.convention,
            "party": one.party,
            "stage": stage,
            "missing": len(one.missing),
        }
        workspace.append(connection, "attestation_recalled", body)
        made.append(one.request)
    return made


def _stage(workspace: Workspace, one: Standing) -> str | None:
    """The last stage whose day has come; days are those of the convention's calendar, the day of asking excluded (D13b)."""
    zone = workspace.convention(one.convention).zone
    passed = (_today(workspace, one.convention) - local_day(datetime.fromisoformat(one.asked_at), zone)).days
    stages = {**REMINDERS, ESCALATION_DAYS: ESCALATED}
    return stages.get(max((day for day in stages if day <= passed), default=-1))
