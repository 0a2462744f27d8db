"""What a partner's key could have opened: the first question on the day that it is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from passerelle.handover.job import release_location
from passerelle.parcel import Gist, gist
from passerelle.receipt.recording import Standing, reconcile
from passerelle.store import holdings, runs
from passerelle.store.partners import APPROVALS_NEEDED, PartnerKey
from passerelle.store.runs import Sent
from passerelle.store.tables import approval
from passerelle.workspace import Workspace

Second = Literal["none", "held", "handed", "destroyed"]


@dataclass(frozen=True, slots=True)
class Exposed:
    """One delivered parcel that a key could have opened.

    ``second_lock``: there is none, so the key alone opens it; its key is ``held`` by the gateway, was ``handed`` over, or is
    ``destroyed`` (it may have been handed over before: ``opened_at``). ``after`` is true when it was delivered at or after
    the instant from which the key is revoked. ``certain`` is false where a purge took the manifest, and the key is only
    known to have been the party's at the time.
    """

    parcel: str
    convention: str
    exchange: str
    period: str
    recipient: str
    sequence: int
    delivered_at: str
    rows: int
    opened_at: str | None
    receipted_at: str | None
    superseded_by: str | None
    second_lock: Second
    after: bool
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def key_exposure(workspace: Workspace, connection: Connection, key: PartnerKey) -> list[Exposed]:
    """The delivered parcels sealed to ``key``, oldest first, whatever the key's kind: manifests name every key by fingerprint."""
    sent = runs.sent(connection, state="delivered")
    manifests = gists(connection, sent)
    touched = sealed_to(connection, key, sent, manifests)
    standing = {one.parcel: one for one in reconcile(workspace, connection)}
    seconds = second_locks(workspace, connection, touched, manifests, standing)
    return [
        _exposed(one, standing[one.id], seconds[one.id], key, certain=one.id in manifests)
        for one in touched
    ]  # fmt: skip


def gists(connection: Connection, sent: Sequence[Sent]) -> dict[str, Gist]:
    """The gist of the manifest of each delivery of which it is kept; those that say the same share theirs."""
    same: dict[Gist, Gist] = {}
    read = ((parcel, gist(manifest)) for parcel, manifest in runs.manifests_of(connection, [one.id for one in sent]))
    return {parcel: same.setdefault(one, one) for parcel, one in read}


def sealed_to(
    connection: Connection, key: PartnerKey, sent: Sequence[Sent], manifests: Mapping[str, Gist]
) -> list[Sent]:
    """Those of ``sent`` that were sealed to ``key``, or may have been where a purge took the manifest."""
    since = _approved_since(connection, key)
    return [
        one
        for one in sent
        if (
            any(key.fingerprint in lock for lock in manifests[one.id].locks)
            if one.id in manifests
            else _was_the_partys(one, key, since)
        )
    ]


def second_locks(
    workspace: Workspace,
    connection: Connection,
    sent: Sequence[Sent],
    manifests: Mapping[str, Gist],
    standing: Mapping[str, Standing],
) -> dict[str, Second]:
    """The second lock of each delivery; of one whose manifest a purge took, the trail tells whether there was one."""
    told = workspace.ledger.find(connection, "delivery_intent") if any(one.id not in manifests for one in sent) else ()
    locks = {found.entry.body["delivery"]: found.entry.body.get("locks", 1) for found in told}
    locks |= {parcel: len(one.locks) for parcel, one in manifests.items()}
    held = {location for _, location in holdings.places(connection, "release")}
    return {
        one.id: _second(
            locks.get(one.id, 1),
            standing[one.id],
            gone=one.id not in manifests or release_location(one.id) not in held,
        )
        for one in sent
    }


def _approved_since(connection: Connection, key: PartnerKey) -> str | None:
    """The instant of the second approval."""
    if len(key.approvals) < APPROVALS_NEEDED:
        return None
    at: str | None = connection.scalar(select(func.max(approval.c.at)).where(approval.c.subject == key.fingerprint))
    return at


def _was_the_partys(delivery: Sent, key: PartnerKey, since: str | None) -> bool:
    at = delivery.delivered_at or ""
    if delivery.recipient != key.partner or since is None:
        return False
    return max(since, key.not_before or "") <= at and (key.not_after is None or at < key.not_after)


def _second(locks: int, standing: Standing, *, gone: bool) -> Second:
    if locks == 1:
        return "none"
    if gone:
        return "destroyed"
    return "handed" if standing.opened_at else "held"


def _exposed(one: Sent, shown: Standing, second: Second, key: PartnerKey, *, certain: bool) -> Exposed:
    return Exposed(
        parcel=one.id,
        convention=one.convention,
        exchange=one.exchange,
        period=one.period,
        recipient=one.recipient,
        sequence=one.sequence,
        delivered_at=one.delivered_at or "",
        rows=one.rows,
        opened_at=shown.opened_at,
        receipted_at=shown.receipted_at,
        superseded_by=shown.superseded_by,
        second_lock=second,
        after=key.revoked_at is not None and (one.delivered_at or "") >= key.revoked_at,
        certain=certain,
    )
