"""A sender's file may still bear persons who were erased: its copies with rows go once it is delivered (GDPR art. 17).

A hold keeps those that it names; they go with the next erasure once it is lifted.
"""

from __future__ import annotations

from collections import Counter

from passerelle.convention import holds
from passerelle.convention.dates import local_day
from passerelle.convention.holds import What
from passerelle.handover.job import erase_copy
from passerelle.store import holdings, runs
from passerelle.store.runs import Run
from passerelle.workspace import Workspace

WITH_ROWS = frozenset({"raw", "quarantine", "staging"})  # copies that hold rows and are ours
ERASED = "erased"  # the count, of a run, of rows left out because their persons were erased


def let_go(workspace: Workspace, run_id: str) -> None:
    """Destroy what a run that delivered keeps of the rows of its file, where some are of erased persons. May be repeated."""
    with workspace.database.read() as connection:
        run = runs.runs(connection, id=run_id)[0]
        copies = [copy for copy in holdings.present(connection, run=run_id) if copy.ours and copy.kind in WITH_ROWS]
    if not run.counts.get(ERASED) or not copies or _held(workspace, run):
        return
    workspace.keys.forget(run.convention, frozenset(copy.location for copy in copies))
    for copy in copies:
        erase_copy(workspace, copy)
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [copy.id for copy in copies], at=workspace.now())
        kinds = dict(Counter(copy.kind for copy in copies))
        body = {"convention": run.convention, "purge": run.id, "holdings": len(copies), "by_kind": kinds}
        workspace.append(connection, "holding_destroyed", body)


def _held(workspace: Workspace, run: Run) -> bool:
    """Whether a hold may name its copies: whom a file bears beside those in its extract is not known."""
    text = workspace.convention(run.convention)
    with workspace.database.read() as connection:
        known = holds.all_of(workspace.history(connection, text.id), text.zone)
    exchange = text.exchange(run.exchange)
    dataset = exchange.handling.contract if exchange is not None and exchange.handling is not None else run.exchange
    persons = frozenset(tag for one in known for tag in one.persons)
    what = What(frozenset({run.exchange, dataset}), run.period, persons)
    return holds.keeping(known, what, local_day(workspace.now(), text.zone)) is not None
