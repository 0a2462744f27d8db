"""What left: to whom, when, under which article, how many rows, opened or not, receipted or not."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from starlette.responses import Response

from passerelle.persons.received import named
from passerelle.store import deliveries, runs
from passerelle.store.deliveries import Search
from passerelle.store.runs import Delivery
from portal.render import Text
from portal.web.listing import Column, Filter, Listing
from portal.web.pages import asked
from portal.web.pages.delivered import article_of, manifest_of
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import OUTCOME

COLUMNS = (
    Column("delivered_at", Text("remis le", "delivered"), "moment"),
    Column("parcel", Text("colis", "parcel"), "code"),
    Column("exchange", Text("échange", "exchange"), "code"),
    Column("period", Text("période", "period")),
    Column("recipient", Text("destinataire", "recipient")),
    Column("article", Text("article", "article")),
    Column("rows", Text("lignes", "rows"), "number"),
    Column("opened", Text("clé remise", "key handed over"), "moment"),
    Column("receipted", Text("accusé de réception", "receipt"), "moment"),
)
FILTERS = (
    Filter("convention", Text("Convention", "Convention")),
    Filter("exchange", Text("Échange", "Exchange")),
    Filter("recipient", Text("Destinataire", "Recipient")),
    Filter("since", Text("Du", "From"), "date"),
    Filter("until", Text("Au", "To"), "date"),
)


def every(visit: Visit) -> Response:
    """The deliveries, the latest first."""
    search = Search(
        asked.text(visit, "convention"), asked.text(visit, "exchange"), asked.text(visit, "recipient"),
        asked.since(visit), asked.until(visit),
    )  # fmt: skip
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", search.convention or "deliveries", convention=search.convention, partner=search.recipient)  # fmt: skip
    with visit.workspace.database.read() as connection:
        found = deliveries.page(connection, search, limit=visit.rows + 1, before=asked.cursor(visit))
        shown = found[: visit.rows]
        parcels = [one.id for one in shown]
        opened, receipted = deliveries.opened(connection, parcels), deliveries.receipted(connection, parcels)
    rows = [
        {
            "delivered_at": one.delivered_at, "parcel": one.id, "parcel_href": visit.href("delivery", parcel=one.id),
            "exchange": f"{one.convention}/{one.exchange}", "period": one.period, "recipient": one.recipient,
            "article": article_of(visit, one), "rows": one.rows, "opened": opened.get(one.id),
            "receipted": receipted.get(one.id),
        }
        for one in shown
    ]  # fmt: skip
    return visit.listing(
        Listing(
            Text("Livraisons", "Deliveries"),
            Text("Chaque colis remis : à qui, quand, au titre de quel article.", "Each parcel handed over: to whom, when, under which article."),
            COLUMNS, rows,
            Text("Aucune livraison ne répond à cette recherche.", "No delivery answers this search."),
            FILTERS, str(shown[-1].entry) if len(found) > len(shown) else None,
        ),
        "dpo/deliveries.html.jinja", persons=_persons(visit) if rows else None,
    )  # fmt: skip


def _persons(visit: Visit) -> str | None:
    """Where the persons of what was searched are counted, which takes a recipient, a convention or a span; None without any, or for one exchange."""
    wanted = {name: visit.asked(name) for name in ("convention", "since", "until")} | {
        "partner": visit.asked("recipient")
    }
    if visit.asked("exchange") or not any(value for name, value in wanted.items() if name != "until"):
        return None
    return visit.href("breaches.scope") + "?" + urlencode({name: value for name, value in wanted.items() if value})


def one(visit: Visit) -> Response:
    """One delivery: its manifest in words, what became of it, its place in the trail."""
    parcel = visit.part("parcel")
    with visit.workspace.database.read() as connection:
        known = runs.deliveries(connection, id=parcel, state="delivered")
        opened, receipted = deliveries.opened(connection, [parcel]), deliveries.receipted(connection, [parcel])
    if not known:
        raise AbsentError
    found = known[0]
    with visit.workspace.database.begin() as connection:
        visit.log(
            connection, "deliveries_read", found.id, partner=found.recipient, convention=found.convention,
            exchange=found.exchange, delivery=found.id, run=found.run,
        )  # fmt: skip
    facts = [
        (Text("convention", "convention"), found.convention),
        (Text("échange", "exchange"), found.exchange),
        (Text("période", "period"), found.period),
        (Text("destinataire", "recipient"), _named(visit, found)),
        (Text("numéro d'envoi", "sequence"), found.sequence),
        (Text("écriture du registre", "entry of the trail"), found.entry),
        (Text("empreinte du bordereau", "hash of the manifest"), found.manifest_sha256),
    ]
    manifest = manifest_of(found)
    fields = manifest["resources"][0]["schema"]["fields"] if manifest else []
    return visit.page(
        "dpo/delivery.html.jinja", found=found, facts=facts, manifest=manifest, opened=opened.get(parcel),
        receipted=receipted.get(parcel), article=article_of(visit, found), outcome=OUTCOME[found.decision],
        tone="good" if found.decision == "allow" else "warn", columns=[field["name"] for field in fields],
        whole=json.dumps(manifest, ensure_ascii=False, indent=1), locks=len(manifest["passerelle"]["locks"]) if manifest else None,
    )  # fmt: skip


def _named(visit: Visit, found: Delivery) -> str:
    """The recipient by its name in the convention's text, and its id."""
    name = named(visit.workspace.convention(found.convention), found.recipient, {})
    return found.recipient if name == found.recipient else f"{name} ({found.recipient})"


WAYS = (
    Way("deliveries", "/deliveries", every, DPO, logs="deliveries_read", navigates=("Livraisons", "Deliveries")),
    Way("delivery", "/deliveries/{parcel}", one, DPO, logs="deliveries_read"),
)
