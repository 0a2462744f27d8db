"""The gateway's side: recording receipts, and telling what was delivered, opened, receipted, or is late."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from passerelle.clock import iso
from passerelle.errors import EvidenceError, RefusedError, TheirDataError
from passerelle.keys.ssh import PublicKey, parse_public
from passerelle.receipt.form import Receipt, Received, read_receipt, verify_receipt
from passerelle.store import links, partners, runs
from passerelle.store.runs import Delivery
from passerelle.store.tables import receipt as table
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verified_keys

MAX_AHEAD = timedelta(minutes=5)  # of the partner's clock
DAYS = 7  # until a receipt is late; a rule of the hub, no convention states one


@dataclass(frozen=True, slots=True)
class Standing:
    """One delivered parcel: ``opened_at`` is when its second lock's key was first handed over, None with one lock.

    ``superseded_by`` is the parcel that took its place, ``resent_as`` the one that has the same extract again; neither is
    awaited any more.
    """

    parcel: str
    convention: str
    exchange: str
    period: str
    recipient: str
    sequence: int
    delivered_at: str
    opened_at: str | None
    receipted_at: str | None
    late: bool
    superseded_by: str | None = None
    resent_as: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def record(workspace: Workspace, data: bytes, *, party: str | None = None, parcel: str | None = None) -> Received:
    """Verify a receipt and keep it; the same file again changes nothing. The checks are those of receipt.md, section 4.

    ``party`` is whose receipt it has to be, ``parcel`` of which parcel, where whoever brings it may bring no other.

    Raises:
        EvidenceError: it does not hold.
        RefusedError: no such parcel was delivered to that party, the party has no approved key that signs, or it is the
            receipt of another.
        TablesDisagreeError: a key counts behind the gateway's back.
    """
    receipt = read_receipt(data)
    if receipt.party != (party or receipt.party) or receipt.parcel != (parcel or receipt.parcel):
        raise RefusedError(
            "this is the receipt of another parcel, or of another party",
            hint="sign the line of this very parcel",
            fr="cet accusé est celui d'un autre colis, ou d'un autre destinataire",
            hint_fr="signez la ligne de ce colis-ci",
        )
    with workspace.database.begin() as connection:
        verified_keys(workspace.ledger, connection)
        delivery = _delivery(connection, receipt)
        received = verify_receipt(
            data, signers(connection, receipt.party, datetime.fromisoformat(receipt.at)), workspace.ledger.verifier_key
        )
        _check_delivery(receipt, delivery)
        workspace.ledger.confirm(connection, received.checkpoint)
        if received.checkpoint.size <= delivery.entry:
            raise EvidenceError("the head is older than the delivery", where="receipt: checkpoint")
        _check_instant(receipt, delivery, workspace.now())
        if connection.scalar(select(table.c.sha256).where(table.c.sha256 == received.sha256)) is None:
            _write(workspace, connection, received, data)
    return received


def reconcile(workspace: Workspace, connection: Connection, *, days: int = DAYS) -> list[Standing]:
    """Every delivered parcel, oldest first; late when ``days`` have passed without a receipt."""
    opened: dict[str, str] = {}
    for found in workspace.ledger.find(connection, "release_key_handed"):
        opened.setdefault(found.entry.body["parcel"], found.entry.at)
    rows = connection.execute(select(table.c.parcel, table.c.signed_at).order_by(table.c.signed_at.desc()))
    receipted = {row.parcel: row.signed_at for row in rows}
    limit = iso(workspace.now() - timedelta(days=days))
    superseded = {one.earlier: one.later for one in links.links(connection, kind="supersedes") if one.closed_at}
    resent = {one.earlier: one.later for one in links.links(connection, kind="resends")}
    return [
        Standing(
            one.id, one.convention, one.exchange, one.period, one.recipient, one.sequence, one.delivered_at or "",
            opened.get(one.id), receipted.get(one.id),
            not {one.id} & (receipted.keys() | superseded.keys() | resent.keys()) and (one.delivered_at or "") < limit,
            superseded.get(one.id), resent.get(one.id),
        )
        for one in runs.sent(connection, state="delivered")
    ]  # fmt: skip


def _delivery(connection: Connection, receipt: Receipt) -> Delivery:
    found = runs.deliveries(connection, id=receipt.parcel, recipient=receipt.party, state="delivered")
    if not found:
        raise RefusedError(
            f"no parcel of that id was delivered to {receipt.party}",
            hint="passerelle receipt list shows what was delivered",
            fr=f"aucun colis de ce numéro n'a été remis à {receipt.party}",
            hint_fr="passerelle receipt list montre ce qui a été remis",
        )
    return found[0]


def signers(connection: Connection, party: str, at: datetime) -> list[PublicKey]:
    """The party's SSH keys that nobody revoked and that were valid when it says that it signed.

    Raises:
        RefusedError: it had none then.
    """
    keys = []
    for known in partners.approved(connection, party, at):
        try:
            keys.append(parse_public(known.recipient))
        except TheirDataError:
            continue
    if not keys:
        raise RefusedError(
            f"{party} had no approved SSH key then: an age key does not sign",
            hint="passerelle partner key add, with an ssh-ed25519 or ssh-rsa key, then two approvals",
            fr=f"{party} n'avait pas de clé SSH approuvée à cette date : une clé age ne signe pas",
            hint_fr="passerelle partner key add, avec une clé ssh-ed25519 ou ssh-rsa, puis deux approbations",
        )
    return keys


def _check_delivery(receipt: Receipt, delivery: Delivery) -> None:
    pairs = (
        ("manifest_sha256", receipt.manifest_sha256, delivery.manifest_sha256),
        ("convention", receipt.convention, delivery.convention),
        ("exchange", receipt.exchange, delivery.exchange),
        ("sequence", receipt.sequence, delivery.sequence),
    )
    for name, said, known in pairs:
        if said != known:
            raise EvidenceError(
                f"{name} is not that of the delivery: the recipient saw another parcel than the one that was sent",
                where=f"receipt: {name}",
                fr=f"{name} n'est pas celui de la remise : le destinataire a vu un autre colis que celui qui a été envoyé",
            )


def _check_instant(receipt: Receipt, delivery: Delivery, now: datetime) -> None:
    if receipt.at < delivery.intent_at:
        raise EvidenceError("signed before the delivery was decided", where="receipt: at")
    if receipt.at > iso(now + MAX_AHEAD):
        raise EvidenceError("signed after the present instant", where="receipt: at", hint="compare the two clocks")


def _write(workspace: Workspace, connection: Connection, received: Received, data: bytes) -> None:
    receipt, size = received.receipt, received.checkpoint.size
    connection.execute(
        insert(table).values(
            sha256=received.sha256,
            parcel=receipt.parcel,
            party=receipt.party,
            fingerprint=received.fingerprint,
            size=size,
            signed_at=receipt.at,
            recorded_at=iso(workspace.now()),
            body=data,
        )
    )
    body = {
        "parcel": receipt.parcel,
        "party": receipt.party,
        "manifest_sha256": receipt.manifest_sha256,
        "receipt_sha256": received.sha256,
        "fingerprint": received.fingerprint,
        "convention": receipt.convention,
        "exchange": receipt.exchange,
        "sequence": receipt.sequence,
        "size": size,
    }
    workspace.append(connection, "receipt_recorded", body)
    workspace.ledger.checkpoint(connection, workspace.now())
