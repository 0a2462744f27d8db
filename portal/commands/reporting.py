"""exchange report: what the sender of a file is told, and where its verdicts are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import RefusedError, UsageError
from portal.context import JsonFlag, looked, near, opened, screen
from portal.render import Screen, Text, Tone

if TYPE_CHECKING:
    from passerelle.report import Report


def attach(exchange: typer.Typer) -> None:
    """Add this command to those of exchanges."""
    exchange.command("report")(report)


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id: passerelle exchange list.")],
    as_json: JsonFlag = False,
) -> None:
    """Show the report on a run, refused or not, for the sender of its file, and where its page and verdicts are."""
    from passerelle.handover.replying import report_at
    from passerelle.report import Report
    from passerelle.store import replies, runs

    out = screen(as_json=as_json)
    with opened() as workspace, looked(workspace, "deliveries_read", run, run=run):
        with workspace.database.read() as connection:
            known, found = runs.runs(connection, id=run), replies.of_run(connection, run)
        if not known:
            raise UsageError(
                "no run of that id",
                hint="passerelle exchange list shows the runs",
                fr="aucun traitement de ce numéro",
                hint_fr="passerelle exchange list montre les traitements",
            )
        path = None if found is None else workspace.path(report_at(found, "report.json"))
        if found is None or path is None or not path.exists():
            raise _none(known[0].state)
        said = Report.model_validate_json(path.read_bytes())
        places = {"report": str(path), "page": str(path.with_suffix(".html")), "verdicts": None}
        if found.location is not None:
            places["verdicts"] = str(workspace.path(found.location))
    out.answer({**said.model_dump(mode="json"), "files": places}, lambda: _show(out, said, places))


def _none(state: str) -> RefusedError:
    why = {
        "duplicate": ("this content was delivered before: that run has the report", "ce contenu était déjà livré : le compte rendu est celui du premier traitement"),
        "failed": ("the gateway failed, the file was not judged to its end", "la passerelle a été en panne, le fichier n'a pas été jugé jusqu'au bout"),
        "interrupted": ("the run was cut off; run again, the file has a report", "le traitement a été coupé ; repris, il donne un compte rendu"),
    }  # fmt: skip
    en, fr = why.get(state, ("it went with its convention's purge, or the run goes on", "il est parti avec la destruction de sa convention, ou le traitement est en cours"))  # fmt: skip
    return RefusedError(
        f"there is no report on this run: {en}",
        hint="passerelle exchange list shows the runs",
        fr=f"ce traitement n'a pas de compte rendu : {fr}",
        hint_fr="passerelle exchange list montre les traitements",
    )


def _show(out: Screen, said: Report, places: dict[str, Any]) -> None:
    if said.outcome.state == "delivered":
        out.say(Text("Fichier accepté.", "File accepted."), Tone.DONE)
    else:
        message = said.outcome.message
        out.say(Text("Fichier refusé.", "File refused."), Tone.REFUSED)
        if message is not None:
            out.say(Text(message.fr, message.en))
    if said.counts is not None:
        out.facts(
            [
                (Text("lignes lues", "rows read"), said.counts.read),
                (Text("acceptées", "accepted"), said.counts.accepted),
                (Text("rejetées", "rejected"), said.counts.rejected),
            ]
        )
    titles = [Text("règle", "rule"), Text("colonne", "column"), Text("lignes", "rows"), Text("premières", "first"), Text("attendu", "expected")]  # fmt: skip
    rows = [
        (one.rule, one.column, one.count, ", ".join(map(str, one.first_rows)), getattr(one.expected, out.lang))
        for one in said.rules
    ]
    if rows:
        out.heading(Text("Règles enfreintes", "Rules broken"))
        out.table(titles, rows, right=frozenset({2}))
    if said.verdicts.hint is not None:
        out.say(Text(said.verdicts.hint.fr, said.verdicts.hint.en), Tone.WARNED)
    labels = {"page": Text("page", "page"), "report": Text("JSON", "JSON"), "verdicts": Text("verdicts", "verdicts")}
    out.facts([(labels[name], near(places[name])) for name in labels if places[name] is not None])
