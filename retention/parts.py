"""What goes with a purge beside registered copies: files that wait in the inbox, and what Prefect keeps of an exchange's orders.

With a whole convention all of it goes. With a part: the files that the same rules let go as copies, and the orders of the
exchanges of which nothing of ours stays. An exchange that an order waits for keeps both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from passerelle.convention import holds, purge_allowed
from passerelle.convention.dates import local_day
from passerelle.convention.holds import What
from passerelle.store import holdings, runs
from passerelle.store.purges import Purge
from passerelle.workspace import Workspace
from retention.scope import OUTLIVES, Scope


def waiting(workspace: Workspace, connection: Connection, current: Purge) -> list[Path]:
    """Files that senders laid in the inbox of what a purge is about, and that were never taken in."""
    folder = workspace.home / "inbox" / current.convention
    if current.plan["whole"]:
        return list(_files(folder))
    return [path for path in _files(folder) if _goes(workspace, connection, current, path.relative_to(folder).parts)]


def ended_exchanges(connection: Connection, current: Purge) -> frozenset[str]:
    """The exchanges of a partial purge of which it leaves no copy of ours but the person index, and that no order waits for."""
    ids = frozenset(current.plan["ids"])
    every = [copy for copy in holdings.all_of(connection, current.convention) if copy.ours and copy.kind != OUTLIVES]
    staying = {copy.exchange for copy in every if copy.destroyed_at is None and copy.id not in ids}
    return frozenset({copy.exchange for copy in every if copy.id in ids} - staying - _ordered(connection, current))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_dir())


def _ordered(connection: Connection, current: Purge) -> set[str]:
    return runs.ordered(connection, current.convention)


def _goes(workspace: Workspace, connection: Connection, current: Purge, place: tuple[str, ...]) -> bool:
    """Whether a file in ``EXCHANGE/PERIOD/`` goes: it is of the part, its time is over, and no hold may name it."""
    exchange, period = place[0], place[1] if len(place) > 2 else None  # noqa: PLR2004 -- EXCHANGE/PERIOD/FILE
    text = workspace.convention(current.convention)
    known = text.exchange(exchange)
    if known is None or known.handling is None or exchange in _ordered(connection, current):
        return False
    history, now = workspace.history(connection, text.id), workspace.now()
    standing = holds.all_of(history, text.zone)
    persons = frozenset(tag for one in standing for tag in one.persons)  # whose a file is that nobody read is not known
    what = What(frozenset({exchange, known.handling.contract}), period, persons)
    over = Scope(**current.plan["scope"]).has(what) and purge_allowed(text, history, now, what).status == "yes"
    return over and holds.keeping(standing, what, local_day(now, text.zone)) is None
