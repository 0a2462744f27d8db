"""A parcel sent again inside the term: through the gate, from the encrypted raw copy, the same extract sealed anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from passerelle.access import Look, write_in
from passerelle.boundary import sealed
from passerelle.convention import Exchange
from passerelle.errors import EvidenceError, RefusedError
from passerelle.handover import earlier
from passerelle.handover.closing import close_delivered, close_duplicate, close_failed, outcome, states_of
from passerelle.handover.decide import Parties, ask, exchange_of, insist, with_keys
from passerelle.handover.deliver import deliver
from passerelle.handover.index import PersonIndex
from passerelle.handover.job import Job, day_of, open_run
from passerelle.handover.order import Delivered, Order, Outcome, Progress, Tools, quiet
from passerelle.handover.outgoing import Outgoing, sealing
from passerelle.handover.recover import recover
from passerelle.handover.repeats import find_repeats
from passerelle.handover.stream import stream
from passerelle.handover.versions import recorded_as
from passerelle.intake import open_original
from passerelle.keys import AgeFile, CopyKey
from passerelle.parcel import parse_manifest
from passerelle.store import holdings, links, runs
from passerelle.store.runs import Delivery
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verified_keys


@sealed
def resend(
    workspace: Workspace,
    parcel: str,
    reason: str,
    tools_for: Callable[[Exchange], Tools],
    *,
    actor: str,
    progress: Progress = quiet,
) -> Outcome:
    """Send the extract of a delivered parcel again, once: a second time gives the delivery of the first.

        1. Decide: the parcel stands, the reason is on the list, the gate allows it today.
        2. Open the raw copy where it lies, by pieces, in memory.
        3. Make the extract again, sealed to the recipient's present keys and a new release identity.
        4. Compare: the file taken in and the extract are those of the first time.
        5. Decide again, then deliver, as any delivery.

    Raises:
        UsageError: no such parcel or reason.
        GateRefusedError: the convention does not allow it any more.
        RefusedError: the parcel was superseded or purged, its raw copy is gone, or the extract is not the same any more.
    """
    earlier.reason_for("resends", reason)
    with workspace.database.read() as connection:
        sent = earlier.delivered_parcel(connection, parcel)
    with workspace.lock(f"{sent.convention}.{sent.exchange}"):
        recover(workspace, sent.convention, sent.exchange)
        progress(1, 0)
        job = _decide(workspace, sent, reason, tools_for, progress)  # 1
        try:
            return _carry_out(job, sent, actor)
        except Exception as error:
            _close_failed(job, error)
            raise


def _decide(
    workspace: Workspace, sent: Delivery, reason: str, tools_for: Callable[[Exchange], Tools], progress: Progress
) -> Job:
    text = workspace.convention(sent.convention)
    exchange = exchange_of(text, sent.exchange)
    with workspace.database.read() as connection:
        if (closed := links.superseding(connection, sent.id)) is not None:
            raise earlier.superseded(closed)
        first = earlier.original(connection, sent)
        run = runs.runs(connection, id=first.run)[0]
        raw = holdings.present(connection, run=first.run, kind="raw")
    with workspace.database.begin() as connection:
        decision = ask(
            workspace,
            connection,
            sent.exchange,
            convention=sent.convention,
            period=sent.period,
            parties=(run.sender, (sent.recipient,)),
            stage="start",
        )
    insist(decision)
    assert exchange is not None  # noqa: S101 - the gate knows it
    tools = recorded_as(tools_for(exchange), run.contract)
    if not raw or f"{tools.contract.id}@{tools.contract.version}" != run.contract:
        raise _not_the_same(raw_missing=not raw)
    with workspace.database.read() as connection:
        verified_keys(workspace.ledger, connection)
        keys = with_keys(connection, run.sender, (sent.recipient,), workspace.now()).keys
    source: Path = workspace.path(raw[0].location)
    order = Order(sent.convention, sent.exchange, sent.period, source, run.sender, resends=sent.id, reason=reason)
    parties = Parties(run.sender, (sent.recipient,), keys)
    opened = open_run(workspace, order, run.sender, run.contract)
    keyset = workspace.keyset(sent.convention)
    day = day_of(run, text)  # not today: what had not happened then is rejected again
    return Job(workspace, order, tools, text, exchange, parties, decision, keyset, opened.id, day, progress)


def _carry_out(job: Job, sent: Delivery, actor: str) -> Outcome:
    made = _made(job, sent.recipient)
    if made is not None:
        return close_duplicate(job, [made])
    _log(job, sent, actor)
    job.reach(2)
    original = AgeFile(job.order.source, [_raw_key(job).identity])  # 2
    with open_original(original, job.tools.contract.dialects) as source:
        job.dialect = source.dialect.id
        repeats = find_repeats(source, job.tools.contract, job.workspace.home / "staging")
        job.content = source.sha256
        _insist_same_file(job, sent)  # 4
        job.counts["read"] = source.rows
        with PersonIndex(job) as index:
            with sealing(job, [sent.recipient]) as parcels:
                stream(job, source, repeats, parcels, index)  # 3
                job.reach(6, job.counts["read"])
            _insist_same_extract(parcels[0], sent)  # 4
            job.reach(7, job.counts["read"])
            index.write()
            handed = deliver(job, parcels[0])  # 5
    close_delivered(job)
    return outcome(job, "delivered", [handed])


def _raw_key(job: Job) -> CopyKey:
    return job.workspace.keys.copy_key(job.order.convention, job.workspace.location(job.order.source))


def _made(job: Job, recipient: str) -> Delivered | None:
    with job.workspace.database.read() as connection:
        found = runs.deliveries(connection, id=job.parcel_id(recipient), state="delivered")
    return Delivered(found[0].id, recipient, found[0].location or "", found[0].rows) if found else None


def _log(job: Job, sent: Delivery, actor: str) -> None:
    """The access log has who had a raw copy read again before it is."""
    look = Look(
        actor,
        "parcel_resent",
        sent.id,
        job.order.reason or "",
        partner=sent.recipient,
        convention=sent.convention,
        exchange=sent.exchange,
        delivery=sent.id,
        run=job.run,
        count=sent.rows,
    )
    with job.workspace.database.begin() as connection:
        write_in(connection, job.workspace, look)


def _insist_same_file(job: Job, sent: Delivery) -> None:
    """The raw copy is the file that was taken in, by the commitment that the trail has of it."""
    with job.workspace.database.read() as connection:
        first = earlier.original(connection, sent)
        told = [
            found.entry.body["commitment"] for found in job.workspace.ledger.find(connection, "intake", run=first.run)
        ]
    if told != [job.keys.commit(job.content.encode())]:
        raise EvidenceError(
            "the raw copy is not the file that the trail tells of",
            where="holding",
            hint="restore the folder holdings/ from a backup of that day",
            fr="la copie brute n'est pas le fichier dont parle le registre de preuve",
            hint_fr="restaurez le dossier holdings/ d'une sauvegarde de ce jour",
        )


def _insist_same_extract(made: Outgoing, sent: Delivery) -> None:
    resource = parse_manifest(sent.manifest).resource
    assert made.sealer.sealed is not None  # noqa: S101 - sealing ended
    if (f"sha256:{made.sealer.sealed.plain_sha256}", made.sealer.sealed.plain_bytes) != (resource.hash, resource.bytes):
        raise _not_the_same(raw_missing=False)


def _not_the_same(*, raw_missing: bool) -> RefusedError:
    if raw_missing:
        return RefusedError(
            "the raw copy of this parcel's file is not held any more: it cannot be sent again",
            hint="ask the sender for the file, and run the exchange with --supersedes",
            fr="la copie brute du fichier de ce colis n'est plus détenue : il ne peut pas être renvoyé",
            hint_fr="demandez le fichier à l'émetteur, puis lancez l'échange avec --supersedes",
        )
    return RefusedError(
        "the extract would not be the same any more: the contract, the columns allowed or the persons left out have changed",
        hint="run the exchange with the sender's file and --supersedes",
        fr="l'extrait ne serait plus le même : le contrat, les colonnes permises ou les personnes exclues ont changé",
        hint_fr="lancez l'échange avec le fichier de l'émetteur et --supersedes",
    )


def _close_failed(job: Job, error: Exception) -> None:
    if not states_of(job):  # else it stays open: recover completes the intent, or closes what was delivered
        close_failed(job, error, keep=frozenset({"parcel"}))
