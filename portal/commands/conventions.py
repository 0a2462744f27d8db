"""convention, calendar: the texts, what happened to them, and what follows."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import ConventionFileError, UsageError
from portal.context import (
    Actor,
    JsonFlag,
    actor,
    content,
    date_value,
    instant_value,
    json_value,
    opened,
    regular,
    screen,
    today,
)
from portal.render import Text, Tone
from portal.words import PARIS

if TYPE_CHECKING:
    from passerelle.convention import Convention, Event

convention = typer.Typer(help="Conventions: the text, its history, what it allows.", no_args_is_help=True)
Which = Annotated[str, typer.Argument(metavar="ID", help="The convention's id.")]
WITHOUT_TEXT = frozenset({"any", "synthetic"})  # questions of bare dates and of the GDPR's own delays


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(convention, name="convention")
    app.command("calendar")(calendar)


@convention.command("check")
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Convention files, or folders of them.")],
    as_json: JsonFlag = False,
) -> None:
    """Load convention files strictly; every fault with file:line."""
    from passerelle.convention import load
    from passerelle.workspace import Settings, convention_files

    out = screen(as_json=as_json)
    value: list[dict[str, Any]] = []
    known, files = convention_files(Settings.read(os.environ).home), _files(paths)
    for path in files:
        try:
            loaded = load(path, {**known, **{one.stem: one for one in path.parent.glob("*.yaml")}})
            value.append({"file": path.name, "id": loaded.id, "sha256": loaded.sha256, "faults": []})
        except ConventionFileError as error:
            value.append({"file": path.name, "id": None, "sha256": None, "faults": list(error.faults)})

    def show() -> None:
        for one in value:
            out.say(f"{one['file']}", Tone.REFUSED if one["faults"] else Tone.DONE)
            for fault in one["faults"]:
                out.say(f"  {fault}")

    out.answer(value, show)
    if any(one["faults"] for one in value):
        raise typer.Exit(1)


def _files(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        folder = os.path.isdir(path)  # noqa: PTH112 -- Path.is_dir raises on a name too long
        inside = sorted(path.glob("*.yaml")) if folder else [regular(path, "PATH")]
        if not inside:
            raise UsageError("the folder has no *.yaml file", fr="le dossier n'a aucun fichier *.yaml")
        found += inside
    return found


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
    """Show a convention's status, every derived date and every exchange's decision, with basis and arithmetic."""
    from passerelle.convention import show as told
    from portal.page import show_convention

    out = screen(as_json=as_json)
    with opened() as workspace:
        text = workspace.convention(which)
        with workspace.database.read() as connection:
            history = workspace.history(connection, which)
        at = instant_value(as_of, "--as-of", text.zone) if as_of else workspace.now()
    value = told(text, history, at)
    out.answer(value, lambda: show_convention(out, text, value))


@convention.command("ask")
def ask(
    which: Which,
    question: Annotated[str, typer.Argument(help="For example in_force, can_run, destruction_deadline.")],
    events: Annotated[
        Path | None, typer.Option("--events", help="JSON list of events that replaces the recorded history.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="A date or an ISO instant; by default now, and none with --events.")
    ] = None,
    args: Annotated[str, typer.Option("--args", help="JSON object with what the question needs.")] = "{}",
    as_json: JsonFlag = False,
) -> None:
    """Ask one question of a convention; ``any`` and ``synthetic`` are questions of rules without a text."""
    from passerelle.convention import answer

    out = screen(as_json=as_json)
    arguments = json_value(args, "--args", dict)
    if events is None and which not in WITHOUT_TEXT:
        text, history, now = _on_record(which)
    else:
        text, history, now = _by_itself(which), _events(events), None
    at = instant_value(as_of, "--as-of", PARIS if text is None else text.zone) if as_of else now
    if question == "validate":
        from contracts.validation import validate

        value: Any = validate(text, arguments, today() if at is None else at.date(), history)
    else:
        value = answer(text, history, question, at, arguments)
    out.answer(value, lambda: out.say(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _on_record(which: str) -> tuple[Convention | None, tuple[Event, ...], datetime | None]:
    """A convention of the workspace with its recorded history, and the workspace's instant."""
    with opened() as workspace, workspace.database.read() as connection:
        return workspace.convention(which), workspace.history(connection, which), workspace.now()


def _by_itself(which: str) -> Convention | None:
    """A convention without a history: with events given, no workspace is needed."""
    from passerelle.workspace import Settings, load_convention

    return None if which in WITHOUT_TEXT else load_convention(Settings.read(os.environ).home, which)


