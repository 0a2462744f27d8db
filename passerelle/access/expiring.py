"""Lines leave after their time: whole batches, told in the trail, and their bytes out of the database's files."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from passerelle.access.batches import seal
from passerelle.access.looking import House
from passerelle.clock import iso
from passerelle.store import settings
from passerelle.store.access_tables import access, access_batch
from passerelle.trail import Entry

SCRUB_OWED = "access_scrub_owed"  # lines were deleted, and their bytes may still lie in the database's files
MAX_BATCHES = 64  # of one transaction

Range = tuple[int, int]  # first and last number


def expire(house: House, before: datetime, held: Collection[str] = ()) -> int:
    """Delete the batches whose last line is older than ``before``; how many lines went.

    A batch with a line of a convention in ``held`` stays, whole. Interrupted anywhere, the next call finishes: a deletion
    commits with its entry in the trail, and what is left to clear out of the files is on record.

    Raises:
        WorkspaceError: another process still reads what was deleted; the next call clears it.
    """
    gone = 0
    with house.database.begin() as connection:
        seal(connection, house.ledger, house.now())
    after = 0
    while True:
        with house.database.begin() as connection:
            found = _past(connection, before, after)
            free = [one for one in found if not (held and _names(connection, one, held))]
            gone += _delete(connection, house, free)
        if not found:
            break
        after = found[-1][1]
    with house.database.read() as connection:
        owed = settings.read(connection, SCRUB_OWED)
    if owed:
        house.database.scrub(access.name, access_batch.name)
        with house.database.begin() as connection:
            settings.write(connection, SCRUB_OWED, 0)
    return gone


def _past(connection: Connection, before: datetime, after: int) -> list[Range]:
    """The next batches that still have their lines, the last of which is older than ``before``."""
    query = (
        select(access_batch.c.first, access_batch.c.last)
        .where(access_batch.c.until < iso(before), access_batch.c.leaves.is_not(None), access_batch.c.first > after)
        .order_by(access_batch.c.first)
        .limit(MAX_BATCHES)
    )
    return [(row.first, row.last) for row in connection.execute(query)]


def _names(connection: Connection, one: Range, held: Collection[str]) -> bool:
    query = select(access.c.id).where(access.c.number.between(*one), access.c.convention.in_(held)).limit(1)
    return connection.scalar(query) is not None


def _delete(connection: Connection, house: House, batches: list[Range]) -> int:
    """Delete the lines of ``batches`` and what their roots were made of; tell the trail, a run of batches at a time."""
    gone = 0
    for first, last, count in _runs(batches):
        connection.execute(delete(access).where(access.c.number.between(first, last)))
        connection.execute(update(access_batch).where(access_batch.c.first.between(first, last)).values(leaves=None))
        body = {"first": first, "last": last, "count": last - first + 1, "batches": count}
        house.ledger.append(connection, Entry("access_expired", iso(house.now()), body))
        gone += last - first + 1
    if gone:
        settings.write(connection, SCRUB_OWED, 1)
    return gone


def _runs(batches: list[Range]) -> list[tuple[int, int, int]]:
    """Batches that follow each other as one: first number, last number, how many batches."""
    runs: list[tuple[int, int, int]] = []
    for first, last in batches:
        if runs and runs[-1][1] + 1 == first:
            runs[-1] = (runs[-1][0], last, runs[-1][2] + 1)
        else:
            runs.append((first, last, 1))
    return runs
