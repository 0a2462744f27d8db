"""Replies: what the sender of a run's file is told, and how far it got (docs/spec/report.md, docs/spec/verdicts.md).

A reply is ``draft`` (nothing is sealed), ``sealed`` (verdicts are sealed), ``intent`` (the trail tells of them), ``returned``
(they have arrived), or ``told`` (the report is all there is).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)

from passerelle.clock import iso
from passerelle.store.tables import metadata

reply = Table(
    "reply",
    metadata,
    Column("run", String(40), ForeignKey("run.id"), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("sender", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("draft", Text, nullable=False),  # JSON: counts, rules, first row numbers; never a value
    Column("sealed", Text),  # JSON: digests and sizes of the sealed verdicts
    Column("parcel", String(40)),
    Column("key", String(64)),  # of what is handed back once
    Column("sequence", Integer),
    Column("manifest", LargeBinary),
    Column("texts", Text),  # JSON: the members that people read
    Column("manifest_sha256", String(64)),
    Column("entry", Integer),  # index of the intent in the trail
    Column("location", Text),
    Column("created_at", String(20), nullable=False),
    Column("returned_at", String(20)),
    CheckConstraint("state in ('draft','sealed','intent','returned','told')", name="ck_reply_state"),
    Index("uq_reply_key", "key", unique=True),
    Index("ix_reply_exchange", "convention", "exchange", "sender"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, as its table has it; ``draft`` and ``sealed`` read."""

    run: str
    convention: str
    exchange: str
    sender: str
    state: str
    draft: Mapping[str, Any]
    sealed: Mapping[str, Any] | None
    parcel: str | None
    key: str | None
    sequence: int | None
    manifest: bytes | None
    texts: str | None
    manifest_sha256: str | None
    entry: int | None
    location: str | None
    created_at: str
    returned_at: str | None


def keep(
    connection: Connection,
    run: tuple[str, str, str, str],
    draft: Mapping[str, Any],
    sealed: Mapping[str, Any] | None,
    *,
    at: datetime,
) -> None:
    """Begin the reply on ``run`` (its id, convention, exchange and sender)."""
    names = dict(zip(("run", "convention", "exchange", "sender"), run, strict=True))
    texts = {"draft": json.dumps(draft, sort_keys=True), "sealed": None if sealed is None else json.dumps(sealed)}
    state = "draft" if sealed is None else "sealed"
    connection.execute(insert(reply).values(**names, **texts, state=state, created_at=iso(at)))


def of_run(connection: Connection, run: str) -> Reply | None:
    """The reply on a run, or None."""
    row = connection.execute(select(reply).where(reply.c.run == run)).one_or_none()
    return None if row is None else _reply(row)


def with_key(connection: Connection, key: str) -> Reply | None:
    """The reply that handed back what ``key`` stands for, or is about to."""
    row = connection.execute(select(reply).where(reply.c.key == key)).one_or_none()
    return None if row is None else _reply(row)


def next_sequence(connection: Connection, convention: str, exchange: str, sender: str) -> int:
    """The number of the next verdicts of ``exchange`` for ``sender``: from 1, without gap."""
    query = select(func.max(reply.c.sequence)).where(
        reply.c.convention == convention, reply.c.exchange == exchange, reply.c.sender == sender
    )
    return (connection.scalar(query) or 0) + 1


def change(connection: Connection, run: str, **values: object) -> None:
    """Write what became known of a reply."""
    connection.execute(update(reply).where(reply.c.run == run).values(**values))


def returned(connection: Connection, run: str, location: str, *, at: datetime) -> bool:
    """Write that the verdicts have arrived; False when that was written before."""
    query = update(reply).where(reply.c.run == run, reply.c.state == "intent")
    return connection.execute(query.values(state="returned", location=location, returned_at=iso(at))).rowcount == 1


def clear(connection: Connection, convention: str) -> None:
    """Remove what the replies of a convention say of its files; ids, states and hashes stay."""
    query = update(reply).where(reply.c.convention == convention)
    connection.execute(query.values(draft="{}", sealed=None, manifest=None, texts=None))


def _reply(row: Row[Any]) -> Reply:
    values = {name: getattr(row, name) for name in Reply.__slots__}
    sealed = None if row.sealed is None else json.loads(row.sealed)
    return Reply(**{**values, "draft": json.loads(row.draft), "sealed": sealed})
