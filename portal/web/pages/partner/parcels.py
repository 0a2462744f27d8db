"""A partner's parcels: the list, and one of them with its terms, its checks and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from starlette.responses import Response

from passerelle.convention import Answer
from passerelle.convention.dates import local_day
from passerelle.errors import RefusedError
from passerelle.handover import own
from passerelle.handover.evidence import trust_from
from passerelle.handover.own import Fate
from passerelle.parcel import Check, examine
from passerelle.store import deliveries
from passerelle.store.deliveries import Search
from passerelle.store.runs import Delivery
from portal.faults import told
from portal.render import Text
from portal.web.leaving import Leaving
from portal.web.listing import Column, Filter, Listing
from portal.web.pages import asked
from portal.web.pages.delivered import article_of, manifest_of
from portal.web.pages.partner.reaching import parcel_of, seen
from portal.web.visit import Visit
from portal.web.ways import PARTNER, Way
from portal.words import BASIS, reason, said

VERIFIED_AT_ONCE = 64 * 1024 * 1024  # bytes: a larger parcel is hashed when it is asked for
LOOKS_A_MINUTE = 60
SOON = 30  # days before the deadline from which a parcel stands out
COLUMNS = (
    Column("delivered_at", Text("remis le", "delivered"), "moment"),
    Column("title", Text("contenu", "content"), "words"),
    Column("period", Text("période", "period")),
    Column("state", Text("état", "state"), "words"),
    Column("destroy_by", Text("à détruire le", "destroy by"), "day"),
    Column("days_left", Text("jours restants", "days left"), "number"),
    Column("article", Text("article", "article")),
    Column("sequence", Text("n°", "no."), "number"),
    Column("rows", Text("lignes", "rows"), "number"),
    Column("opened", Text("clé remise", "key handed over"), "moment"),
    Column("receipted", Text("accusé de réception", "receipt"), "moment"),
    Column("parcel", Text("colis", "parcel"), "code"),
)
FILTERS = (
    Filter("convention", Text("Convention", "Convention")),
    Filter("exchange", Text("Échange", "Exchange")),
    Filter("since", Text("Du", "From"), "date"),
    Filter("until", Text("Au", "To"), "date"),
)
TYPES = {
    "string": Text("texte", "text"),
    "integer": Text("nombre entier", "whole number"),
    "number": Text("nombre", "number"),
    "date": Text("date", "date"),
    "boolean": Text("oui ou non", "yes or no"),
}  # of a column in a manifest
CHECKS = {
    "form": Text("forme de l'archive, octet par octet", "form of the archive, byte by byte"),
    "signature": Text("signature du bordereau", "signature of the manifest"),
    "hashes": Text("empreintes de l'extrait et des notices", "hashes of the extract and the notices"),
    "recipient": Text("destinataire : vous", "recipient: you"),
    "proof": Text("inscription au registre de preuve", "entry in the trail"),
}


def every(visit: Visit) -> Response:
    """The visitor's parcels, the latest first."""
    search = Search(asked.text(visit, "convention"), asked.text(visit, "exchange"), visit.party, asked.since(visit), asked.until(visit))  # fmt: skip
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", search.convention or "deliveries", convention=search.convention, partner=visit.party)  # fmt: skip
    with visit.workspace.database.read() as connection:
        found = deliveries.page(connection, search, limit=visit.rows + 1, before=asked.cursor(visit))
        shown = found[: visit.rows]
        fates = own.fates(connection, shown)
        deadlines = own.deadlines(visit.workspace, connection, shown)
    return visit.listing(
        Listing(
            Text("Mes colis", "My parcels"),
            Text(
                "Ce qui vous a été remis, au titre de quel article, et jusqu'à quand vous pouvez le garder.",
                "What was delivered to you, under which article, and until when you may keep it.",
            ),
            COLUMNS,
            [_row(visit, one, fates[one.id], deadlines[one.id]) for one in shown],
            Text(
                "Aucun colis. Le premier vous sera remis quand deux personnes auront approuvé votre clé : voyez « Mes clés ».",
                "No parcel. The first one comes once two people have approved your key: see “My keys”.",
            ),
            FILTERS,
            str(shown[-1].entry) if len(found) > len(shown) else None,
        )
    )


