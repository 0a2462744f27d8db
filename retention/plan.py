"""What is to be destroyed, when, and why then. A plan destroys nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Answer, Convention, destruction_deadline, purge_allowed
from passerelle.handover import approval
from passerelle.store import holdings, purges
from passerelle.store.holdings import Holding
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables

OUTLIVES = "index"  # the person index outlives the purge, so that article 15 can still be answered (C-553/07)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge of one convention would destroy, and whether it may run now."""

    convention: str
    convention_sha256: str
    deadline: Answer
    allowed: bool
    reason: str
    copies: tuple[Holding, ...]
    partner_copies: tuple[Holding, ...]
    now: date

    @property
    def due(self) -> str | None:
        """The last day on which the purge is in time."""
        return self.deadline.value.isoformat() if isinstance(self.deadline.value, date) else None

    @property
    def overdue(self) -> bool:
        """Whether that day is over."""
        return self.due is not None and self.due < self.now.isoformat()

    def as_json(self) -> dict[str, Any]:
        """As one JSON object: counts and bytes by kind, the deadline with its arithmetic."""
        kinds = Counter(copy.kind for copy in self.copies)
        size: Counter[str] = Counter()
        for copy in self.copies:
            size[copy.kind] += copy.bytes or 0
        return {
            "convention": self.convention,
            "convention_sha256": self.convention_sha256,
            "deadline": self.deadline.as_json(),
            "allowed": self.allowed,
            "reason": self.reason,
            "copies": [{"kind": kind, "count": kinds[kind], "bytes": size[kind]} for kind in sorted(kinds)],
            "partner_copies": len(self.partner_copies),
        }


def plan(workspace: Workspace, connection: Connection, convention_id: str) -> Plan:
    """The plan for one convention, at the workspace's instant."""
    convention = workspace.convention(convention_id)
    history, now = workspace.history(connection, convention_id), workspace.now()
    present = holdings.present(connection, convention=convention_id)
    datasets = _datasets(convention, present)
    answers = [purge_allowed(convention, history, now, dataset) for dataset in (None, *datasets)]
    answer = next((one for one in answers if one.status != "yes"), answers[0])
    changed = approval.pending(connection, convention)
    return Plan(
        convention=convention_id,
        convention_sha256=convention.sha256,
        deadline=destruction_deadline(convention, history, now),
        allowed=answer.status == "yes" and not changed,
        reason=approval.REASON if changed else answer.reason or answer.status,
        now=workspace.now().astimezone(convention.zone).date(),
        copies=tuple(copy for copy in present if copy.ours and copy.kind != OUTLIVES),
        partner_copies=tuple(copy for copy in present if not copy.ours),
    )


def _datasets(convention: Convention, copies: list[Holding]) -> list[str]:
    """What a hold may name of these copies: their exchanges, and the datasets of these. One held, all wait: keys are shared."""
    exchanges = {copy.exchange for copy in copies if copy.ours}
    found = [one for one in convention.exchanges if one.id in exchanges and one.handling is not None]
    return sorted(exchanges | {one.handling.contract for one in found if one.handling is not None})


def plans(workspace: Workspace, connection: Connection) -> list[Plan]:
    """The plan of every convention that still has copies, or a purge under way.

    Raises:
        TablesDisagreeError: the register is not what the trail tells; nothing may be called held, or not held, then.
    """
    verify_tables(workspace.ledger, connection)
    held = {copy.convention for copy in holdings.present(connection) if copy.ours and copy.kind != OUTLIVES}
    under_way = {purge.convention for purge in purges.purges(connection) if purge.state != "done"}
    return [plan(workspace, connection, convention) for convention in sorted(held | under_way)]
