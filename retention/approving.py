"""The DPO's approval of a plan: given to its hash, so that a plan that changed since asks for another; it runs out.

Where the workspace asks for it (setting ``purge_approval``), who runs a purge is not who approved it. Where it does not, who
confirms decides, and the access log has their name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.store import accounts, settings
from passerelle.store.partners import person
from passerelle.store.tables import approval
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from retention.plan import Plan, plan, plan_sha256
from retention.scope import Scope

LIFE = timedelta(days=30)  # of an approval; the hub's policy
REQUIRED = "purge_approval"  # 1: a plan runs once another person has approved it
SUBJECT = "purge/"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a plan, when, and until when that holds."""

    plan: str
    by: str
    at: str
    until: str

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"plan": self.plan, "by": self.by, "at": self.at, "until": self.until}


def plan_id(planned: Plan) -> str:
    """The number of a plan: it follows from what the plan says and from the copies that it names."""
    return f"plan-{plan_sha256(planned)[:16]}"


def required(connection: Connection) -> bool:
    """Whether a purge waits for another person's approval."""
    return bool(settings.read(connection, REQUIRED))


def approvals(connection: Connection, plan_number: str, now: datetime) -> tuple[Approval, ...]:
    """The approvals of a plan that hold now, oldest first."""
    query = (
        select(approval).where(approval.c.subject == SUBJECT + plan_number).order_by(approval.c.at, approval.c.actor)
    )
    found = []
    for row in connection.execute(query):
        until = datetime.fromisoformat(row.at) + LIFE
        if until > now:
            found.append(Approval(plan_number, row.actor, row.at, iso(until)))
    return tuple(found)


def approve(workspace: Workspace, number: str, scope: Scope | None = None, *, by: str) -> Approval:
    """Approve the plan of that number, as it stands now.

    Raises:
        UsageError: no plan has that number now: it changed, or there never was one.
        RefusedError: it may not run yet, or there are accounts of DPOs and this is not one of them.
    """
    with workspace.database.begin() as connection:
        verify_tables(workspace.ledger, connection)
        names = [scope.convention] if scope else workspace.convention_ids()
        known = [plan(workspace, connection, name, scope) for name in names]
        planned = next((one for one in known if plan_id(one) == number), None)
        if planned is None:
            raise UsageError(
                "no plan has this number now: what it would destroy changed, or is gone",
                hint="passerelle purge plan gives the numbers; a plan of a part takes the same options here",
                fr="aucun plan ne porte ce numéro à présent : ce qu'il détruirait a changé, ou n'est plus là",
                hint_fr="passerelle purge plan donne les numéros ; pour une partie, redonnez ici les mêmes options",
            )
        _insist_on_role(connection, by)
        if not planned.allowed:
            raise RefusedError(
                f"this plan may not run now ({planned.reason}): it is approved once it may",
                hint="passerelle purge plan gives the deadline",
                fr=f"ce plan ne peut pas être exécuté à présent ({planned.reason}) : il s'approuve le moment venu",
                hint_fr="passerelle purge plan donne l'échéance",
            )
        now = workspace.now()
        row = {"subject": SUBJECT + number, "actor": by}
        connection.execute(delete(approval).filter_by(**row))
        connection.execute(insert(approval).values(**row, at=iso(now)))
        until = now + LIFE
        body = {"convention": planned.convention, "purge": number, "plan_sha256": plan_sha256(planned)}
        workspace.append(connection, "purge_approved", {**body, "until": until.date().isoformat()})
    return Approval(number, by, iso(now), iso(until))


def _insist_on_role(connection: Connection, by: str) -> None:
    officers = [one for one in accounts.accounts(connection) if one.role == "dpo" and not one.disabled]
    if officers and by not in {one.name for one in officers}:
        raise RefusedError(
            "only the DPO approves a purge: this is not the name of a DPO's account",
            hint="--as NAME, as passerelle account list has it",
            fr="seul le DPO approuve une destruction : ce n'est pas le nom d'un compte de DPO",
            hint_fr="--as NOM, tel que le donne passerelle account list",
        )


def insist_on_approval(workspace: Workspace, connection: Connection, planned: Plan, by: str) -> tuple[Approval, ...]:
    """The approvals that a purge rests on; none where none is asked for.

    Raises:
        RefusedError: one is asked for, and nobody but who runs the purge has approved this very plan in time.
    """
    found = approvals(connection, plan_id(planned), workspace.now())
    if required(connection) and all(person(one.by) == person(by) for one in found):
        raise RefusedError(
            f"the plan {plan_id(planned)} of {planned.convention} waits for the DPO's approval, by another person than runs it",
            hint=f"passerelle purge approve {plan_id(planned)} --as NAME",
            fr=f"le plan {plan_id(planned)} de {planned.convention} attend l'approbation du DPO, par une autre personne que "
            "celle qui l'exécute",
            hint_fr=f"passerelle purge approve {plan_id(planned)} --as NOM",
        )
    return found
