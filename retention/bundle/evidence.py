"""What the bundle of one convention says, read in one view of the workspace: ids, counts, dates, hashes, never a person's value."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select

from passerelle.access import inspect
from passerelle.access.searching import Search, query
from passerelle.clock import iso
from passerelle.convention import Convention, Event, calendar_entries, holds, show
from passerelle.convention.event import DATES, INSTANTS
from passerelle.handover.exposures import exposed_by
from passerelle.keys.ssh import fingerprint
from passerelle.receipt.recording import reconcile
from passerelle.store import attestations as attestation_store
from passerelle.store import backups, conventions, holdings, partners, purges, requests, runs
from passerelle.store.access_tables import access
from passerelle.store.holdings import Holding
from passerelle.store.tables import convention_event, delivery, receipt
from passerelle.trail import Checkpoint
from passerelle.trail.entry import is_of
from passerelle.workspace import Workspace
from passerelle.workspace.workspace import convention_files
from retention.attestations import standing
from retention.bundle.entries import Shown
from retention.plan import plan

FORMAT = "passerelle-bundle/1"
LONG_AGO = date(1900, 1, 1)  # no term began before: terms are numbered from the first
AFTER = timedelta(days=31)  # shown of the calendar after its last known date
# What an event may say in a bundle; any other field is named and left out, for it may hold free text.
FIELDS = DATES | INSTANTS | {
    "agreed_by", "amendment", "by", "dataset", "datasets", "exchange", "form", "id", "instrument", "kind", "minutes", "number",
    "obligation", "party", "period", "reading", "scope", "sets", "term", "within_working_days", "years", "months",
}  # fmt: skip
INCIDENTS = frozenset(
    {
        "run_failed", "run_interrupted", "delivery_abandoned", "verdicts_abandoned", "superseded", "partner_key_revoked",
        "quarantine_read",
    }
)  # fmt: skip
BREACHES = frozenset({"breach_known", "breach_notice"})  # events that are incidents
STEPS = ("intake", "judged", "checked")


@dataclass(frozen=True, slots=True)
class Options:
    """What a bundle has: ``names`` of those who work instead of agent-1, agent-2…; ``whole_trail``, so that nothing can be left out."""

    names: bool = False
    whole_trail: bool = True


@dataclass(slots=True)
class Agents:
    """Those who work, by name or by a number that holds within one bundle."""

    names: bool
    _known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """How somebody is called in this bundle."""
        known = self._known.setdefault(partners.person(name), f"agent-{len(self._known) + 1}")
        return name if self.names else known

    def is_one(self, name: str) -> bool:
        """Whether that is somebody's name."""
        return partners.person(name) in self._known


@dataclass(frozen=True, slots=True)
class Evidence:
    """The documents of one bundle, as JSON values; ``about`` is bundle.json, ``entries`` what the trail says, in order."""

    about: dict[str, Any]
    entries: Sequence[Shown]
    documents: Mapping[str, Any]


def gathered(
    workspace: Workspace,
    connection: Connection,
    convention_id: str,
    head: Checkpoint,
    entries: Sequence[Shown],
    *,
    options: Options,
) -> Evidence:
    """Everything on record about ``convention_id``, as far as ``head`` goes."""
    text, agents = workspace.convention(convention_id), Agents(names=options.names)
    history, now = workspace.history(connection, convention_id), workspace.now()
    sent = _deliveries(workspace, connection, text)
    documents: dict[str, Any] = {
        "convention": {
            **show(text, history, now),
            "lineage": [{"id": one, "sha256": sha256} for one, sha256 in text.lineage],
        },
        "record": _record(connection, convention_id, agents),
        "approvals": _approvals(connection, text, agents),
        "decisions": [_told(one) for one in entries if one.kind == "decision"],
        "deliveries": sent,
        "runs": _runs(connection, convention_id, entries),
        "keys": _keys(workspace, connection, text, agents),
        "incidents": {
            "entries": [_told(one) for one in entries if is_incident(one)],
            "exposures": [asdict(one) for one in exposed_by(workspace, connection, convention_id, history)],
        },
        "accesses": _accesses(workspace, connection, convention_id, agents),
        "destruction": _destruction(workspace, connection, text, history),
        "persons": _persons(connection, convention_id),
    }
    documents["calendar"] = _calendar(text, history, documents, entries)
    kinds = Counter(one.kind for one in entries)
    about = {
        "format": FORMAT,
        "convention": convention_id,
        "title": documents["convention"]["title"],
        "made_at": iso(now),
        "names": options.names,
        "whole_trail": options.whole_trail,
        "parties": sorted({party.id for party in text.parties} | {one["recipient"] for one in sent}),
        "trail": {"origin": head.origin, "root": base64.b64encode(head.root).decode(), "size": head.size},
        "kinds": dict(sorted(kinds.items())),
        "figures": _figures(documents, kinds, len(entries)),
        **({"rehearsal": True} if workspace.rehearsal else {}),
    }
    return Evidence(about, entries, documents)


