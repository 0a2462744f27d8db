"""Lines are numbered and sealed in batches: the trail keeps the Merkle root of each (docs/spec/access-log.md, "Batches")."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, select, update

from passerelle.access.line import leaf
from passerelle.clock import iso
from passerelle.store.access_tables import access, access_batch
from passerelle.trail import Entry, Ledger, merkle
from passerelle.trail.tables import trail_head

BATCH_KIND = "access_batch"
MAX_OPEN = 256  # lines, and the time below: how much may stand that the trail does not vouch for yet
MAX_OPEN_AGE = timedelta(hours=1)
MAX_BATCH = 1024  # lines

_OPEN = select(access).where(access.c.number.is_(None)).order_by(access.c.id).limit(MAX_BATCH)
_EARLIEST = select(access.c.at).where(access.c.number.is_(None)).order_by(access.c.id).limit(MAX_OPEN).subquery()
_DUE = select(func.count(), func.min(_EARLIEST.c.at)).select_from(_EARLIEST)
_NUMBER = update(access).where(access.c.id == bindparam("line")).values(number=bindparam("given"))


def seal_when_due(connection: Connection, ledger: Ledger, at: datetime) -> int:
    """Seal when ``MAX_OPEN`` lines stand open, or the oldest of them is ``MAX_OPEN_AGE`` old; how many batches were made."""
    count, oldest = connection.execute(_DUE).one()
    if not count or (count < MAX_OPEN and at - datetime.fromisoformat(oldest) < MAX_OPEN_AGE):
        return 0
    return seal(connection, ledger, at)


def seal(connection: Connection, ledger: Ledger, at: datetime) -> int:
    """Give every open line its number and tell the trail the root over each batch of them; how many batches were made.

    In the caller's transaction, as ``Ledger`` tells: on PostgreSQL the head of the trail is locked first, so that no two
    writers seal the same lines; a line that is committed after that is of a later batch.

    Raises:
        EvidenceError: a line holds what no line can hold: it was altered before it was sealed.
    """
    if connection.scalar(select(access.c.id).where(access.c.number.is_(None)).limit(1)) is None:
        return 0
    connection.execute(select(trail_head.c.size).with_for_update())
    made = 0
    while _seal_one(connection, ledger, at):
        made += 1
    return made


def _seal_one(connection: Connection, ledger: Ledger, at: datetime) -> bool:
    rows = connection.execute(_OPEN).mappings().all()
    if not rows:
        return False
    leaves = [merkle.leaf_hash(leaf(row)) for row in rows]
    first = (connection.scalar(select(func.max(access_batch.c.last))) or 0) + 1
    facts = {
        "first": first,
        "last": first + len(rows) - 1,
        "since": min(row["at"] for row in rows),
        "until": max(row["at"] for row in rows),
    }
    root = merkle.root(leaves)
    entry = ledger.append(
        connection, Entry(BATCH_KIND, iso(at), {**facts, "count": len(rows), "root_sha256": root.hex()})
    )
    connection.execute(insert(access_batch).values(**facts, root=root, leaves=b"".join(leaves), entry=entry))
    connection.execute(_NUMBER, [{"line": row["id"], "given": first + place} for place, row in enumerate(rows)])
    return True
