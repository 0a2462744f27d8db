"""The registers: partners and the approvals of their keys, holdings, deliveries, events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from passerelle.errors import RefusedError, UsageError, WorkspaceError
from passerelle.keys import Identity
from passerelle.store import Database, access, holdings, partners, runs
from passerelle.store.runs import Delivery, Run
from passerelle.workspace import partner_keys
from tests.gateway import STUDIES, studies

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
KEY = "SHA256:" + "A" * 43
OTHER = "SHA256:" + "B" * 43


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'passerelle.db'}")
    made.create()
    yield made
    made.close()


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """One transaction."""
    with database.begin() as made:
        yield made


@pytest.fixture
def enrolled(connection: Connection) -> Connection:
    """Two partners; the first has a key that "clerk" enrolled."""
    for party in ("face", "mtfp"):
        partners.add(connection, party, party.upper(), None, at=NOW)
    enrol(connection, "face", KEY)
    return connection


def enrol(connection: Connection, party: str, fingerprint: str) -> bool:
    return partners.enrol(
        connection,
        party,
        kind="x25519",
        recipient=f"age1{fingerprint[-6:]}",
        fingerprint=fingerprint,
        by="clerk",
        at=NOW,
    )


def test_two_people_approve_a_key(enrolled: Connection) -> None:
    """A key is pending until two people have approved it."""
    assert partners.approved(enrolled, "face") == []
    assert partners.approve(enrolled, KEY, by="first", at=NOW).state == "pending"
    assert partners.approve(enrolled, KEY, by="second", at=NOW).state == "approved"
    assert [key.fingerprint for key in partners.approved(enrolled, "face")] == [KEY]


def test_who_enrolled_does_not_approve(enrolled: Connection) -> None:
    """Who enrolled a key cannot be one of the two who approve it."""
    with pytest.raises(RefusedError, match="who enrolled a key cannot approve it"):
        partners.approve(enrolled, KEY, by="clerk", at=NOW)
    assert partners.keys(enrolled)[0].approvals == ()


def test_one_person_does_not_approve_twice(enrolled: Connection) -> None:
    """One person's second approval is refused: two people means two."""
    partners.approve(enrolled, KEY, by="first", at=NOW)
    with pytest.raises(RefusedError, match="approved the key already"):
        partners.approve(enrolled, KEY, by="first", at=NOW)
    assert partners.keys(enrolled)[0].state == "pending"


def test_a_revoked_key_stays_revoked(enrolled: Connection) -> None:
    """A revoked key is sealed to no more and cannot be approved again; revoking twice keeps the first instant."""
    for person in ("first", "second"):
        partners.approve(enrolled, KEY, by=person, at=NOW)
    first = partners.revoke(enrolled, KEY, at=NOW)
    assert partners.revoke(enrolled, KEY, at=NOW.replace(year=2027)) == first
    assert first.state == "revoked"
    assert partners.approved(enrolled, "face") == []
    with pytest.raises(RefusedError, match="revoked"):
        partners.approve(enrolled, KEY, by="third", at=NOW)


def test_a_key_belongs_to_one_partner(enrolled: Connection) -> None:
    """The same key is enrolled once, and not for another partner."""
    assert enrol(enrolled, "face", KEY) is False
    with pytest.raises(RefusedError, match="enrolled for another partner"):
        enrol(enrolled, "mtfp", KEY)
    with pytest.raises(UsageError, match="unknown partner"):
        enrol(enrolled, "nobody", OTHER)


def test_a_fingerprint_names_one_key(enrolled: Connection) -> None:
    """A fingerprint that no key or more than one begins with is a wrong usage."""
    enrol(enrolled, "mtfp", OTHER)
    for beginning in ("SHA256:", "SHA256:C"):
        with pytest.raises(UsageError):
            partners.approve(enrolled, beginning, by="first", at=NOW)
    assert partners.approve(enrolled, KEY[:12], by="first", at=NOW).approvals == ("first",)


def test_a_partner_is_added_once(enrolled: Connection) -> None:
    """Adding a partner again changes nothing; with another name or folder it is refused."""
    partners.add(enrolled, "face", "FACE", None, at=NOW)
    with pytest.raises(RefusedError, match="exists already"):
        partners.add(enrolled, "face", "FACE", "/elsewhere", at=NOW)
    assert [one.id for one in partners.partners(enrolled)] == ["face", "mtfp"]


