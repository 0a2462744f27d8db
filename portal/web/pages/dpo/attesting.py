"""Attestations of destruction: who was asked, who answered, who is late; asking again."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.store import deliveries
from passerelle.workspace import Workspace
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import ATTESTATION_STATES, said
from retention.attestations import Standing, request, standing

CAUSES = {
    "purge": Text("fin de la convention", "end of the convention"),
    "superseded": Text("colis remplacé", "parcel superseded"),
    "asked": Text("demande du délégué", "asked by the officer"),
}
TONES = {"received": "good", "partial": "warn", "escalated": "bad"}
STATES = (("overdue", Text("en retard", "overdue")), *ATTESTATION_STATES.items())
COLUMNS = (
    Column("request", Text("demande", "request"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("party", Text("destinataire", "recipient")),
    Column("state", Text("état", "state"), "words"),
    Column("due", Text("échéance", "due"), "day"),
    Column("parcels", Text("colis", "parcels"), "number"),
    Column("attested", Text("attestés", "attested"), "number"),
    Column("missing", Text("non attestés", "not attested"), "code"),
    Column("reminders", Text("rappels", "reminders"), "number"),
    Column("cause", Text("motif", "reason"), "words"),
    Column("dpo", Text("délégué", "officer"), "words"),
    Column("attested_at", Text("reçue le", "received"), "moment"),
)


def every(visit: Visit) -> Response:
    """Every request and what came of it, those that are late first."""
    return _every(visit)


def _every(visit: Visit, fault: PasserelleError | None = None) -> Response:
    where = {name: visit.asked(name) for name in ("convention", "party") if visit.asked(name)}
    state = asked.text(visit, "state")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "attestations_read", "attestations", convention=where.get("convention"), partner=where.get("party"))  # fmt: skip
    with visit.workspace.database.read() as connection:
        found = standing(visit.workspace, connection, **where)
        received = visit.remembered(connection, _recipients)
    kept = [one for one in found if state in {None, one.state} or (state == "overdue" and one.overdue)]
    kept.sort(key=lambda one: (not one.overdue, one.state == "received", one.due, one.request))
    shown, cursor = paged(kept, visit.asked("after"), visit.rows, lambda one: one.request)
    listing = Listing(
        Text("Attestations de destruction", "Attestations of destruction"),
        Text(
            "La parole signée d'un destinataire : elle prouve qui a signé quoi et quand, non que sa copie n'existe plus.",
            "A recipient's signed word: it proves who signed what and when, not that its copy is gone.",
        ),
        COLUMNS, [_row(one) for one in shown],
        Text("Aucune demande. Elles partent d'elles-mêmes à la fin d'une convention ; le formulaire ci-dessous en adresse une plus tôt.", "No request. They go out by themselves when a convention ends; the form below sends one earlier."),
        (
            Filter("convention", Text("Convention", "Convention")), Filter("party", Text("Destinataire", "Recipient")),
            Filter("state", Text("État", "State"), "choice", STATES),
        ), cursor,
    )  # fmt: skip
    choices = sorted({(name, Text(name, name)) for name, _ in received})
    choices += [(f"{name}/{party}", Text(f"{name} – {party}", f"{name} – {party}")) for name, party in received]
    answer = visit.listing(listing, "dpo/attestations.html.jinja", fault=asked.fault_in_words(fault), choices=choices)
    answer.status_code = 400 if fault else 200
    return answer


def ask(visit: Visit) -> Response:
    """Ask the recipients, or one of them, to attest; a request that stands is put into the folder again."""
    convention, _, party = visit.given("about").partition("/")
    try:
        found = request(visit.workspace, convention, party=party or None)
    except (UsageError, RefusedError) as fault:
        return _every(visit, fault)
    names = ", ".join(f"{one.party} ({one.request})" for one in found)
    return visit.go(visit.href("attestations"), Text(f"Demande adressée à {names}.", f"Request sent to {names}."))


def _recipients(_: Workspace, connection: Connection) -> list[tuple[str, str]]:
    return deliveries.recipients(connection)


def _row(one: Standing) -> dict[str, Any]:
    late = Text("en retard", "overdue")
    return {
        "request": one.request, "convention": one.convention, "party": one.party,
        "state": late if one.overdue else said(ATTESTATION_STATES, one.state),
        "state_tone": "bad" if one.overdue else TONES.get(one.state, ""), "due": date.fromisoformat(one.due),
        "parcels": one.parcels, "attested": one.attested, "missing": ", ".join(one.missing),
        "reminders": len(one.reminders), "cause": said(CAUSES, one.cause),
        "dpo": Text("non indiqué", "not stated") if one.dpo == "not_stated" else one.dpo, "attested_at": one.attested_at,
    }  # fmt: skip


WAYS = (
    Way("attestations", "/destruction/attestations", every, DPO, logs="attestations_read"),
    Way("attestations.ask", "/destruction/attestations", ask, DPO, "POST"),
)
