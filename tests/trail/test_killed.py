"""Killed at every write of an append, the trail is as before or as after, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine, text

from passerelle.clock import iso
from passerelle.trail import Entry, Ledger, fsck
from passerelle.trail.tables import begin_immediate
from tests.dying import killed_at, may_trace
from tests.trail.conftest import NOW

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.environ.get("CI") != "true" and not may_trace(), reason="this machine lets no process trace its child"
    ),
]
Make = Callable[..., Entry]


def test_killed_at_every_write_of_an_append(
    engine: Engine, url: str, key: Ed25519PrivateKey, ledger: Ledger, make: Make
) -> None:
    """State, entries and head of a transaction killed at any write are all there or none is, and the next append goes on."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS state"))
        connection.execute(text("CREATE TABLE state (at_size integer)"))
        ledger.append_many(connection, [make(n, iso(NOW)) for n in range(254)])
        ledger.checkpoint(connection, NOW)
    engine.dispose()

    def act() -> None:
        """Four entries, by which a tile becomes full, a state change and a signed head, in one transaction."""
        own = create_engine(url)
        begin_immediate(own)
        writer = Ledger(ledger.origin, key)
        with own.begin() as connection:
            size = writer.size(connection)
            writer.append(connection, make(size, iso(NOW)))
            writer.append_many(connection, [make(n, iso(NOW)) for n in range(size + 1, size + 4)])
            connection.execute(text("INSERT INTO state VALUES (:size)"), {"size": size + 4})
            writer.checkpoint(connection, NOW)
        own.dispose()

    point, before, outcomes = 1, 254, set()
    while killed_at(point, act):
        with engine.begin() as connection:
            report = fsck.check(connection, ledger.verifier_key)
            states = connection.scalar(text("SELECT max(at_size) FROM state")) or 254
        engine.dispose()
        assert report.size == states
        assert report.unsigned == 0
        assert report.size - before in {0, 4}
        outcomes.add(report.size - before)
        before, point = report.size, point + 1
    assert point > 5
    assert outcomes == {0, 4}
