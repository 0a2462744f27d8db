"""What an interrupted run left is finished or removed, before anything new begins on the same exchange.

A run that is open while nobody holds the exchange's lock was interrupted. An intent in the trail is completed when the gate
still allows it and its sealed bytes are whole; a parcel that lies in its folder has left, and so has one that lies nowhere
although nobody removed it: its recipient was quick. Then the outcome is written. Everything else that the run had begun is
removed.
"""

from __future__ import annotations

from pathlib import Path

from passerelle.errors import ParcelError
from passerelle.handover import earlier
from passerelle.handover.closing import KEPT_IF_DELIVERED
from passerelle.handover.decide import ask, stale_keys
from passerelle.handover.deliver import arrive, complete
from passerelle.handover.erased import let_go
from passerelle.handover.folders import folder_of
from passerelle.handover.job import close_run, staged_at
from passerelle.handover.replying import resume
from passerelle.parcel import Manifest, Sealed, Sealer, parse_manifest
from passerelle.store import holdings, partners, runs
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase


def recover(workspace: Workspace, convention: str, exchange: str) -> None:
    """Close the interrupted runs of one exchange; the caller holds its lock."""
    with workspace.database.read() as connection:
        interrupted = runs.runs(connection, convention=convention, exchange=exchange, state="running")
    for run in interrupted:
        with workspace.database.read() as connection:
            intents = runs.deliveries(connection, run=run.id, state="intent")
        for intent in intents:
            _settle(workspace, intent, run.sender)
        with workspace.database.read() as connection:
            left = runs.deliveries(connection, run=run.id, state="delivered")
        for parcel in left:
            erase(workspace.path(staged_at(parcel.id)))
        resume(workspace, run.id, left=bool(left))
        if left:
            let_go(workspace, run.id)
        keep = KEPT_IF_DELIVERED if left else frozenset({"parcel", "verdicts"})
        told = ("run_interrupted", {"convention": convention, "exchange": exchange, "deliveries": len(left)})
        close_run(workspace, run.id, "delivered" if left else "interrupted", "interrupted", keep=keep, told=told)
    earlier.finish(workspace, convention, exchange)


def _settle(workspace: Workspace, intent: Delivery, sender: str) -> None:
    arrived = folder_of(workspace, intent.recipient) / f"{intent.id}.tar"
    staged = workspace.path(staged_at(intent.id))
    if arrived.exists() or _left(workspace, staged, intent.recipient):
        arrive(workspace, intent, arrived)
        return
    with workspace.database.begin() as connection:
        decision = ask(
            workspace,
            connection,
            intent.exchange,
            convention=intent.convention,
            period=intent.period,
            parties=(sender, (intent.recipient,)),
            stage="delivery",
        )
        sealed_to = parse_manifest(intent.manifest).passerelle.locks[-1].fingerprints
        stale = stale_keys(connection, intent.recipient, sealed_to, workspace.now())
    if decision.outcome == "block" or stale is not None:
        _abandon(workspace, intent, (decision.reason or "refused") if stale is None else "key_not_valid")
        return
    try:
        manifest = parse_manifest(intent.manifest)
        sealer = Sealer.resume(staged, manifest.instant, _sealed(manifest))
    except ParcelError:
        _abandon(workspace, intent, "extract_not_whole")
        return
    complete(workspace, intent.id, sealer)


def _sealed(manifest: Manifest) -> Sealed:
    terms, resource = manifest.passerelle, manifest.resource
    return Sealed(
        name=resource.path,
        plain_sha256=resource.hash.removeprefix("sha256:"),
        plain_bytes=resource.bytes,
        cipher_sha256=terms.cipher_sha256,
        cipher_bytes=terms.cipher_bytes,
        locks=terms.locks,
    )


def _left(workspace: Workspace, staged: Path, recipient: str) -> bool:
    """Whether a partner took its parcel before the outcome was written: it can only from a folder of its own."""
    with workspace.database.read() as connection:
        partner = partners.find(connection, recipient)
        if partner is None or partner.folder is None:
            return False
        registered = holdings.present(connection, location=workspace.location(staged))
    return bool(registered) and not staged.exists() and not staged.with_name(f"{staged.name}.part").exists()


def _abandon(workspace: Workspace, intent: Delivery, reason: str) -> None:
    erase(folder_of(workspace, intent.recipient) / f".{intent.id}.tar.part")
    with workspace.database.begin() as connection:
        runs.abandon(connection, intent.id)
        body = {
            "delivery": intent.id,
            "parcel": intent.id,
            "reason": reason.split(":", maxsplit=1)[0],
            "run": intent.run,
        }
        workspace.append(connection, "delivery_abandoned", body)
        workspace.ledger.checkpoint(connection, workspace.now())
