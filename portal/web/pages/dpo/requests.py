"""Requests of persons and their clock (GDPR art. 12), objections that stand (art. 21); by number, never by person."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.persons import withdraw_objection
from passerelle.persons.requesting import (
    ANSWERS,
    EXTENSIONS,
    Followed,
    answer_request,
    extend_request,
    followed,
    open_request,
)
from passerelle.store import objections as kept
from passerelle.store.objections import Objection
from portal.context import date_value
from portal.render import Text
from portal.web.listing import Column, Filter, Listing, paged
from portal.web.pages import asked
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import REQUEST_STATES, RIGHTS, ground, said

TONES = {"open": "", "late": "bad", "answered": "good", "answered_late": "warn"}
SOON = 7  # days left from which a request is pressing
ANSWERED = {
    "granted": Text("satisfaite", "granted"),
    "partly": Text("satisfaite en partie", "granted in part"),
    "refused": Text("refusée", "refused"),
    "no-data": Text("aucune donnée", "no data"),
    "withdrawn": Text("retirée par la personne", "withdrawn by the person"),
    "identity-unproved": Text("identité non prouvée", "identity not proved"),
}
EXTENDED = {
    "complexity": Text("complexité de la demande", "complexity of the request"),
    "number": Text("nombre de demandes", "number of requests"),
}
assert set(ANSWERED) == set(ANSWERS)  # noqa: S101 - each has its words
assert set(EXTENDED) == set(EXTENSIONS)  # noqa: S101 - each has its words
GROUNDS = {"objection": Text("opposition", "objection"), "erasure": Text("effacement", "erasure")}
OPEN_STATES = ("open", "late")

COLUMNS = (
    Column("request", Text("demande", "request"), "code"),
    Column("right", Text("droit", "right"), "words"),
    Column("received_on", Text("reçue le", "received"), "day"),
    Column("due", Text("réponse due le", "answer due"), "day"),
    Column("state", Text("état", "state"), "words"),
    Column("days_left", Text("jours restants", "days left"), "number"),
    Column("convention", Text("convention", "convention")),
    Column("answer", Text("réponse", "answer"), "words"),
)
OBJECTIONS = (
    Column("objection", Text("numéro", "number"), "code"),
    Column("ground", Text("motif", "ground"), "words"),
    Column("convention", Text("convention", "convention")),
    Column("exchange", Text("échange", "exchange"), "words"),
    Column("scheme", Text("type d'identifiant", "kind of identifier"), "code"),
    Column("recorded_at", Text("depuis", "since"), "moment"),
)


def every(visit: Visit) -> Response:
    """The requests, the first to answer first, and the form that opens one."""
    return _every(visit)


def _every(visit: Visit, fault: PasserelleError | None = None) -> Response:
    wanted, state = asked.text(visit, "convention"), asked.text(visit, "state")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "requests_read", "requests", convention=wanted)
    with visit.workspace.database.read() as connection:
        found = [one for one in followed(visit.workspace, connection, convention=wanted) if state in {None, one.state}]
    shown, cursor = paged(found, visit.asked("after"), visit.rows, lambda one: one.row.id)
    listing = Listing(
        Text("Demandes des personnes", "Requests of persons"),
        Text(
            "Chaque demande a un mois, reporté au jour ouvrable suivant (RGPD, art. 12 § 3 ; règlement 1182/71). Personne n'y est nommé.",
            "Each request has one month, rolled to the next working day (GDPR art. 12(3); Regulation 1182/71). Nobody is named here.",
        ),
        COLUMNS, [_row(visit, one) for one in shown],
        Text("Aucune demande. Inscrivez-la dès qu'elle arrive : le délai court de sa réception.", "No request. Put each on the register when it comes: its clock runs from then."),
        (
            Filter("convention", Text("Convention", "Convention")),
            Filter("state", Text("État", "State"), "choice", list(REQUEST_STATES.items())),
        ), cursor,
    )  # fmt: skip
    answer = visit.listing(
        listing, "dpo/requests.html.jinja", fault=asked.fault_in_words(fault), rights=list(RIGHTS.items()),
        parties=_parties(visit),
    )  # fmt: skip
    answer.status_code = 400 if fault else 200
    return answer


def enter(visit: Visit) -> Response:
    """Put a request on the register: it gets a number and a last day."""
    convention, _, party = visit.given("about").partition("/")
    try:
        day = visit.given("received_on")
        made = open_request(
            visit.workspace, visit.given("right"), by=visit.account.name,
            received_on=date_value(day, "received_on") if day else None, convention=convention or None,
            party=party or None, reason=visit.given("reason"),
        )  # fmt: skip
    except (UsageError, RefusedError) as fault:
        return _every(visit, fault)
    words = Text(f"Demande {made.row.id} inscrite.", f"Request {made.row.id} is on the register.")
    return visit.go(visit.href("request", request=made.row.id), words)


def one(visit: Visit) -> Response:
    """One request: its clock with the arithmetic, whom the person may write to, what can be done."""
    return _one(visit)


def _one(visit: Visit, fault: PasserelleError | None = None) -> Response:
    with visit.workspace.database.read() as connection:
        found = _known(visit, connection)
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "requests_read", found.row.id, convention=found.row.convention)
    clock = found.clock
    return visit.page(
        "dpo/request.html.jinja", 400 if fault else 200, found=found, fault=asked.fault_in_words(fault),
        right=RIGHTS[found.row.right], state=REQUEST_STATES[found.state], tone=TONES[found.state],
        open=found.state in OPEN_STATES, arithmetic=Text(clock.arithmetic.fr, clock.arithmetic.en),
        ground=ground(clock.basis, clock.article), answer=said(ANSWERED, found.row.answer),
        extended=said(EXTENDED, found.row.extended_for), answers=list(ANSWERED.items()), extensions=list(EXTENDED.items()),
    )  # fmt: skip


def answer(visit: Visit) -> Response:
    """Note that the request was answered, and how."""
    return _follow(visit, answer_request, visit.given("answer"), Text("Réponse enregistrée.", "Answer recorded."))


def extend(visit: Visit) -> Response:
    """Take two further months, within the first (art. 12(3))."""
    return _follow(visit, extend_request, visit.given("for"), Text("Délai prolongé de deux mois ; dites-le à la personne avant la fin du premier.", "Two further months taken; tell the person before the end of the first."))  # fmt: skip


def _follow(visit: Visit, verb: Any, what: str, words: Text) -> Response:
    with visit.workspace.database.read() as connection:
        known = _known(visit, connection)
    try:
        verb(visit.workspace, known.row.id, what, by=visit.account.name, reason=visit.given("reason"))
    except (UsageError, RefusedError) as fault:
        return _one(visit, fault)
    return visit.go(visit.href("request", request=known.row.id), words)


def objections(visit: Visit) -> Response:
    """The objections and erasures that stand: by number, never by person."""
    return _objections(visit)


def _objections(visit: Visit, fault: PasserelleError | None = None) -> Response:
    wanted = asked.text(visit, "convention")
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "requests_read", "objections", convention=wanted)
    with visit.workspace.database.read() as connection:
        found = kept.standing(connection, wanted)
    shown, cursor = paged(found, visit.asked("after"), visit.rows, lambda one: one.id)
    listing = Listing(
        Text("Oppositions et effacements", "Objections and erasures"),
        Text("Qui en fait l'objet n'est plus dans aucun extrait ; seule une empreinte à clé est conservée.", "Whom they are about is in no extract any more; only a keyed tag is kept."),
        OBJECTIONS, [_objection(one) for one in shown],
        Text("Aucune opposition. On en inscrit une depuis la page « Personnes ».", "No objection. One is recorded from the page “Persons”."),
        (Filter("convention", Text("Convention", "Convention")),), cursor,
    )  # fmt: skip
    own = [(one.id, Text(one.id, one.id)) for one in found if one.ground == "objection"]
    made = visit.listing(listing, "dpo/objections.html.jinja", fault=asked.fault_in_words(fault), own=own)
    made.status_code = 400 if fault else 200
    return made


def withdraw(visit: Visit) -> Response:
    """Take an objection back, at the person's own request."""
    try:
        withdraw_objection(visit.workspace, visit.given("objection"), by=visit.account.name, reason=asked.reason(visit))
    except (UsageError, RefusedError) as fault:
        return _objections(visit, fault)
    return visit.go(visit.href("objections"), Text("Opposition retirée.", "Objection withdrawn."))


