"""The register of what happened to each convention: append-only, with valid time in the payload and recorded time beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.store.tables import convention_event


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as recorded: ``payload`` has the valid time and what the event type needs."""

    id: int
    convention: str
    type: str
    payload: Mapping[str, Any]
    evidence_sha256: str | None
    recorded_at: datetime


def record(
    connection: Connection,
    convention: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    evidence_sha256: str | None = None,
) -> int:
    """Append one event and give its id."""
    result = connection.execute(
        insert(convention_event).values(
            convention=convention,
            type=kind,
            payload=json.dumps(dict(payload), sort_keys=True, ensure_ascii=False),
            evidence_sha256=evidence_sha256,
            recorded_by=by,
            recorded_at=iso(at),
        )
    )
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 - an autoincremented insert has one
    return int(key[0])


def conventions(connection: Connection) -> list[str]:
    """The conventions of which an event was recorded."""
    return list(connection.scalars(select(convention_event.c.convention).distinct()))


def digest(kind: str, payload: Mapping[str, Any]) -> str:
    """What the trail keeps of an event: SHA-256 of its type and payload in canonical JSON, in hex."""
    return hashlib.sha256(canonical({"type": kind, "payload": dict(payload)})).hexdigest()


def history(connection: Connection, convention: str) -> list[Recorded]:
    """Every event of ``convention`` in the order of recording."""
    query = select(convention_event).where(convention_event.c.convention == convention).order_by(convention_event.c.id)
    return [
        Recorded(
            id=row.id,
            convention=row.convention,
            type=row.type,
            payload=json.loads(row.payload),
            evidence_sha256=row.evidence_sha256,
            recorded_at=datetime.fromisoformat(row.recorded_at),
        )
        for row in connection.execute(query)
    ]
