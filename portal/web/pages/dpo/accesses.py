"""Who looked at or took what: the access log."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from passerelle.access import Line, Search, page
from passerelle.store.access import actions
from portal.render import Text
from portal.web.listing import Column, Filter, Listing
from portal.web.pages import asked
from portal.web.visit import Visit
from portal.web.ways import DPO, Way
from portal.words import ACCESS_OUTCOMES, action, said

COLUMNS = (
    Column("at", Text("instant", "instant"), "moment"),
    Column("actor", Text("qui", "who")),
    Column("action", Text("quoi", "what"), "words"),
    Column("subject", Text("objet", "subject"), "code"),
    Column("about", Text("convention, partie", "convention, party")),
    Column("count", Text("personnes, lignes", "persons, rows"), "number"),
    Column("outcome", Text("issue", "outcome"), "words"),
    Column("reason", Text("motif", "reason")),
)
FILTERS = (
    Filter("actor", Text("Qui", "Who")),
    Filter("action", Text("Quoi", "What"), "choice", [(code, Text(one["fr"], one["en"])) for code, one in actions().items()]),
    Filter("partner", Text("Partie", "Party")),
    Filter("convention", Text("Convention", "Convention")),
    Filter("delivery", Text("Colis", "Parcel")),
    Filter("since", Text("Du", "From"), "date"),
    Filter("until", Text("Au", "To"), "date"),
)  # fmt: skip


def log(visit: Visit) -> Response:
    """The access log, the latest lines first; this look is in it."""
    search = Search(
        since=asked.since(visit), until=asked.until(visit), actor=asked.text(visit, "actor"),
        partner=asked.text(visit, "partner"), convention=asked.text(visit, "convention"),
        delivery=asked.text(visit, "delivery"), action=asked.text(visit, "action"),
    )  # fmt: skip
    title = Text("Journal des accès", "Access log")
    lead = Text(
        "Qui a consulté ou pris quoi, quand et pourquoi, sur douze mois glissants. Cette consultation y figure aussi.",
        "Who looked at or took what, when and why, over the last twelve months. This look is in it too.",
    )
    empty = Text("Aucune ligne ne répond : élargissez la recherche.", "No line answers: widen the search.")
    return shown(visit, search, title, lead, empty, FILTERS)


def shown(visit: Visit, search: Search, title: Text, lead: Text, empty: Text, filters: Sequence[Filter]) -> Response:
    """The lines that a search finds, the latest first, once this look is written."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "access_export" if visit.export else "access_read", "access-log")
        visit.logged.add("access_read")
    with visit.workspace.database.read() as connection:
        found = page(connection, search, limit=visit.rows + 1, before=asked.cursor(visit))[::-1]
    rows = found[: visit.rows]
    cursor = str(rows[-1].id) if len(found) > len(rows) else None
    return visit.listing(Listing(title, lead, COLUMNS, [_row(line) for line in rows], empty, filters, cursor))


def _row(line: Line) -> dict[str, object]:
    return {
        "at": line.at, "actor": line.actor, "action": action(line.action), "subject": line.subject,
        "about": ", ".join(one for one in (line.convention, line.partner) if one), "count": line.count,
        "outcome": said(ACCESS_OUTCOMES, line.outcome), "outcome_tone": "bad" if line.outcome == "refused" else "",
        "reason": line.reason,
    }  # fmt: skip


WAYS = (
    Way(
        "access-log", "/access", log, DPO, logs="access_read",
        navigates=("Journal des accès", "Access log"),
    ),
)  # fmt: skip
