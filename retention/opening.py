"""A purge begins: interrupted runs are settled, the plan is made, approved and written down; or the one that stopped goes on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from passerelle.errors import RefusedError
from passerelle.handover import approval
from passerelle.handover.recover import recover
from passerelle.handover.witnesses import insist_on_witnesses
from passerelle.store import holdings, purges, runs
from passerelle.store.holdings import Holding
from passerelle.store.purges import Purge
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from retention.approving import insist_on_approval
from retention.clock import insist_on_clock
from retention.plan import NOTHING_HELD, Plan, plan, plan_sha256
from retention.scope import Scope

WHY_NOT = {
    "litigation": "un contentieux retient ses copies",
    "legal_obligation": "la loi impose de conserver ses copies",
    "not_due": "l'échéance n'est pas atteinte",
    "term_disputed_needs_human_decision": "la fin de la convention est contestée, une décision humaine est requise",
    approval.REASON: "son texte a changé sans approbation",
}
HOLDING = frozenset({"litigation", "legal_obligation"})
HELD = "passerelle hold list shows what keeps the copies", "passerelle hold list montre ce qui retient les copies"
TOO_EARLY = (
    "passerelle purge plan shows the deadline and its arithmetic",
    "passerelle purge plan donne l'échéance et son calcul",
)


def end_open_runs(workspace: Workspace, convention_id: str) -> None:
    """Finish or remove what interrupted runs left: no intent may wait for keys that are about to go."""
    with workspace.database.read() as connection:
        open_runs = runs.runs(connection, convention=convention_id, state="running")
    for exchange in sorted({run.exchange for run in open_runs}):
        recover(workspace, convention_id, exchange)


def purge_of(workspace: Workspace, purge_id: str) -> Purge:
    """A purge as it stands now."""
    with workspace.database.read() as connection:
        return purges.purges(connection, id=purge_id)[0]


def open_purge(workspace: Workspace, scope: Scope, by: str) -> Purge:
    """Plan, insist on what a purge rests on, and write the plan down; or the purge that was interrupted.

    Raises:
        RefusedError: it may not run: too early, not approved, witnesses or a confirmed clock are missing, or nothing is held.
    """
    with workspace.database.begin() as connection:
        insist_on_clock(workspace, connection)
        known = purges.purges(connection, convention=scope.convention)
        if known and known[-1].state != "done":
            return _resumed(workspace, connection, known[-1], by)
        verify_tables(workspace.ledger, connection)
        planned = plan(workspace, connection, scope.convention, scope)
        _insist(planned)
        insist_on_approval(workspace, connection, planned, by)
        insist_on_witnesses(workspace, connection, scope.convention)
        purge_id = f"{scope.convention}.{len(known) + 1}"
        purges.open_purge(connection, purge_id, scope.convention, _written(planned), at=workspace.now())
        workspace.append(connection, "purge_started", _told_of(planned, purge_id))
    return purge_of(workspace, purge_id)


def _resumed(workspace: Workspace, connection: Connection, current: Purge, by: str) -> Purge:
    """A purge that was interrupted; while nothing of it is gone it is planned anew: a hold may have come (D15)."""
    if current.state != "started" or shut(workspace, connection, current):
        return current
    planned = plan(workspace, connection, current.convention, Scope(**current.plan["scope"]))
    _insist(planned)
    if _written(planned) == current.plan:
        return current
    insist_on_approval(workspace, connection, planned, by)
    purges.replan(connection, current.id, _written(planned))
    workspace.append(connection, "purge_planned", _told_of(planned, current.id))
    return purges.purges(connection, id=current.id)[0]


def shut(workspace: Workspace, connection: Connection, current: Purge) -> bool:
    """Whether the keys of a purge are gone already."""
    if current.plan["whole"]:
        return current.convention in workspace.keys.destroyed()
    names = {copy.location for copy in planned_copies(connection, current)}
    return not names & workspace.keys.copy_keys(current.convention)


def planned_copies(connection: Connection, current: Purge) -> list[Holding]:
    """The copies of a purge's plan, those that are gone too."""
    ids = frozenset(current.plan["ids"])
    return [copy for copy in holdings.all_of(connection, current.convention) if copy.id in ids]


def _written(planned: Plan) -> dict[str, Any]:
    """The plan as it is kept: with the numbers of its copies."""
    return {**planned.as_json(), "ids": [copy.id for copy in planned.copies]}


def _told_of(planned: Plan, purge_id: str) -> dict[str, Any]:
    return {
        "convention": planned.convention,
        "purge": purge_id,
        "plan_sha256": plan_sha256(planned),
        "holdings": len(planned.copies),
        "reason": planned.reason,
    }


def why_not(planned: Plan) -> str:
    """Why a plan may not run, in French."""
    return WHY_NOT.get(planned.reason, planned.reason)


def _insist(planned: Plan) -> None:
    if planned.reason == NOTHING_HELD:
        raise _nothing_held(planned.convention)
    if not planned.allowed:
        hint, hint_fr = HELD if planned.reason in HOLDING else TOO_EARLY
        raise RefusedError(
            f"the purge of {planned.convention} may not run: {planned.reason} ({planned.deadline.arithmetic.en})",
            hint=hint,
            fr=f"la destruction de {planned.convention} ne peut pas avoir lieu : {why_not(planned)} "
            f"({planned.deadline.arithmetic.fr})",
            hint_fr=hint_fr,
        )


def _nothing_held(convention_id: str) -> RefusedError:
    return RefusedError(
        f"nothing is held under {convention_id}",
        hint="passerelle purge plan",
        fr=f"rien n'est détenu au titre de {convention_id}",
    )