def parties_of(connection: Connection, text: Convention) -> list[str]:
    """The parties that the text names, and whoever received something under it."""
    known = {one.recipient for one in runs.deliveries(connection, convention=text.id, state="delivered")}
    return sorted(known | {party.id for party in text.parties})


def pieces(workspace: Workspace, connection: Connection, convention_id: str) -> Iterator[tuple[str, bytes]]:
    """The signed or hashed files themselves, byte for byte: texts, manifests, receipts, certificates."""
    text, files = workspace.convention(convention_id), convention_files(workspace.home)
    for one in (text.id, *(one for one, _ in text.lineage)):
        yield f"evidence/conventions/{one}.yaml", files[one].read_bytes()
    for parcel, manifest in connection.execute(
        select(delivery.c.id, delivery.c.manifest).where(
            delivery.c.convention == text.id, delivery.c.state == "delivered"
        )
    ):
        if manifest:
            yield f"evidence/manifests/{parcel}.json", manifest
    yield from ((f"evidence/receipts/{sha256}.receipt", body) for sha256, body in _receipts(connection, text.id))
    for asked in attestation_store.requests(connection, convention=text.id):
        for came in attestation_store.attestations(connection, request=asked.id):
            yield f"evidence/attestations/{came.sha256}.attestation", came.body
    for done in purges.purges(connection, convention=text.id, state="done"):
        yield f"evidence/certificates/{done.id}.json", (done.certificate or "").encode()
        yield f"evidence/certificates/{done.id}.json.sig", (done.signature or "").encode()


def held_heads(connection: Connection, convention_id: str) -> set[str]:
    """The heads that recipients signed for, as they hold them."""
    return {json.loads(body.partition(b"\n")[0])["checkpoint"] for _, body in _receipts(connection, convention_id)}


def _receipts(connection: Connection, convention_id: str) -> list[tuple[str, bytes]]:
    query_ = select(receipt.c.sha256, receipt.c.body).join(delivery, delivery.c.id == receipt.c.parcel)
    rows = connection.execute(query_.where(delivery.c.convention == convention_id).order_by(receipt.c.sha256))
    return [(row.sha256, bytes(row.body)) for row in rows]


def is_incident(one: Shown) -> bool:
    """Whether an entry of the trail tells of something that went wrong."""
    return one.kind in INCIDENTS or (one.kind == "event_recorded" and one.body["event"] in BREACHES)


def _told(one: Shown) -> dict[str, Any]:
    return {"index": one.index, "at": one.at, "kind": one.kind, **one.body}


def _record(connection: Connection, convention_id: str, agents: Agents) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(convention_event).where(convention_event.c.convention == convention_id).order_by(convention_event.c.id)
    )
    found = []
    for row in rows:
        payload = json.loads(row.payload)
        shown = {name: value for name, value in payload.items() if name in FIELDS and _harmless(value)}
        found.append(
            {
                "id": f"e-{row.id}", "type": row.type, "payload": shown, "withheld": sorted(payload.keys() - shown.keys()),
                "evidence_sha256": row.evidence_sha256, "recorded_by": agents.of(row.recorded_by), "recorded_at": row.recorded_at,
            }
        )  # fmt: skip
    return found


def _harmless(value: Any) -> bool:
    """Whether a value of an event can hold no person: what a trail entry would take."""
    if isinstance(value, list):
        return all(_harmless(one) for one in value)
    return isinstance(value, bool) or any(is_of(name, value) for name in ("word", "moment", "period", "count"))


