"""Telling of a new signing key: in the trail first, then in what partners trust. Begun, it is finished at the next opening."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from passerelle.keys import fingerprint
from passerelle.workspace.files import HeldError

if TYPE_CHECKING:
    from passerelle.workspace.workspace import Workspace


def announce(workspace: Workspace) -> bool:
    """Tell the signing key in use in the trail and publish it; False when it was told already. Callers hold ``signing``."""
    *past, current = workspace.keys.signers
    if not past:
        return False
    new = fingerprint(current.key)
    with workspace.database.begin() as connection:
        known = [found.entry.body["fingerprint"] for found in workspace.ledger.find(connection, "signing_key_rotated")]
        untold = known[-1:] != [new]
        if untold:
            body = {"fingerprint": new, "retired": fingerprint(past[-1].key)}
            workspace.append(connection, "signing_key_rotated", body)
            workspace.ledger.checkpoint(connection, workspace.now())
    workspace.publish_trust()
    return untold


def finish_announcing(workspace: Workspace) -> None:
    """Announce the key of a rotation that was interrupted: what is published last is not yet what the ring says."""
    published = workspace.home / "trust" / "allowed_signers"
    if published.exists() and published.read_bytes() == workspace.keys.allowed_signers.encode():
        return
    with suppress(HeldError), workspace.lock("signing"):  # who holds it is rotating, and will announce
        announce(workspace)
        workspace.publish_trust()