def _row(visit: Visit, one: Delivery, fate: Fate, deadline: Answer) -> dict[str, Any]:
    state, tone = state_of(fate)
    left = _days_left(visit, one, deadline)
    return {
        "delivered_at": one.delivered_at, "title": title_of(visit, one), "title_href": visit.href("parcel", delivery=one.id),
        "period": one.period, "article": article_of(visit, one), "sequence": one.sequence, "rows": one.rows,
        "opened": fate.opened_at, "receipted": fate.receipted_at, "destroy_by": deadline.value, "days_left": left,
        "days_left_tone": None if left is None or left > SOON else "bad" if left < 0 else "warn",
        "state": state, "state_tone": tone, "parcel": one.id,
    }  # fmt: skip


def state_of(fate: Fate) -> tuple[Text, str]:
    """Where a parcel stands, and the tone of its badge."""
    if fate.purged:
        return Text("données détruites : détruisez vos copies", "data destroyed: destroy your copies"), "bad"
    if fate.superseded_by:
        return Text("remplacé : à détruire", "superseded: destroy it"), "bad"
    if fate.receipted_at:
        return Text("accusé de réception donné", "receipted"), "good"
    if fate.resent_as:
        return Text("renvoyé sous un autre numéro", "sent again under another number"), "warn"
    return Text("accusé de réception attendu", "receipt awaited"), "warn"


def _days_left(visit: Visit, one: Delivery, deadline: Answer) -> int | None:
    if not isinstance(deadline.value, date):
        return None
    return (deadline.value - local_day(visit.now, visit.workspace.convention(one.convention).zone)).days


def title_of(visit: Visit, one: Delivery) -> Text:
    """What a parcel holds, as its exchange is called."""
    exchange = visit.workspace.convention(one.convention).exchange(one.exchange)
    return Text(exchange.title.fr, exchange.title.en) if exchange is not None else Text(one.exchange, one.exchange)


def show(visit: Visit) -> Response:
    """One parcel: what it is, from whom, until when, whether it holds, and what to do with it."""
    found = parcel_of(visit)
    seen(visit, found)
    with visit.workspace.database.read() as connection:
        fate = own.fates(connection, [found])[found.id]
        deadline = own.deadlines(visit.workspace, connection, [found])[found.id]
    file, refusal = _file(visit, found)
    at_once = file is not None and (file.size <= VERIFIED_AT_ONCE or visit.asked("verify") == "now")
    manifest = manifest_of(found)
    state, tone = state_of(fate)
    return visit.page(
        "partner/parcel.html.jinja", found=found, fate=fate, deadline=deadline, left=_days_left(visit, found, deadline),
        title=title_of(visit, found), article=article_of(visit, found), state=state, tone=tone, file=file, refusal=refusal,
        checks=_checks(visit, file) if file is not None and at_once else None, about=manifest and manifest["passerelle"],
        names=_names(visit, found), resource=manifest and manifest["resources"][0], basis=said(BASIS, deadline.basis),
        reason=reason, types=TYPES,
    )  # fmt: skip


def _names(visit: Visit, found: Delivery) -> dict[str, str]:
    text = visit.workspace.convention(found.convention)
    return {one.id: one.name for one in text.parties} | {one.id: one.name for one in text.third_parties}


def _file(visit: Visit, found: Delivery) -> tuple[own.ParcelFile | None, Text | None]:
    try:
        return own.parcel_file(visit.workspace, found), None
    except RefusedError as fault:
        return None, Text(told(fault, "fr"), told(fault, "en"))


def _checks(visit: Visit, file: own.ParcelFile) -> Sequence[tuple[Text, Check, Text | None]]:
    checks = examine(file.path, trust_from(visit.workspace.home / "trust", visit.party))
    return [
        (CHECKS[one.name], one, None if one.fault is None else Text(told(one.fault, "fr"), told(one.fault, "en")))
        for one in checks
    ]


def take(visit: Visit) -> Response:
    """The parcel's file, from where a broken download stopped (RFC 9110 section 14)."""
    file = own.take(visit.workspace, parcel_of(visit), actor=visit.account.name)
    visit.logged.add("parcel_read")
    return Leaving(
        file.path, media_type="application/x-tar", filename=file.name, headers={"etag": file.tag}, stat_result=file.path.stat()
    )  # fmt: skip


WAYS = (
    Way("parcels", "/parcels", every, PARTNER, logs="deliveries_read", navigates=("Mes colis", "My parcels")),
    Way("parcel", "/parcels/{delivery}", show, PARTNER, logs="deliveries_read", per_minute=LOOKS_A_MINUTE),
    Way("parcel.file", "/parcels/{delivery}/file", take, PARTNER, logs="parcel_read"),
)
