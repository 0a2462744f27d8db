"""What is destroyed, when, and why then; and the proof once it is."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from starlette.responses import Response

from passerelle.store import purges
from passerelle.store.purges import Purge
from portal.picture.destruction import Due, calendar
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.pages.dpo.planned import Planned, planned
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import COPIES, NO_VALUE, PARIS, PURGE_STATES, STUCK, ground, reason, said
from retention.standing import Standing, standings

COLUMNS = (
    Column("purge", Text("destruction", "purge"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("state", Text("état", "state"), "words"),
    Column("planned_at", Text("commencée", "started"), "moment"),
    Column("ended_at", Text("achevée", "ended"), "moment"),
    Column("left", Text("encore là", "still there"), "words"),
)
TONES = {"done": "good", "stuck": "bad"}


def every(visit: Visit) -> Response:
    """The plans of destruction with their arithmetic, and the purges so far."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "purge_plan_read", "plans")
    with visit.workspace.database.read() as connection:
        found = visit.remembered(connection, planned).values()
        known = standings(connection)[::-1]
    rows = [
        {
            "purge": one.purge, "purge_href": visit.href("certificate", purge=one.purge) if one.state == "done" else None,
            "convention": one.convention, "state": said(PURGE_STATES, one.state), "state_tone": TONES.get(one.state, "warn"),
            "planned_at": one.planned_at, "ended_at": one.ended_at, "left": _left(one),
        }
        for one in known
    ]  # fmt: skip
    listing = Listing(
        Text("Destruction", "Destruction"),
        Text("Ce qui sera détruit, quand et pourquoi ; ce qui l'a été, avec la preuve.", "What will be destroyed, when and why; what was, with the proof."),
        COLUMNS, rows, Text("Rien n'a encore été détruit.", "Nothing was destroyed yet."),
    )  # fmt: skip
    return visit.listing(listing, "dpo/destruction.html.jinja", planned=[_outlined(one) for one in found])


def _outlined(shown: Planned) -> dict[str, Any]:
    """What the list of plans shows of one."""
    one = shown.plan
    return {
        "convention": one.convention, "due": date.fromisoformat(one.due) if one.due else None, "overdue": one.overdue,
        "none": NO_VALUE.get(one.deadline.status), "allowed": one.allowed, "reason": reason(one.reason),
        "arithmetic": Text(one.deadline.arithmetic.fr, one.deadline.arithmetic.en),
        "ground": ground(one.deadline.basis, one.deadline.article), "handed": one.handed,
        "held": sum(sum(each["copies"].values()) for each in one.held),
        "copies": [(said(COPIES, kind["kind"]), kind["count"], kind["bytes"]) for kind in shown.told["copies"]],
    }  # fmt: skip


def drawn(visit: Visit) -> Response:
    """The calendar of destruction, as SVG."""
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "purge_plan_read", "plans")
    with visit.workspace.database.read() as connection:
        found = [one.plan for one in visit.remembered(connection, planned).values() if one.plan.due]
    dues = [Due(one.convention, date.fromisoformat(one.due or ""), one.overdue, one.allowed) for one in found]
    return Response(calendar(dues, visit.now.astimezone(PARIS).date(), visit.lang), media_type="image/svg+xml")


def _left(one: Standing) -> Text | None:
    """What could not be removed yet."""
    words = {**COPIES, **STUCK}
    told = [
        (said(words, each.kind) or Text(each.kind, each.kind), each.subject or str(each.count)) for each in one.left
    ]
    return (
        Text(
            ", ".join(f"{kind.fr} {name}" for kind, name in told), ", ".join(f"{kind.en} {name}" for kind, name in told)
        )
        if told
        else None
    )


def certificate(visit: Visit) -> Response:
    """A certificate of destruction, to read and to print."""
    found = _certified(visit)
    body = json.loads(found.certificate or "{}")
    deadline = body["deadline"]
    return visit.page(
        "dpo/certificate.html.jinja", body=body, why=reason(body["reason"]), kinds=COPIES, said=said,
        ground=ground(deadline["basis"], deadline["article"]), arithmetic=Text(**deadline["arithmetic"]),
    )  # fmt: skip


def signed(visit: Visit) -> Response:
    """The certificate's own bytes, which its signature covers."""
    return _file((_certified(visit).certificate or "").encode(), "certificate.json", "application/json")


def signature(visit: Visit) -> Response:
    """The signature of the certificate (ssh-keygen -Y verify)."""
    return _file((_certified(visit).signature or "").encode(), "certificate.json.sig", "text/plain")


def _file(body: bytes, name: str, kind: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _certified(visit: Visit) -> Purge:
    """The purge that the address names, once it is certified and the look is logged."""
    which = visit.part("purge")
    with visit.workspace.database.read() as connection:
        known = [one for one in purges.purges(connection, id=which) if one.certificate]
    if not known:
        raise AbsentError
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "certificate_read", which, convention=known[0].convention)
    return known[0]


WAYS = (
    Way("destruction", "/destruction", every, DPO, logs="purge_plan_read", navigates=("Destruction", "Destruction")),
    Way("destruction.calendar", "/destruction/calendar.svg", drawn, DPO, logs="purge_plan_read"),
    Way("certificate", "/destruction/{purge}", certificate, DPO, logs="certificate_read"),
    Way("certificate.json", "/destruction/{purge}/certificate.json", signed, DPO, logs="certificate_read"),
    Way("certificate.sig", "/destruction/{purge}/certificate.json.sig", signature, DPO, logs="certificate_read"),
)
