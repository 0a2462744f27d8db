"""A plan of destruction: what would go, when, why then, what stays; and the DPO's approval of that very plan."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from passerelle.access import Look, looking
from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.store.partners import person
from portal.render import Text
from portal.web.listing import Column, Listing
from portal.web.pages import asked
from portal.web.pages.dpo.planned import Planned, planned
from portal.web.visit import AbsentError, Visit
from portal.web.ways import DPO, Way
from portal.words import COPIES, NO_VALUE, ground, reason, said
from retention.approving import approvals, approve, required
from retention.plan import plan
from retention.scope import Scope, scope_of

PARTS = ("exchange", "dataset", "period")
COLUMNS = (
    Column("plan", Text("plan", "plan"), "code"),
    Column("convention", Text("convention", "convention")),
    Column("due", Text("au plus tard le", "at the latest on"), "day"),
    Column("exchange", Text("échange", "exchange")),
    Column("copies", Text("copies", "copies"), "words"),
    Column("count", Text("nombre", "count"), "number"),
    Column("bytes", Text("octets", "bytes"), "number"),
    Column("fate", Text("sort", "fate"), "words"),
    Column("hold", Text("suspension", "hold"), "code"),
)


def one(visit: Visit) -> Response:
    """The plan of a convention, or of the part that the address names."""
    return _one(visit, {name: visit.asked(name) or None for name in PARTS})


def _one(visit: Visit, parts: dict[str, str | None], fault: PasserelleError | None = None) -> Response:
    which = _known(visit)
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "purge_plan_read", which, convention=which)
    visit.shows_nothing()  # when it comes after a fault, under the way of the approval
    with visit.workspace.database.read() as connection:
        shown = _shown(visit, connection, which, parts)
        found, number, told = shown.plan, shown.number, shown.told
        given = approvals(connection, number, visit.now)
        asked_for = required(connection)
    if visit.export:
        return visit.listing(_listing(shown))
    text = visit.workspace.convention(which)
    return visit.page(
        "dpo/plan.html.jinja", 400 if fault else 200, fault=asked.fault_in_words(fault), plan=found, told=told, parts=parts,
        due=date.fromisoformat(found.due) if found.due else None, none=NO_VALUE.get(found.deadline.status),
        arithmetic=Text(found.deadline.arithmetic.fr, found.deadline.arithmetic.en), number_of=number, given=given,
        ground=ground(found.deadline.basis, found.deadline.article), why=reason(found.reason), asked_for=asked_for,
        kind=lambda code: said(COPIES, code), holder=reason,
        exchanges=[(each.id, Text(each.id, each.id)) for each in text.exchanges],
        approvable=found.allowed and bool(found.copies) and all(person(each.by) != person(visit.account.name) for each in given),
    )  # fmt: skip


def _listing(shown: Planned) -> Listing:
    """What a plan destroys and what a hold keeps, by exchange and kind of copies, to be exported."""
    found = shown.plan
    about = {
        "plan": shown.number,
        "convention": found.convention,
        "due": date.fromisoformat(found.due) if found.due else None,
    }
    gone = [
        {**about, "exchange": part["exchange"], "copies": said(COPIES, each["kind"]), "count": each["count"], "bytes": each["bytes"], "fate": Text("à détruire", "to be destroyed")}
        for part in shown.told["by_exchange"] for each in part["copies"]
    ]  # fmt: skip
    kept = [
        {**about, "exchange": part["exchange"], "copies": said(COPIES, kind), "count": count, "fate": Text("conservé", "kept"), "hold": part["hold"]}
        for part in found.held for kind, count in part["copies"].items()
    ]  # fmt: skip
    title = Text("Plan de destruction", "Destruction plan")
    return Listing(title, title, COLUMNS, [*gone, *kept], Text("Rien n'est à détruire aujourd'hui.", "Nothing is to be destroyed today."))  # fmt: skip


def consent(visit: Visit) -> Response:
    """Approve the plan of that number, as it stands now; another than this one is refused."""
    which, parts = _known(visit), {name: visit.given(name) or None for name in PARTS}
    number, by = visit.given("plan"), visit.account.name
    try:
        with looking(visit.workspace, Look(by, "purge_approved", number, convention=which)):
            given = approve(visit.workspace, number, _scope(visit, which, parts), by=by)
    except (UsageError, RefusedError) as fault:
        return _one(visit, parts, fault)
    visit.logged.add("purge_approved")
    words = Text(
        f"Plan {given.plan} approuvé. Une autre personne l'exécute : passerelle purge run {which} --confirm",
        f"Plan {given.plan} approved. Another person runs it: passerelle purge run {which} --confirm",
    )
    query = urlencode({name: value for name, value in parts.items() if value})
    return visit.go(visit.href("plan", which=which) + (f"?{query}" if query else ""), words)


def _known(visit: Visit) -> str:
    which = visit.part("which")
    if which not in visit.workspace.convention_ids():
        raise AbsentError
    return which


def _scope(visit: Visit, which: str, parts: dict[str, str | None]) -> Scope:
    return scope_of(visit.workspace.convention(which), **parts)


def _shown(visit: Visit, connection: Connection, which: str, parts: dict[str, str | None]) -> Planned:
    """The plan of a part, worked out for this look; that of the whole convention as the portal remembers it."""
    scope = _scope(visit, which, parts)
    known = visit.remembered(connection, planned).get(which) if scope.whole else None
    return known or Planned.of(plan(visit.workspace, connection, which, scope))


WAYS = (
    Way("plan", "/destruction/plans/{which}", one, DPO, logs="purge_plan_read"),
    Way("plan.approve", "/destruction/plans/{which}", consent, DPO, "POST", logs="purge_approved", fresh=True),
)
