"""The acts of the demo: each carries out one step with the real engine and tells how it ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flows import assembly
from flows.embedded import run_exchange_flow
from passerelle.errors import EvidenceError, GateRefusedError, OurWayError, RefusedError
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.handover.order import Order
from passerelle.handover.recording import record_event
from passerelle.keys import Identity
from passerelle.parcel import Parcel, open_parcel, verify
from passerelle.store import partners
from passerelle.trail import Entry
from passerelle.trail.fsck import check
from passerelle.workspace.files import write_whole
from portal.demo.stage import Stage
from portal.render import Ended, Text, Tone, day, number
from retention.plan import plan
from retention.purge import purge

Act = Callable[[Stage, Ended], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """A generated file, and the exchange and period it is sent for."""

    which: str
    dataset: str
    period: str
    rows: int
    bad_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """An event to record on a convention."""

    convention: str
    kind: str
    payload: Mapping[str, str]


def recorded(*events: Told) -> Act:
    """Events are recorded."""

    def act(stage: Stage, ended: Ended) -> None:
        with stage.workspace() as workspace:
            for event in events:
                record_event(workspace, event.convention, event.kind, event.payload, by="demo")
        count = len(events)
        ended(Text("consigné", "recorded") if count == 1 else Text(f"{count} pièces au dossier", f"{count} documents on file"))  # fmt: skip

    return act


def enrolled(party: str) -> Act:
    """A partner makes its key at its place; it is enrolled, and approved by two others."""

    def act(stage: Stage, ended: Ended) -> None:
        identity = stage.identities[party] = Identity.generate()
        write_whole(stage.partner(party) / "identity.txt", (identity.secret + "\n").encode())
        key = identity.recipient
        with stage.workspace() as workspace, workspace.database.begin() as connection:
            now = workspace.now()
            partners.add(connection, party, party, str(stage.partner(party) / "parcels"), at=now)
            partners.enrol(
                connection, party, kind=key.kind, recipient=key.text, fingerprint=key.fingerprint, by="partner", at=now
            )
            for person in ("first", "second"):
                partners.approve(connection, key.fingerprint, by=person, at=now)
            body = {"party": party, "fingerprint": key.fingerprint, "approvals": partners.APPROVALS_NEEDED}
            workspace.append(connection, "partner_key_approved", body)
        ended(Text(key.fingerprint, key.fingerprint))

    return act


@contextmanager
def _ordered(stage: Stage, sent: Sent) -> Iterator[str]:
    """The order of an exchange, as the daily plan would place it, while its file waits in the inbox."""
    convention, _, exchange = sent.which.partition("/")
    with stage.sent(sent.which, sent.period, sent.dataset, sent.rows, sent.bad_rate) as source:
        with stage.workspace() as workspace:
            order = assembly.place_order(workspace, Order(convention, exchange, sent.period, source))
        yield order


def refused(sent: Sent) -> Act:
    """An exchange that the convention does not allow."""

    def act(stage: Stage, ended: Ended) -> None:
        refusal: GateRefusedError | None = None
        with _ordered(stage, sent) as order:
            try:
                run_exchange_flow(None, order)
            except GateRefusedError as error:
                refusal = error
        if refusal is None:
            raise OurWayError("expected a refusal, the exchange was carried out")
        ended(Text(refusal.fr or refusal.message, refusal.message), Tone.REFUSED)
        ended(Text(*(f"{refusal.reason} ({refusal.article})",) * 2), Tone.FAINT)

    return act


def exchanged(sent: Sent) -> Act:
    """An exchange, as a Prefect flow."""

    def act(stage: Stage, ended: Ended) -> None:
        with _ordered(stage, sent) as order:
            outcome = run_exchange_flow(None, order)
        counts = {name: number(count, stage.lang) for name, count in outcome["counts"].items() if count}
        for delivery in outcome["deliveries"]:
            to = delivery["recipient"]
            stage.parcels[to] = delivery
            ended(Text(f"{counts['read']} lignes lues, {counts['extracted']} livrées à {to}", f"{counts['read']} rows read, {counts['extracted']} delivered to {to}"))  # fmt: skip
        if (rejected := counts.get("rejected")) is not None:
            ended(Text(f"{rejected} lignes rejetées, en quarantaine chiffrée", f"{rejected} rows rejected, in encrypted quarantine"), Tone.WARNED)  # fmt: skip
        if (withheld := counts.get("withheld")) is not None:
            ended(Text(f"{withheld} valeurs retenues au titre du secret statistique", f"{withheld} figures withheld by disclosure control"), Tone.WARNED)  # fmt: skip

    return act


def _verified(stage: Stage, party: str) -> Parcel:
    """The parcel that a partner holds, verified with what the gateway handed it once."""
    trust = trust_from(stage.home / "workspace" / "trust", party)
    return verify(stage.home / stage.parcels[party]["location"], trust).parcel


def opened(party: str) -> Act:
    """A partner verifies its parcel, asks for the second lock's key, opens it, and removes what it opened."""

    def act(stage: Stage, ended: Ended) -> None:
        parcel = _verified(stage, party)
        ended(Text("signature, empreintes et inscription au registre vérifiées", "signature, hashes and trail proof verified"))  # fmt: skip
        with stage.workspace() as workspace:
            release = hand_release_key(workspace, stage.parcels[party]["parcel"], party, actor=party)
        folder = stage.partner(party) / "opened"
        try:
            rows = number(open_parcel(parcel, [stage.identities[party]], release, folder).rows, stage.lang)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        ended(Text(f"second verrou demandé et consigné ; {rows} lignes ouvertes", f"second lock asked for, and logged; {rows} rows opened"))  # fmt: skip
        ended(Text("l'extrait ouvert est retiré : cette démonstration ne laisse rien en clair", "the opened extract is removed: this demo leaves nothing plain"), Tone.FAINT)  # fmt: skip

    return act


