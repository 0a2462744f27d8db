"""The trail's tables, the same on SQLite and PostgreSQL (docs/spec/trail.md, "In a database")."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    func,
    insert,
    select,
)

metadata = MetaData()

_Size = BigInteger().with_variant(
    Integer(), "sqlite"
)  # 64 bits; SQLite keeps an INTEGER primary key without a second index

trail_entry = Table(
    "trail_entry",
    metadata,
    Column("index", _Size, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),  # the data of the leaf: canonical JSON of at, body and kind
    Index("ix_trail_entry_kind", "kind", "index"),  # each decision asks for a few kinds
)

# Full tiles only (c2sp.org/tlog-tiles): 256 hashes of one level; the partial tile is read from the level below.
trail_tile = Table(
    "trail_tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", _Size, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("hashes", LargeBinary(8192), nullable=False),
)

trail_head = Table(
    "trail_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", _Size, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("at", String(20), nullable=False),  # of the last entry or checkpoint; empty before the first
    CheckConstraint("id = 1", name="ck_trail_head_one"),
)

trail_checkpoint = Table(
    "trail_checkpoint",
    metadata,
    Column("size", _Size, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", String(20), nullable=False),
)

# Who cosigns heads (c2sp.org/tlog-cosignature), and the heads as they came back.
trail_witness = Table(
    "trail_witness",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("key", Text, nullable=False),  # the verifier key, type 4
    Column("party", String(80), nullable=False),
    Column("enrolled_at", String(20), nullable=False),
)

trail_cosignature = Table(
    "trail_cosignature",
    metadata,
    Column("witness", String(128), primary_key=True),
    Column("size", _Size, primary_key=True, autoincrement=False),
    Column("at", String(20), nullable=False),
    Column("note", Text, nullable=False),
)


@event.listens_for(trail_head, "after_create")
def _lay_head(_table: Table, connection: Connection, **_: Any) -> None:
    connection.execute(insert(trail_head).values(id=1, size=0, frontier=b"", at=""))


def begin_immediate(engine: Engine) -> None:
    """Make every transaction of a SQLite engine take the write lock when it begins; does nothing on other databases.

    Without it two writers may both read the head before one of them writes: the second then fails instead of waiting.
    A connection with the execution option ``reads=True`` begins without the lock.
    """
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def count_of_kind(connection: Connection, kind: str) -> int:
    """How many entries of a kind the trail has."""
    query = select(func.count()).select_from(trail_entry).where(trail_entry.c.kind == kind)
    return int(connection.execute(query).scalar_one())


def first_leaf(connection: Connection) -> bytes | None:
    """The data of the first leaf; None in an empty trail."""
    body: bytes | None = connection.scalar(select(trail_entry.c.body).where(trail_entry.c.index == 0))
    return body
