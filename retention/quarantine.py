"""Rejected rows have a short life of their own: the hub's days after their run, or the convention's deadline if that is sooner."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from passerelle.handover.job import erase_copy
from passerelle.handover.quarantine import Kept, kept
from passerelle.store import holdings
from passerelle.workspace import Workspace
from retention.scope import Scope, destroy_keys, rulings

GRACE = timedelta(days=1)  # for the daily job


def due(workspace: Workspace, connection: Connection) -> list[Kept]:
    """The quarantines whose life is over, and that nothing holds."""
    over = [one for one in kept(workspace, connection) if one.over(workspace.now())]
    held: set[int] = set()
    for convention in sorted({one.copy.convention for one in over}):
        held |= {one.copy.id for one in rulings(workspace, connection, Scope(convention)) if one.hold is not None}
    return [one for one in over if one.copy.id not in held]


def overdue(workspace: Workspace, connection: Connection) -> list[Kept]:
    """Those that the daily job should have destroyed."""
    return [one for one in due(workspace, connection) if one.expires + GRACE <= workspace.now()]


def expire(workspace: Workspace) -> list[Kept]:
    """Destroy the quarantines whose life is over; once more finishes what was interrupted.

    Raises:
        WorkspaceError: a purge of the same convention is at work.
    """
    with workspace.database.read() as connection:
        over = due(workspace, connection)
    gone = []
    for convention in sorted({one.copy.convention for one in over}):
        with workspace.lock(f"{convention}.purge"):
            destroy_keys(workspace, convention, [one.copy for one in over if one.copy.convention == convention])
            gone += [one for one in over if one.copy.convention == convention and _destroy(workspace, one)]
    return gone


def _destroy(workspace: Workspace, one: Kept) -> bool:
    """Remove one quarantine, and tell it once; False when another process did."""
    erase_copy(workspace, one.copy)
    with workspace.database.begin() as connection:
        if not holdings.present(connection, location=one.copy.location):
            return False
        holdings.destroyed(connection, [one.copy.id], at=workspace.now())
        body = {
            "run": one.copy.run,
            "rows": one.rows,
            "convention": one.copy.convention,
            "exchange": one.copy.exchange,
        }
        workspace.append(connection, "quarantine_expired", body)
        workspace.ledger.checkpoint(connection, workspace.now())
    return True
