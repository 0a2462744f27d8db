"""Runs: how far each went, what it read and rejected, why it was refused and who can change that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response

from passerelle.store import run_search
from passerelle.store import runs as store
from passerelle.store.run_search import Search
from passerelle.store.runs import Run
from portal.render import Text, number
from portal.web.listing import Column, Filter, Listing
from portal.web.pages import asked
from portal.web.visit import AbsentError, Visit
from portal.web.ways import ENGINEER, Way
from portal.words import COUNTS, RUN_STATES, STEPS, reason, said

# A report is a whole page with a style of its own and no script; it runs nothing and reaches nothing.
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
TONES = {"delivered": "good", "refused": "bad", "failed": "bad", "interrupted": "warn", "running": "warn"}
COLUMNS = (
    Column("started_at", Text("début", "started"), "moment"),
    Column("run", Text("traitement", "run"), "code"),
    Column("exchange", Text("échange", "exchange"), "code"),
    Column("period", Text("période", "period")),
    Column("state", Text("état", "state"), "words"),
    Column("read", Text("lues", "read"), "number"),
    Column("rejected", Text("rejetées", "rejected"), "number"),
    Column("reason", Text("motif", "reason"), "words"),
)
FILTERS = (
    Filter("convention", Text("Convention", "Convention")),
    Filter("exchange", Text("Échange", "Exchange")),
    Filter("state", Text("État", "State"), "choice", list(RUN_STATES.items())),
)


def every(visit: Visit) -> Response:
    """The runs, the latest first."""
    search = Search(asked.text(visit, "convention"), asked.text(visit, "exchange"), asked.text(visit, "state"))
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", search.convention or "runs", convention=search.convention)
    with visit.workspace.database.read() as connection:
        found = run_search.page(connection, search, limit=visit.rows + 1, after=asked.text(visit, "after"))
    shown = found[: visit.rows]
    rows = [
        {
            "started_at": one.started_at, "run": one.id, "run_href": visit.href("run", run=one.id),
            "exchange": f"{one.convention}/{one.exchange}", "period": one.period, "state": said(RUN_STATES, one.state),
            "state_tone": TONES.get(one.state, ""), "read": one.counts.get("read"), "rejected": one.counts.get("rejected"),
            "reason": reason(one.reason),
        }
        for one in shown
    ]  # fmt: skip
    return visit.listing(
        Listing(
            Text("Traitements", "Runs"),
            Text("Chaque échange mené, refusé ou interrompu : des nombres et des motifs, jamais une valeur.", "Each exchange carried out, refused or interrupted: counts and reasons, never a value."),
            COLUMNS, rows,
            Text("Aucun traitement ne répond. Un fichier déposé dans inbox/ est pris au prochain passage.", "No run answers. A file laid in inbox/ is taken at the next plan."),
            FILTERS, shown[-1].id if len(found) > len(shown) else None,
        ), "engineer/runs.html.jinja", prefect=visit.request.app.state.door.setup.prefect,
    )  # fmt: skip


def one(visit: Visit) -> Response:
    """One run: its steps, its counts, the rules that rows broke, its reports."""
    found = _known(visit)
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", found.id, convention=found.convention, exchange=found.exchange, run=found.id)  # fmt: skip
    with visit.workspace.database.read() as connection:
        deliveries = store.deliveries(connection, run=found.id)
    report = _report(visit, found)
    return visit.page(
        "engineer/run.html.jinja", found=found, state=said(RUN_STATES, found.state), tone=TONES.get(found.state, ""),
        why=reason(found.reason),
        counts=[(said(COUNTS, name), number(count, visit.lang)) for name, count in found.counts.items()], steps=STEPS.items(), deliveries=deliveries, report=report,
        pages=[path.name for path in _pages(visit, found)],
    )  # fmt: skip


def page(visit: Visit) -> Response:
    """A report of a run, as it was written: aggregates only, a page that runs nothing."""
    found = _known(visit)
    chosen = [path for path in _pages(visit, found) if path.name == visit.part("name")]
    if not chosen:
        raise AbsentError
    with visit.workspace.database.begin() as connection:
        visit.log(connection, "deliveries_read", found.id, convention=found.convention, exchange=found.exchange, run=found.id)  # fmt: skip
    return FileResponse(chosen[0], media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


def _known(visit: Visit) -> Run:
    with visit.workspace.database.read() as connection:
        known = store.runs(connection, id=visit.part("run"))
    if not known:
        raise AbsentError
    return known[0]


def _pages(visit: Visit, found: Run) -> Iterator[Path]:
    """The pages that the run wrote; their names come from its ids, never from the address asked for."""
    folder = visit.workspace.home / "reports"
    yield from sorted(folder.glob(f"{found.convention}.{found.exchange}.{found.id}*.html"))


def _report(visit: Visit, found: Run) -> dict[str, Any] | None:
    path = visit.workspace.home / "reports" / f"{found.convention}.{found.exchange}.{found.id}.report.json"
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
    except OSError:
        return None
    return body


WAYS = (
    Way("runs", "/runs", every, ENGINEER, logs="deliveries_read", navigates=("Traitements", "Runs")),
    Way("run", "/runs/{run}", one, ENGINEER, logs="deliveries_read"),
    Way("run.page", "/runs/{run}/pages/{name}", page, ENGINEER, logs="deliveries_read"),
)