def _approvals(connection: Connection, text: Convention, agents: Agents) -> dict[str, Any]:
    known = conventions.accepted(connection, text.id)
    return {
        "sha256": text.sha256,
        "accepted": known is None or known == text.sha256,
        "accepted_sha256": known,
        "approvals": [agents.of(one) for one in conventions.approvals(connection, text.id, text.sha256)],
    }


def _deliveries(workspace: Workspace, connection: Connection, text: Convention) -> list[dict[str, Any]]:
    receipted = {one.parcel: one for one in reconcile(workspace, connection) if one.convention == text.id}
    found = []
    for one in runs.deliveries(connection, convention=text.id, state="delivered"):
        of, exchange = receipted[one.id], text.exchange(one.exchange)
        found.append(
            {
                "parcel": one.id, "run": one.run, "exchange": one.exchange, "period": one.period, "recipient": one.recipient,
                "sequence": one.sequence, "rows": one.rows, "article": None if exchange is None else exchange.article,
                "basis": None if exchange is None else exchange.basis, "delivered_at": one.delivered_at, "entry": one.entry,
                "manifest_sha256": one.manifest_sha256,
                "manifest": f"evidence/manifests/{one.id}.json" if one.manifest else None,
                "opened_at": of.opened_at, "receipted_at": of.receipted_at, "late": of.late,
                "superseded_by": of.superseded_by, "resent_as": of.resent_as,
            }
        )  # fmt: skip
    return found


def _runs(connection: Connection, convention_id: str, entries: Iterable[Shown]) -> list[dict[str, Any]]:
    steps: dict[str, dict[str, Any]] = {}
    for one in entries:
        if one.kind in STEPS:
            told = {name: value for name, value in one.body.items() if name not in {"run", "convention", "commitment"}}
            steps.setdefault(one.body["run"], {})[one.kind] = told
    return [
        {
            "run": one.id, "exchange": one.exchange, "period": one.period, "sender": one.sender, "contract": one.contract,
            "state": one.state, "reason": one.reason, "started_at": one.started_at, "ended_at": one.ended_at,
            **{name: steps.get(one.id, {}).get(name) for name in STEPS},
        }
        for one in runs.runs(connection, convention=convention_id)
    ]  # fmt: skip


def _keys(workspace: Workspace, connection: Connection, text: Convention, agents: Agents) -> dict[str, Any]:
    found = [
                {
                    "party": party, "fingerprint": key.fingerprint, "kind": key.kind, "public": key.recipient,
                    "state": key.state_at(workspace.now()), "enrolled_at": key.enrolled_at, "not_before": key.not_before,
                    "not_after": key.not_after, "revoked_at": key.revoked_at, "enrolled_by": agents.of(key.enrolled_by),
                    "approvals": [agents.of(one) for one in key.approvals],
                }
        for party in parties_of(connection, text)
        for key in partners.keys(connection, party)
    ]  # fmt: skip
    signers = [
        {"fingerprint": fingerprint(one.key), "until": None if one.before is None else iso(one.before)}
        for one in workspace.keys.signers
    ]
    return {
        "partners": found,
        "gateway": signers,
        "trail": workspace.ledger.verifier_key,
        "destroyed": text.id in workspace.keys.destroyed(),
    }


def _accesses(workspace: Workspace, connection: Connection, convention_id: str, agents: Agents) -> dict[str, Any]:
    parcels = select(delivery.c.id).where(delivery.c.convention == convention_id)
    own = (access.c.convention == convention_id) | (access.c.convention.is_(None) & access.c.delivery.in_(parcels))
    lines = []
    for row in connection.execute(query(Search()).where(own).order_by(access.c.at, access.c.id)):
        one = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public spelling
        one["actor"] = agents.of(one["actor"])
        if not agents.names:
            del one["reason"]
            one["subject"] = (
                one["subject"]
                if one["subject"] in {convention_id, one["delivery"], one["run"], one["partner"]}
                else None
            )
        lines.append(one)
    report = inspect(connection, workspace.ledger, workspace.now())
    return {"lines": lines, "findings": len(report.findings), "sealed": report.lines, "open": report.open}


