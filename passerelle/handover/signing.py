"""What the gateway signs with, and how often: rotation of the signing key (the ring first, then the trail, then what partners
trust; resumed when interrupted), and the policy of checkpoints.
"""

from __future__ import annotations

from sqlalchemy import Connection

from passerelle.keys import Signer
from passerelle.store import settings
from passerelle.trail.ledger import MAX_UNSIGNED, MAX_UNSIGNED_MINUTES
from passerelle.workspace import Workspace
from passerelle.workspace.announcing import announce


def rotate_signing(workspace: Workspace) -> Signer:
    """Sign with a new key from now on; old signatures stay good. A rotation that was interrupted is finished instead."""
    with workspace.lock("signing"):
        if not announce(workspace):
            workspace.keys.rotate_signing(workspace.now())
            announce(workspace)
        return workspace.keys.signers[-1]


def checkpoint_policy(connection: Connection) -> dict[str, int]:
    """How many entries, and for how many minutes, may stand unsigned."""
    return {
        "entries": settings.read(connection, settings.CHECKPOINT_ENTRIES, MAX_UNSIGNED),
        "minutes": settings.read(connection, settings.CHECKPOINT_MINUTES, MAX_UNSIGNED_MINUTES),
    }


def set_checkpoint_policy(workspace: Workspace, entries: int | None, minutes: int | None) -> None:
    """Sign from now on when so many entries stand unsigned, or for so long; None leaves one as it is. Told in the trail."""
    with workspace.database.begin() as connection:
        for name, number in ((settings.CHECKPOINT_ENTRIES, entries), (settings.CHECKPOINT_MINUTES, minutes)):
            if number is not None:
                settings.write(connection, name, number)
        workspace.append(connection, "checkpoints_set", checkpoint_policy(connection))
