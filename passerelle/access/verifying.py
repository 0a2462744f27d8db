"""Is the access log as it was when its roots went into the trail? What was edited, deleted, inserted, reordered.

The trail is the judge: callers MUST have checked it (``passerelle.trail.fsck``) in the same view of the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce
from sqlalchemy.types import NullType

from passerelle.access.batches import MAX_OPEN_AGE
from passerelle.access.comparing import Anchor, Finding, Stored, compare
from passerelle.access.line import leaf_hash
from passerelle.clock import iso
from passerelle.store.access_tables import access, access_batch
from passerelle.trail import Ledger

MAX_FINDINGS = 100  # told; more are only counted
# The salt as it is stored, whatever that is: a driver that insists on bytes would raise instead of comparing.
_COLUMNS = [type_coerce(column, NullType()).label("salt") if column.name == "salt" else column for column in access.c]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: lines and batches that the trail vouches for, lines that it does not yet, batches that expired.

    ``late`` counts open lines that should have been sealed by now; ``more`` the findings beyond those that are told.
    """

    lines: int
    batches: int
    expired: int
    open: int
    late: int
    findings: tuple[Finding, ...]
    more: int

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "findings": [asdict(one) for one in self.findings]}


def inspect(connection: Connection, ledger: Ledger, at: datetime) -> Report:
    """Compare every line with the roots in the trail; in memory that does not grow with the lines."""
    expired = [
        (int(one.entry.body["first"]), int(one.entry.body["last"])) for one in ledger.find(connection, "access_expired")
    ]
    gone = _Ranges(expired)
    found: list[Finding] = []
    more = lines = live = past = 0
    anchors = list(_anchors(connection, ledger))
    for anchor in anchors:
        if gone.holds(anchor.first):
            past += 1
            news: Iterator[Finding] = _left(connection, anchor)
        else:
            live += 1
            lines += anchor.last - anchor.first + 1
            news = _compared(connection, anchor)
        for one in news:
            more += len(found) >= MAX_FINDINGS
            found += [one] if len(found) < MAX_FINDINGS else []
    until = max((anchor.until for anchor in anchors), default="")
    last = anchors[-1].last if anchors else 0
    found += [Finding("inserted", number, number, number) for number in _strangers(connection, last)]
    waiting, late, dated = _open(connection, at, until)
    found += [Finding("back_dated", last + 1, last + 1)] * dated
    return Report(
        lines, live, past, waiting, late, tuple(found[:MAX_FINDINGS]), more + max(len(found) - MAX_FINDINGS, 0)
    )


class _Ranges:
    """Ranges of line numbers, in order."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        self._ranges = sorted(ranges)
        self._at = 0

    def holds(self, number: int) -> bool:
        """Whether a range holds ``number``; callers ask in rising order."""
        while self._at < len(self._ranges) and self._ranges[self._at][1] < number:
            self._at += 1
        return self._at < len(self._ranges) and self._ranges[self._at][0] <= number


def _anchors(connection: Connection, ledger: Ledger) -> Iterator[Anchor]:
    for one in ledger.find(connection, "access_batch"):
        body = one.entry.body
        yield Anchor(body["first"], body["last"], bytes.fromhex(body["root_sha256"]), body["until"])


def _compared(connection: Connection, anchor: Anchor) -> Iterator[Finding]:
    query = select(access_batch.c.leaves).where(access_batch.c.first == anchor.first)
    yield from compare(anchor, connection.scalar(query) or b"", _rows(connection, anchor))


def _left(connection: Connection, anchor: Anchor) -> Iterator[Finding]:
    """Lines that stand where an expired batch was."""
    for row in _rows(connection, anchor):
        yield Finding("restored", anchor.first, anchor.last, row.number)


def _rows(connection: Connection, anchor: Anchor) -> list[Stored]:
    query = (
        select(*_COLUMNS)
        .where(access.c.number >= anchor.first, access.c.number <= anchor.last)
        .order_by(access.c.number, access.c.id)
    )
    return [Stored(row["number"], leaf_hash(row)) for row in connection.execute(query).mappings()]


def _strangers(connection: Connection, last: int) -> list[int]:
    """Numbers that no batch of the trail gave."""
    query = select(access.c.number).where((access.c.number > last) | (access.c.number < 1)).order_by(access.c.number)
    return list(connection.scalars(query.limit(MAX_FINDINGS)))


def _open(connection: Connection, at: datetime, sealed_until: str) -> tuple[int, int, int]:
    """Lines without a number: how many, how many that should have one by now, how many older than what was sealed."""
    limit = iso(at - MAX_OPEN_AGE)
    earliest = iso(datetime.fromisoformat(sealed_until) - MAX_OPEN_AGE) if sealed_until else ""
    waits = select(func.count()).select_from(access).where(access.c.number.is_(None))
    count, late, dated = (
        connection.scalar(query) or 0
        for query in (waits, waits.where(access.c.at < limit), waits.where(access.c.at < earliest))
    )
    return count, late, dated
