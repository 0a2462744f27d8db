"""plan, obligations: what is due, what would run or be refused, what was done and what is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, date_value, opened, screen

DAYS_AHEAD = 60
MAX_DAYS = 3660  # ten years of every convention at once


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("plan")(plan)
    app.command("obligations")(obligations)


def plan(
    start: Annotated[str | None, typer.Option("--from", help="First day; by default today.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day; by default sixty days later.")] = None,
    which: Annotated[str | None, typer.Option("--convention", help="One convention only.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what is due day by day, what would run, and what would be refused and why."""
    from flows import planning
    from passerelle.planning import plan as planned
    from passerelle.planning import standing
    from portal.due import show_plan

    out = screen(as_json=as_json)
    items: list[dict[str, Any]] = []
    exchanges: list[dict[str, Any]] = []
    with opened() as workspace, workspace.database.read() as connection:
        now = workspace.now()
        first = date_value(start, "--from") if start else now.date()
        last = date_value(end, "--to") if end else first + timedelta(days=DAYS_AHEAD)
        if not first <= last <= first + timedelta(days=MAX_DAYS):
            raise UsageError(
                "expected --to on or after --from, and ten years at most",
                fr="--to doit être le même jour que --from ou après, dix ans au plus",
            )
        changed = planning.not_approved(workspace, connection)
        asked = [planning.known(workspace, connection, which)] if which else planning.each(workspace, connection)
        for one in asked:
            if one.convention.id not in changed:
                items += [item.as_json() for item in planned(one, first, last, now)]
                exchanges += [span.as_json() for span in standing(one, first, last, now)]
    items.sort(key=lambda item: (item["date"], item["convention"], item["kind"], item["key"]))
    value = {"from": first.isoformat(), "to": last.isoformat(), "items": items, "exchanges": exchanges, "not_approved": changed}  # fmt: skip
    out.answer(value, lambda: show_plan(out, value))


def obligations(
    which: Annotated[str | None, typer.Argument(metavar="ID", help="One convention only.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day; by default the convention's start.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day; by default a year from now.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the register of obligations: due, done with its evidence, late."""
    from flows import planning
    from passerelle.planning import register
    from portal.due import show_register

    out = screen(as_json=as_json)
    first = date_value(start, "--from") if start else None
    last = date_value(end, "--to") if end else None
    with opened() as workspace, workspace.database.read() as connection:
        asked = [planning.known(workspace, connection, which)] if which else planning.each(workspace, connection)
        found = [entry.as_json() for one in asked for entry in register(one, workspace.now(), since=first, until=last)]
    out.answer(found, lambda: show_register(out, found))
