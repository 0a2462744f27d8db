"""What is to be destroyed, when, and why then. A plan destroys nothing.

What a hold keeps, and what is not due yet, stands in the plan beside what goes: a hold keeps what it names, and no more (D15).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.convention import Answer, destruction_deadline, purge_allowed
from passerelle.handover import approval
from passerelle.store import holdings, purges, runs
from passerelle.store.holdings import Holding
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from retention.scope import OUTLIVES, Ruling, Scope, held, ruled

NOTHING_HELD = "nothing_held"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge of a convention, or of a part of it, would destroy, and whether it may run now.

    ``whole``: nothing of the convention stays, so that its keys go; else the keys of ``copies`` go, and no others. ``handed``:
    the parcels handed to partners that it is about; their copies are theirs to destroy, and to attest. ``deadline`` is that of the
    copy that goes first, ``end`` the one that the convention's end gives: a part may be due sooner, or later after a hold.
    """

    scope: Scope
    convention_sha256: str
    deadline: Answer
    end: Answer
    allowed: bool
    reason: str
    whole: bool
    copies: tuple[Holding, ...]
    held: tuple[Mapping[str, Any], ...]
    not_due: int
    handed: int
    now: date

    @property
    def convention(self) -> str:
        """Whose copies these are."""
        return self.scope.convention

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
        return {
            "convention": self.convention,
            "convention_sha256": self.convention_sha256,
            "scope": self.scope.as_json(),
            "whole": self.whole,
            "deadline": self.deadline.as_json(),
            "allowed": self.allowed,
            "reason": self.reason,
            "copies": by_kind(self.copies),
            "by_exchange": [
                {"exchange": name, "copies": by_kind([copy for copy in self.copies if copy.exchange == name])}
                for name in sorted({copy.exchange for copy in self.copies})
            ],
            "held": [dict(one) for one in self.held],
            "not_due": self.not_due,
            "handed_to_partners": self.handed,
        }


def plan_sha256(planned: Plan) -> str:
    """The hash that an approval is given to: the plan in canonical form, with the numbers of its copies."""
    body = {**planned.as_json(), "ids": [copy.id for copy in planned.copies]}
    return hashlib.sha256(canonical(body)).hexdigest()


def by_kind(copies: tuple[Holding, ...] | list[Holding]) -> list[dict[str, Any]]:
    """Counts and bytes of copies, by kind."""
    kinds = Counter(copy.kind for copy in copies)
    size: Counter[str] = Counter()
    for copy in copies:
        size[copy.kind] += copy.bytes or 0
    return [{"kind": kind, "count": kinds[kind], "bytes": size[kind]} for kind in sorted(kinds)]


def plan(workspace: Workspace, connection: Connection, convention_id: str, scope: Scope | None = None) -> Plan:
    """The plan for one convention, or for a part of it, at the workspace's instant."""
    scope = scope or Scope(convention_id)
    convention = workspace.convention(convention_id)
    history, now = workspace.history(connection, convention_id), workspace.now()
    found = ruled(workspace, connection, scope)
    going = [one for one in found if one.may_go]
    ended = purge_allowed(convention, history, now)
    changed = approval.pending(connection, convention)
    end = destruction_deadline(convention, history, now)
    return Plan(
        scope=scope,
        convention_sha256=convention.sha256,
        deadline=min((one.deadline for one in going), key=_day, default=end),
        end=end,
        allowed=bool(going) and not changed,
        reason=approval.REASON if changed else _reason(found, going, ended),
        whole=scope.whole and ended.status == "yes" and len(going) == len(found),
        now=workspace.now().astimezone(convention.zone).date(),
        copies=tuple(one.copy for one in going),
        held=tuple(held(found)),
        not_due=sum(one.count for one in found if one.hold is None and not one.may_go),
        handed=_handed(connection, scope, going),
    )


def _day(deadline: Answer) -> date:
    return deadline.value if isinstance(deadline.value, date) else date.max


def _handed(connection: Connection, scope: Scope, going: list[Ruling]) -> int:
    sent = runs.delivered_by(connection, scope.convention)
    about = {one.copy.run for one in going}
    return len(sent) if scope.whole else sum(1 for run in sent if run in about)


def _reason(found: list[Ruling], going: list[Ruling], ended: Answer) -> str:
    """Why what goes may go; else why the rest may not, and a hold's reason where a hold keeps all there is."""
    for one in (*going, *(one for one in found if one.hold is None), *found):
        return one.reason
    return NOTHING_HELD if ended.status == "yes" else ended.reason or ended.status


def plans(workspace: Workspace, connection: Connection) -> list[Plan]:
    """The plan of every convention that still has copies, or a purge under way. To be shown: what carries one out asks anew.

    Raises:
        TablesDisagreeError: the register is not what the trail tells; nothing may be called held, or not held, then.
    """
    verify_tables(workspace.ledger, connection, anew=False)
    there = holdings.conventions(connection, but=OUTLIVES)
    under_way = {purge.convention for purge in purges.purges(connection) if purge.state != "done"}
    return [plan(workspace, connection, convention) for convention in sorted(there | under_way)]
