"""Recording an event on a convention: what the gate will answer by from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Event
from passerelle.convention.dates import local_day
from passerelle.convention.event import DATES, LEGAL, RUNS_FROM
from passerelle.convention.record import vocabulary
from passerelle.errors import UsageError
from passerelle.handover.exposures import Exposure, exposed_by
from passerelle.store import events
from passerelle.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event on record: its number in the register, and the past deliveries that it, come late, calls into question."""

    number: int
    exposures: tuple[Exposure, ...] = ()


def record_event(
    workspace: Workspace,
    convention_id: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    by: str,
    evidence_sha256: str | None = None,
) -> Recorded:
    """Append an event to a convention's history, and tell it in the trail.

    An event that was valid before it is recorded rewrites nothing: it lists the deliveries that should not have happened (D20).

    Raises:
        UsageError: an unknown convention or kind of event, a date that is not one, or none for a delay of the GDPR to run from.
    """
    known = LEGAL | vocabulary(workspace.convention(convention_id))
    if kind not in known:
        raise UsageError(
            f"unknown kind of event, expected one of {', '.join(sorted(known))}",
            fr=f"nature d'événement inconnue ; celles qui existent : {', '.join(sorted(known))}",
        )
    now = workspace.now()
    event = Event(kind, payload, now)
    _insist_on_beginning(event)
    with workspace.database.begin() as connection:
        late = _exposed(workspace, connection, convention_id, event)
        number = events.record(
            connection, convention_id, kind, event.payload, by=by, at=now, evidence_sha256=evidence_sha256
        )
        day = payload.get("on")
        body = {
            "convention": convention_id,
            "event": kind,
            "event_id": f"e-{number}",
            "evidence_sha256": evidence_sha256,
            "payload_sha256": events.digest(kind, event.payload),
            "exposures": len(late) or None,
            "valid_on": day if isinstance(day, str) else None,
        }
        workspace.append(connection, "event_recorded", body)
        workspace.ledger.checkpoint(connection, now)
    return Recorded(number, tuple(late))


def _insist_on_beginning(event: Event) -> None:
    names = RUNS_FROM.get(event.type, ())
    if names and all(event.says(name) is None for name in names):
        example = "2026-11-20T10:00:00+01:00" if names[0] == "at" else "2026-11-20"
        raise UsageError(
            f"{event.type}: expected '{names[0]}', from which its delay runs; got none",
            hint=f"""--args '{{"{names[0]}": "{example}"}}'""",
            fr=f"{event.type} : il faut '{names[0]}', d'où part son délai",
            hint_fr=f"""--args '{{"{names[0]}": "{example}"}}'""",
        )


def _exposed(workspace: Workspace, connection: Connection, convention_id: str, event: Event) -> list[Exposure]:
    """The past deliveries that this event forbids and that nothing on record forbade before; none if it is of today."""
    if not _late(workspace, convention_id, event):
        return []
    history = workspace.history(connection, convention_id)
    after = exposed_by(workspace, connection, convention_id, (*history, event))
    before = set(exposed_by(workspace, connection, convention_id, history)) if after else set()
    return [one for one in after if one not in before]


def _late(workspace: Workspace, convention_id: str, event: Event) -> bool:
    """Whether some day of the event is past, or it has none."""
    zone = workspace.convention(convention_id).zone
    days = [day for name in DATES if (day := event.day(name, zone=zone)) is not None]
    return not days or min(days) <= local_day(workspace.now(), zone)
