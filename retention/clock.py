"""Whether the machine's clock can be believed before anything is destroyed: not behind what was seen, and no jump ahead (D1).

Behind, nothing runs. After a jump ahead nothing is destroyed until somebody confirms the clock, which the trail tells.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from passerelle.access import Look, write_in
from passerelle.access.batches import seal
from passerelle.clock import iso
from passerelle.errors import RefusedError
from passerelle.store import settings
from passerelle.workspace import Workspace

JUMP = timedelta(days=7)  # without an act or a check; the watchdog looks every hour. A rule of the hub
REHEARSED_JUMP = timedelta(days=365)  # a rehearsal's clock is moved by hand, from one act to the next
STEP_BACK = timedelta(minutes=5)  # what time servers correct
SEEN, SIZE = "clock_seen", "clock_seen_size"  # the last check: seconds since 1970, and the entries of the trail then
JUMPED_FROM, JUMPED_TO = "clock_jumped_from", "clock_jumped_to"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clock says beside what was seen: ``behind`` or ``jumped`` since an instant, by so many days."""

    now: str
    state: str
    since: str | None
    days: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def read(workspace: Workspace, connection: Connection) -> Reading:
    """The clock beside the last entry of the trail and the last check: ``right``, ``behind`` or ``jumped``."""
    now, last, seen = workspace.now(), workspace.last_act(connection), _instant(connection, SEEN)
    jumped_from, jumped_to = _instant(connection, JUMPED_FROM), _instant(connection, JUMPED_TO)
    if last is not None and iso(now) < iso(last):
        return _reading(now, "behind", last)
    if jumped_from is not None and jumped_to is not None and now + STEP_BACK >= jumped_to:
        return _reading(now, "jumped", jumped_from)
    if jumped_from is None and seen is not None and now + STEP_BACK < seen:
        return _reading(now, "behind", seen)
    since = _jump(workspace, connection, now, None if jumped_from is not None else seen)
    return _reading(now, "jumped" if since else "right", since)


def _reading(now: datetime, state: str, since: datetime | None) -> Reading:
    days = 0 if since is None else abs(now - since).days
    return Reading(iso(now), state, None if since is None else iso(since), days)


def _jump(workspace: Workspace, connection: Connection, now: datetime, seen: datetime | None) -> datetime | None:
    """The instant before the first step that was too long: between acts since the last check, or from the last of them."""
    if workspace.rehearsal:
        last = workspace.last_act(connection)
        known = max((one for one in (last, seen) if one is not None), default=now)
        return known if now - known >= REHEARSED_JUMP else None
    before = seen
    for found in workspace.ledger.entries(connection, settings.read(connection, SIZE)):
        at = datetime.fromisoformat(found.entry.at)
        if before is not None and at - before > JUMP:
            return before
        before = at if before is None else max(before, at)
    return before if before is not None and now - before > JUMP else None


def note(workspace: Workspace, connection: Connection) -> Reading:
    """Read the clock and keep that it was seen; a jump is kept until it is confirmed, or the clock is set right."""
    found = read(workspace, connection)
    if found.state == "behind":
        return found
    if found.state == "jumped" and found.since is not None:
        settings.write(connection, JUMPED_FROM, int(datetime.fromisoformat(found.since).timestamp()))
        if _instant(connection, JUMPED_TO) is None:
            settings.write(connection, JUMPED_TO, int(workspace.now().timestamp()))
    elif _instant(connection, JUMPED_FROM) is not None:
        _forget_jump(connection)
    _keep_seen(workspace, connection)
    return found


def confirm(workspace: Workspace, *, by: str) -> Reading:
    """Record that ``by`` checked the clock after a jump ahead; without a jump nothing is recorded.

    Who it was stands in the access log, in the same transaction: the trail names nobody who works, and has that log's roots.

    Raises:
        RefusedError: the clock is behind: it has to be set right.
    """
    with workspace.database.begin() as connection:
        found = read(workspace, connection)
        if found.state == "behind":
            raise _behind(found)
        if found.state == "jumped" and found.since is not None:
            workspace.append(connection, "clock_confirmed", {"since": found.since, "days": found.days})
            write_in(connection, workspace, Look(by, "clock_confirmed", "clock", f"{found.days} d, {found.since}"))
            seal(connection, workspace.ledger, workspace.now())
            workspace.ledger.checkpoint(connection, workspace.now())
            _forget_jump(connection)
            _keep_seen(workspace, connection)
    return found


def insist_on_clock(workspace: Workspace, connection: Connection) -> None:
    """Let nothing be destroyed by a clock that is behind, or jumped ahead and was not confirmed.

    Raises:
        RefusedError: it is.
    """
    found = read(workspace, connection)
    if found.state == "behind":
        raise _behind(found)
    if found.state == "jumped":
        raise RefusedError(
            f"the clock jumped ahead by {found.days} days since {found.since}: nothing is destroyed on its word (clock_jumped)",
            hint="check the date, then passerelle watchdog clock --confirm, or purge run --clock-confirmed",
            fr=f"l'horloge a avancé de {found.days} jours depuis le {found.since} : rien n'est détruit sur sa foi (clock_jumped)",
            hint_fr="vérifiez la date, puis passerelle watchdog clock --confirm, ou purge run --clock-confirmed",
        )


def _behind(found: Reading) -> RefusedError:
    return RefusedError(
        f"the clock is behind what the gateway has seen, {found.since}: nothing runs (clock_behind_last_event)",
        hint="set the machine's clock right",
        fr=f"l'horloge retarde sur ce que la passerelle a vu, {found.since} : rien n'a lieu (clock_behind_last_event)",
        hint_fr="remettez l'horloge de la machine à l'heure",
    )


def _instant(connection: Connection, name: str) -> datetime | None:
    seconds = settings.read(connection, name)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _keep_seen(workspace: Workspace, connection: Connection) -> None:
    settings.write(connection, SEEN, int(workspace.now().timestamp()))
    settings.write(connection, SIZE, workspace.ledger.size(connection))


def _forget_jump(connection: Connection) -> None:
    settings.write(connection, JUMPED_FROM, 0)
    settings.write(connection, JUMPED_TO, 0)
