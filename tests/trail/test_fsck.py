"""The separate checker finds what was altered, and says what and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, Table, and_, delete, insert, select, update

from passerelle.clock import iso
from passerelle.errors import TrailError
from passerelle.trail import Entry, Ledger, merkle
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.trail.fsck.check import PAGE_ROWS
from passerelle.trail.tables import metadata, trail_checkpoint, trail_entry, trail_head, trail_tile

Make = Callable[..., Entry]
SIZE = 300
STOPS, FEWER = (100, 260, SIZE), (20, 52, 60)  # where its heads are
TABLES = (trail_entry, trail_tile, trail_head, trail_checkpoint)


def write(connection: Connection, ledger: Ledger, make: Make, now: datetime, stops: Sequence[int] = STOPS) -> list[str]:
    """A trail of 300 entries and three heads; gives back the heads."""
    notes = []
    for stop in stops:
        at = now + timedelta(minutes=stop)
        ledger.append_many(connection, [make(n, iso(at)) for n in range(ledger.size(connection), stop)])
        notes.append(ledger.checkpoint(connection, at))
    return notes


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """What is changed inside is taken back."""
    with connection.begin_nested() as savepoint:
        yield
        savepoint.rollback()


def faults(connection: Connection, ledger: Ledger, *receipts: str) -> tuple[str, ...]:
    with pytest.raises(TrailFaultsError) as caught:
        check(connection, ledger.verifier_key, receipts)
    assert caught.value.message == caught.value.faults[0]
    return caught.value.faults


def test_a_trail_that_holds(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A trail as written holds, alone and against every head that partners hold; the report counts what it saw."""
    with engine.begin() as connection:
        notes = write(connection, ledger, make, now)
        ledger.append(connection, make(SIZE, iso(now + timedelta(days=1))))
        report = check(connection, ledger.verifier_key, notes)
    leaves = [r.entry.leaf() for r in _entries(engine, ledger)]
    assert report.as_json() == {
        "size": SIZE + 1,
        "root": merkle.root([merkle.leaf_hash(leaf) for leaf in leaves]).hex(),
        "at": iso(now + timedelta(days=1)),
        "checkpoints": 3,
        "unsigned": 1,
        "receipts": 3,
        "cosignatures": 0,
    }


def _entries(engine: Engine, ledger: Ledger) -> list[Any]:
    with engine.begin() as connection:
        return list(ledger.entries(connection))


