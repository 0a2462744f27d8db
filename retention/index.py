"""The person index outlives the purge, so that "who had my data" can still be answered (GDPR art. 15; C-553/07); then it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from passerelle.store import holdings, purges
from passerelle.store.holdings import Holding
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase

LIFE_MONTHS = 12  # the hub's default; the DPO decides


@dataclass(frozen=True, slots=True)
class Expired:
    """The index of one convention, past its life: its purge, when its life ended, its shards."""

    convention: str
    purge: str
    since: datetime
    shards: tuple[Holding, ...]


def expired(workspace: Workspace, connection: Connection) -> list[Expired]:
    """The indexes that have outlived by ``LIFE_MONTHS`` the purge that destroyed their convention's keys; a part's counts for none."""
    found = []
    last = {done.convention: done for done in purges.purges(connection, state="done")}
    for done in (last[convention] for convention in sorted(last.keys() & workspace.keys.destroyed())):
        ends = datetime.fromisoformat(done.ended_at or "") + relativedelta(months=LIFE_MONTHS)
        shards = tuple(holdings.present(connection, convention=done.convention, kind="index"))
        if shards and ends <= workspace.now():
            found.append(Expired(done.convention, done.id, ends, shards))
    return found


def destroy(workspace: Workspace, one: Expired) -> None:
    """Destroy an index: its key, then its shards; once more finishes what was interrupted."""
    workspace.keys.destroy_index(one.convention)
    for shard in one.shards:
        erase(workspace.path(shard.location))
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [shard.id for shard in one.shards], at=workspace.now())
        body = {
            "convention": one.convention,
            "purge": one.purge,
            "holdings": len(one.shards),
            "by_kind": {"index": len(one.shards)},
        }
        workspace.append(connection, "holding_destroyed", body)
        workspace.ledger.checkpoint(connection, workspace.now())
