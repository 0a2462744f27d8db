from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from passerelle.errors import RefusedError
from passerelle.handover.witnesses import insist_on_witnesses
from passerelle.store import settings
from retention.purge import purge
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway


def _require(connection: Connection, number: int) -> None:
    settings.write(connection, settings.WITNESSES_REQUIRED, number)


def test_a_purge_waits_for_its_witnesses(tmp_path: Path) -> None:
    """Where a witness is required and none has cosigned the deliveries, the purge is refused and nothing is destroyed."""
    one = Gateway.create(tmp_path, "2025-05-06T09:00:00+02:00").record(*CSP_FILED)
    one.partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    one.run(POOLS, "2025-05", one.write(POOLS, 50))
    one.move_to("2025-06-10T11:00:00+02:00").record(CSP_ENDED).move_to("2025-10-10T05:00:00+02:00")
    with one.workspace.database.begin() as connection:
        _require(connection, 1)
        with pytest.raises(RefusedError):
            insist_on_witnesses(one.workspace, connection, "csp-ft-2024")
    with pytest.raises(RefusedError):
        purge(one.workspace, "csp-ft-2024")
    assert one.workspace.keys.keyset("csp-ft-2024")
    assert one.entries("purge_started") == []

    with one.workspace.database.begin() as connection:
        _require(connection, 0)
    assert purge(one.workspace, "csp-ft-2024").state == "done"
