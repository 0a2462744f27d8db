"""Databases, a ledger, and entries for the tests of the trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine

from passerelle.trail import Entry, Ledger
from passerelle.trail.tables import begin_immediate, metadata

ORIGIN = "passerelle.example/tests"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of an empty SQLite file."""
    return f"sqlite:///{tmp_path / 'trail.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database: every test that asks runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(request.param))


def _open(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    begin_immediate(engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An engine with an empty trail, on each database."""
    yield from _open(url)


@pytest.fixture
def lite(sqlite: str) -> Iterator[Engine]:
    """An engine with an empty trail, on SQLite alone."""
    yield from _open(sqlite)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    """The key of the trail."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def ledger(key: Ed25519PrivateKey) -> Ledger:
    """A ledger under that key."""
    return Ledger(ORIGIN, key)


@pytest.fixture
def now() -> datetime:
    """The instant at which the tests stand."""
    return NOW


@pytest.fixture
def make() -> Callable[[int], Entry]:
    """Entries that differ by their number."""

    def entry(number: int, at: str = "2026-03-01T09:00:00Z") -> Entry:
        body = {
            "delivery": f"p-{number:024x}",
            "parcel": f"p-{number:024x}",
            "manifest_sha256": f"{number:064x}",
            "recipient": "region-paca",
            "sequence": number,
            "counts": {"extracted": number},
        }
        return Entry("delivery_intent", at, body)

    return entry
