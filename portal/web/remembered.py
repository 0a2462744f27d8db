"""What takes long to work out and stays the same until something is recorded: kept for the pages that show it.

Every change of state has an entry in the trail, in one transaction: what is kept holds until there is one, a convention file
changes, or ten minutes are over. Whatever decides (an approval, a purge, an erasure) MUST work it out anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, exists, select

from passerelle.access import BATCH_KIND
from passerelle.trail.tables import trail_entry
from passerelle.workspace import Workspace

T = TypeVar("T")
LONGEST = timedelta(minutes=10)
LATEST = 4  # each may tell of every delivery that there was


@dataclass(slots=True)
class _Kept:
    size: int  # of the trail when it was worked out, or last found to have grown by looks only
    texts: object
    until: datetime
    value: Any


@dataclass(slots=True)
class Remembered:
    """One answer under each name; the names MUST be of a closed list, for every one is kept."""

    _kept: dict[Hashable, _Kept] = field(default_factory=dict)
    _turns: defaultdict[Hashable, Lock] = field(default_factory=lambda: defaultdict(Lock))
    _lock: Lock = field(default_factory=Lock)

    def of(
        self, workspace: Workspace, connection: Connection, name: Hashable, work: Callable[[Workspace, Connection], T]
    ) -> T:
        """What ``work`` answers, or answered when nothing was recorded since.

        Who comes while it is worked out waits for that answer; those who ask for another do not.
        """
        with self._lock:
            turn = self._turns[name]
        with turn:
            size, now, texts = workspace.ledger.size(connection), workspace.now(), workspace.texts_seen
            known = self._kept.get(name)
            holds = known is not None and known.texts == texts and now < known.until <= now + LONGEST
            if known is None or not holds or _recorded(connection, known.size, size):
                known = self._kept[name] = _Kept(size, texts, now + LONGEST, work(workspace, connection))
            known.size = size
            value: T = known.value
            return value


@dataclass(slots=True)
class Latest:
    """The answers to the latest few questions of an open list; to be remembered itself, so that it ends as any answer does."""

    _kept: dict[Hashable, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, question: Hashable, work: Callable[[], T]) -> T:
        """What ``work`` answers to ``question``, or answered; one is worked out at a time."""
        with self._lock:
            value: T = self._kept.pop(question) if question in self._kept else work()
            self._kept[question] = value
            if len(self._kept) > LATEST:
                del self._kept[next(iter(self._kept))]
            return value


def _recorded(connection: Connection, since: int, size: int) -> bool:
    """Whether the trail has grown from ``since`` to ``size`` by more than the roots of the access log; or is another view."""
    if size < since:
        return True
    more = select(trail_entry.c.index).where(trail_entry.c.index >= since, trail_entry.c.kind != BATCH_KIND)
    return bool(size > since and connection.scalar(select(exists(more))))
