"""The days to come: what is due, what would run, what the gate would refuse and why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from flows import planning
from passerelle.planning import plan as planned
from passerelle.workspace import Workspace
from portal.due import KINDS
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.visit import Visit
from portal.web.ways import ENGINEER, Way
from portal.words import OUTCOME, reason, said

DAYS_AHEAD = 60
TONES = {"allow": "good", "allow_with_warning": "warn", "block": "bad"}
COLUMNS = (
    Column("date", Text("date", "date"), "day"),
    Column("convention", Text("convention", "convention"), "code"),
    Column("kind", Text("nature", "kind"), "words"),
    Column("title", Text("quoi", "what"), "words"),
    Column("gate", Text("réponse", "answer"), "words"),
    Column("why", Text("pourquoi", "why"), "words"),
)


def coming(visit: Visit) -> Response:
    """The next sixty days, day by day."""
    with visit.workspace.database.read() as connection:
        items = visit.remembered(connection, _ahead)
    return visit.listing(
        Listing(
            Text("Les soixante jours à venir", "The next sixty days"),
            Text("Ce qui est dû, ce qui passerait, ce qui serait refusé et pourquoi.", "What is due, what would run, what would be refused and why."),
            COLUMNS, [_row(item) for item in items],
            Text("Rien n'est prévu dans cette période.", "Nothing is due in this period."),
        )
    )  # fmt: skip


def _ahead(workspace: Workspace, connection: Connection) -> list[dict[str, Any]]:
    """What is planned under the conventions that the gate goes by, in its order."""
    now = workspace.now()
    first = now.date()
    last = first + timedelta(days=DAYS_AHEAD)
    items = [item.as_json() for one in planning.each(workspace, connection) for item in planned(one, first, last, now)]
    return sorted(items, key=lambda item: (item["date"], item["convention"], item["kind"], item["key"]))


def _row(item: dict[str, Any]) -> dict[str, Any]:
    period = (
        f" ({item['period'].rpartition('.')[2]})" if item.get("period") else ""
    )  # a reminder's has what it recalls before it
    title = item["title"]
    return {
        "date": date.fromisoformat(item["date"]), "convention": item["convention"], "kind": said(KINDS, item["kind"]),
        "title": Text(title["fr"] + period, title["en"] + period), "gate": said(OUTCOME, item["decision"]),
        "gate_tone": TONES.get(item["decision"] or ""),
        "why": reason(item["reason"] or item["warning"]) or Text(**item["arithmetic"]),
    }  # fmt: skip


WAYS = (Way("coming", "/coming", coming, ENGINEER, navigates=("À venir", "To come")),)
