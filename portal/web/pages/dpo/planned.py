"""The plans of destruction as the pages show them: each with its number and with what it says, worked out together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from passerelle.workspace import Workspace
from retention.approving import plan_id
from retention.plan import Plan, plans


@dataclass(frozen=True, slots=True)
class Planned:
    """One plan: ``number`` is what an approval is given to, ``told`` what it says as one JSON object."""

    plan: Plan
    number: str
    told: Mapping[str, Any]

    @classmethod
    def of(cls, plan: Plan) -> Planned:
        """That plan."""
        return cls(plan, plan_id(plan), plan.as_json())


def planned(workspace: Workspace, connection: Connection) -> dict[str, Planned]:
    """Every plan of a whole convention, by convention; raises as ``plans`` does."""
    return {one.convention: Planned.of(one) for one in plans(workspace, connection)}
