"""Appends, heads and proofs, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, delete, event, func, select, update

from passerelle.clock import iso
from passerelle.errors import TrailError
from passerelle.trail import Entry, Ledger, fsck, merkle, open_checkpoint, verify_entry, verify_proof
from passerelle.trail.ledger import BATCH_ROWS, PIECE_ROWS
from passerelle.trail.tables import trail_checkpoint, trail_entry, trail_head, trail_tile
from tests.trail import tlog

Make = Callable[..., Entry]


def test_indexes_follow_the_order_of_appends(engine: Engine, ledger: Ledger, make: Make) -> None:
    """The first entry has index 0, and each next one the next index."""
    with engine.begin() as connection:
        assert ledger.append(connection, make(0)) == 0
        assert ledger.append_many(connection, [make(1), make(2)]) == range(1, 3)
        assert ledger.append_many(connection, []) == range(3, 3)
        assert ledger.size(connection) == 3
    with engine.begin() as connection:
        assert [(r.index, r.entry) for r in ledger.entries(connection)] == [(n, make(n)) for n in range(3)]
        assert [r.index for r in ledger.entries(connection, 1, 2)] == [1]


def test_an_entry_goes_with_its_transaction(engine: Engine, ledger: Ledger, make: Make) -> None:
    """What the caller rolls back leaves no trace: not an entry, not a hash, not a head."""
    with engine.begin() as connection:
        ledger.append(connection, make(0))
    with engine.connect() as connection:
        ledger.append(connection, make(1))
        connection.rollback()
    with engine.begin() as connection:
        assert ledger.append(connection, make(2)) == 1


@pytest.mark.parametrize("given", [1, PIECE_ROWS, BATCH_ROWS + 1])
def test_of_entries_that_stop_halfway_none_is_written(
    engine: Engine, ledger: Ledger, make: Make, now: datetime, given: int
) -> None:
    """Who gives entries and fails gets that very error, and the transaction goes on as if none had been given."""

    def stopping() -> Iterator[Entry]:
        yield from (make(n) for n in range(1, given + 1))
        raise KeyError("of who gives them")

    with engine.begin() as connection:
        ledger.append(connection, make(0))
        with pytest.raises(KeyError, match="of who gives them"):
            ledger.append_many(connection, stopping())
        assert ledger.size(connection) == len(list(ledger.entries(connection))) == 1
        assert ledger.append_many(connection, [make(1)]) == range(1, 2)
        ledger.checkpoint(connection, now)
    with engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(trail_tile)) == 0
        assert fsck.check(connection, ledger.verifier_key).size == 2


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_the_head_is_the_root_of_the_entries(
    engine: Engine, ledger: Ledger, make: Make, now: datetime, size: int
) -> None:
    """The signed root is that of the leaves, in whatever portions they came, before and after tiles fill."""
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n) for n in range(size // 2)])
        for n in range(size // 2, size // 2 + min(2, size - size // 2)):
            ledger.append(connection, make(n))
        ledger.append_many(connection, [make(n) for n in range(ledger.size(connection), size)])
        head = open_checkpoint(ledger.checkpoint(connection, now), ledger.verifier_key)
    assert (head.size, head.at) == (size, now)
    assert head.root == merkle.root([merkle.leaf_hash(make(n).leaf()) for n in range(size)])


def test_every_entry_has_a_proof_that_two_verifiers_accept(
    engine: Engine, ledger: Ledger, make: Make, now: datetime
) -> None:
    """A proof verifies with ours and with an independent verifier; altered or for another entry, with neither."""
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n) for n in range(300)])
        ledger.checkpoint(connection, now)
        ledger.append_many(connection, [make(n, iso(now)) for n in range(300, 310)])
        proofs = {n: ledger.prove(connection, n) for n in (0, 1, 100, 255, 256, 298, 299)}
        with pytest.raises(TrailError, match="no checkpoint covers entry 300"):
            ledger.prove(connection, 300)
    for n, proof in proofs.items():
        leaf = make(n).leaf()
        assert verify_proof(proof, leaf, ledger.verifier_key).size == 300
        assert tlog.verify(proof, leaf, ledger.verifier_key) == (n, 300)
        assert verify_entry(proof, ledger.verifier_key).entry == make(n)
        other = proof.replace(f"index {n}\n".encode(), f"index {n ^ 1}\n".encode())
        for text, data in ((proof, make(n + 1).leaf()), (other, leaf)):
            with pytest.raises(TrailError):
                verify_proof(text, data, ledger.verifier_key)
            with pytest.raises(AssertionError):
                tlog.verify(text, data, ledger.verifier_key)


def test_a_trail_of_two_levels_of_tiles(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Past 65,536 entries, where tiles of a second level begin, proofs and the check still hold."""
    size = 65_536 + 300
    with lite.begin() as connection:
        ledger.append_many(connection, (make(n) for n in range(size)))
        ledger.checkpoint(connection, now)
        for n in (0, 65_535, 65_536, size - 1):
            assert tlog.verify(ledger.prove(connection, n), make(n).leaf(), ledger.verifier_key) == (n, size)
        tiles = connection.execute(select(trail_tile.c.level, trail_tile.c.index)).all()
        assert sorted(tuple(tile) for tile in tiles) == [*((0, n) for n in range(257)), (1, 0)]
        assert fsck.check(connection, ledger.verifier_key).size == size


