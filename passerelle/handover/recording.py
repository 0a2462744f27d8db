"""Recording an event on a convention: what the gate will answer by from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from passerelle.convention import Event
from passerelle.convention.event import LEGAL
from passerelle.convention.record import vocabulary
from passerelle.errors import UsageError
from passerelle.store import events
from passerelle.workspace import Workspace


def record_event(
    workspace: Workspace,
    convention_id: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    by: str,
    evidence_sha256: str | None = None,
) -> int:
    """Append an event to a convention's history, and tell it in the trail; its number in the register.

    Raises:
        UsageError: an unknown convention or kind of event, or a date that is not one.
    """
    known = LEGAL | vocabulary(workspace.convention(convention_id))
    if kind not in known:
        raise UsageError(
            f"unknown kind of event, expected one of {', '.join(sorted(known))}",
            fr=f"nature d'événement inconnue ; celles qui existent : {', '.join(sorted(known))}",
        )
    now = workspace.now()
    event = Event(kind, payload, now)
    with workspace.database.begin() as connection:
        number = events.record(
            connection, convention_id, kind, event.payload, by=by, at=now, evidence_sha256=evidence_sha256
        )
        day = payload.get("on")
        body = {
            "convention": convention_id,
            "event": kind,
            "event_id": f"e-{number}",
            "evidence_sha256": evidence_sha256,
            "valid_on": day if isinstance(day, str) else None,
        }
        workspace.append(connection, "event_recorded", body)
        workspace.ledger.checkpoint(connection, now)
    return number
