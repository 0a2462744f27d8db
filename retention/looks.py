"""The access log keeps a line 12 months (CNIL 2021-122: 6 to 12), longer where a hold on a convention names it."""

from __future__ import annotations

from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from passerelle.access import expire
from passerelle.convention import holds
from passerelle.convention.dates import local_day
from passerelle.errors import PasserelleError
from passerelle.workspace import Workspace

LIFE_MONTHS = 12  # the hub's policy
SCOPE = "access-log"  # how a hold names it: {"kind": "litigation", "scope": ["access-log"]}


def expire_looks(workspace: Workspace) -> int:
    """Delete the lines that are past their time, and their bytes from the database's files; how many went.

    Raises:
        WorkspaceError: another process still reads what was deleted; the next call clears it.
    """
    with workspace.database.read() as connection:
        kept = held(workspace, connection, workspace.now())
    return expire(workspace, workspace.now() - relativedelta(months=LIFE_MONTHS), kept)


def held(workspace: Workspace, connection: Connection, now: datetime) -> frozenset[str]:
    """The conventions with a hold that names the access log; one that cannot be read is kept as if it had one."""
    found = set()
    for convention_id in workspace.convention_ids():
        try:
            zone = workspace.convention(convention_id).zone
            known = holds.all_of(workspace.history(connection, convention_id), zone)
        except PasserelleError:
            found.add(convention_id)
            continue
        if any(SCOPE in hold.scope and hold.lasts(SCOPE, local_day(now, zone)) for hold in known):
            found.add(convention_id)
    return frozenset(found)
