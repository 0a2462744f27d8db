"""convention picture: a convention's life as an SVG file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from passerelle.errors import UsageError
from portal.commands.conventions import Which, convention
from portal.context import JsonFlag, date_value, opened, screen, written
from portal.render import Text, Tone

LONG_AGO = date(1900, 1, 1)  # no term began before: the picture numbers them from the first


def attach(_app: typer.Typer) -> None:
    """Add this command to the group of conventions."""
    convention.command("picture")(draw)


def draw(
    which: Which,
    start: Annotated[str, typer.Option("--from", help="First day.")],
    end: Annotated[str, typer.Option("--to", help="Last day.")],
    out: Annotated[Path, typer.Option("--out", help="The SVG file to write.")],
    as_json: JsonFlag = False,
) -> None:
    """Draw a convention's life: terms, opt-out windows, due dates, deliveries, destruction."""
    from passerelle.convention import calendar_entries, show
    from portal.picture import done, picture

    first, last = date_value(start, "--from"), date_value(end, "--to")
    if last < first:
        raise UsageError("expected --to on or after --from", fr="--to doit être le même jour que --from, ou après")
    told = screen(as_json=as_json)
    with opened() as workspace:
        text, now = workspace.convention(which), workspace.now()
        with workspace.database.read() as connection:
            history = workspace.history(connection, which)
            acts = list(done(connection, text))
    drawn = picture(
        show(text, history, now), [*calendar_entries(text, history, LONG_AGO, last), *acts], told.lang, first, last
    )
    written(out, drawn.encode(), "--out")
    words = Text(f"Vie de {which} dessinée dans {out.name}.", f"Life of {which} drawn in {out.name}.")
    told.answer({"convention": which, "file": str(out), "from": start, "to": end}, lambda: told.say(words, Tone.DONE))
