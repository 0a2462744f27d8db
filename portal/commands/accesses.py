"""access: who looked at or took what; the log's own proof, its end of life, and what is not as usual in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import EvidenceError, UsageError
from passerelle.formulas import as_shown
from portal.context import Actor, JsonFlag, Reason, instant_value, looked, opened, screen
from portal.render import Screen, Text, Tone, number
from portal.words import ACCESS_ALERTS, ACCESS_FINDINGS, ACCESS_OUTCOMES, PARIS, action, moment, said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passerelle.access import Finding, Line, Search

access = typer.Typer(help="The access log: who looked at or took what.", no_args_is_help=True)
PAGE = 100
LARGEST_PAGE = 10_000


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(access, name="access")


@access.command("log")
def log(
    since: Annotated[str | None, typer.Option(help="From this date or ISO instant on.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this date or ISO instant.")] = None,
    who: Annotated[str | None, typer.Option("--actor", help="Who looked.")] = None,
    partner: Annotated[str | None, typer.Option(help="Whose data or key.")] = None,
    convention: Annotated[str | None, typer.Option(help="Under which convention.")] = None,
    delivery: Annotated[str | None, typer.Option(help="Which delivery: the parcel's id.")] = None,
    kind: Annotated[
        str | None, typer.Option("--action", help="What was done: an action of docs/spec/access-log.md.")
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="allowed or refused.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST_PAGE, help=f"How many of the latest lines: {PAGE}, as JSON {LARGEST_PAGE}."),
    ] = None,
    before: Annotated[int | None, typer.Option(help="Earlier lines than that of this id: the page before.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every line that answers, as CSV, oldest first.")] = False,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Show who looked at or took what, the latest lines; this look is logged first."""
    from passerelle.access import Search, page

    _known(kind, outcome)
    instants = {
        name: None if value is None else instant_value(value, f"--{name}", PARIS)
        for name, value in (("since", since), ("until", until))
    }
    search = Search(
        **instants, actor=who, partner=partner, convention=convention, delivery=delivery, action=kind, outcome=outcome
    )
    out = screen(as_json=as_json)
    told = {"partner": partner, "convention": convention, "delivery": delivery}
    with opened() as workspace:
        done, subject = ("access_export" if as_csv else "access_read"), f"actor:{who}" if who else "access-log"
        with looked(workspace, done, subject, by=by, reason=reason, **told):
            pass
        with workspace.database.read() as connection:
            if as_csv:
                _export(out, connection, search)
                return
            most = limit or (LARGEST_PAGE if as_json else PAGE)
            lines = page(connection, search, limit=most + 1, before=before)
    shown = lines[-most:]
    out.answer([line.as_json() for line in shown], lambda: _show(out, shown, more=len(lines) > most))


def _known(kind: str | None, outcome: str | None) -> None:
    """Refuse a word that no line can hold, rather than find nothing."""
    from passerelle.store.access import actions

    for value, option, words in ((kind, "--action", actions()), (outcome, "--outcome", ACCESS_OUTCOMES)):
        if value is not None and value not in words:
            raise UsageError(
                f"{option}: expected one of {', '.join(words)}", fr=f"{option} : il faut l'un de {', '.join(words)}"
            )


def _show(out: Screen, lines: list[Line], *, more: bool) -> None:
    titles = [
        Text("id", "id"), Text("instant", "instant"), Text("qui", "who"), Text("quoi", "what"), Text("objet", "subject"),
        Text("personnes, lignes", "persons, rows"), Text("issue", "outcome"), Text("motif", "reason"),
    ]  # fmt: skip
    rows = [
        (
            str(one.id), moment(one.at, out.lang), one.actor, action(one.action), _subject(one), one.count,
            said(ACCESS_OUTCOMES, one.outcome), one.reason or None,
        )
        for one in lines
    ]  # fmt: skip
    out.table(titles, rows, right=frozenset({0, 5}))
    if more:
        out.say(Text(f"Lignes plus anciennes : --before {lines[0].id}", f"Earlier lines: --before {lines[0].id}"), Tone.FAINT)  # fmt: skip


