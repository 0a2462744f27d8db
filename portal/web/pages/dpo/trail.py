"""The trail: what happened, as sentences; whether it was altered; who else holds its head."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.clock import iso
from passerelle.trail.fsck import TrailFaultsError
from passerelle.trail.show import render
from passerelle.trail.witness import cosignatures, enrolled
from passerelle.workspace.agreement import TablesDisagreeError
from portal.bundle.words import EVENTS
from portal.faults import told
from portal.render import Text
from portal.web.guard import message
from portal.web.listing import Column, Listing
from portal.web.pages import asked
from portal.web.verifying import Verifications
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import named

AGAIN_SECONDS = "1"  # between two looks at a verification that runs
FAULTS_SHOWN = 20
COLUMNS = (
    Column("index", Text("n°", "no."), "number"),
    Column("at", Text("instant", "instant"), "moment"),
    Column("text", Text("écriture", "entry")),
)


def entries(visit: Visit) -> Response:
    """The entries as sentences, the latest first; who cosigned which head."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "trail_read", "trail")
    with visit.workspace.database.read() as connection:
        size = visit.workspace.ledger.size(connection)
        before = asked.cursor(visit)
        stop = size if before is None else min(before, size)
        start = max(stop - visit.rows, 0)
        found = list(
            render(visit.workspace.ledger.entries(connection, start, stop), visit.lang, named(EVENTS, visit.lang))
        )[::-1]
        head = visit.workspace.ledger.latest(connection)
        seen = {one.witness: one for one in cosignatures(connection)}
        witnesses = [(key.name, party, seen.get(key.name)) for key, party in enrolled(connection)]
    listing = Listing(
        Text("Registre de preuve", "Trail"),
        Text(
            "Chaque décision, chaque livraison, chaque destruction, dans l'ordre ; rien n'y est effacé et personne n'y est nommé.",
            "Each decision, delivery and destruction, in order; nothing is deleted there and nobody is named.",
        ),
        COLUMNS, [{"index": row.index, "at": row.at, "text": row.text} for row in found],
        Text("Aucune écriture.", "No entry."), cursor=str(start) if start else None,
    )  # fmt: skip
    return visit.listing(listing, "dpo/trail.html.jinja", head=head, entries=size, witnesses=witnesses, iso=iso)


def verify(visit: Visit) -> Response:
    """Begin to rebuild the whole log from its entries; what becomes of it is on a page of its own."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "trail_read", "trail")
    if not _verifications(visit).begin(visit.workspace, visit.account.id):
        return message(
            visit, 409, Text("Une autre vérification est en cours", "Another verification is running"),
            Text("Quelqu'un d'autre vérifie le registre en ce moment ; attendez une minute, puis recommencez.", "Someone else is verifying the trail just now; wait a minute, then try again."),
        )  # fmt: skip
    return visit.go(visit.href("trail.verification"))


def verification(visit: Visit) -> Response:
    """How far the verification that the visitor asked for has come, again each second; then what holds."""
    found = _verifications(visit).of(visit.account.id)
    if found is None:
        return visit.go(visit.href("trail"), Text("Aucune vérification n'est en cours : lancez-la ici.", "No verification is running: begin it here."))  # fmt: skip
    if not found.over:
        answer = visit.page("dpo/verifying.html.jinja", found=found)
        answer.headers["Refresh"] = AGAIN_SECONDS
        return answer
    if found.fault is not None:
        faults = found.fault.faults if isinstance(found.fault, TrailFaultsError | TablesDisagreeError) else ()
        said = Text(told(found.fault, "fr"), told(found.fault, "en"))
        return visit.page("dpo/altered.html.jinja", found=found, said=said, faults=faults[:FAULTS_SHOWN])
    return visit.page("dpo/verified.html.jinja", found=found, report=found.report)


def _verifications(visit: Visit) -> Verifications:
    known = visit.request.app.state.verifications
    assert isinstance(known, Verifications)  # noqa: S101 - set where the application is made
    return known


WAYS = (
    Way("trail", "/trail", entries, DPO, logs="trail_read", navigates=("Registre de preuve", "Trail")),
    Way("trail.verify", "/trail/verify", verify, DPO, "POST", logs="trail_read", per_minute=10),
    Way("trail.verification", "/trail/verification", verification, DPO),
)
