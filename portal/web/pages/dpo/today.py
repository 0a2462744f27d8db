"""What needs a DPO today: what must be destroyed, decided, approved, answered or looked into, each with where to do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection
from starlette.responses import Response

from flows import planning
from passerelle.access.alerting import alerts
from passerelle.receipt.recording import reconcile
from portal.render import Text, day
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import ACCESS_ALERTS, said
from retention.plan import plans

SHOWN = 20  # late receipts told one by one


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do: how pressing, what, why, and where."""

    tone: str
    title: Text
    words: Text
    href: str


def today(visit: Visit) -> Response:
    """The cards, the most pressing first."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", "today")
    with visit.workspace.database.read() as connection:
        cards = [*_destruction(visit, connection), *_texts(visit, connection), *_owed(visit, connection),
                 *_unusual(visit, connection), *_late(visit, connection)]  # fmt: skip
    order = ("bad", "warn", "")
    return visit.page("dpo/today.html.jinja", cards=sorted(cards, key=lambda card: order.index(card.tone)))


def _destruction(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in plans(visit.workspace, connection):
        if one.deadline.status == "disputed":
            title = Text("Échéance contestée à trancher", "Disputed deadline to decide")
        elif one.overdue:
            title = Text("Destruction en retard", "Overdue destruction")
        elif one.allowed:
            title = Text("Destruction à mener", "Destruction to carry out")
        else:
            continue
        due = date.fromisoformat(one.due) if one.due else None
        when = (
            Text(f", au plus tard le {day(due, 'fr')}", f", at the latest on {day(due, 'en')}") if due else Text("", "")
        )
        yield Card(
            "bad" if one.overdue else "warn", title, Text(one.convention + when.fr, one.convention + when.en),
            visit.href("destruction"),
        )  # fmt: skip


def _texts(visit: Visit, connection: Connection) -> Iterator[Card]:
    for which in planning.not_approved(visit.workspace, connection):
        yield Card(
            "bad", Text("Texte changé sans approbation", "Text changed without approval"),
            Text(f"{which} : rien ne part tant que deux personnes ne l'ont pas approuvé.", f"{which}: nothing leaves until two people have approved it."),
            visit.href("convention", which=which),
        )  # fmt: skip


def _owed(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in planning.overdue(visit.workspace, connection):
        exchange = one["code"] == "exchange_overdue"
        title = Text("Échange échu et non mené", "Exchange due and not carried out") if exchange else Text("Obligation échue, rien au dossier", "Obligation due, nothing on file")  # fmt: skip
        subject = f"{one['convention']}, {one.get('exchange') or one.get('obligation') or one.get('subject') or ''}"
        yield Card("warn", title, Text(subject, subject), visit.href("convention", which=one["convention"]))


def _unusual(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in alerts(connection, visit.now):
        words = said(ACCESS_ALERTS, one.code) or Text(one.code, one.code)
        who = one.actor or one.partner or ""
        yield Card("warn", words, Text(f"{who} : {one.count}", f"{who}: {one.count}"), visit.href("access-log") + (f"?actor={one.actor}" if one.actor else ""))  # fmt: skip


def _late(visit: Visit, connection: Connection) -> Iterator[Card]:
    late = [one for one in reconcile(visit.workspace, connection) if one.late]
    for one in late[:SHOWN]:
        yield Card(
            "", Text("Sans accusé de réception", "No receipt"), Text(f"{one.parcel}, {one.recipient}", f"{one.parcel}, {one.recipient}"),
            visit.href("delivery", parcel=one.parcel),
        )  # fmt: skip


WAYS = (Way("today", "/today", today, DPO, logs="deliveries_read", navigates=("Aujourd'hui", "Today")),)