def _subject(line: Line) -> str:
    """What was looked at, and under which convention or of which partner where the subject does not say it."""
    about = [value for value in (line.convention, line.partner) if value and value != line.subject]
    return f"{line.subject} ({', '.join(about)})" if about else line.subject


def _export(out: Screen, connection: Connection, search: Search) -> None:
    """Every line that answers, a page at a time (RFC 4180, UTF-8)."""
    from passerelle.access import Line, every

    names = [field.name for field in fields(Line)]
    out.put(_csv([[*names, "salt"]]))
    for line, salt in every(connection, search):
        out.put(_csv([[*(getattr(line, name) for name in names), salt]]))


def _csv(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([as_shown(value) for value in row] for row in rows)
    return text.getvalue().encode()


@access.command("verify")
def verify(as_json: JsonFlag = False) -> None:
    """Check the log against its roots in the trail: what was edited, deleted, inserted, reordered; shows no line."""
    from passerelle.access import inspect
    from passerelle.trail.fsck import check

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        check(connection, workspace.ledger.verifier_key)
        report = inspect(connection, workspace.ledger, workspace.now())

    def show() -> None:
        whole = not report.findings
        out.say(
            Text("Le journal des accès est intact.", "The access log is whole.")
            if whole
            else Text("Le journal des accès a été altéré.", "The access log was altered."),
            Tone.DONE if whole else Tone.REFUSED,
        )
        out.facts(
            [
                (Text("lignes scellées, vérifiées", "lines sealed, verified"), report.lines),
                (Text("lots", "batches"), report.batches),
                (Text("lots supprimés à leur terme", "batches deleted at the end of their time"), report.expired),
                (Text("lignes pas encore scellées", "lines not sealed yet"), report.open),
                (Text("dont en retard", "of these, late"), report.late),
            ]
        )
        for one in report.findings:
            out.say(_finding(one), Tone.REFUSED)

    out.answer(report.as_json(), show)
    if report.findings:
        count = len(report.findings) + report.more
        raise EvidenceError(
            f"the access log was altered: {count} finding(s)",
            where="access log",
            hint="keep the database as it is, and compare it with a backup",
            fr=f"le journal des accès a été altéré : {count} constat(s)",
            hint_fr="gardez la base en l'état, et comparez-la à une sauvegarde",
        )


def _finding(one: Finding) -> Text:
    words = ACCESS_FINDINGS[one.code]
    if one.number is not None:
        return Text(f"ligne {one.number} : {words.fr}", f"line {one.number}: {words.en}")
    return Text(f"lignes {one.first} à {one.last} : {words.fr}", f"lines {one.first} to {one.last}: {words.en}")


@access.command("expire")
def expire(as_json: JsonFlag = False) -> None:
    """Delete the lines that are past 12 months, and their bytes; the daily purge does it too."""
    from retention.looks import expire_looks

    out = screen(as_json=as_json)
    with opened() as workspace:
        gone = expire_looks(workspace)
    words = Text(f"Lignes supprimées : {number(gone, 'fr')}.", f"Lines deleted: {number(gone, 'en')}.")
    out.answer({"lines": gone}, lambda: out.say(words, Tone.DONE))


@access.command("alerts")
def alerts(by: Actor = None, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """Show what is not as usual in the last day: much taken, odd hours, many persons, refusals, new keys; logged."""
    from passerelle.access.alerting import alerts as found

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "access_read", "alerts", by=by, reason=reason),
        workspace.database.read() as connection,
    ):
        value = found(connection, workspace.now())
    titles = [Text("alerte", "alert"), Text("qui", "who"), Text("combien", "how many"), Text("en dernier", "last")]
    rows = [(said(ACCESS_ALERTS, one.code), one.actor or one.partner, one.count, moment(one.last, out.lang)) for one in value]  # fmt: skip
    nothing = Text("Rien d'inhabituel.", "Nothing unusual.")
    out.answer(
        [one.as_json() for one in value],
        lambda: out.table(titles, rows, right=frozenset({2})) if rows else out.say(nothing, Tone.DONE),
    )
