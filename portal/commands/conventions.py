"""convention, calendar: the texts, what happened to them, and what follows."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import ConventionFileError, UsageError
from portal.context import Actor, JsonFlag, actor, opened, regular, screen
from portal.render import Text, Tone

if TYPE_CHECKING:
    from passerelle.convention import Convention

convention = typer.Typer(help="Conventions: the text, its history, what it allows.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="ID", help="The convention's id.")]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(convention, name="convention")
    app.command("calendar")(calendar)


@convention.command("check")
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Convention files.")], as_json: JsonFlag = False
) -> None:
    """Load convention files strictly; every fault with file:line."""
    from passerelle.convention import load

    out = screen(as_json=as_json)
    value: list[dict[str, Any]] = []
    for path in paths:
        try:
            loaded = load(regular(path, "PATH"))
            value.append({"file": path.name, "id": loaded.id, "sha256": loaded.sha256, "faults": []})
        except ConventionFileError as error:
            value.append({"file": path.name, "id": None, "sha256": None, "faults": list(error.faults) or [str(error)]})

    def show() -> None:
        for one in value:
            out.say(f"{one['file']}", Tone.REFUSED if one["faults"] else Tone.DONE)
            for fault in one["faults"]:
                out.say(f"  {fault}")

    out.answer(value, show)
    if any(one["faults"] for one in value):
        raise typer.Exit(1)


@convention.command("list")
def list_conventions(as_json: JsonFlag = False) -> None:
    """Show the conventions that this workspace knows."""
    out = screen(as_json=as_json)
    with opened() as workspace:
        known = [workspace.convention(one) for one in workspace.convention_ids()]
    value = [{"id": c.id, "title": {"fr": c.title.fr, "en": c.title.en}, "sha256": c.sha256} for c in known]
    rows = [(c.id, getattr(c.title, out.lang)) for c in known]
    out.answer(value, lambda: out.table([Text("convention", "convention"), Text("intitulé", "title")], rows))


@convention.command("show")
def show(
    which: Which,
    as_of: Annotated[str | None, typer.Option("--as-of", help="A date or an ISO instant; by default now.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a convention's status and every derived date, with its basis and arithmetic."""
    from passerelle.convention import show as told
    from portal.life import show_convention

    out = screen(as_json=as_json)
    with opened() as workspace:
        text = workspace.convention(which)
        with workspace.database.read() as connection:
            history = workspace.history(connection, which)
        at = _instant(as_of, text) if as_of else workspace.now()
    value = told(text, history, at)
    out.answer(value, lambda: show_convention(out, value))