def audited(*, who_received: bool = False) -> Act:
    """The DPO has the trail rebuilt from its entries, and asks it who received what."""

    def act(stage: Stage, ended: Ended) -> None:
        with stage.workspace() as workspace, workspace.database.read() as connection:
            report = check(connection, workspace.ledger.verifier_key)
            intents = [found.entry for found in workspace.ledger.find(connection, "delivery_intent")]
        ended(Text(f"intact : {report.size} écritures, {report.checkpoints} jalons signés", f"whole: {report.size} entries, {report.checkpoints} signed checkpoints"))  # fmt: skip
        for entry in intents if who_received else ():
            ended(_received(entry), Tone.PLAIN)

    return act


def _received(entry: Entry) -> Text:
    to, rows, on = entry.body["recipient"], entry.body["counts"]["extracted"], datetime.fromisoformat(entry.at).date()
    under = f"{entry.body['convention']}, {entry.body['article']}"
    return Text(
        f"{to} : {number(rows, 'fr')} lignes le {day(on, 'fr')} ({under})",
        f"{to}: {number(rows, 'en')} rows on {day(on, 'en')} ({under})",
    )


def purged(convention: str) -> Act:
    """What a convention left is destroyed: keys, copies, rows; the certificate last."""

    def act(stage: Stage, ended: Ended) -> None:
        with stage.workspace() as workspace:
            with workspace.database.read() as connection:
                planned = plan(workspace, connection, convention)
            ended(Text(planned.deadline.arithmetic.fr, planned.deadline.arithmetic.en), Tone.FAINT)
            certificate = purge(workspace, convention).id
        count = len(planned.copies)
        ended(Text(f"{count} copies et leurs clés détruites ; certificat {certificate}", f"{count} copies and their keys destroyed; certificate {certificate}"))  # fmt: skip

    return act


def shut(party: str) -> Act:
    """After the destruction, a partner's sealed copy is whole and opens no more."""

    def act(stage: Stage, ended: Ended) -> None:
        with stage.workspace() as workspace:
            try:
                hand_release_key(workspace, stage.parcels[party]["parcel"], party, actor=party)
            except RefusedError as refusal:
                ended(Text(refusal.fr or refusal.message, refusal.message), Tone.REFUSED)
            else:
                raise OurWayError("expected the second lock destroyed, its key was handed over")
        folder = stage.partner(party) / "opened"
        try:
            open_parcel(_verified(stage, party), [stage.identities[party]], stage.identities[party], folder)
        except EvidenceError:
            ended(Text("la copie est intacte, et ne s'ouvre plus", "the copy is whole, and no longer opens"), Tone.REFUSED)  # fmt: skip
        else:
            raise OurWayError("expected a copy that no longer opens, it opened")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return act
