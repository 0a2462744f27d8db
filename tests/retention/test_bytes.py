"""What was deleted is in no file of the database: neither of SQLite nor of PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from flows.assembly import place_order
from passerelle.persons.objecting import record_objection
from passerelle.store import objections, tables
from retention.purge import purge
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

CSP, DUE = "csp-ft-2024", "2025-10-10T05:00:00+02:00"
CANARY = "CANARY7278117523412366QUENOUILLARD"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    """A convention that is over, its tables full, on each database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = Gateway.create(tmp_path, "2025-05-06T10:00:00+02:00", url)
    made.record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    made.run(POOLS, "2025-05", made.write(POOLS, 60, bad_rate=0.02))
    record_objection(made.workspace, CSP, "email", "jeanne@exemple.example", by="dpo")
    place_order(made.workspace, made.order(POOLS, "2025-06", made.write(POOLS, 20)))
    yield made
    with contextlib.suppress(Exception):
        made.workspace.close()
    if url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade")
            connection.exec_driver_sql("create schema public")
        engine.dispose()


def held(gateway: Gateway, needles: dict[str, bytes]) -> set[str]:
    """Which needles are in the files of the database; PostgreSQL writes its pages to them first."""
    if gateway.database_url is None:
        gateway.workspace.close()
        files = list(gateway.home.glob("passerelle.db*"))
    else:
        with gateway.workspace.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            folder = Path(connection.exec_driver_sql("show data_directory").scalar_one())
            connection.exec_driver_sql("checkpoint")
        files = [path for path in folder.rglob("*") if path.is_file() and "pg_wal" not in path.parts]
    assert files
    found = set()
    for path in files:
        with contextlib.suppress(FileNotFoundError):  # a server removes files of its own
            data = path.read_bytes()
            found |= {name for name, needle in needles.items() if needle in data}
    return found


def test_what_the_purge_deleted_is_in_no_file(gateway: Gateway) -> None:
    """A sealed order, a person's tag, a manifest and a planted profile were in the files, and after the purge are in none."""
    workspace = gateway.workspace
    with workspace.database.begin() as connection:
        mine = tables.profile.c.convention == CSP
        connection.execute(update(tables.profile).where(mine).values(body='{"planted": "' + CANARY + '"}'))
    with workspace.database.read() as connection:
        (objection,) = objections.standing(connection)
        sealed = bytes(connection.exec_driver_sql("select input from exchange_order").scalar_one())
        manifest = gateway.deliveries()[0].manifest
    needles = {"tag": objection.tag, "order": sealed[40:90], "profile": CANARY.encode(), "manifest": manifest[:60]}
    assert held(gateway, needles) >= {"tag", "order", "profile"}
    gateway.record(CSP_ENDED).move_to(DUE)
    purge(workspace, CSP)
    assert held(gateway, needles) == set()
