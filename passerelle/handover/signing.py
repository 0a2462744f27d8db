"""Rotating the gateway's signing key: the ring first, then what partners trust, then the trail; resumed when interrupted."""

from __future__ import annotations

from passerelle.keys import Signer, fingerprint
from passerelle.workspace import Workspace


def rotate_signing(workspace: Workspace) -> Signer:
    """Sign with a new key from now on; old signatures stay good. A rotation that was interrupted is finished instead."""
    with workspace.lock("signing"):
        if not announce(workspace):
            workspace.keys.rotate_signing(workspace.now())
            announce(workspace)
        return workspace.keys.signers[-1]


def announce(workspace: Workspace) -> bool:
    """Publish the signing key in use and tell it in the trail; False when it was told already."""
    *past, current = workspace.keys.signers
    if not past:
        return False
    new = fingerprint(current.key)
    with workspace.database.read() as connection:
        told = [found.entry.body["fingerprint"] for found in workspace.ledger.find(connection, "signing_key_rotated")]
    if told[-1:] == [new]:
        return False
    workspace.publish_trust()
    with workspace.database.begin() as connection:
        body = {"fingerprint": new, "retired": fingerprint(past[-1].key)}
        workspace.append(connection, "signing_key_rotated", body)
        workspace.ledger.checkpoint(connection, workspace.now())
    return True
