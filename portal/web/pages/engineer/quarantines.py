"""Rejected rows that are kept, counted: how many, of which run, until when. Nobody reads them here."""

from __future__ import annotations

from starlette.responses import Response

from passerelle.clock import iso
from passerelle.handover.quarantine import kept_with_rows
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.visit import Visit
from portal.web.ways import ENGINEER, Way
from portal.words import reason

COLUMNS = (
    Column("run", Text("traitement", "run"), "code"),
    Column("exchange", Text("échange", "exchange"), "code"),
    Column("rows", Text("lignes", "rows"), "number"),
    Column("since", Text("depuis", "since"), "moment"),
    Column("expires", Text("détruites le", "destroyed on"), "moment"),
    Column("held", Text("suspension", "hold"), "words"),
)


def every(visit: Visit) -> Response:
    """The quarantines that are present."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "quarantine_list", "quarantines")
    with visit.workspace.database.read() as connection:
        found = visit.remembered(connection, kept_with_rows)
    rows = [
        {
            "run": one.copy.run, "run_href": visit.href("run", run=one.copy.run),
            "exchange": f"{one.copy.convention}/{one.copy.exchange}", "rows": one.rows, "since": one.copy.created_at,
            "expires": iso(one.expires), "held": reason(one.held),
        }
        for one in found
    ]  # fmt: skip
    return visit.listing(
        Listing(
            Text("Quarantaine", "Quarantine"),
            Text(
                "Les lignes écartées, chiffrées. Les lire est un acte motivé et journalisé : passerelle quarantine read.",
                "Rejected rows, encrypted. Reading them is an act with a reason, and logged: passerelle quarantine read.",
            ),
            COLUMNS, rows, Text("Aucune ligne n'est gardée en quarantaine.", "No row is kept in quarantine."),
        )
    )  # fmt: skip


WAYS = (
    Way(
        "quarantines", "/quarantines", every, ENGINEER, logs="quarantine_list", navigates=("Quarantaine", "Quarantine")
    ),
)  # fmt: skip
