"""quarantine: rejected rows, for how long they are kept, and reading them with a reason on record."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import RefusedError, UsageError
from portal.context import JsonFlag, actor, looked, opened, screen
from portal.render import Screen, Text, Tone
from portal.words import BASIS, REASONS, moment, said

if TYPE_CHECKING:
    from passerelle.handover.quarantine import Glimpse

quarantine = typer.Typer(help="Rejected rows: encrypted, short-lived, read with a reason only.", no_args_is_help=True)
RANGE = re.compile(r"([1-9][0-9]{0,14})(?:-([1-9][0-9]{0,14}))?")


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(quarantine, name="quarantine")


@quarantine.command("list")
def list_kept(as_json: JsonFlag = False) -> None:
    """Show the runs whose rejected rows are kept: how many, how old, and when they go."""
    from passerelle.handover.quarantine import kept_with_rows

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "quarantine_list", "quarantines") as look,
        workspace.database.read() as connection,
    ):
        value = [one.as_json(workspace.now()) for one in kept_with_rows(workspace, connection)]
        look.count = len(value)
    _show_list(out, value)


def _show_list(out: Screen, value: list[dict[str, Any]]) -> None:
    titles = [
        Text("traitement", "run"), Text("échange", "exchange"), Text("lignes", "rows"), Text("depuis (jours)", "age (days)"),
        Text("détruite le", "expires"), Text("fondement", "basis"), Text("retenue par", "held by"),
    ]  # fmt: skip
    rows = [
        (
            one["run"], f"{one['convention']}/{one['exchange']}", one["rows"], one["age_days"],
            moment(one["expires"], out.lang), said(BASIS, one["basis"]), said(REASONS, one["held"]),
        )
        for one in value
    ]  # fmt: skip
    out.answer(value, lambda: out.table(titles, rows, right=frozenset({2, 3})))


@quarantine.command("read")
def read(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id: passerelle quarantine list.")],
    reason: Annotated[str, typer.Option(help="Why: at least 15 characters, kept in the access log.")],
    person: Annotated[str, typer.Option("--as", help="Who reads.")],
    rows: Annotated[str | None, typer.Option(help="N or N-M: row numbers in the sender's file.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Every column, not only those that a broken rule names.")
    ] = False,
    seal_to: Annotated[str | None, typer.Option(help="age1… or ssh-…: seal the rows to this key, with --out.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="The sealed file, with --seal-to.")] = None,
) -> None:
    """Read rejected rows on this terminal, or seal them to a key; the reason is on record before the first row is shown."""
    from passerelle.handover.quarantine import hand_over, look
    from passerelle.keys import parse_recipient

    out, between = screen(), _range(rows)
    who = actor(person)
    if (seal_to is None) != (out_file is None):
        raise UsageError("--seal-to and --out go together", fr="--seal-to et --out vont ensemble")
    if seal_to is not None and out_file is not None:
        recipient = parse_recipient(seal_to)
        with opened() as workspace:
            count = hand_over(workspace, run, out_file.absolute(), recipient, reason=reason, by=who, rows=between)
        out.say(Text(f"{count} lignes scellées ; la lecture est au journal.", f"{count} rows sealed; the read is in the log."), Tone.DONE)  # fmt: skip
        return
    if not sys.stdout.isatty():
        raise RefusedError(
            "rejected rows are shown on a terminal only: this output is a file or a pipe",
            hint="--seal-to age1… --out FILE seals them to a key",
            fr="les lignes rejetées ne s'affichent que sur un terminal : cette sortie est un fichier ou un tube",
            hint_fr="--seal-to age1… --out FICHIER les scelle pour une clé",
        )
    with opened() as workspace:
        shown = look(workspace, run, reason=reason, by=who, rows=between, whole=whole)
    _show_rows(out, shown)


def _show_rows(out: Screen, shown: Glimpse) -> None:
    titles = [Text("ligne", "row"), Text("colonne", "column"), Text("règle", "rule"), Text("valeur", "value")]
    lines: list[tuple[object, ...]] = []
    for one in shown.rows:
        broken = {name: rule for column, rule in one.rules for name in column.split("+")}
        lines += [(one.row, name, broken.get(name, ""), value) for name, value in one.cells.items()]
        lines += [
            (one.row, column, rule, None) for column, rule in one.rules if not set(column.split("+")) & set(one.cells)
        ]
    out.table(titles, lines, right=frozenset({0}))
    if shown.more:
        out.say(Text(f"{shown.more} autres lignes : --rows N-M.", f"{shown.more} more rows: --rows N-M."), Tone.FAINT)


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = RANGE.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise UsageError("--rows: expected a row number N, or N-M", fr="--rows : il faut un numéro de ligne N, ou N-M")
    return first, last


@quarantine.command("expire")
def expire(
    confirm: Annotated[bool, typer.Option("--confirm", help="Destroy; without it what is due is shown.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Destroy the quarantines whose life is over; the daily job does it too."""
    from retention.quarantine import due
    from retention.quarantine import expire as expire_due

    out = screen(as_json=as_json)
    with opened() as workspace:
        with workspace.database.read() as connection:
            over = due(workspace, connection)
        gone = expire_due(workspace) if confirm else []
        value = {"confirmed": confirm, "due": [one.as_json(workspace.now()) for one in over], "destroyed": len(gone)}

    def show() -> None:
        if confirm:
            out.say(Text(f"Quarantaines détruites : {len(gone)}.", f"Quarantines destroyed: {len(gone)}."), Tone.DONE)
            return
        out.say(Text(f"Quarantaines échues : {len(over)} ; ajoutez --confirm pour les détruire.", f"Quarantines due: {len(over)}; add --confirm to destroy them."), Tone.WARNED)  # fmt: skip

    out.answer(value, show)


@quarantine.command("life")
def life(
    days: Annotated[
        int | None, typer.Argument(metavar="DAYS", help="Keep rejected rows for so many days from now on.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show for how many days rejected rows are kept, a rule of the hub; or set it, told in the trail."""
    from passerelle.handover import quarantine as rows

    out = screen(as_json=as_json)
    with opened() as workspace:
        if days is not None:
            rows.set_life(workspace, days)
        with workspace.database.read() as connection:
            number = rows.life(connection)
    text = Text(f"Les lignes rejetées sont conservées {number} jours.", f"Rejected rows are kept for {number} days.")
    out.answer({"days": number, "basis": "hub_policy"}, lambda: out.say(text))
