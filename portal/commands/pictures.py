"""convention picture: a convention's life as an SVG file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.commands.conventions import Which, convention
from portal.context import JsonFlag, date_value, opened, screen, written
from portal.render import Text, Tone

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passerelle.convention import Convention

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
    from portal.picture import picture

    first, last = date_value(start, "--from"), date_value(end, "--to")
    if last < first:
        raise UsageError("expected --to on or after --from", fr="--to doit être le même jour que --from, ou après")
    told = screen(as_json=as_json)
    with opened() as workspace:
        text, now = workspace.convention(which), workspace.now()
        with workspace.database.read() as connection:
            history = workspace.history(connection, which)
            done = list(_done(connection, text))
    drawn = picture(
        show(text, history, now), [*calendar_entries(text, history, LONG_AGO, last), *done], told.lang, first, last
    )
    written(out, drawn.encode(), "--out")
    words = Text(f"Vie de {which} dessinée dans {out.name}.", f"Life of {which} drawn in {out.name}.")
    told.answer({"convention": which, "file": str(out), "from": start, "to": end}, lambda: told.say(words, Tone.DONE))


def _done(connection: Connection, text: Convention) -> Iterator[dict[str, Any]]:
    """What was delivered and destroyed, as entries of the calendar: one for each day and exchange."""
    from passerelle.store import purges, runs

    def entry(kind: str, at: str | None, subject: str | None, title: dict[str, str]) -> dict[str, Any]:
        on = datetime.fromisoformat(at or "").astimezone(text.zone).date()
        return {
            "date": on.isoformat(), "kind": kind, "subject": subject, "title": title, "basis": "hub_policy",
            "article": None, "arithmetic": {"fr": "", "en": ""},
        }  # fmt: skip

    seen = set()
    for one in runs.deliveries(connection, convention=text.id, state="delivered"):
        exchange = text.exchange(one.exchange)
        if exchange is not None:
            made = entry("delivered", one.delivered_at, exchange.id, exchange.title.model_dump())
            made |= {"basis": exchange.basis, "article": exchange.article}
            if (made["date"], exchange.id) not in seen:
                seen.add((made["date"], exchange.id))
                yield made
    for purge in purges.purges(connection, convention=text.id, state="done"):
        yield entry("purged", purge.ended_at, None, {"fr": "Données détruites", "en": "Data destroyed"})
