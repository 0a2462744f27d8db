"""Breaches (GDPR art. 33, 34): those on record with their 72 hours, recording one, and what one touched."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.handover.breach import Scope, Touched
from passerelle.handover.breach import breaches as on_record
from passerelle.handover.breach import scope as touched
from passerelle.handover.recording import record_event
from passerelle.store import partners
from passerelle.workspace import Workspace
from portal.context import instant_value
from portal.meanings import columns_of
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.pages.dpo.persons import conventions
from portal.web.remembered import Latest
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import BREACH_STATES, PARIS, PERSON, SECOND_LOCKS, said

TONES = {"open": "warn", "late": "bad", "notified": "good"}
LOCKS = {"none": "bad", "handed": "bad", "held": "good", "destroyed": "good"}
BREACHES = (
    Column("breach", Text("violation", "breach"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("state", Text("état", "state"), "words"),
    Column("known_at", Text("connue", "known"), "moment"),
    Column("due", Text("à notifier avant", "notify before"), "moment"),
    Column("hours_left", Text("heures restantes", "hours left"), "number"),
    Column("article", Text("article", "article")),
)
TOUCHED = (
    Column("delivered_at", Text("remis le", "delivered"), "moment"),
    Column("recipient", Text("destinataire", "recipient")),
    Column("exchange", Text("échange", "exchange")),
    Column("period", Text("période", "period")),
    Column("rows", Text("lignes", "rows"), "number"),
    Column("second_lock", Text("second verrou", "second lock"), "words"),
    Column("opened_at", Text("clé remise", "key handed over"), "moment"),
    Column("receipted_at", Text("accusé de réception", "receipt"), "moment"),
    Column("parcel", Text("colis", "parcel"), "code"),
)


def every(visit: Visit) -> Response:
    """The breaches on record, each with its clock of 72 hours."""
    return _every(visit)


def _every(visit: Visit, fault: PasserelleError | None = None) -> Response:
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "breach_scope", "breaches")
    with visit.workspace.database.read() as connection:
        found = on_record(visit.workspace, connection)
    rows = [
        {**one, "state": BREACH_STATES[one["state"]], "state_tone": TONES[one["state"]]}
        for one in found
    ]  # fmt: skip
    listing = Listing(
        Text("Violations de données", "Breaches"),
        Text(
            "Une violation se notifie à l'autorité dans les 72 heures de sa connaissance (RGPD, art. 33), et aux personnes si le risque est élevé (art. 34).",
            "A breach is notified to the authority within 72 hours of becoming known (GDPR art. 33), and to the persons when the risk is high (art. 34).",
        ),
        BREACHES, rows, Text("Aucune violation au dossier.", "No breach on record."),
    )  # fmt: skip
    left = [one for one in found if one["state"] != "notified" and one["breach"]]
    waiting = [(f"{one['convention']}/{one['breach']}", Text(f"{one['convention']} – {one['breach']}", f"{one['convention']} – {one['breach']}")) for one in left]  # fmt: skip
    answer = visit.listing(
        listing,
        "dpo/breaches.html.jinja",
        fault=asked.fault_in_words(fault),
        conventions=conventions(visit),
        waiting=waiting,
    )
    answer.status_code = 400 if fault else 200
    return answer


def enter(visit: Visit) -> Response:
    """Record that a breach became known: its 72 hours run from that instant."""
    number = f"b-{uuid4().hex[:8]}"
    try:
        at = instant_value(visit.given("known_at"), "known_at", PARIS)
        _insist_past(visit, at)
        payload = {"id": number, "at": at.isoformat()}
        record_event(visit.workspace, visit.given("convention"), "breach_known", payload, by=visit.account.name)
    except (UsageError, RefusedError) as fault:
        return _every(visit, fault)
    return visit.go(visit.href("breaches"), Text(f"Violation {number} inscrite : le délai de 72 heures court.", f"Breach {number} is on record: its 72 hours run."))  # fmt: skip


def notified(visit: Visit) -> Response:
    """Record that the authority was told, with the hash of the notification."""
    convention, _, number = visit.given("about").partition("/")
    with visit.workspace.database.read() as connection:
        known = {f"{one['convention']}/{one['breach']}" for one in on_record(visit.workspace, connection)}
    if visit.given("about") not in known:
        return _every(visit, UsageError("expected a breach on record", fr="il faut une violation au dossier"))
    text = visit.given("reference")
    seal = hashlib.sha256(text.encode()).hexdigest() if text else None
    payload = {"id": number, "on": visit.now.astimezone(PARIS).date().isoformat()}
    record_event(visit.workspace, convention, "obligation_done", payload, by=visit.account.name, evidence_sha256=seal)
    return visit.go(visit.href("breaches"), Text("Notification enregistrée.", "Notification recorded."))


def scope(visit: Visit) -> Response:
    """What a breach touched: deliveries, how many persons at most, which columns, who has them, what can still be opened."""
    key, partner, convention = (asked.text(visit, name) for name in ("key", "partner", "convention"))
    since, until = asked.since(visit), asked.until(visit)
    if (key, partner, convention, since) == (None, None, None, None):
        visit.shows_nothing()
        return _scope(visit, None)
    with visit.workspace.database.read() as connection:
        found = visit.remembered(connection, _latest).of(
            (key, partner, convention, since, until),
            lambda: touched(
                visit.workspace,
                connection,
                columns_of,
                key=key,
                partner=partner,
                convention=convention,
                since=since,
                until=until,
            ),
        )
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "breach_scope", "scope", partner=partner, convention=convention, count=found.persons_at_most)  # fmt: skip
    return _scope(visit, found)


def _latest(_: Workspace, __: Connection) -> Latest:
    return Latest()


def _scope(visit: Visit, found: Scope | None) -> Response:
    with visit.workspace.database.read() as connection:
        known = [(one.id, Text(one.name, one.name)) for one in partners.partners(connection)]
    rows, cursor = paged(found.deliveries if found else (), visit.asked("after"), visit.rows, lambda one: one.parcel)
    empty = Text("Aucune remise n'est touchée.", "No delivery is touched.") if found else Text("Dites ce que la violation a touché : une clé, un partenaire, une convention ou une période.", "Say what the breach touched: a key, a partner, a convention or a span of time.")  # fmt: skip
    listing = Listing(
        Text("Étendue d'une violation", "Scope of a breach"),
        Text(
            "Ce qui est parti vers une clé, un partenaire ou dans une période, et ce qui peut encore en être ouvert.",
            "What left to a key, a partner or in a span of time, and what of it can still be opened.",
        ),
        TOUCHED, [_row(visit, one) for one in rows], empty,
        (
            Filter("key", Text("Empreinte de la clé perdue", "Fingerprint of the lost key")),
            Filter("partner", Text("Partenaire", "Partner"), "choice", known),
            Filter("convention", Text("Convention", "Convention"), "choice", conventions(visit)),
            Filter("since", Text("Du", "From"), "date"), Filter("until", Text("Au", "To"), "date"),
        ), cursor, _facts(found) if found else (),
    )  # fmt: skip
    return visit.listing(listing, "dpo/register.html.jinja")


def _facts(found: Scope) -> list[tuple[Text, Any]]:
    told = found.figures()
    counts = told["counts"]
    facts: list[tuple[Text, Any]] = [
        (Text("remises", "deliveries"), counts["deliveries"]),
        (Text("lignes", "rows"), counts["rows"]),
        (Text("personnes, au plus", "persons, at most"), counts["persons_at_most"]),
        (Text("encore lisibles par qui a la clé", "still readable with the key"), told["still_openable"]),
        (Text("destinataires", "recipients"), ", ".join(told["recipients"]) or "–"),
    ]
    if counts["deliveries_without_index"]:
        facts.append(
            (
                Text("remises sans index des personnes", "deliveries without a person index"),
                counts["deliveries_without_index"],
            )
        )
    for name, columns in told["columns"].items():
        if columns:
            kind = PERSON[name]
            facts.append(
                (Text(f"champs qui identifient : {kind.fr}", f"fields that identify: {kind.en}"), ", ".join(columns))
            )
    return facts


def _row(visit: Visit, one: Touched) -> dict[str, Any]:
    return {
        "delivered_at": one.delivered_at, "recipient": one.recipient, "exchange": f"{one.convention}/{one.exchange}",
        "period": one.period, "rows": one.rows, "second_lock": said(SECOND_LOCKS, one.second_lock),
        "second_lock_tone": LOCKS[one.second_lock], "opened_at": one.opened_at, "receipted_at": one.receipted_at,
        "parcel": one.parcel, "parcel_href": visit.href("delivery", parcel=one.parcel),
    }  # fmt: skip


def _insist_past(visit: Visit, at: datetime) -> None:
    if at > visit.now:
        raise UsageError("expected an instant that is not to come", fr="cet instant est à venir")


WAYS = (
    Way("breaches", "/registers/breaches", every, DPO, logs="breach_scope"),
    Way("breaches.enter", "/registers/breaches", enter, DPO, "POST"),
    Way("breaches.notified", "/registers/breaches/notified", notified, DPO, "POST"),
    Way("breaches.scope", "/registers/breaches/scope", scope, DPO, logs="breach_scope"),
)