def test_nothing_is_sealed_to_a_pending_key(tmp_path: Path) -> None:
    """An exchange to a recipient whose only key waits for its second approval is refused, and says who."""
    gateway = studies(tmp_path)
    workspace, fresh = gateway.workspace, Identity.generate().recipient
    with workspace.database.read() as connection:
        (old,) = partners.approved(connection, "region-paca")
    partner_keys.revoke(workspace, old.fingerprint)
    partner_keys.enrol(workspace, "region-paca", fresh.text, by="clerk")
    partner_keys.approve(workspace, fresh.fingerprint, None, by="first")
    with pytest.raises(RefusedError, match="region-paca has no approved key"):
        gateway.run(STUDIES, "2019", gateway.write(STUDIES, 20))
    assert gateway.runs() == []
    gateway.workspace.close()


def register(connection: Connection, location: str, run: str = "r-1") -> None:
    holdings.register(
        connection, convention="c", exchange="e", run=run, kind="staging", location=location, personal=True, at=NOW
    )


def test_a_place_holds_one_copy_at_a_time(database: Database) -> None:
    """A place is registered again once what was there is destroyed, and not before; the earlier line stays."""
    with database.begin() as connection:
        register(connection, "staging/a.tar")
    with pytest.raises(WorkspaceError), database.begin() as connection:
        register(connection, "staging/a.tar", "r-2")
    with database.begin() as connection:
        (first,) = holdings.present(connection)
        holdings.destroyed(connection, [first.id], at=NOW)
        register(connection, "staging/a.tar", "r-2")
        holdings.weigh(connection, "staging/a.tar", 3 << 30)
        assert [(copy.run, copy.bytes) for copy in holdings.present(connection)] == [("r-2", 3 << 30)]
        assert [(copy.run, copy.bytes, copy.destroyed_at is None) for copy in holdings.all_of(connection, "c")] == [
            ("r-1", None, False), ("r-2", 3 << 30, True),
        ]  # fmt: skip


def test_a_copy_moves_with_its_line(connection: Connection) -> None:
    """A staged copy that arrives keeps its line, with its new place, kind, owner and size."""
    register(connection, "staging/a.tar")
    holdings.move(connection, "staging/a.tar", "/partner/a.tar", kind="parcel", ours=False, size=12)
    (copy,) = holdings.present(connection)
    assert (copy.location, copy.kind, copy.ours, copy.bytes) == ("/partner/a.tar", "parcel", False, 12)


def intent(number: int, sequence: int, recipient: str = "face") -> Delivery:
    return Delivery(
        f"p-{number}", "r-1", "c", "e", "2026", recipient, sequence, "intent", "allow", b"{}", "{}", "0" * 64, number, 1,
        None, "2026-03-01T09:30:00Z", None,
    )  # fmt: skip


def test_numbers_have_no_gap(connection: Connection) -> None:
    """Deliveries are numbered from 1 for each recipient; an intent that is taken back gives its number to the next."""
    runs.start(
        connection, Run("r-1", "c", "e", "2026", "s", "d@1", "running", 1, {}, None, "2026-03-01T09:30:00Z", None)
    )
    assert runs.next_sequence(connection, "c", "e", "face") == 1
    runs.intend(connection, intent(1, 1))
    runs.delivered(connection, "p-1", "/partner/p-1.tar", at=NOW)
    runs.intend(connection, intent(2, 2))
    assert runs.next_sequence(connection, "c", "e", "face") == 3
    assert runs.next_sequence(connection, "c", "e", "mtfp") == 1
    runs.abandon(connection, "p-2")
    assert runs.next_sequence(connection, "c", "e", "face") == 2
    runs.abandon(connection, "p-1")
    assert [one.state for one in runs.deliveries(connection)] == ["delivered"]


def test_the_access_log_says_who_took_what(connection: Connection) -> None:
    """The access log gives its lines oldest first, from an instant on."""
    for day, subject in ((1, "p-1"), (2, "p-2")):
        access.log(connection, actor="agent", action="release_key", subject=subject, at=NOW.replace(day=day))
    assert [line["subject"] for line in access.lines(connection)] == ["p-1", "p-2"]
    assert [line["subject"] for line in access.lines(connection, "2026-03-02")] == ["p-2"]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select * from delivery where run = 'r' and state = 'intent' order by entry", "delivery USING INDEX ix_delivery_run"),
        ("select * from holding where destroyed_at is null and run = 'r' order by id", "holding USING INDEX ix_holding_run"),
        ("select later from delivery_link where closed_at is not null and told_at is null", "delivery_link USING INDEX ix_delivery_link_waiting"),
    ],
)  # fmt: skip
def test_an_index_finds_what_a_run_asks_of_its_own(database: Database, query: str, index: str) -> None:
    """What one exchange did is found without reading what others did before."""
    with database.read() as connection:
        (plan, *_) = [row.detail for row in connection.execute(text(f"explain query plan {query}"))]
    assert index in plan
