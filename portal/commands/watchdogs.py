"""watchdog: what should have happened and did not, who took note of it, and whether the clock can be believed."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from portal.context import Actor, JsonFlag, actor, opened, screen
from portal.render import Screen, Text, Tone
from portal.words import WATCHED, alert_subject, moment, said

watchdog = typer.Typer(help="What is late or missing; independent of every job.", invoke_without_command=True)

CLOCKS = {
    "right": Text("à l'heure", "right"),
    "behind": Text("en retard sur ce que la passerelle a vu", "behind what the gateway has seen"),
    "jumped": Text("a sauté en avant, à confirmer", "jumped ahead, to be confirmed"),
}


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(watchdog, name="watchdog")


@watchdog.callback()
def watch(
    context: typer.Context,
    as_json: JsonFlag = False,
) -> None:
    """Look at everything that may be late, keep and send what changed; status 1 while an alert stands unacknowledged."""
    if context.invoked_subcommand is not None:
        return
    from flows.assembly import watch as look

    out = screen(as_json=as_json)
    found = look(os.environ.get("PASSERELLE_HOME"))
    out.answer(found, lambda: _show(out, found))
    if any(one["acknowledged_at"] is None for one in found):
        raise typer.Exit(1)


@watchdog.command("acknowledge")
def acknowledge(
    alert: Annotated[str, typer.Argument(metavar="ID", help="The alert's id.")],
    by: Annotated[str, typer.Option("--as", help="Who takes note of it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may stand, or what is done about it.")],
    as_json: JsonFlag = False,
) -> None:
    """Take note of an alert: it is still shown, and fails the watchdog no more."""
    from retention.watchdog import acknowledge as note

    out = screen(as_json=as_json)
    with opened() as workspace:
        one = note(workspace, alert, by=by, reason=reason)
    words = Text(f"Alerte {one.id} prise en compte.", f"Alert {one.id} acknowledged.")
    out.answer(one.as_json(), lambda: out.say(words, Tone.DONE))


@watchdog.command("clock")
def clock(
    confirm: Annotated[bool, typer.Option("--confirm", help="Record that the date was checked.")] = False,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Show whether the clock can be believed; after a jump ahead nothing is destroyed until it is confirmed."""
    from retention import clock as clocks

    out = screen(as_json=as_json)
    with opened() as workspace:
        if confirm:
            clocks.confirm(workspace, by=actor(by))
        with workspace.database.read() as connection:
            found = clocks.read(workspace, connection)
    facts = [
        (Text("horloge", "clock"), said(CLOCKS, found.state)),
        (Text("maintenant", "now"), moment(found.now, out.lang)),
        (Text("depuis", "since"), moment(found.since, out.lang)),
    ]
    out.answer(found.as_json(), lambda: out.facts(facts))
    if found.state != "right":
        raise typer.Exit(1)


def _show(out: Screen, found: list[dict[str, Any]]) -> None:
    if not found:
        out.say(Text("Rien n'est en retard.", "Nothing is late."), Tone.DONE)
        return
    titles = [
        Text("alerte", "alert"),
        Text("quoi", "what"),
        Text("au sujet de", "about"),
        Text("depuis", "since"),
        Text("prise en compte par", "acknowledged by"),
    ]
    out.table(titles, [_row(out, one) for one in found])


def _row(out: Screen, one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["id"],
        said(WATCHED, one["code"]),
        alert_subject(one) or None,
        moment(one["first_seen"], out.lang),
        one["acknowledged_by"],
    )
