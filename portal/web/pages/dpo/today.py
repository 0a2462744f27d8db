"""What needs a DPO today: what must be destroyed, decided, approved, answered or looked into, each with where to do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection
from starlette.responses import Response

from flows import planning
from passerelle.access.alerting import alerts
from passerelle.convention import Answer
from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.handover.approval import REASON
from passerelle.handover.breach import breaches
from passerelle.persons.notifying import notices
from passerelle.persons.requesting import followed
from passerelle.receipt.recording import Standing, reconcile
from passerelle.store import alerts as register
from passerelle.store import partners
from passerelle.store.alerts import Alert
from passerelle.workspace import Workspace
from portal.render import Text, day, number
from portal.web.pages import asked
from portal.web.pages.dpo.planned import planned
from portal.web.pages.dpo.requests import SOON
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import ACCESS_ALERTS, RIGHTS, WATCHED, alert_subject, said
from retention import attestations, backups, suspending
from retention.approving import approvals, required
from retention.plan import Plan
from retention.watchdog import acknowledge

SHOWN = 5  # of one kind told one by one
TONES = ("bad", "warn", "")


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do: how pressing, what, why, and where; and how many more of its title there are that have no card."""

    tone: str
    title: Text
    words: Text
    href: str
    more: int = 0


def today(visit: Visit) -> Response:
    """The cards, the most pressing first, and the watchdog's alerts that nobody took note of."""
    return _today(visit)


def _today(visit: Visit, fault: PasserelleError | None = None) -> Response:
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", "today")
    with visit.workspace.database.read() as connection:
        groups = _grouped(card for gather in GATHERED for card in gather(visit, connection))
        watched = [_alert(one) for one in register.alerts(connection, standing=True) if one.open]
    visit.shows_nothing()
    return visit.page(
        "dpo/today.html.jinja", 400 if fault else 200, groups=groups, shown=SHOWN, watched=watched,
        fault=asked.fault_in_words(fault),
    )  # fmt: skip


def _grouped(cards: Iterable[Card]) -> list[tuple[str, Text, list[Card], int]]:
    """The cards of one title together with how many things they stand for, the most pressing first."""
    found: dict[Text, list[Card]] = {}
    for card in cards:
        found.setdefault(card.title, []).append(card)
    groups = [
        (min((one.tone for one in own), key=TONES.index), title, own, sum(1 + one.more for one in own))
        for title, own in found.items()
    ]
    return sorted(groups, key=lambda group: TONES.index(group[0]))


def take_note(visit: Visit) -> Response:
    """Take note of an alert, with a reason: it still stands, and fails the watchdog no more."""
    which = visit.part("alert")
    with visit.workspace.database.read() as connection:
        if which not in {one.id for one in register.alerts(connection, standing=True)}:
            raise AbsentError
    try:
        acknowledge(visit.workspace, which, by=visit.account.name, reason=asked.reason(visit))
    except (UsageError, RefusedError) as fault:
        return _today(visit, fault)
    return visit.go(visit.href("today"), Text("Alerte prise en compte.", "Alert acknowledged."))


def _alert(one: Alert) -> tuple[Alert, Text | None, str]:
    return one, said(WATCHED, one.code), alert_subject(one.about)


def _destruction(visit: Visit, connection: Connection) -> Iterator[Card]:
    waits = required(connection)
    for shown in visit.remembered(connection, planned).values():
        one = shown.plan
        if one.end.status == "disputed":
            yield _plan_card(visit, one, one.end, Text("Échéance contestée à trancher", "Disputed deadline to decide"))
        if one.deadline.status == "disputed":
            continue
        if waits and one.allowed and one.copies and not approvals(connection, shown.number, visit.now):
            title = Text("Plan de destruction à approuver", "Destruction plan to approve")
        elif one.overdue:
            title = Text("Destruction en retard", "Overdue destruction")
        elif one.allowed:
            title = Text("Destruction à mener", "Destruction to carry out")
        else:
            continue
        yield _plan_card(visit, one, one.deadline, title)


def _plan_card(visit: Visit, one: Plan, deadline: Answer, title: Text) -> Card:
    due = deadline.value if isinstance(deadline.value, date) else None
    late = due is not None and due < one.now
    return Card("bad" if late else "warn", title, _until(one.convention, due), visit.href("plan", which=one.convention))


def _until(what: str | Text, due: date | None) -> Text:
    said = what if isinstance(what, Text) else Text(what, what)
    if due is None:
        return said
    return Text(f"{said.fr}, au plus tard le {day(due, 'fr')}", f"{said.en}, at the latest on {day(due, 'en')}")


