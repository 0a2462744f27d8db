"""The trail: what happened, as sentences; whether it was altered; who else holds its head."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.clock import iso
from passerelle.trail.fsck import check
from passerelle.trail.show import render
from passerelle.trail.witness import cosignatures, enrolled
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way

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
        found = list(render(visit.workspace.ledger.entries(connection, start, stop), visit.lang))[::-1]
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
    """Rebuild the whole log from its entries, now, and say what holds."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "trail_read", "trail")
    with visit.workspace.database.read() as connection:
        report = check(connection, visit.workspace.ledger.verifier_key)
    return visit.page("dpo/verified.html.jinja", report=report)


WAYS = (
    Way("trail", "/trail", entries, DPO, logs="trail_read", navigates=("Registre de preuve", "Trail")),
    Way("trail.verify", "/trail/verify", verify, DPO, "POST", logs="trail_read", per_minute=10),
)
