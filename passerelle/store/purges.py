"""Purges: a plan, the stage it has reached, and at the end its certificate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from passerelle.clock import iso
from passerelle.store.replies import reply
from passerelle.store.sendings import sending
from passerelle.store.tables import delivery, profile, purge

MANY = 500  # ids in one statement
STAGES = ("started", "keys", "files", "rows", "rotated", "done")


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge of one convention; ``state`` is the last stage that was completed."""

    id: str
    convention: str
    state: str
    plan: Mapping[str, Any]
    certificate: str | None
    signature: str | None
    planned_at: str
    ended_at: str | None

    def reached(self, stage: str) -> bool:
        """Whether ``stage`` is behind this purge."""
        return STAGES.index(self.state) >= STAGES.index(stage)


def open_purge(
    connection: Connection, purge_id: str, convention: str, plan: Mapping[str, Any], *, at: datetime
) -> None:
    """Write a plan that is about to be carried out."""
    body = json.dumps(plan, sort_keys=True, ensure_ascii=False)
    connection.execute(
        insert(purge).values(id=purge_id, convention=convention, state="started", plan=body, planned_at=iso(at))
    )


def replan(connection: Connection, purge_id: str, plan: Mapping[str, Any]) -> None:
    """Write another plan in place of one of which nothing was carried out yet."""
    body = json.dumps(plan, sort_keys=True, ensure_ascii=False)
    connection.execute(update(purge).where(purge.c.id == purge_id).values(plan=body))


def clear_runs(connection: Connection, runs: frozenset[str]) -> None:
    """Remove what tables kept of the content of some runs; their lines stay, with ids, counts and hashes."""
    for start in range(0, len(runs), MANY):
        some = sorted(runs)[start : start + MANY]
        connection.execute(delete(profile).where(profile.c.run.in_(some)))
        connection.execute(delete(sending).where(sending.c.run.in_(some) | sending.c.id.in_(some)))
        connection.execute(update(delivery).where(delivery.c.run.in_(some)).values(manifest=b"", notices="{}"))
        replies = update(reply).where(reply.c.run.in_(some))
        connection.execute(replies.values(draft="{}", sealed=None, manifest=None, texts=None))


def stage(connection: Connection, purge_id: str, state: str) -> None:
    """Note that a stage is complete."""
    connection.execute(update(purge).where(purge.c.id == purge_id).values(state=state))


def certify(connection: Connection, purge_id: str, certificate: str, signature: str, *, at: datetime) -> None:
    """Write the certificate: the last act of a purge."""
    values = {"state": "done", "certificate": certificate, "signature": signature, "ended_at": iso(at)}
    connection.execute(update(purge).where(purge.c.id == purge_id).values(**values))


def purges(connection: Connection, **where: str) -> list[Purge]:
    """Purges whose columns equal ``where``, oldest first."""
    query = select(purge).order_by(purge.c.planned_at, purge.c.id)
    for name, value in where.items():
        query = query.where(purge.c[name] == value)
    return [
        Purge(**{**{name: getattr(row, name) for name in Purge.__slots__}, "plan": json.loads(row.plan)})
        for row in connection.execute(query)
    ]
