"""What the trail tells of deliveries, copies, receipts, events and purges, held against the tables that the gateway works with.

The trail is evidence and cannot lose an entry unseen; the tables are a working state, and a row taken out of them would make
a copy forgotten: a purge would pass it by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from passerelle.errors import TheirDataError, TrailError
from passerelle.keys import parse_recipient
from passerelle.store import events, links, misfits, objections, partners, purges, requests
from passerelle.store.database import VIEWS
from passerelle.store.link_tables import delivery_link
from passerelle.store.objections import Objection, objection
from passerelle.store.partners import PartnerKey
from passerelle.store.replies import reply
from passerelle.store.requests import person_request, recipient_notice
from passerelle.store.tables import approval, convention_event, delivery, holding, partner_key, purge, receipt
from passerelle.trail import Ledger, Recorded
from passerelle.workspace import told_copies, told_replies
from passerelle.workspace.told_copies import CopiesTold
from passerelle.workspace.told_replies import RepliesTold

KEYS = frozenset({"partner_key_enrolled", "partner_key_approved", "partner_key_revoked", "partner_key_ended"})
OBJECTIONS = frozenset({"objection_recorded", "objection_withdrawn", "keys_destroyed"})
INTENT = ("manifest_sha256", "recipient", "sequence", "run", "convention", "exchange", "period")
NOT_TEXT = "Could not decode to UTF-8"  # what SQLite's driver says of such a column
MAX_TOLD = 100
READ = (
    delivery, holding, receipt, delivery_link, reply, convention_event, purge, objection, person_request,
    recipient_notice, partner_key, approval,
)  # fmt: skip


class TablesDisagreeError(TrailError):
    """The tables are not what the trail tells: ``faults`` has the first hundred, ``count`` is their number."""

    def __init__(self, faults: Sequence[str]) -> None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            f"tables disagree: {faults[0]}{more}",
            hint="restore the database from a backup that belongs with this trail; purge nothing before",
            fr=f"les tables ne disent pas ce que dit le journal ({len(faults)} écart{'s' if len(faults) > 1 else ''}) : "
            f"{faults[0]}",
            hint_fr="restaurez la base depuis une sauvegarde qui va avec ce journal ; ne détruisez rien avant",
        )
        self.faults = tuple(faults[:MAX_TOLD])
        self.count = len(faults)


class _Intent(NamedTuple):
    """What the intent of a delivery says: ``parts`` are those of INTENT, None where it has none."""

    entry: int
    parts: tuple[Any, ...]
    resends: str | None


@dataclass(slots=True)
class _Told:
    """What the trail tells, folded in its order."""

    KINDS: ClassVar[frozenset[str]] = frozenset(
        {
            "delivery_intent", "delivered", "delivery_abandoned", "event_recorded", "receipt_recorded", "keys_destroyed",
            "purge_started", "purge_certificate", "objection_recorded", "objection_withdrawn", "person_request_opened",
            "recipient_notified", "superseded", "supersession_told", *CopiesTold.KINDS, *RepliesTold.KINDS,
        }
    )  # fmt: skip
    copies: CopiesTold = field(default_factory=CopiesTold)
    replies: RepliesTold = field(default_factory=RepliesTold)
    intents: dict[str, _Intent] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)
    events: dict[str, dict[str, str | None]] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    purges: dict[str, str | None] = field(default_factory=dict)  # the hash of the certificate, once there is one
    objections: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)  # requests of persons, notices to recipients
    superseded: dict[str, tuple[str, str]] = field(default_factory=dict)  # a parcel: by which one, and why
    closed: set[str] = field(default_factory=set)  # superseded parcels whose recipients have the notice
    cleared: set[str] = field(default_factory=set)  # objections that went, or will, with the keys of their convention

    def take(self, found: Recorded) -> None:
        """Add one entry."""
        kind, body = found.entry.kind, found.entry.body
        if kind in CopiesTold.KINDS:
            self.copies.take(kind, body)
        if kind in RepliesTold.KINDS:
            self.replies.take(found.index, kind, body)
        match kind:
            case "delivery_intent":
                parts = tuple(body.get(part) for part in INTENT)
                self.intents[body["delivery"]] = _Intent(found.index, parts, body.get("resends"))
            case "delivery_abandoned":
                self.intents.pop(body["delivery"], None)
            case "delivered":
                self.delivered.add(body["delivery"])
            case "event_recorded":
                self.events.setdefault(body["convention"], {})[body["event_id"]] = body.get("payload_sha256")
            case "receipt_recorded":
                self.receipts.add(body["receipt_sha256"])
            case "purge_started" | "purge_certificate":
                self.purges[body["purge"]] = body.get("certificate_sha256")
            case "person_request_opened" | "recipient_notified":
                self.followed.add(body["request" if kind == "person_request_opened" else "notice"])
            case _:
                self._change(kind, body)

    def _change(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind == "superseded":
            self.superseded[body["parcel"]] = body["by"], body["reason"]
        elif kind == "supersession_told":
            self.closed.add(body["parcel"])
        elif kind == "objection_recorded":
            self.objections[body["objection"]] = body
        elif kind == "objection_withdrawn":
            self.objections.pop(body["objection"], None)
        elif kind == "keys_destroyed":
            convention = body["convention"]
            self.cleared |= {name for name, one in self.objections.items() if one["convention"] == convention}


def verify_tables(ledger: Ledger, connection: Connection, *, anew: bool = True) -> dict[str, int]:
    """Hold the tables against the trail, all of it in one view; how many of each were found to agree.

    In a transaction that writes, nobody else appends from here on until it ends: of a delivery that commits meanwhile, one would
    be read with it and the other without.

    The tables are read whole. Of the trail, without ``anew``, only the entries that came since this process compared last: what
    the others said it knows, and ``Ledger.folded`` says what it trusts then; and manifests are not read. For what only shows; what
    decides reads them anew.

    Raises:
        TablesDisagreeError: rows are missing, were added, or say something else.
        TrailError: an entry is not well formed.
    """
    try:
        return _compared(ledger, connection, anew=anew)
    except (DBAPIError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DBAPIError) and NOT_TEXT not in str(error.orig):
            raise
        if (fault := misfits.misfit(connection, READ)) is None:
            raise
    raise TablesDisagreeError([fault])


def _compared(ledger: Ledger, connection: Connection, *, anew: bool) -> dict[str, int]:
    if not connection.get_execution_options().keys() & VIEWS:
        ledger.hold(connection)
    copies = told_copies.compared(connection)
    with ledger.folded(connection, _Told, anew=anew) as told:
        faults = [
            *_deliveries(connection, told),
            *(_manifests(connection) if anew else ()),
            *_links(connection, told),
            *told_copies.faults(copies, told.copies),
            *told_replies.faults(connection, told.replies),
            *_events(connection, told),
            *_receipts(connection, told),
            *_purges(connection, told),
            *_objections(objections.standing(connection), told),
            *_followed(connection, told),
            *_keys(ledger, connection),
        ]
        counts = {"deliveries": len(told.intents), "purges": len(told.purges)}
    if faults:
        raise TablesDisagreeError(faults)
    return {**counts, "holdings": len(copies)}


def verified_objections(
    ledger: Ledger, connection: Connection, convention: str, exchange: str | None = None
) -> list[Objection]:
    """The persons who are left out of a convention's extracts, or of one exchange's, held against the trail.

    Raises:
        TablesDisagreeError: one was taken out, added or changed behind the gateway's back: nothing may leave.
    """
    told = _Told()
    for found in ledger.of_kinds(connection, OBJECTIONS):
        if found.entry.body["convention"] == convention:
            told.take(found)
    faults = [*_objections(objections.standing(connection, convention), told)]
    if faults:
        raise TablesDisagreeError(faults)
    return objections.standing(connection, convention, exchange)


def verified_keys(ledger: Ledger, connection: Connection) -> None:
    """Hold partners' keys against the trail, before anything is sealed.

    Raises:
        TablesDisagreeError: a key counts behind the gateway's back: enrolled, approved or prolonged in the tables alone, or
            revoked or ended in the trail alone.
    """
    if faults := [*_keys(ledger, connection)]:
        raise TablesDisagreeError(faults)


def _keys(ledger: Ledger, connection: Connection) -> Iterator[str]:
    """A row that was forged, or a revocation taken back, would seal parcels to a key that someone else holds."""
    told: dict[str, dict[str, Any]] = {}
    for found in ledger.of_kinds(connection, KEYS):
        body = found.entry.body
        one = told.setdefault(body["fingerprint"], {})
        one.update(party=body["party"], approvals=body.get("approvals", 0))
        one.update((name, body.get(name)) for name in ("not_before", "not_after"))
        one["revoked"] = one.get("revoked", False) or found.entry.kind == "partner_key_revoked"
    rows = {one.fingerprint: one for one in partners.keys(connection)}
    for name in sorted(told.keys() | rows.keys()):
        fault = _key_fault(rows.get(name), told.get(name))
        if fault:
            yield f"partner key {name} {fault}"


def _key_fault(row: PartnerKey | None, told: Mapping[str, Any] | None) -> str | None:
    """What is wrong with a key; None when the tables give it no more than the trail."""
    if row is None:
        return "recorded in the trail is missing"
    if told is None:
        return "is not recorded in the trail"
    if row.partner != told["party"]:
        return "is another party's in the trail"
    if not _is_own(row):
        return "is not the one whose fingerprint was approved"
    if told["revoked"] and row.revoked_at is None:
        return "is revoked in the trail, and not in the tables"
    if len(row.approvals) > told["approvals"]:
        return "has more approvals in the tables than the trail tells"
    if told["not_before"] is not None and (row.not_before is None or row.not_before < told["not_before"]):
        return "begins later in the trail than in the tables"
    if told["not_after"] is not None and (row.not_after is None or row.not_after > told["not_after"]):
        return "ends sooner in the trail than in the tables"
    return None


def _is_own(row: PartnerKey) -> bool:
    try:
        return parse_recipient(row.recipient).fingerprint == row.fingerprint
    except TheirDataError:
        return False


def _objections(rows: Sequence[Objection], told: _Told) -> Iterator[str]:
    """A row taken out, or a tag changed, would put somebody back into extracts (GDPR art. 17, 21)."""
    found = {one.id: one for one in rows}
    for name, body in told.objections.items():
        row = found.pop(name, None)
        if row is None:
            if name not in told.cleared:
                yield f"objection {name} recorded in the trail is missing"
        elif not _agrees(row, body):
            yield f"objection {name} is not what the trail tells"
    yield from (f"objection {name} is not recorded in the trail" for name in found)


def _followed(connection: Connection, told: _Told) -> Iterator[str]:
    """A request or a notice taken out would let its clock run out unseen (GDPR art. 12(3), 19)."""
    found = {one.id for one in requests.requests(connection)} | {one.id for one in requests.notices(connection)}
    yield from (f"{one} of the register of persons' requests is missing" for one in sorted(told.followed - found))
    yield from (
        f"{one} of the register of persons' requests is not in the trail" for one in sorted(found - told.followed)
    )


def _agrees(row: Objection, body: Mapping[str, Any]) -> bool:
    said = {name: body.get(name) for name in ("convention", "exchange", "scheme", "ground")}
    return all(getattr(row, name) == value for name, value in said.items()) and (
        body.get("commitment", row.commitment) == row.commitment
    )


def _deliveries(connection: Connection, told: _Told) -> Iterator[str]:
    query = select(delivery.c.id, delivery.c.state, delivery.c.entry, *(delivery.c[part] for part in INTENT))
    rows = {row[0]: row for row in connection.execute(query).all()}
    for name, intent in told.intents.items():
        row = rows.pop(name, None)
        if row is None:
            yield f"delivery {name} recorded in the trail is missing"
            continue
        if row == (name, "delivered" if name in told.delivered else "intent", intent.entry, *intent.parts):
            continue  # as nearly all are
        _, state, entry, *parts = row
        said = zip(INTENT, parts, intent.parts, strict=True)
        wrong = [part for part, found, expected in said if expected not in {None, found}]
        if entry != intent.entry or wrong:
            yield f"delivery {name} says another {wrong[0] if wrong else 'entry'} than the trail"
        elif state != ("delivered" if name in told.delivered else "intent"):
            yield f"delivery {name} is {state} in the tables, and the trail tells otherwise"
    yield from (f"delivery {name} is not recorded in the trail" for name in rows)


def _manifests(connection: Connection) -> Iterator[str]:
    """What is told of a delivery later (who could open it, which columns left) is read from its manifest."""
    query = select(delivery.c.id, delivery.c.manifest, delivery.c.manifest_sha256).where(delivery.c.manifest != b"")
    for name, manifest, sha256 in connection.execute(query):
        if hashlib.sha256(manifest).hexdigest() != sha256:
            yield f"delivery {name} has another manifest than the trail tells"


def _links(connection: Connection, told: _Told) -> Iterator[str]:
    """A link taken out would hand over the release key of a parcel that was superseded."""
    rows = links.links(connection)
    superseded = {one.earlier: (one.later, one.reason) for one in rows if one.kind == "supersedes" and one.closed_at}
    closed = {one.earlier for one in rows if one.told_at}
    resent = {one.later: one.earlier for one in rows if one.kind == "resends"}
    for name in sorted(superseded.keys() | told.superseded.keys()):
        if superseded.get(name) != told.superseded.get(name) or (name in closed) != (name in told.closed):
            yield f"delivery {name}: what superseded it is not what the trail tells"
    for name, intent in told.intents.items():
        if resent.get(name) != intent.resends:
            yield f"delivery {name}: what it sends again is not what the trail tells"


def _events(connection: Connection, told: _Told) -> Iterator[str]:
    for convention in sorted({*told.events, *events.conventions(connection)}):
        found = {f"e-{row.id}": events.digest(row.type, row.payload) for row in events.history(connection, convention)}
        if found != told.events.get(convention, {}):
            yield f"the record of events of {convention} is not what the trail tells"


def _receipts(connection: Connection, told: _Told) -> Iterator[str]:
    found = set(connection.scalars(select(receipt.c.sha256)))
    yield from (f"receipt {one} recorded in the trail is missing" for one in sorted(told.receipts - found))
    yield from (f"receipt {one} is not recorded in the trail" for one in sorted(found - told.receipts))


def _purges(connection: Connection, told: _Told) -> Iterator[str]:
    rows = {
        one.id: hashlib.sha256(one.certificate.encode()).hexdigest() if one.certificate else None
        for one in purges.purges(connection)
    }
    for name in sorted(told.purges.keys() | rows.keys()):
        if name not in rows:
            yield f"purge {name} recorded in the trail is missing"
        elif name not in told.purges:
            yield f"purge {name} is not recorded in the trail"
        elif rows[name] != told.purges[name]:
            yield f"the certificate of purge {name} is not the one recorded in the trail"