def _events(path: Path | None) -> tuple[Event, ...]:
    from passerelle.convention import Event

    rows = [] if path is None else json_value(content(path, "--events"), "--events", list)
    return tuple(Event.from_json(row) for row in rows)


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
    from passerelle.convention.event import RUNS_FROM
    from passerelle.handover.recording import record_event
    from portal.bundle.words import EVENTS
    from portal.due import show_exposures

    out = screen(as_json=as_json)
    kind, _, named = event.partition(":")
    meant = (("id", subject or named), ("on", valid_on), ("by", party), ("exchange", exchange))
    payload = {**{name: value for name, value in meant if value}, **json_value(args, "--args", dict)}
    seal = hashlib.sha256(content(evidence, "--evidence")).hexdigest() if evidence else None
    with opened() as workspace:
        text = workspace.convention(which)
        _insist_on_party(text, party)
        recorded = record_event(workspace, which, kind, payload, by=actor(by), evidence_sha256=seal)
    own = {"id"} if kind in RUNS_FROM else set()  # of a person's request or of a breach: no id of the text
    strange = _strange(text, {name: value for name, value in payload.items() if name not in own})
    exposed = [one.as_json() for one in recorded.exposures]
    value = {"convention": which, "event": kind, "number": recorded.number, "evidence_sha256": seal, "unknown": strange, "exposures": exposed}  # fmt: skip

    def told() -> None:
        known = EVENTS.get(kind)
        fr, en = (f" ({known.fr})", f" ({known.en})") if known else ("", "")
        out.say(
            Text(f"Événement {kind}{fr} consigné sur {which}.", f"Event {kind}{en} recorded on {which}."), Tone.DONE
        )
        for name in strange:
            out.say(Text(f"Le texte ne connaît pas « {name} » : vérifiez l'orthographe.", f"The text does not know “{name}”: check the spelling."), Tone.WARNED)  # fmt: skip
        if seal is None:
            out.say(Text("Sans pièce justificative : ajoutez-la dès que possible.", "Without evidence: add it as soon as you can."), Tone.WARNED)  # fmt: skip
        if exposed:
            show_exposures(out, exposed)

    out.answer(value, told)


def _insist_on_party(text: Convention, party: str | None) -> None:
    """An act is a party's, not a person's: a name would stay in the register for good."""
    known = [*(one.id for one in text.parties), *(one.id for one in text.third_parties), "dpo"]
    if party is not None and party not in known:
        raise UsageError(
            f"--party: expected one of {', '.join(known)}", fr=f"--party : il faut l'une de {', '.join(known)}"
        )


def _strange(text: Convention, payload: dict[str, Any]) -> list[str]:
    """What an event names that the text does not: an event is recorded as it came, and a slip would stay unseen."""
    from passerelle.convention.record import PROCESSING_RECORD

    known = {PROCESSING_RECORD, *(one.id for one in text.instruments), *(one.id for one in text.exchanges)}
    known |= {one.id for one in text.obligations}
    if not isinstance(text.security, str):
        known |= {one.id for one in text.security.preconditions}
    named = [payload[name] for name in ("id", "exchange") if isinstance(payload.get(name), str)]
    return [name for name in named if name not in known]


def calendar(
    start: Annotated[str, typer.Option("--from", help="First day.")],
    end: Annotated[str, typer.Option("--to", help="Last day.")],
    form: Annotated[str, typer.Option("--format", help="table, json or ics.")] = "table",
    as_json: JsonFlag = False,
) -> None:
    """Show what starts, is due, renews, ends and is destroyed between two days."""
    from passerelle.convention import calendar_entries
    from portal.life import as_ics, show_calendar

    if form not in {"table", "json", "ics"}:
        raise UsageError("expected --format table, json or ics", fr="--format accepte table, json ou ics")
    first, last = date_value(start, "--from"), date_value(end, "--to")
    if last < first:
        raise UsageError("expected --to on or after --from", fr="--to doit être le même jour que --from, ou après")
    out = screen(as_json=as_json or form == "json")
    entries: list[dict[str, Any]] = []
    with opened() as workspace, workspace.database.read() as connection:
        for one in workspace.convention_ids():
            text = workspace.convention(one)
            entries += calendar_entries(text, workspace.history(connection, one), first, last)
        now = workspace.now()
    entries.sort(key=lambda entry: (entry["date"], entry["convention"], entry["kind"]))
    if form == "ics" and not as_json:
        out.put(as_ics(entries, now, out.lang).encode())
        return
    out.answer(entries, lambda: show_calendar(out, entries))
