"""The access log's tables (docs/spec/access-log.md): its lines, and the batches whose roots the trail keeps.

They name people who work with the gateway, never a person of a partner's file.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    literal_column,
)

from passerelle.store.tables import metadata

_Number = BigInteger().with_variant(
    Integer(), "sqlite"
)  # 64 bits; SQLite keeps an INTEGER primary key without an index

access = Table(
    "access",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),  # order of writing; numbers may be missing
    Column("number", _Number),  # place in the log, given when the line is sealed into a batch
    Column("at", String(20), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("partner", String(80)),
    Column("convention", String(80)),
    Column("exchange", String(80)),
    Column("delivery", String(40)),
    Column("run", String(40)),
    Column("count", BigInteger),
    Column("outcome", String(10), nullable=False),
    Column("salt", LargeBinary(16), nullable=False),  # so that a root tells nothing of lines that have expired
    CheckConstraint("outcome in ('allowed','refused')", name="ck_access_outcome"),
    Index("uq_access_number", "number", unique=True),
    sqlite_autoincrement=True,  # a number is never given twice, also after the last lines expired
)
Index("ix_access_at", access.c.at, access.c.id)
SEARCHED = ("actor", "partner", "convention", "delivery", "action", "outcome")
_MET = ("actor", "partner", "convention", "action", "outcome")  # two of them may both be common and never meet


def _index(name: str) -> Index:
    """By one condition and the instant; where it may be common, the others are held against the index, not against each line."""
    rest = [access.c[other] for other in _MET if other != name] if name in _MET[:3] else []
    return Index(f"ix_access_{name}", access.c[name], access.c.at, access.c.id, *rest)


for _name in SEARCHED:
    _index(_name)
Index(
    "ix_access_unsealed",
    access.c.id,
    sqlite_where=access.c.number.is_(None),
    postgresql_where=access.c.number.is_(None),
)

# Not the bare columns: without statistics SQLite would take the index of actions or of deliveries, and read every look at each.
RELEASES: ColumnElement[bool] = literal_column("(action || '')") == literal_column("'release_key'")
RELEASED: ColumnElement[str] = literal_column("(delivery || '')")
Index("ix_access_released", RELEASED, access.c.at, sqlite_where=RELEASES, postgresql_where=RELEASES)

access_batch = Table(
    "access_batch",
    metadata,
    Column("first", _Number, primary_key=True, autoincrement=False),  # number of its first line
    Column("last", _Number, nullable=False),
    Column("since", String(20), nullable=False),  # earliest and latest instant of its lines
    Column("until", String(20), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("leaves", LargeBinary),  # the leaf hashes one after the other; gone with the lines
    Column("entry", _Number, nullable=False),  # index in the trail
    Index("ix_access_batch_until", "until"),
)
