"""Lines leave after 12 months, and nothing of them stays but their roots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from passerelle.access import Search, expire, inspect, page
from passerelle.access.expiring import SCRUB_OWED
from passerelle.errors import WorkspaceError
from passerelle.handover.evidence import hand_release_key
from passerelle.store import database, settings
from retention.looks import expire_looks
from retention.purge import purge
from tests.access.conftest import House, fresh
from tests.gateway import CSP_ENDED, CSP_FILED, POOLS, Gateway

SUBJECT = "p-quenouillard"


def subjects(house: House) -> list[str]:
    with house.database.read() as connection:
        return [line.subject for line in page(connection, Search(), limit=100)]


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("passerelle.db*"))


def test_whole_batches_go_once_their_last_line_is_old(each: House) -> None:
    """A batch stays until its last line is past the limit; what went is told in the trail, and the rest still verifies."""
    each.write("p-1", "p-2").seal().wait(days=10).write("p-3").seal().wait(days=10).write("p-4")
    limit = each.now() - timedelta(days=5)
    assert expire(each, each.now() - timedelta(days=10, hours=1)) == 2
    assert subjects(each) == ["p-3", "p-4"]
    assert expire(each, limit) == 1
    assert expire(each, limit) == 0
    assert subjects(each) == ["p-4"]
    with each.database.begin() as connection:
        told = [dict(one.entry.body) for one in each.ledger.find(connection, "access_expired")]
        each.ledger.checkpoint(connection, each.now())
    assert told == [
        {"first": 1, "last": 2, "count": 2, "batches": 1},
        {"first": 3, "last": 3, "count": 1, "batches": 1},
    ]
    report = each.write("p-5").seal().report()
    assert (report.lines, report.batches, report.expired, report.findings) == (2, 2, 2, ())


def test_expired_lines_leave_the_files(house: House, tmp_path: Path) -> None:
    """No byte of an expired line is left in the database's files."""
    house.write(*[SUBJECT] * 300).seal().wait(days=1).write("p-kept")
    assert SUBJECT.encode() in files(tmp_path)
    expire(house, house.now() - timedelta(hours=1))
    assert SUBJECT.encode() not in files(tmp_path)
    assert b"p-kept" in files(tmp_path)


def test_what_could_not_be_cleared_is_cleared_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process reads the old content, the deletion stands and its clearing stays owed."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 0.1)
    house = fresh(House.at(f"sqlite:///{tmp_path / 'passerelle.db'}"))
    house.write(*[SUBJECT] * 300).seal().wait(days=1)
    house.database.scrub()
    with house.database.read() as reader:
        subjects(house)
        reader.exec_driver_sql("SELECT count(*) FROM access").scalar()
        with pytest.raises(WorkspaceError):
            expire(house, house.now() - timedelta(hours=1))
    with house.database.read() as connection:
        assert settings.read(connection, SCRUB_OWED) == 1
    assert expire(house, house.now() - timedelta(hours=1)) == 0
    assert SUBJECT.encode() not in files(tmp_path)


def test_lines_that_come_back_are_found(house: House) -> None:
    """Lines of an expired batch that a restored table brings back are told."""
    house.write("p-1", "p-2").seal().wait(days=1)
    with house.database.read() as connection:
        kept = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM access")]
    expire(house, house.now() - timedelta(hours=1))
    with house.database.begin() as connection:
        marks = ", ".join("?" * len(kept[0]))
        for row in kept:
            connection.exec_driver_sql(f"INSERT INTO access VALUES ({marks})", row)  # noqa: S608 -- marks only
    assert house.seal().found() == [("restored", 1), ("restored", 2)]


def test_a_held_convention_keeps_its_batches(house: House) -> None:
    """A batch with a line of a held convention stays, whole; the others go."""
    house.write("p-1", convention="a").seal().write("p-2", convention="b").write("p-3", convention="a").seal()
    house.write("p-4").seal().wait(days=1)
    assert expire(house, house.now() - timedelta(hours=1), {"b"}) == 2
    assert subjects(house) == ["p-2", "p-3"]
    assert [code for code, _ in house.seal().found()] == []


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on whose conventions somebody looked in March 2026."""
    made = Gateway.create(tmp_path_factory.mktemp("looked"), "2026-03-02T09:00:00+01:00")
    yield made
    made.workspace.close()


def test_lines_stay_twelve_months_or_while_a_hold_names_them(looked: Gateway) -> None:
    """The hub keeps a line for 12 months, and longer while a hold on its convention names the access log."""
    from passerelle.access import Look
    from passerelle.access.looking import write

    write(looked.workspace, Look("agent", "release_key", SUBJECT, convention="csp-ft-2024"), "allowed")
    looked.move_to("2027-03-02T08:00:00+01:00")
    assert expire_looks(looked.workspace) == 0
    hold = ("csp-ft-2024", "hold_placed", {"id": "h-1", "on": "2027-01-05", "scope": ["access-log"]})
    looked.record(hold).move_to("2027-03-03T08:00:00+01:00")
    assert expire_looks(looked.workspace) == 0
    looked.record(("csp-ft-2024", "hold_lifted", {"id": "h-1", "on": "2027-03-04"})).move_to(
        "2027-03-05T08:00:00+01:00"
    )
    assert expire_looks(looked.workspace) == 1
    assert SUBJECT.encode() not in files(looked.home)


def test_a_purge_leaves_who_looked(tmp_path: Path) -> None:
    """The purge of a convention takes no line of the access log: it stays for its 12 months, and still verifies."""
    gateway = Gateway.create(tmp_path, "2025-05-05T10:00:00+02:00").record(*CSP_FILED).partner("mtfp")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30))
    workspace = gateway.workspace
    (parcel,) = gateway.parcels("mtfp")
    hand_release_key(workspace, parcel.stem, "mtfp", actor="agent", reason="first opening")
    gateway.record(CSP_ENDED).move_to("2025-10-10T10:00:00+02:00")
    purge(workspace, "csp-ft-2024")
    gateway.move_to("2026-05-01T10:00:00+02:00")
    assert expire_looks(workspace) == 0
    with workspace.database.read() as connection:
        (line,) = page(connection, Search(convention="csp-ft-2024"), limit=10)
        assert (line.actor, line.reason, line.delivery) == ("agent", "first opening", parcel.stem)
        assert inspect(connection, workspace.ledger, workspace.now()).findings == ()
    assert expire_looks(gateway.move_to("2026-05-06T10:00:00+02:00").workspace) == 1
    workspace.close()
