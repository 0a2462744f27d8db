"""Rotating the gateway's signing key: the ring first, then the trail, then what partners trust; resumed when interrupted."""

from __future__ import annotations

from passerelle.keys import Signer
from passerelle.workspace import Workspace
from passerelle.workspace.announcing import announce


def rotate_signing(workspace: Workspace) -> Signer:
    """Sign with a new key from now on; old signatures stay good. A rotation that was interrupted is finished instead."""
    with workspace.lock("signing"):
        if not announce(workspace):
            workspace.keys.rotate_signing(workspace.now())
            announce(workspace)
        return workspace.keys.signers[-1]
