"""rehearse: a convention's life, played day by day on a pretended clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, content, date_value, json_value, opened, screen

if TYPE_CHECKING:
    from passerelle.convention import Convention, Event

MAX_DAYS = 36_600  # a century


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("rehearse")(rehearse)


def rehearse(
    which: Annotated[str, typer.Argument(metavar="ID", help="The convention's id.")],
    start: Annotated[str, typer.Option("--from", help="First day.")],
    end: Annotated[str, typer.Option("--to", help="Last day.")],
    events: Annotated[
        Path | None, typer.Option("--events", help="JSON list of events that replaces the recorded history.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Play a convention's life with the real gate, planner and purge decisions; what changed, on which day, and why."""
    from passerelle.planning import rehearse as played
    from portal.due import show_life

    out = screen(as_json=as_json)
    first, last = date_value(start, "--from"), date_value(end, "--to")
    if not 0 <= (last - first).days <= MAX_DAYS:
        raise UsageError(
            "expected --to on or after --from, and a century at most",
            fr="--to doit être le même jour que --from ou après, un siècle au plus",
        )
    text, history = _on_record(which) if events is None else _with(which, events)
    changes = [change.as_json() for change in played(text, history, first, last)]
    out.answer(changes, lambda: show_life(out, changes))


def _on_record(which: str) -> tuple[Convention, tuple[Event, ...]]:
    with opened() as workspace, workspace.database.read() as connection:
        return workspace.convention(which), workspace.history(connection, which)


def _with(which: str, path: Path) -> tuple[Convention, tuple[Event, ...]]:
    """A convention with the events of a file: no workspace is needed."""
    from passerelle.convention import Event
    from passerelle.workspace import Settings, load_convention

    rows = json_value(content(path, "--events"), "--events", list)
    return load_convention(Settings.read(os.environ).home, which), tuple(Event.from_json(row) for row in rows)