@convention.command("ask")
def ask(
    which: Which,
    question: Annotated[str, typer.Argument(help="For example in_force, can_run, destruction_deadline.")],
    events: Annotated[
        Path | None, typer.Option("--events", help="JSON list of events that replaces the history.")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="An ISO instant; by default now.")] = None,
    args: Annotated[str, typer.Option("--args", help="JSON object with what the question needs.")] = "{}",
    as_json: JsonFlag = False,
) -> None:
    """Ask one question of a convention; ``any`` and ``synthetic`` are questions of rules without a text."""
    from passerelle.convention import Event, answer, load
    from passerelle.workspace import Settings

    arguments = _json(args, "--args", dict)
    settings = Settings.read(os.environ)
    given = None
    if events is not None:
        rows = _json(regular(events, "--events").read_text("utf-8"), "--events", list)
        given = tuple(Event.from_json(row) for row in rows)
    text: Convention | None = None
    now = settings.pretended_now or datetime.now().astimezone()
    if given is not None and which not in {"any", "synthetic"}:
        shipped = Path(__file__).parents[2] / "conventions" / f"{which}.yaml"
        local = settings.home / "conventions" / f"{which}.yaml"
        path = local if local.is_file() else shipped
        text = load(regular(path, f"convention {which}"))
    elif which not in {"any", "synthetic"}:
        with opened() as workspace:
            text, now = workspace.convention(which), workspace.now()
            with workspace.database.read() as connection:
                given = workspace.history(connection, which)
    at = _instant(as_of, text) if as_of else None
    value = answer(text, given or (), question, at if as_of or events else now, arguments)
    out = screen(as_json=as_json)
    out.answer(value, lambda: out.say(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


@convention.command("record")
def record(
    which: Which,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="signed, instrument_recorded, denounced, termination_letter…")
    ],
    subject: Annotated[
        str | None, typer.Option("--id", help="The instrument, precondition or obligation meant.")
    ] = None,
    valid_on: Annotated[str | None, typer.Option("--valid-on", help="The date on which it happened.")] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="The document that shows it: its hash is kept.")
    ] = None,
    party: Annotated[str | None, typer.Option("--party", help="The party whose act it is.")] = None,
    exchange: Annotated[str | None, typer.Option("--exchange", help="The exchange meant.")] = None,
    args: Annotated[str, typer.Option("--args", help="JSON object with further fields of the event.")] = "{}",
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Append an event to a convention's history."""
    from passerelle.handover.recording import record_event

    payload: dict[str, Any] = {
        **{
            name: value
            for name, value in (("id", subject), ("on", valid_on), ("by", party), ("exchange", exchange))
            if value
        },
        **_json(args, "--args", dict),
    }
    kind, colon, named = event.partition(":")
    if colon:
        payload.setdefault("id", named)
    seal = hashlib.sha256(regular(evidence, "--evidence").read_bytes()).hexdigest() if evidence else None
    out = screen(as_json=as_json)
    with opened() as workspace:
        number = record_event(workspace, which, kind, payload, by=actor(by), evidence_sha256=seal)
    value = {"convention": which, "event": kind, "number": number, "evidence_sha256": seal}

    def told() -> None:
        out.say(Text(f"Événement {kind} consigné sur {which}.", f"Event {kind} recorded on {which}."), Tone.DONE)
        if seal is None:
            out.say(Text("Sans pièce justificative : ajoutez-la dès que possible.", "Without evidence: add it as soon as you can."), Tone.WARNED)  # fmt: skip

    out.answer(value, told)


def calendar(
    start: Annotated[str, typer.Option("--from", help="First day.")],
    end: Annotated[str, typer.Option("--to", help="Last day.")],
    form: Annotated[str, typer.Option("--format", help="table, json or ics.")] = "table",
) -> None:
    """Show what starts, is due, renews, ends and is destroyed between two days."""
    from passerelle.convention import calendar_entries
    from portal.life import as_ics, show_calendar

    if form not in {"table", "json", "ics"}:
        raise UsageError("expected --format table, json or ics")
    first, last = _day(start, "--from"), _day(end, "--to")
    out = screen(as_json=form == "json")
    entries: list[dict[str, Any]] = []
    with opened() as workspace, workspace.database.read() as connection:
        for one in workspace.convention_ids():
            text = workspace.convention(one)
            entries += calendar_entries(text, workspace.history(connection, one), first, last)
        now = workspace.now()
    entries.sort(key=lambda entry: (entry["date"], entry["convention"], entry["kind"]))
    if form == "ics":
        typer.echo(as_ics(entries, now, out.lang), nl=False)
        return
    out.answer(entries, lambda: show_calendar(out, entries))


def _json(text: str, name: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise UsageError(f"{name}: expected a JSON {'object' if kind is dict else 'list'}")
    return value


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{name}: expected a date such as 2026-11-21")


def _instant(text: str, convention_: Convention | None) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("--as-of: expected a date or an ISO instant", hint="2026-11-21T09:00:00+01:00") from None
    if parsed.tzinfo is not None:
        return parsed
    if convention_ is None:
        raise UsageError("--as-of: expected an instant with its zone")
    return parsed.replace(tzinfo=convention_.zone)