def places(rows: int) -> list[int]:
    return sorted({0, 1, rows // 3, rows // 2, rows - 2, rows - 1} & set(range(rows)))


def altered(value: Any, place: int, bit: int) -> Any:
    """``value`` with one bit of one byte changed, or a number with one bit changed."""
    if isinstance(value, int):
        return value ^ 1 << 20 + (place * 7 + bit) % 20
    data = bytearray(value if isinstance(value, bytes) else value.encode())
    data[place % len(data)] ^= 1 << bit
    return bytes(data) if isinstance(value, bytes) else data.decode("utf-8", "replace")


def where(table: Table, row: Any) -> str:
    """How a fault names this row."""
    if table is trail_entry:
        return f"entry {row.index_}"
    if table is trail_tile:
        return f"tile {row.level}/{row.index_}"
    return f"checkpoint {row.size}" if table is trail_checkpoint else "trail_head"


def each_change(connection: Connection, table: Table, step: int) -> Iterator[tuple[str, str, Any]]:
    """Change one byte of each column of some rows, many times over; the change is undone after each."""
    columns = [column.label(f"{column.name}_") if column.name == "index" else column for column in table.columns]
    rows = connection.execute(select(*columns).order_by(*table.primary_key.columns)).all()
    for number in places(len(rows)):
        row = rows[number]
        one = and_(*(column == getattr(row, _name(column.name)) for column in table.primary_key.columns))
        for column in table.columns:
            value = getattr(row, _name(column.name))
            length = 2 if isinstance(value, int) else len(value)
            for count, place in enumerate(range(0, length, max(1, length // step))):
                new = altered(value, place, (count + number) % 7)
                with undone(connection):
                    connection.execute(update(table).where(one).values({column.name: new}))
                    yield where(table, row), column.name, place


def _name(column: str) -> str:
    return "index_" if column == "index" else column


def flip_everywhere(connection: Connection, ledger: Ledger, table: Table, step: int) -> int:
    done = 0
    for place, column, byte in each_change(connection, table, step):
        found = faults(connection, ledger)
        assert any(fault.startswith(f"{place}:") for fault in found), (place, column, byte, found)
        done += 1
    check(connection, ledger.verifier_key)
    return done


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_one_byte_changed_is_found_where_it_is(
    lite: Engine, ledger: Ledger, make: Make, now: datetime, table: Table
) -> None:
    """One bit changed in any column of any of the trail's tables is a fault that names the row."""
    with lite.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        write(connection, ledger, make, now)
        assert flip_everywhere(connection, ledger, table, step=6) > 10


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_byte_changed_is_found_where_it_is(
    lite: Engine, ledger: Ledger, make: Make, now: datetime, table: Table
) -> None:
    """The same at every byte of those rows; of a tile of 256 hashes, at every few."""
    with lite.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        write(connection, ledger, make, now, STOPS if table is trail_tile else FEWER)
        assert flip_everywhere(connection, ledger, table, step=500) > 40


def test_body_and_hash_are_told_apart(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """An altered body and an altered leaf hash are told apart, because a signed head vouches for the bodies."""
    with engine.begin() as connection:
        write(connection, ledger, make, now)
        row = trail_entry.c.index == 7
        with undone(connection):
            connection.execute(update(trail_entry).where(row).values(body=make(8).leaf()))
            assert "entry 7: its body is not that of its leaf hash: altered" in faults(connection, ledger)
        with undone(connection):
            connection.execute(update(trail_entry).where(row).values(leaf_hash=b"x" * 32))
            assert faults(connection, ledger)[0] == "entry 7: its stored leaf hash was altered"
        with undone(connection):
            body = make(7, iso(now + timedelta(minutes=100))).leaf()
            connection.execute(
                update(trail_entry).where(row).values(body=body.replace(b'"sequence":7', b'"sequence":-7'))
            )
            assert faults(connection, ledger)[0] == "entry 7: field sequence: not of type count"
        with undone(connection):
            connection.execute(update(trail_entry).where(row).values(body=body.replace(b'"at"', b' "at"')))
            assert faults(connection, ledger)[0] == "entry 7: not in canonical form at byte 1"


def test_a_free_text_is_found_even_when_it_was_hashed_and_signed(
    engine: Engine, ledger: Ledger, make: Make, now: datetime
) -> None:
    """An entry outside the allow-list is a fault though its hashes and heads are right: a writer that was changed is found."""
    with engine.begin() as connection:
        entry = make(0)
        object.__setattr__(entry, "body", {**entry.body, "comment": "of somebody"})
        ledger.append(connection, entry)
        ledger.checkpoint(connection, now)
        assert faults(connection, ledger) == ("entry 0: a field is not allowed in delivery_intent",)


def test_a_trail_without_heads_is_not_vouched_for(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Entries with no signed head at all, or with two stored heads, are a fault."""
    with engine.begin() as connection:
        write(connection, ledger, make, now)
        with undone(connection):
            connection.execute(delete(trail_checkpoint))
            assert "nothing vouches for the 300 entries" in faults(connection, ledger)[0]
        with undone(connection):
            connection.execute(delete(trail_head))
            assert faults(connection, ledger) == ("trail_head: expected one row, found 0",)
        with undone(connection):
            connection.execute(delete(trail_tile))
            assert faults(connection, ledger) == ("tile 0/0: missing",)
        with undone(connection):
            connection.execute(insert(trail_tile).values(level=1, index=0, root=b"x" * 32, hashes=b"x" * 8192))
            assert "more rows than the 1 full tiles" in faults(connection, ledger)[0]


# The tamper matrix: what an operator with the database, and at last with the key, can do, and what one checkpoint in a
# partner's hand shows of it.


def rebuild(connection: Connection, ledger: Ledger, entries: list[Entry], now: datetime | None) -> None:
    """Write the whole trail anew from ``entries``: every hash right; signed anew when ``now`` is given."""
    heads = connection.execute(select(trail_checkpoint)).all() if now is None else []
    metadata.drop_all(connection)
    metadata.create_all(connection)
    ledger.append_many(connection, entries)
    for head in heads:
        connection.execute(insert(trail_checkpoint).values(dict(head._mapping)))
    if now is not None:
        ledger.checkpoint(connection, now)
    else:
        connection.execute(update(trail_head).values(at=max(entries[-1].at, heads[-1].at)))


def operations(entries: list[Entry], make: Make) -> dict[str, list[Entry]]:
    new = make(999, entries[50].at)
    return {
        "edit": [*entries[:50], new, *entries[51:]],
        "delete": entries[:50] + entries[51:],
        "insert": [*entries[:50], new, *entries[50:]],
        "reorder": [*entries[:50], entries[51], entries[50], *entries[52:]],
    }


@pytest.mark.parametrize("operation", ["edit", "delete", "insert", "reorder"])
def test_a_history_rechained_without_the_key_is_found(
    lite: Engine, ledger: Ledger, make: Make, now: datetime, operation: str
) -> None:
    """Entries changed with every hash made right again do not give the roots that were signed."""
    with lite.begin() as connection:
        notes = write(connection, ledger, make, now)
        entries = [r.entry for r in ledger.entries(connection)]
        rebuild(connection, ledger, operations(entries, make)[operation], None)
        assert faults(connection, ledger)[0] == "checkpoint 100: the entries do not give its root"
        assert "checkpoint in hand 1, of 100 entries: rewritten, its entries are not those that are stored" in faults(
            connection, ledger, notes[0]
        )


@pytest.mark.parametrize("operation", ["edit", "delete", "insert", "reorder"])
def test_a_history_signed_anew_is_a_fork(
    lite: Engine, ledger: Ledger, make: Make, now: datetime, operation: str
) -> None:
    """A history changed and signed anew by the hub holds by itself; one checkpoint in hand names the fork."""
    with lite.begin() as connection:
        notes = write(connection, ledger, make, now)
        entries = [r.entry for r in ledger.entries(connection)]
        rebuild(connection, ledger, operations(entries, make)[operation], now + timedelta(days=1))
        check(connection, ledger.verifier_key)
        fault = faults(connection, ledger, notes[0])[0]
        assert fault.startswith("checkpoint in hand 1, of 100 entries: forked, the same key signed another history")


def test_a_trail_cut_short_is_named(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A trail cut short and signed anew holds by itself; a checkpoint in hand says how many entries are missing."""
    with lite.begin() as connection:
        notes = write(connection, ledger, make, now)
        entries = [r.entry for r in ledger.entries(connection)]
        rebuild(connection, ledger, entries[:120], now + timedelta(days=1))
        check(connection, ledger.verifier_key, notes[:1])
        assert faults(connection, ledger, notes[2]) == (
            "checkpoint in hand 1, of 300 entries: truncated, it was signed over 300 entries and 120 are left",
        )


def test_entries_cut_under_a_stored_head_are_named(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """Entries removed from the end or from the middle are named by their place."""
    with engine.begin() as connection:
        write(connection, ledger, make, now)
        with undone(connection):
            connection.execute(delete(trail_entry).where(trail_entry.c.index >= 290))
            assert faults(connection, ledger)[0].startswith("checkpoint 300: truncated")
        with undone(connection):
            connection.execute(delete(trail_entry).where(trail_entry.c.index == 150))
            assert faults(connection, ledger)[0] == "entry 150: missing, the next one stored is 151"


def test_another_key_is_named(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """A trail signed anew with another key under the same name fails under the key that partners hold."""
    with lite.begin() as connection:
        notes = write(connection, ledger, make, now)
        entries = [r.entry for r in ledger.entries(connection)]
        other = Ledger(ledger.origin, Ed25519PrivateKey.generate())
        rebuild(connection, other, entries, now + timedelta(days=1))
        assert faults(connection, ledger)[0] == "checkpoint 300: a signature line is malformed or of another key"
        with pytest.raises(TrailError, match="checkpoint in hand 1"):
            check(connection, other.verifier_key, notes)


def test_a_back_dated_entry_is_named(lite: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """An entry dated before the one before it is named, though it was hashed and signed."""
    with lite.begin() as connection:
        ledger.append(connection, make(0, iso(now)))
        connection.execute(update(trail_head).values(at=""))
        ledger.append(connection, make(1, iso(now - timedelta(days=1))))
        ledger.checkpoint(connection, now)
        (fault,) = faults(connection, ledger)
        assert (
            fault
            == "entry 1: dated 2026-02-28T09:30:00Z, after one of 2026-03-01T09:30:00Z: back-dated or out of order"
        )


def test_an_entry_slipped_in_behind_a_checkpoint_in_hand_is_back_dated(
    lite: Engine, ledger: Ledger, make: Make, now: datetime
) -> None:
    """A partner's head is dated: what it did not see cannot be older than it."""
    with lite.begin() as connection:
        ledger.append(connection, make(0, iso(now - timedelta(days=9))))
        with undone(connection):
            note = ledger.checkpoint(connection, now)
        ledger.append(connection, make(1, iso(now - timedelta(days=3))))
        ledger.checkpoint(connection, now)
        check(connection, ledger.verifier_key)
        (fault,) = faults(connection, ledger, note)
        assert "entry 1 came after it, but is back-dated to" in fault


@pytest.mark.parametrize("receipt", [b"\xff", "", "nothing", "a\n1\nb\n\n— a b\n"])
def test_a_checkpoint_in_hand_that_cannot_be_read(lite: Engine, ledger: Ledger, receipt: str | bytes) -> None:
    """A checkpoint in hand that is not one is refused by its number."""
    with lite.begin() as connection, pytest.raises(TrailError, match="checkpoint in hand 1"):
        check(connection, ledger.verifier_key, [receipt])


@pytest.mark.parametrize("key", ["", "name", "name+00000000+AAAA", "passerelle.example/tests+00000000+" + "A" * 44])
def test_a_key_that_cannot_be_read(lite: Engine, key: str) -> None:
    """A verifier key that is malformed is refused."""
    with lite.begin() as connection, pytest.raises(TrailError, match="verifier key"):
        check(connection, key)


def test_how_far_it_has_come_is_told(engine: Engine, ledger: Ledger, make: Make, now: datetime) -> None:
    """The checker tells how many entries it has verified, page by page."""
    told: list[int] = []
    with engine.begin() as connection:
        ledger.append_many(connection, [make(n, iso(now)) for n in range(2 * PAGE_ROWS + 1)])
        ledger.checkpoint(connection, now)
        check(connection, ledger.verifier_key, verified=told.append)
    assert told == [PAGE_ROWS, 2 * PAGE_ROWS]