def _known(visit: Visit, connection: Connection) -> Followed:
    wanted = visit.part("request")
    found = [one for one in followed(visit.workspace, connection) if one.row.id == wanted]
    if not found:
        raise AbsentError
    return found[0]


def _row(visit: Visit, one: Followed) -> dict[str, Any]:
    pressing = one.state == "open" and one.days_left is not None and one.days_left <= SOON
    return {
        "request": one.row.id, "request_href": visit.href("request", request=one.row.id), "right": RIGHTS[one.row.right],
        "received_on": date.fromisoformat(one.row.received_on), "due": date.fromisoformat(one.row.due),
        "state": REQUEST_STATES[one.state], "state_tone": "warn" if pressing else TONES[one.state],
        "days_left": one.days_left, "convention": one.row.convention, "answer": said(ANSWERED, one.row.answer),
    }  # fmt: skip


def _objection(one: Objection) -> dict[str, Any]:
    return {
        "objection": one.id, "ground": GROUNDS[one.ground], "convention": one.convention,
        "exchange": one.exchange or Text("tous", "all"), "scheme": one.scheme, "recorded_at": one.recorded_at,
    }  # fmt: skip


def _parties(visit: Visit) -> list[tuple[str, Text]]:
    """Each convention, and each of its parties: what a request may be about."""
    found = []
    for name in visit.workspace.convention_ids():
        found.append((name, Text(name, name)))
        found += [
            (f"{name}/{party}", Text(f"{name} – {party}", f"{name} – {party}")) for party in asked.parties(visit, name)
        ]
    return found


WAYS = (
    Way("requests", "/persons/requests", every, DPO, logs="requests_read"),
    Way("requests.open", "/persons/requests", enter, DPO, "POST"),
    Way("request", "/persons/requests/{request}", one, DPO, logs="requests_read"),
    Way("request.answer", "/persons/requests/{request}/answer", answer, DPO, "POST"),
    Way("request.extend", "/persons/requests/{request}/extend", extend, DPO, "POST"),
    Way("objections", "/persons/objections", objections, DPO, logs="requests_read"),
    Way("objections.withdraw", "/persons/objections", withdraw, DPO, "POST", fresh=True),
)
