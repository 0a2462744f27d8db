"""The same exchange and the same purge on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import GateRefusedError, RefusedError, WorkspaceError
from passerelle.store import holdings, purges
from passerelle.workspace.agreement import verify_tables
from retention.purge import purge
from tests.gateway import (
    CSP_ENDED,
    CSP_FILED,
    POOLS,
    Gateway,
    assert_no_orphans,
    assert_sequences_without_gap,
    rows_of,
    trail_holds,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(postgres: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway on that server, its recruitment pool allowed."""
    made = Gateway.create(tmp_path, "2025-05-06T10:00:00+02:00", postgres)
    made.record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    yield made
    with made.workspace.database.begin() as connection:
        connection.exec_driver_sql("drop schema public cascade")
        connection.exec_driver_sql("create schema public")
    made.workspace.close()


def test_a_life_on_postgresql(gateway: Gateway, tmp_path: Path) -> None:
    """Delivered once, opened, refused after the end, purged with a certificate: as on SQLite, and the trail holds."""
    assert not (gateway.home / "passerelle.db").exists()
    source = gateway.write(POOLS, 100, bad_rate=0.02)
    assert [gateway.run(POOLS, "2025-05", source).state for _ in range(2)] == ["delivered", "duplicate"]
    (parcel,) = gateway.parcels("mtfp")
    assert len(rows_of(gateway.opened(parcel, "mtfp", tmp_path / "out"))) == 98
    assert_no_orphans(gateway)
    assert_sequences_without_gap(gateway)
    gateway.record(CSP_ENDED).move_to("2025-08-11T06:00:00+02:00")
    with pytest.raises(GateRefusedError):
        gateway.run(POOLS, "2025-08", source)
    with pytest.raises(RefusedError, match="not_due"):
        purge(gateway.workspace, "csp-ft-2024")
    gateway.move_to("2025-10-10T05:00:00+02:00")
    assert purge(gateway.workspace, "csp-ft-2024").state == "done"
    with gateway.workspace.database.read() as connection:
        (done,) = purges.purges(connection)
    counts = {one["kind"]: one["count"] for one in json.loads(done.certificate or "")["destroyed"]}
    assert counts == {"quarantine": 1, "raw": 1, "release": 1}
    assert gateway.kinds() == ["index", "parcel"]
    assert_no_orphans(gateway)
    assert trail_holds(gateway.workspace).size > 15


def test_a_copy_of_more_than_two_gibibytes(gateway: Gateway) -> None:
    """The register takes the size of a copy that no 32-bit number can say."""
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20))
    (raw,) = gateway.present(kind="raw")
    with gateway.workspace.database.begin() as connection:
        holdings.weigh(connection, raw.location, 5 << 30)
    assert gateway.present(kind="raw")[0].bytes == 5 << 30


def test_a_reader_sees_one_state(gateway: Gateway) -> None:
    """The checker sees the trail of one instant while an exchange goes on writing it."""
    with gateway.workspace.database.read() as connection:
        before = gateway.workspace.ledger.size(connection)
        gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20))
        assert gateway.workspace.ledger.size(connection) == before
    assert trail_holds(gateway.workspace).size > before


def test_what_decides_reads_a_register_that_stands_still(gateway: Gateway) -> None:
    """While tables are held against the trail to decide, nobody appends; a view that only shows stops nobody."""
    database, ledger = gateway.workspace.database, gateway.workspace.ledger
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 20))
    head = "SELECT size FROM trail_head FOR UPDATE NOWAIT"
    with database.read() as view, database.begin() as other:
        assert verify_tables(ledger, view)["deliveries"] == 1
        assert other.exec_driver_sql(head).scalar_one() == ledger.size(view)
    with database.begin() as deciding:
        assert verify_tables(ledger, deciding)["deliveries"] == 1
        with pytest.raises(WorkspaceError), database.begin() as other:
            other.exec_driver_sql(head)
