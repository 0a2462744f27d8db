"""What a purge takes and how it ends, from its events alone: by lineage, once each, and again after a restore (D11).

The basis of a copy is its delivery, not its content: what came under an ended convention goes, though the same person's data
came under another one that is in force. A purge goes on from its plan after a crash, and its certificate comes last. What a
backup brings back is destroyed again before anything is served.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from passerelle.convention.event import Event, texts
from passerelle.errors import UsageError

STANDING = {"ended": "purge", "in_force": "keep"}


def purge_plan(events: Iterable[Event]) -> dict[str, Any]:
    """The copies that go and those that stay, by the convention that each came under; the last word on each counts.

    Raises:
        UsageError: no event says that a convention ended or is in force.
    """
    last = {str(one.says("convention")): STANDING[one.type] for one in events if one.type in STANDING}
    if not last:
        raise UsageError("expected events ended or in_force that name their convention, got none")
    found: dict[str, list[str]] = {
        part: [f"copy under {name}" for name, said in last.items() if said == part] for part in ("purge", "keep")
    }
    both = all(found.values())
    return {**found, **({"note": "same person, other basis"} if both else {})}


def purge_state(events: Iterable[Event]) -> dict[str, Any]:
    """Where a purge stands after its events: started, interrupted, completed after how many attempts, or replayed.

    Raises:
        UsageError: no event says that a purge started or was completed.
    """
    seen = tuple(events)
    completed = [one for one in seen if one.type == "purge_completed"]
    restored = [one for one in seen if one.type == "backup_restored"]
    if completed and restored:
        before = [one for one in restored if one.says("taken") == "before_purge"]
        again = sorted({name for one in completed for name in texts(one.payload.get("objects"))}) if before else []
        return {"status": "replayed" if before else "completed", "restored_then_purged": again}
    attempts = sum(one.type in {"purge_started", "purge_restarted"} for one in seen)
    if not attempts and not completed:
        raise UsageError("expected an event purge_started or purge_completed, got none")
    acts = [one.type for one in seen if one.type in {"purge_started", "purge_restarted", "crash", "purge_completed"}]
    status = {"crash": "interrupted", "purge_started": "started"}.get(acts[-1], "completed")
    return {"status": status, "attempts": max(attempts, 1), "double_effects": 0}
