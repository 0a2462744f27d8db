"""A house whose access log can be written, sealed and tampered with."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.access import Report, inspect, seal
from passerelle.store import Database, access
from passerelle.store.tables import metadata
from passerelle.trail import Ledger, fsck
from passerelle.trail.tables import metadata as trail_metadata
from tests.trail.conftest import sqlite  # noqa: F401 -- a fixture

ORIGIN = "passerelle.example/tests"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass
class House:
    """The least that looking needs: a database, a ledger, a clock."""

    database: Database
    ledger: Ledger
    instant: datetime = NOW

    @classmethod
    def at(cls, place: str) -> House:
        return cls(Database(place), Ledger(ORIGIN, KEY))

    def now(self) -> datetime:
        return self.instant

    def wait(self, **time: float) -> House:
        self.instant += timedelta(**time)
        return self

    def write(self, *subjects: str, actor: str = "agent", action: str = "release_key", **facts: Any) -> House:
        """Write lines, a second apart."""
        with self.database.begin() as connection:
            for subject in subjects:
                access.log(
                    connection, actor=actor, action=action, subject=subject, at=self.wait(seconds=1).now(), **facts
                )
        return self

    def seal(self) -> House:
        """Seal what is open."""
        with self.database.begin() as connection:
            seal(connection, self.ledger, self.now())
            self.ledger.checkpoint(connection, self.now())
        return self

    def report(self) -> Report:
        """What verifying finds, in a trail that holds."""
        with self.database.read() as connection:
            fsck.check(connection, self.ledger.verifier_key)
            return inspect(connection, self.ledger, self.now())

    def found(self) -> list[tuple[str, int | None]]:
        """The findings: code and number."""
        return [(one.code, one.number) for one in self.report().findings]


def fresh(made: House) -> House:
    """The house with empty tables."""
    for tables in (metadata, trail_metadata):
        tables.drop_all(made.database.engine)
    made.database.create()
    return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty house on SQLite."""
    made = House.at(f"sqlite:///{tmp_path / 'passerelle.db'}")
    made.database.create()
    yield made
    made.database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def each(request: pytest.FixtureRequest) -> Iterator[House]:
    """An empty house on each database."""
    made = fresh(House.at(request.getfixturevalue(request.param)))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a house with four batches of lines; nobody writes to it."""
    path = tmp_path_factory.mktemp("sealed") / "passerelle.db"
    made = House.at(f"sqlite:///{path}")
    made.database.create()
    for batch in range(4):
        made.write(*(f"p-{batch}-{place}" for place in range(6)), convention=f"c-{batch}").seal()
    made.database.scrub()
    made.database.close()
    return path


@pytest.fixture(scope="module")
def tampered(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., House]:
    """A copy of that house after somebody wrote into its database."""
    path = tmp_path_factory.mktemp("tampered") / "passerelle.db"

    def tamper(*statements: str) -> House:
        for stale in path.parent.iterdir():
            stale.unlink()
        shutil.copyfile(sealed, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP INDEX uq_access_number")
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        house = House.at(f"sqlite:///{path}")
        house.instant = NOW + timedelta(minutes=1)
        return house

    return tamper