def _destruction(
    workspace: Workspace, connection: Connection, text: Convention, history: tuple[Event, ...]
) -> dict[str, Any]:
    convention_id = text.id
    register = holdings.all_of(connection, convention_id)
    return {
        "plan": plan(workspace, connection, convention_id).as_json(),
        "purges": [
            {"purge": one.id, "state": one.state, "planned_at": one.planned_at, "ended_at": one.ended_at}
            for one in purges.purges(connection, convention=convention_id)
        ],
        "certificates": [
            json.loads(one.certificate or "{}")
            for one in purges.purges(connection, convention=convention_id, state="done")
        ],
        "holdings": _counted(register),
        "attestations": [one.as_json() for one in standing(workspace, connection, convention=text.id)],
        "holds": [_hold(one) for one in holds.all_of(history, text.zone)],
        "backups": [
            {"id": one.id, "covers": list(one.covers), "taken_at": one.taken_at, "expires_on": one.expires_on, "destroyed_at": one.destroyed_at}
            for one in backups.backups(connection)
        ],
    }  # fmt: skip


def _hold(one: holds.Hold) -> dict[str, Any]:
    """A hold: what it names; of persons only how many."""
    lifted = (
        one.lifted(None)
        if not one.scope
        else max((one.lifted(name) or date.max for name in one.scope), default=date.max)
    )
    return {
        "id": one.id, "kind": one.kind, "since": None if one.since == date.min else one.since.isoformat(), "scope": sorted(one.scope),
        "period": one.period, "persons": len(one.persons), "lifted_on": None if lifted in {None, date.max} else lifted.isoformat(),
    }  # fmt: skip


def _persons(connection: Connection, convention_id: str) -> dict[str, Any]:
    """Requests of persons and notices to recipients: numbers, days and answers."""
    asked = requests.person_request
    told = requests.recipient_notice
    return {
        "requests": _rows(
            connection, asked, convention_id, ("id", "right", "received_on", "due", "answered_at", "answer")
        ),
        "notices": _rows(
            connection,
            told,
            convention_id,
            ("id", "ground", "delivery", "recipient", "made_at", "answered_at", "answer"),
        ),
    }


def _rows(connection: Connection, table: Table, convention_id: str, names: Sequence[str]) -> list[dict[str, Any]]:
    query_ = select(*(table.c[name] for name in names)).where(table.c.convention == convention_id).order_by(table.c.id)
    return [dict(row._mapping) for row in connection.execute(query_)]  # noqa: SLF001 - SQLAlchemy's public spelling


def _counted(register: Sequence[Holding]) -> list[dict[str, Any]]:
    groups = sorted({(one.kind, one.ours) for one in register})
    found = []
    for kind, ours in groups:
        of = [one for one in register if (one.kind, one.ours) == (kind, ours)]
        gone = [one.destroyed_at for one in of if one.destroyed_at]
        left = len(of) - len(gone)
        found.append({"kind": kind, "ours": ours, "made": len(of), "destroyed": len(gone), "present": left, "last_destroyed_at": max(gone, default=None)})  # fmt: skip
    return found


def _calendar(text: Convention, history: Any, documents: Mapping[str, Any], entries: Sequence[Shown]) -> dict[str, Any]:
    """From the first known day to the last, with what happens on each; the picture is drawn of it."""
    known = [one["value"] for one in documents["convention"]["dates"].values() if isinstance(one["value"], str)]
    done = [one.at for one in entries if one.kind not in {"workspace_created", "convention_loaded"}]
    days = [date.fromisoformat(one[:10]) for one in [*known, *done, documents["convention"]["as_of"]]]
    first, last = min(days), max(days) + AFTER
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "entries": calendar_entries(text, history, LONG_AGO, last),
    }


def _figures(documents: Mapping[str, Any], kinds: Mapping[str, int], entries: int) -> dict[str, int]:
    sent = documents["deliveries"]
    return {
        "entries": entries,
        "deliveries": kinds.get("delivered", 0),
        "rows": sum(one["rows"] for one in sent),
        "recipients": len({one["recipient"] for one in sent}),
        "refusals": sum(one["outcome"] == "block" for one in documents["decisions"]),
        "receipts": sum(one["receipted_at"] is not None for one in sent),
        "runs": len(documents["runs"]),
        "certificates": len(documents["destruction"]["certificates"]),
    }
