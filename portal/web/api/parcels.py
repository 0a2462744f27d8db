"""A party's parcels: which there are, what became of each, the file, the second lock's key, the receipt."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from passerelle.convention import Answer
from passerelle.errors import RefusedError
from passerelle.handover import own
from passerelle.handover.evidence import hand_release_key
from passerelle.receipt.recording import record
from passerelle.store import deliveries
from passerelle.store.deliveries import Search
from passerelle.store.runs import Delivery
from portal.render import Text
from portal.web.api.calls import RAW, ROOT, Asked, Call
from portal.web.api.models import Parcel, ParcelPage, ParcelQuery, Recorded, ReleaseKey, WholeParcel
from portal.web.leaving import Leaving
from portal.web.visit import AbsentError

FILES_A_MINUTE, KEYS_A_MINUTE, RECORDS_A_MINUTE = 60, 20, 30


def every(asked: Asked) -> ParcelPage:
    """The parcels that were delivered to the party, the latest first."""
    query = asked.asks(ParcelQuery)
    search = Search(query.convention or None, query.exchange or None, asked.party)
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "deliveries_read", "deliveries", partner=asked.party, convention=None)
    with asked.workspace.database.read() as connection:
        found = deliveries.page(connection, search, limit=query.limit + 1, before=query.after)
        shown = found[: query.limit]
        fates, until = own.fates(connection, shown), own.deadlines(asked.workspace, connection, shown)
    items = [Parcel(**_facts(one, fates[one.id], until[one.id])) for one in shown]
    return ParcelPage(items=items, next=shown[-1].entry if len(found) > len(shown) else None)


def one(asked: Asked) -> WholeParcel:
    """One parcel with its manifest, as long as its convention's data live."""
    found = _own(asked)
    with asked.workspace.database.begin() as connection:
        asked.log(connection, "deliveries_read", found.id, **_named(found))
    with asked.workspace.database.read() as connection:
        fate = own.fates(connection, [found])[found.id]
        until = own.deadlines(asked.workspace, connection, [found])[found.id]
    manifest = json.loads(found.manifest) if found.manifest else None
    return WholeParcel(**_facts(found, fate, until), manifest_sha256=found.manifest_sha256, manifest=manifest)


def file(asked: Asked) -> Leaving:
    """The parcel's tar file; parts of it with Range (RFC 9110, section 14)."""
    taken = own.take(asked.workspace, _own(asked), actor=asked.account.name, reason=asked.why)
    asked.logged.add("parcel_read")
    return Leaving(taken.path, media_type="application/x-tar", filename=taken.name, headers={"etag": taken.tag})


def release(asked: Asked) -> ReleaseKey:
    """The second lock's key, logged by whoever hands it over, a refusal too."""
    parcel = asked.part("parcel")
    try:
        identity = hand_release_key(asked.workspace, parcel, asked.party, actor=asked.account.name, reason=asked.why)
    except RefusedError:
        _own(asked)  # another's parcel does not exist
        raise
    asked.logged.add("release_key")
    return ReleaseKey(parcel=parcel, identity=identity.secret)


def receipt(asked: Asked) -> Recorded:
    """Verify a signed receipt and record it; the same again changes nothing."""
    return Recorded(sha256=record(asked.workspace, asked.data, party=asked.party).sha256)


def _own(asked: Asked) -> Delivery:
    with asked.workspace.database.read() as connection:
        found = own.own_parcel(connection, asked.party, asked.part("parcel"))
    if found is None:
        raise AbsentError
    return found


def _named(found: Delivery) -> dict[str, Any]:
    return {
        "partner": found.recipient, "convention": found.convention, "exchange": found.exchange, "delivery": found.id,
        "run": found.run,
    }  # fmt: skip


def _facts(one: Delivery, fate: own.Fate, until: Answer) -> dict[str, Any]:
    return {
        "parcel": one.id, "convention": one.convention, "exchange": one.exchange, "period": one.period,
        "sequence": one.sequence, "rows": one.rows, "delivered_at": one.delivered_at, "opened_at": fate.opened_at,
        "receipted_at": fate.receipted_at, "superseded_by": fate.superseded_by, "resent_as": fate.resent_as,
        "purged": fate.purged, "destroy_by": until.value.isoformat() if isinstance(until.value, date) else None,
        "basis": until.basis,
    }  # fmt: skip


CALLS = (
    Call("parcels", f"{ROOT}/parcels", every, "read", ParcelPage, Text("Les colis qui vous ont été remis, les plus récents d'abord", "The parcels that were delivered to you, the latest first"), query=ParcelQuery, logs="deliveries_read"),
    Call("parcel", f"{ROOT}/parcels/{{parcel}}", one, "read", WholeParcel, Text("Un colis et son bordereau", "One parcel and its manifest"), logs="deliveries_read"),
    Call("parcel_file", f"{ROOT}/parcels/{{parcel}}/file", file, "read", ("application/x-tar",), Text("Le fichier d'un colis ; Range permet de reprendre", "The file of a parcel; Range resumes"), logs="parcel_read", per_minute=FILES_A_MINUTE, refuses=(409,), ranges=True),
    Call("release_key", f"{ROOT}/parcels/{{parcel}}/key", release, "open", ReleaseKey, Text("La clé du second verrou d'un colis", "The key of a parcel's second lock"), "POST", logs="release_key", per_minute=KEYS_A_MINUTE, refuses=(409,)),
    Call("receipt", f"{ROOT}/receipts", receipt, "send", Recorded, Text("Donner un accusé de réception signé", "Give a signed receipt"), "POST", takes=RAW, status=201, per_minute=RECORDS_A_MINUTE, refuses=(408, 409, 413, 422)),
)  # fmt: skip
