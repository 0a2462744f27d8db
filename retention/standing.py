"""How far each purge is: its stage, and what could not be removed yet, told until it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from passerelle.store import purge_left, purges
from passerelle.store.purge_left import Stuck


@dataclass(frozen=True, slots=True)
class Standing:
    """One purge; ``state`` is ``stuck`` where all is destroyed but ``left``, else the last stage that was completed."""

    purge: str
    convention: str
    scope: dict[str, str]
    state: str
    stage: str
    left: tuple[Stuck, ...]
    planned_at: str
    ended_at: str | None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "purge": self.purge,
            "convention": self.convention,
            "scope": self.scope,
            "state": self.state,
            "stage": self.stage,
            "left": [one.as_json() for one in self.left],
            "planned_at": self.planned_at,
            "ended_at": self.ended_at,
        }


def standings(connection: Connection) -> list[Standing]:
    """Every purge, oldest first."""
    found = []
    for one in purges.purges(connection):
        left = purge_left.stuck(connection, one.id)
        state = "stuck" if left and one.state != "done" else one.state
        scope = dict(one.plan.get("scope", {"convention": one.convention}))
        found.append(Standing(one.id, one.convention, scope, state, one.state, left, one.planned_at, one.ended_at))
    return found
