"""What is destroyed, when, and why then; and the proof once it is."""

from __future__ import annotations

import json
from datetime import date

from starlette.responses import Response

from passerelle.store import purges
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import COPIES, NO_VALUE, PURGE_STATES, ground, reason, said
from retention.plan import plans

COLUMNS = (
    Column("purge", Text("destruction", "purge"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("state", Text("état", "state"), "words"),
    Column("planned_at", Text("commencée", "started"), "moment"),
    Column("ended_at", Text("achevée", "ended"), "moment"),
)


def every(visit: Visit) -> Response:
    """The plans of destruction with their arithmetic, and the purges so far."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "purge_plan_read", "plans")
    with visit.workspace.database.read() as connection:
        found = plans(visit.workspace, connection)
        known = purges.purges(connection)[::-1]
    planned = [
        {
            "convention": one.convention, "due": date.fromisoformat(one.due) if one.due else None, "overdue": one.overdue,
            "none": NO_VALUE.get(one.deadline.status), "allowed": one.allowed, "reason": reason(one.reason),
            "arithmetic": Text(one.deadline.arithmetic.fr, one.deadline.arithmetic.en),
            "ground": ground(one.deadline.basis, one.deadline.article), "partner_copies": len(one.partner_copies),
            "copies": [(said(COPIES, kind["kind"]), kind["count"], kind["bytes"]) for kind in one.as_json()["copies"]],
        }
        for one in found
    ]  # fmt: skip
    rows = [
        {
            "purge": one.id, "purge_href": visit.href("certificate", purge=one.id) if one.state == "done" else None,
            "convention": one.convention, "state": said(PURGE_STATES, one.state),
            "state_tone": "good" if one.state == "done" else "warn", "planned_at": one.planned_at, "ended_at": one.ended_at,
        }
        for one in known
    ]  # fmt: skip
    listing = Listing(
        Text("Destruction", "Destruction"),
        Text("Ce qui sera détruit, quand et pourquoi ; ce qui l'a été, avec la preuve.", "What will be destroyed, when and why; what was, with the proof."),
        COLUMNS, rows, Text("Rien n'a encore été détruit.", "Nothing was destroyed yet."),
    )  # fmt: skip
    return visit.listing(listing, "dpo/destruction.html.jinja", planned=planned)


def certificate(visit: Visit) -> Response:
    """A certificate of destruction, to read and to print."""
    which = visit.part("purge")
    with visit.workspace.database.read() as connection:
        known = [one for one in purges.purges(connection, id=which) if one.certificate]
    if not known:
        raise AbsentError
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "certificate_read", which, convention=known[0].convention)
    body = json.loads(known[0].certificate or "{}")
    deadline = body["deadline"]
    return visit.page(
        "dpo/certificate.html.jinja", body=body, why=reason(body["reason"]), kinds=COPIES, said=said,
        ground=ground(deadline["basis"], deadline["article"]), arithmetic=Text(**deadline["arithmetic"]),
    )  # fmt: skip


WAYS = (
    Way("destruction", "/destruction", every, DPO, logs="purge_plan_read", navigates=("Destruction", "Destruction")),
    Way("certificate", "/destruction/{purge}", certificate, DPO, logs="certificate_read"),
)