def _attestations(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in attestations.overdue(visit.workspace, connection):
        title = Text("Attestation de destruction en retard", "Overdue attestation of destruction")
        words = _until(f"{one.party}, {one.convention}", date.fromisoformat(one.due))
        yield Card("bad" if one.escalated_at else "warn", title, words, visit.href("attestations") + "?state=overdue")


def _requests(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in followed(visit.workspace, connection):
        if one.row.answered_at is None and one.days_left is not None and one.days_left <= SOON:
            right = RIGHTS[one.row.right]
            title = Text("Demande d'une personne à traiter", "Person's request to answer")
            words = _until(
                Text(f"{right.fr}, {one.row.id}", f"{right.en}, {one.row.id}"), date.fromisoformat(one.row.due)
            )
            yield Card("bad" if one.days_left < 0 else "warn", title, words, visit.href("request", request=one.row.id))
    for late in (one for one in notices(visit.workspace, connection) if one.late):
        title = Text("Avis sans réponse (art. 19)", "Notice without an answer (art. 19)")
        who = f"{late.recipient_name}, {late.row.id}"
        yield Card("warn", title, Text(who, who), visit.href("notice", notice=late.row.id))


def _breaches(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in visit.remembered(connection, breaches):
        if one["state"] != "notified":
            left = max(one["hours_left"], 0)
            title = Text("Violation à notifier (72 heures)", "Breach to be notified (72 hours)")
            words = Text(f"{one['convention']}, {number(left, 'fr')} h restantes", f"{one['convention']}, {number(left, 'en')} h left")  # fmt: skip
            yield Card("bad", title, words, visit.href("breaches"))


def _holds(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in suspending.overdue(visit.workspace, connection):
        title = Text("Suspension à réexaminer", "Hold past its review")
        words = Text(f"{one.convention}, {one.id}", f"{one.convention}, {one.id}")
        yield Card("warn", title, words, visit.href("hold", hold=one.id))


def _backups(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in visit.remembered(connection, backups.alerts):
        title = said(WATCHED, one["code"]) or Text(one["code"], one["code"])
        words = _until(str(one["backup"]), date.fromisoformat(one["due"]) if one["due"] else None)
        yield Card("warn", title, words, visit.href("backups"))


def _keys(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in visit.remembered(connection, _waiting):
        yield Card("warn", Text("Clé de partenaire à approuver", "Partner's key to approve"), Text(one, one), visit.href("partner-keys"))  # fmt: skip


def _waiting(_: Workspace, connection: Connection) -> list[str]:
    return sorted({one.partner for one in partners.keys(connection) if one.state == "pending"})


def _texts(visit: Visit, connection: Connection) -> Iterator[Card]:
    for which in visit.remembered(connection, planning.not_approved):
        yield Card(
            "bad", Text("Texte changé sans approbation", "Text changed without approval"),
            Text(f"{which} : rien ne part tant que deux personnes ne l'ont pas approuvé.", f"{which}: nothing leaves until two people have approved it."),
            visit.href("registers.changes"),
        )  # fmt: skip


def _owed(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in visit.remembered(connection, planning.overdue):
        if one["code"] == REASON:  # told by _texts
            continue
        exchange = one["code"] == "exchange_overdue"
        title = Text("Échange échu et non mené", "Exchange due and not carried out") if exchange else Text("Obligation échue, rien au dossier", "Obligation due, nothing on file")  # fmt: skip
        parts = (one["convention"], one.get("exchange") or one.get("obligation"), one.get("period"))
        subject = ", ".join(str(part) for part in parts if part)
        words = _until(subject, date.fromisoformat(one["due"]) if one.get("due") else None)
        yield Card("warn", title, words, visit.href("convention", which=one["convention"]))


def _unusual(visit: Visit, connection: Connection) -> Iterator[Card]:
    for one in alerts(connection, visit.now):
        words = said(ACCESS_ALERTS, one.code) or Text(one.code, one.code)
        who = one.actor or one.partner or ""
        yield Card("warn", words, Text(f"{who} : {one.count}", f"{who}: {one.count}"), visit.href("access-log") + (f"?actor={one.actor}" if one.actor else ""))  # fmt: skip


def _late(visit: Visit, connection: Connection) -> Iterator[Card]:
    late = visit.remembered(connection, _unreceipted)
    more = max(len(late) - SHOWN, 0)
    for place, one in enumerate(late[:SHOWN]):
        yield Card(
            "", Text("Sans accusé de réception", "No receipt"), Text(f"{one.parcel}, {one.recipient}", f"{one.parcel}, {one.recipient}"),
            visit.href("delivery", parcel=one.parcel), 0 if place else more,
        )  # fmt: skip


def _unreceipted(workspace: Workspace, connection: Connection) -> list[Standing]:
    return [one for one in reconcile(workspace, connection) if one.late]


GATHERED = (_destruction, _texts, _requests, _breaches, _attestations, _holds, _backups, _keys, _owed, _unusual, _late)
WAYS = (
    Way("today", "/today", today, DPO, logs="deliveries_read", navigates=("Aujourd'hui", "Today")),
    Way("today.note", "/today/alerts/{alert}", take_note, DPO, "POST"),
)
