"""exchange: run one now, and what ran before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, looked, near, opened, regular, screen
from portal.render import Screen, Text, Tone, number
from portal.words import COUNTS, RUN_STATES, moment, reason, said

if TYPE_CHECKING:
    from passerelle.handover.order import Progress
    from passerelle.workspace import Workspace

exchange = typer.Typer(help="Exchanges: what a convention lets one party send to another.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(exchange, name="exchange")


@exchange.command("run")
def run(
    which: Annotated[
        str, typer.Argument(metavar="CONVENTION/EXCHANGE", help="For example face-pe-2014/shared-studies.")
    ],
    source: Annotated[Path, typer.Option("--input", help="The sender's file.")],
    period: Annotated[str, typer.Option(help="The period that it covers: 2026, 2026-03, 2026-Q1…")],
    sender: Annotated[str | None, typer.Option("--as", help="The party that sends, where several may.")] = None,
    supersedes: Annotated[
        str | None, typer.Option(metavar="PARCEL-ID", help="A delivered parcel that this file corrects: it is closed.")
    ] = None,
    reason_code: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="CODE",
            help="Why: corrected, incomplete, wrong-period, wrong-population, erasure or sender-request.",
        ),
    ] = None,
    flow: Annotated[
        bool, typer.Option("--flow", help="Run as a Prefect flow (also when PREFECT_API_URL is set).")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Run one exchange now: decide, take in, validate, check, minimise, seal, deliver, remember."""
    from flows import assembly
    from passerelle.handover.order import Order

    convention, slash, name = which.partition("/")
    if not slash or not convention or not name:
        raise UsageError(
            "expected CONVENTION/EXCHANGE",
            hint="for example face-pe-2014/shared-studies",
            fr="un échange se nomme CONVENTION/ÉCHANGE",
            hint_fr="par exemple face-pe-2014/shared-studies",
        )
    out = screen(as_json=as_json)
    if supersedes is None and reason_code is not None:
        raise UsageError(
            "--reason goes with --supersedes",
            fr="--reason ne va qu'avec --supersedes",
            hint="passerelle exchange run --help",
        )
    source = regular(source, "--input")
    order = Order(convention, name, period, source, sender, supersedes=supersedes, reason=reason_code)
    with opened() as workspace:
        if flow or os.environ.get("PREFECT_API_URL"):
            from flows.embedded import run_exchange_flow

            order_id = assembly.place_order(workspace, order)
            outcome: Mapping[str, Any] = run_exchange_flow(str(workspace.home), order_id)
        else:
            with out.progress(Text("Échange en cours", "Exchange under way")) as tick:
                outcome = assembly.run(workspace, order, _watch(tick)).as_json()
        outcome = _with_paths(workspace, outcome)
    out.answer(outcome, lambda: _show(out, outcome))


def _with_paths(workspace: Workspace, outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """The outcome with paths that open from anywhere, in place of locations in the workspace."""
    report = outcome["report"]
    handed = [{**one, "location": str(workspace.path(one["location"]))} for one in outcome["deliveries"]]
    return {**outcome, "deliveries": handed, "report": None if report is None else str(workspace.path(report))}


def _watch(tick: Any) -> Progress:
    def step(_step: int, _rows: int) -> None:
        tick(1)

    return step


def _show(out: Screen, outcome: Mapping[str, Any]) -> None:
    if outcome["state"] == "duplicate":
        out.say(Text("Ce fichier a déjà été livré : rien n'est envoyé deux fois.", "This file was delivered already: nothing is sent twice."), Tone.WARNED)  # fmt: skip
    else:
        out.say(Text("Échange mené à bien.", "Exchange carried out."), Tone.DONE)
    if (warning := reason(outcome["warning"])) is not None:
        out.say(Text(f"Réserve : {warning.fr}", f"Warning: {warning.en}"), Tone.WARNED)
    counts = outcome["counts"]
    out.facts([(label, number(counts[name], out.lang)) for name, label in COUNTS.items() if name in counts])
    if outcome["by_rule"]:
        out.heading(Text("Lignes rejetées, par règle", "Rejected rows, by rule"))
        titles = [Text("règle", "rule"), Text("colonne", "column"), Text("lignes", "rows"), Text("premières", "first")]
        rows = [
            (r["rule"], r["column"], r["count"], ", ".join(str(n) for n in r["first_rows"])) for r in outcome["by_rule"]
        ]
        out.table(titles, rows, right=frozenset({2}))
    if outcome["deliveries"]:
        out.heading(Text("Colis", "Parcels"))
        titles = [
            Text("colis", "parcel"),
            Text("destinataire", "recipient"),
            Text("lignes", "rows"),
            Text("fichier", "file"),
        ]
        rows = [(d["parcel"], d["recipient"], d["rows"], near(d["location"])) for d in outcome["deliveries"]]
        out.table(titles, rows, right=frozenset({2}))
    for finding in outcome["findings"]:
        if not finding["passed"]:
            out.say(Text(finding["fr"], finding["en"]), Tone.WARNED)
    if outcome["report"]:
        report = near(outcome["report"])
        out.say(Text(f"Rapport : {report}", f"Report: {report}"), Tone.FAINT)


@exchange.command("list")
def list_runs(
    convention: Annotated[str | None, typer.Option(help="One convention's runs only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the runs so far: what was read, accepted, refused, and why."""
    from passerelle.store import runs

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "deliveries_read", convention or "runs", convention=convention),
        workspace.database.read() as connection,
    ):
        known = runs.runs(connection, **({"convention": convention} if convention else {}))
    value = [
        {
            "run": r.id, "convention": r.convention, "exchange": r.exchange, "period": r.period, "state": r.state,
            "counts": dict(r.counts), "reason": r.reason, "started_at": r.started_at, "ended_at": r.ended_at,
        }
        for r in known
    ]  # fmt: skip
    titles = [
        Text("début", "started"), Text("échange", "exchange"), Text("période", "period"), Text("état", "state"),
        Text("lues", "read"), Text("rejetées", "rejected"), Text("motif", "reason"),
    ]  # fmt: skip
    rows = [
        (
            moment(r.started_at, out.lang), f"{r.convention}/{r.exchange}", r.period, said(RUN_STATES, r.state),
            r.counts.get("read"), r.counts.get("rejected"), reason(r.reason),
        )
        for r in known
    ]  # fmt: skip
    out.answer(value, lambda: out.table(titles, rows, right=frozenset({4, 5})))
