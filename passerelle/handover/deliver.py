"""Step 7: decide again, write the intent, deliver, write the outcome. No trace, no transfer.

A delivery exists for the gateway from the commit of its intent, which holds the gate's second decision; the parcel leaves
only with an intent behind it, and the outcome is written after. Killed anywhere in between, ``recover`` goes on from here.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.convention import Decision, destruction_deadline
from passerelle.errors import RefusedError
from passerelle.handover import earlier, published
from passerelle.handover.decide import ask, insist, stale_keys
from passerelle.handover.folders import folder_of, put_in_folder
from passerelle.handover.job import Job, lasting, staged_at
from passerelle.handover.order import Delivered
from passerelle.handover.outgoing import Outgoing
from passerelle.parcel import (
    Bilingual,
    Counts,
    DecisionNote,
    DestroyBy,
    Dialect,
    Facts,
    Sealer,
    Source,
    Trail,
    build_manifest,
    notice_hashes,
    notices,
    sign,
)
from passerelle.store import holdings, runs
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace


def deliver(job: Job, outgoing: Outgoing) -> Delivered:
    """Hand one sealed parcel over.

    Raises:
        GateRefusedError: the convention does not allow it any more; the refusal is recorded, nothing leaves.
        RefusedError: a key that it is sealed to was revoked, or ran out, since it was sealed.
    """
    workspace = job.workspace
    with workspace.database.begin() as connection:
        decision = ask(
            workspace,
            connection,
            job.exchange.id,
            convention=job.order.convention,
            period=job.order.period,
            parties=(job.parties.sender, (outgoing.recipient,)),
            stage="delivery",
        )
        sealed_to = outgoing.sealer.sealed.locks[-1].fingerprints if outgoing.sealer.sealed else ()
        stale = stale_keys(connection, outgoing.recipient, sealed_to, workspace.now())
        if decision.outcome != "block" and stale is None:
            _intend(job, outgoing, decision, connection)
    insist(decision)
    if stale is not None:
        raise stale
    return complete(workspace, outgoing.parcel, outgoing.sealer)


def _intend(job: Job, outgoing: Outgoing, decision: Decision, connection: Connection) -> None:
    workspace, order = job.workspace, job.order
    sequence = runs.next_sequence(connection, order.convention, order.exchange, outgoing.recipient)
    facts = _facts(job, outgoing, decision, sequence, connection)
    assert outgoing.sealer.sealed is not None  # noqa: S101 - sealed before the intent
    texts = notices(facts, outgoing.sealer.sealed)
    manifest = build_manifest(facts, outgoing.sealer.sealed, notice_hashes(texts))
    digest = hashlib.sha256(manifest).hexdigest()
    body: dict[str, Any] = {
        "delivery": outgoing.parcel,
        "parcel": outgoing.parcel,
        "manifest_sha256": digest,
        "recipient": outgoing.recipient,
        "sequence": sequence,
        "counts": job.counts,
        "run": job.run,
        "convention": order.convention,
        "exchange": order.exchange,
        "period": order.period,
        "article": decision.article,
        "destroy_by": facts.destroy_by.date,
        "locks": 2 if job.personal else 1,
        "resends": order.resends,
        "copies": lasting(holdings.present(connection, run=job.run)),
    }
    entry = workspace.append(connection, "delivery_intent", body)
    workspace.ledger.checkpoint(connection, workspace.now())
    intent = Delivery(
        id=outgoing.parcel, run=job.run, convention=order.convention, exchange=order.exchange, period=order.period,
        recipient=outgoing.recipient, sequence=sequence, state="intent", decision=decision.outcome, manifest=manifest,
        notices=json.dumps({name: text.decode() for name, text in texts.items()}), manifest_sha256=digest, entry=entry, rows=facts.counts.extracted, location=None,
        intent_at=iso(workspace.now()), delivered_at=None,
    )  # fmt: skip
    runs.intend(connection, intent)
    published.keep(connection, job, outgoing.recipient, outgoing.parcel)
    earlier.note(job, connection, outgoing.parcel, outgoing.recipient)


def _facts(job: Job, outgoing: Outgoing, decision: Decision, sequence: int, connection: Connection) -> Facts:
    text, exchange, order = job.convention, job.exchange, job.order
    history = job.workspace.history(connection, order.convention)
    deadline = destruction_deadline(text, history, job.workspace.now())
    names = {party.id: party.name for party in text.parties} | {one.id: one.name for one in text.third_parties}
    title = exchange.title
    return Facts(
        parcel=outgoing.parcel,
        created=outgoing.created,
        title=Bilingual(fr=title.fr, en=title.en),
        sources=[Source(title=_attribution(exchange.attribution, names.get(job.parties.sender, job.parties.sender)))],
        columns=outgoing.columns,
        convention=order.convention,
        convention_sha256=decision.convention_sha256,
        exchange=order.exchange,
        article=decision.article or exchange.article or "–",
        purpose=Bilingual(fr=(exchange.purpose or title).fr, en=(exchange.purpose or title).en),
        period=order.period,
        contract=job.tools.contract.id.replace("_", "-"),
        contract_version=job.tools.contract.version,
        sender=job.parties.sender,
        recipient=outgoing.recipient,
        sequence=sequence,
        counts=Counts(
            **{
                name: job.counts[name]
                for name in ("read", "accepted", "rejected", "extracted", "left_out")
                if name in job.counts
            }
        ),
        decision=DecisionNote(
            outcome="allow_with_warning" if decision.warning else "allow",
            reason=decision.reason,
            warning=decision.warning,
        ),
        destroy_by=DestroyBy(
            date=deadline.value.isoformat() if isinstance(deadline.value, date) else None,
            basis=deadline.basis,
            article=deadline.article,
            arithmetic=Bilingual(fr=deadline.arithmetic.fr or "–", en=deadline.arithmetic.en or "–"),
        ),
        spreadsheet_formulas=bool(outgoing.formulas),
        formulas=outgoing.formulas,
        free_text=job.free_text,
        trail=Trail(origin=job.workspace.origin),
        rehearsal=job.workspace.rehearsal,
        resends=earlier.resends(order),
        supersedes=earlier.supersedes(job, outgoing.recipient),
        dialect=Dialect(delimiter=",", lineTerminator="\r\n", quoteChar='"', doubleQuote=True, header=True),
    )


def _attribution(attribution: Any, sender: str) -> str:
    return f"{sender} — {attribution.fr}" if attribution is not None else sender


def complete(workspace: Workspace, parcel: str, sealer: Sealer) -> Delivered:
    """Finish a parcel whose intent is in the trail, put it in the recipient's folder, and write the outcome.

    Raises:
        RefusedError: no intent that the gate allowed is on record for this parcel: there is no other way out.
    """
    with workspace.database.read() as connection:
        found = runs.deliveries(connection, id=parcel, state="intent")
        if not found or found[0].decision not in {"allow", "allow_with_warning"}:
            raise RefusedError("no decision allows this delivery", hint="passerelle exchange run asks the gate")
        intent = found[0]
        proof = workspace.ledger.prove(connection, intent.entry)
    signature = sign(intent.manifest, workspace.keys.signing_key)
    staged = sealer.finish(intent.manifest, signature, proof, _texts(intent))
    arrived = put_in_folder(staged, folder_of(workspace, intent.recipient))
    return arrive(workspace, intent, arrived)


def _texts(intent: Delivery) -> dict[str, bytes]:
    return {name: text.encode() for name, text in json.loads(intent.notices).items()}


def arrive(workspace: Workspace, intent: Delivery, arrived: Path) -> Delivered:
    """Write that a parcel has arrived in its folder; its recipient may have taken it out already.

    What lies in the outbox is still ours to destroy; what lies in a partner's folder is not.
    """
    staged = staged_at(intent.id)
    location = workspace.location(arrived)
    size = arrived.stat().st_size if arrived.exists() else None
    with workspace.database.begin() as connection:
        runs.delivered(connection, intent.id, location, at=workspace.now())
        holdings.move(connection, staged, location, kind="parcel", ours=not Path(location).is_absolute(), size=size)
        body = {
            "delivery": intent.id,
            "parcel": intent.id,
            "manifest_sha256": intent.manifest_sha256,
            "recipient": intent.recipient,
            "run": intent.run,
            "convention": intent.convention,
            "exchange": intent.exchange,
            "channel": "folder",
        }
        workspace.append(connection, "delivered", body)
        earlier.close(workspace, connection, intent)
        workspace.ledger.checkpoint(connection, workspace.now())
    workspace.path(staged).unlink(missing_ok=True)
    earlier.finish(workspace, intent.convention, intent.exchange)
    return Delivered(intent.id, intent.recipient, location, intent.rows)