def test_one_size_has_one_note(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A head signed twice at the same size is the same note."""
    with engine.begin() as connection:
        ledger.append(connection, make(0))
        first = ledger.checkpoint(connection, now)
        assert ledger.checkpoint(connection, now + timedelta(hours=1)) == first
        ledger.append(connection, make(1, iso(now)))
        assert ledger.checkpoint(connection, now + timedelta(hours=1)) != first


def test_an_entry_a_little_late_takes_the_time_of_the_one_before(
    engine: Engine, ledger: Ledger, make: Make, now: datetime
) -> None:
    """A writer that waited for its turn does not make time run backwards."""
    with engine.begin() as connection:
        ledger.append(connection, make(0, iso(now)))
        ledger.append(connection, make(1, iso(now - timedelta(minutes=4))))
        assert [r.entry.at for r in ledger.entries(connection)] == [iso(now), iso(now)]


def test_a_clock_set_back_is_refused(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A clock that is more than five minutes behind the trail writes nothing and signs nothing."""
    with engine.begin() as connection:
        ledger.append(connection, make(0, iso(now)))
        early = now - timedelta(minutes=6)
        with pytest.raises(TrailError, match="clock"):
            ledger.append(connection, make(1, iso(early)))
        with pytest.raises(TrailError, match="clock"):
            ledger.checkpoint(connection, early)


def test_no_head_is_signed_over_altered_entries(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A head that does not continue the last one signed is not signed (tlog-checkpoint), whatever the stored head says."""
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n) for n in range(5)])
        ledger.checkpoint(connection, now)
        changed = merkle.leaf_hash(make(99).leaf())
        connection.execute(update(trail_entry).where(trail_entry.c.index == 2).values(leaf_hash=changed))
        ledger.append(connection, make(5, iso(now)))
        with pytest.raises(TrailError, match="do not continue the head signed at size 5"):
            ledger.checkpoint(connection, now)
        with pytest.raises(TrailError):
            ledger.prove(connection, 3)


def test_no_head_is_signed_that_the_hashes_do_not_give(
    engine: Engine, ledger: Ledger, make: Make, now: datetime
) -> None:
    """The stored frontier must be that of the stored hashes."""
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n) for n in range(4)])
        connection.execute(update(trail_head).values(frontier=b"x" * 32))
        with pytest.raises(TrailError, match="do not give the head"):
            ledger.checkpoint(connection, now)


def test_a_trail_without_its_head_takes_nothing(engine: Engine, ledger: Ledger, make: Make) -> None:
    """A missing head is a fault, not a new beginning."""
    with engine.begin() as connection:
        connection.execute(delete(trail_head))
        with pytest.raises(TrailError, match="no head"):
            ledger.append(connection, make(0))


def test_a_head_of_another_key_is_not_continued(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A ledger under another key does not sign after heads that are not its own."""
    with engine.begin() as connection:
        ledger.append(connection, make(0))
        ledger.checkpoint(connection, now)
        other = Ledger(ledger.origin, Ed25519PrivateKey.generate())
        other.append(connection, make(1, iso(now)))
        with pytest.raises(TrailError, match="trusted key"):
            other.checkpoint(connection, now)


def test_entries_are_found_by_kind_field_and_time(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A search takes the kind, fields, and an interval that includes its start and excludes its end."""
    destroyed = Entry("keys_destroyed", iso(now), {"convention": "csp-ft-2024"})
    with engine.begin() as connection:
        ledger.append_many(connection, [make(0), make(1), destroyed, replace(make(2), at=iso(now))])
        assert [r.index for r in ledger.find(connection, "delivery_intent")] == [0, 1, 3]
        assert [r.index for r in ledger.find(connection, "delivery_intent", sequence=1)] == [1]
        assert [r.index for r in ledger.find(connection, since=now)] == [2, 3]
        assert [r.index for r in ledger.find(connection, until=now)] == [0, 1]
        assert [r.index for r in ledger.find(connection, convention="csp-ft-2024")] == [2]


def test_some_kinds_are_read_by_their_index(lite: Engine, ledger: Ledger, make: Make) -> None:
    """Entries of several kinds come in their order across pages, none is sorted and no other kind is read."""
    rare = [Entry("root_rotated", make(0).at, {"generation": n}) for n in range(2)]
    with lite.begin() as connection:
        ledger.append_many(connection, [rare[0], *(make(n) for n in range(BATCH_ROWS + 1)), rare[1]])
    seen: list[str] = []
    event.listen(lite, "before_cursor_execute", lambda *said: seen.append(said[2].replace("?", "0")))
    with lite.begin() as connection:
        found = list(ledger.of_kinds(connection, {"root_rotated", make(0).kind, "decision"}))
    assert [one.index for one in found] == list(range(BATCH_ROWS + 3))
    assert (found[0].entry, found[-1].entry) == (rare[0], rare[1])
    (query, *_) = [one for one in seen if "UNION ALL" in one]
    with lite.connect() as connection:
        plan = " ".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}"))
    assert "USING INDEX ix_trail_entry_kind" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_the_first_checkpoint_may_be_of_nothing(engine: Engine, ledger: Ledger, now: datetime) -> None:
    """An empty trail has a head too, and holds."""
    with engine.begin() as connection:
        assert ledger.latest(connection) is None
        assert open_checkpoint(ledger.checkpoint(connection, now), ledger.verifier_key).size == 0
        assert connection.execute(select(trail_checkpoint.c.size)).scalars().all() == [0]
        assert fsck.check(connection, ledger.verifier_key).size == 0
