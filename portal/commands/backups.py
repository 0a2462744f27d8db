"""backup: what copies of the gateway there are, what they still hold, making one, putting one back."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, date_value, instant_value, looked, opened, screen
from portal.render import Screen, Text, Tone, day
from portal.words import COVERED, NO_VALUE, moment

backup = typer.Typer(help="Backups: what each holds, until when; making one and putting it back.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(backup, name="backup")


@backup.command("record")
def record(
    label: Annotated[str, typer.Argument(metavar="PATH|LABEL", help="Where it is, or what it is called.")],
    taken_at: Annotated[str, typer.Option("--taken-at", help="When it was taken: an instant, or a day.")],
    expires: Annotated[str, typer.Option("--expires", help="The last day on which it may be there.")],
    covers: Annotated[
        str, typer.Option("--covers", help="database, files, keys; separated by commas.")
    ] = "database,files",
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Put a backup that others made on record, told in the trail."""
    from retention import backups

    out = screen(as_json=as_json)
    parts = [part.strip().lower() for part in covers.replace(";", ",").split(",") if part.strip()]
    with opened() as workspace:
        new = backups.record(
            workspace, label, covers=parts, taken_at=instant_value(taken_at, "--taken-at", _zone()),
            expires_on=date_value(expires, "--expires"), by=actor(by),
        )  # fmt: skip
        value = backups.described(new, workspace.now().date())
    out.answer(value, lambda: _said(out, Text(f"Sauvegarde {new.id} inscrite.", f"Backup {new.id} is on record.")))


@backup.command("list")
def list_backups(
    holding: Annotated[
        str | None, typer.Option("--holding", metavar="CONVENTION", help="Only those that still hold something of it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the backups; with --holding those that still hold copies of a convention, purged or not, and whether they open."""
    from passerelle.store import backups as store
    from retention import backups

    out = screen(as_json=as_json)
    with opened() as workspace, looked(workspace, "backups_read", holding or "backups", convention=holding):
        if holding is not None:
            workspace.convention(holding)
        with workspace.database.read() as connection:
            if holding is not None:
                value = [one.as_json() for one in backups.holding(workspace, connection, holding)]
            else:
                today = workspace.now().date()
                value = [backups.described(one, today) for one in store.backups(connection)]
    out.answer(value, lambda: _show_holding(out, value) if holding else _show_list(out, value))


def _show_list(out: Screen, value: list[dict[str, Any]]) -> None:
    titles = [
        Text("sauvegarde", "backup"), Text("où", "where"), Text("contient", "covers"), Text("prise le", "taken"),
        Text("échéance", "expires"), Text("détruite le", "destroyed"),
    ]  # fmt: skip
    rows = [
        (
            one["backup"], one["label"], ", ".join(getattr(COVERED[part], out.lang) for part in one["covers"]),
            moment(one["taken_at"], out.lang), _on(one["expires_on"], out), moment(one["destroyed_at"], out.lang),
        )
        for one in value
    ]  # fmt: skip
    out.table(titles, rows)
    if any(one["overdue"] for one in value):
        out.say(Text("Des sauvegardes ont dépassé leur échéance : détruisez-les, puis passerelle backup expire ID.", "Backups are past their day: destroy them, then passerelle backup expire ID."), Tone.WARNED)  # fmt: skip


def _show_holding(out: Screen, value: list[dict[str, Any]]) -> None:
    if not value:
        out.say(Text("Aucune sauvegarde connue n'en contient encore.", "No known backup still holds any of it."), Tone.DONE)  # fmt: skip
        return
    titles = [
        Text("sauvegarde", "backup"), Text("copies", "copies"), Text("avec ses clés", "with its keys"),
        Text("convention détruite le", "convention purged"), Text("échéance de la convention", "convention's deadline"),
        Text("échéance de la sauvegarde", "backup expires"),
        Text("retard (jours)", "late (days)"),
    ]  # fmt: skip
    rows = [
        (
            one["backup"], one["copies"], one["opens"], _on(one["purged_on"], out),
            _on(one["deadline"], out) or NO_VALUE["undetermined"], _on(one["expires_on"], out), one["late_by"],
        )
        for one in value
    ]  # fmt: skip
    out.table(titles, rows, right=frozenset({1, 6}))


@backup.command("expire")
def expire(
    backup_id: Annotated[str, typer.Argument(metavar="ID", help="passerelle backup list.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the folder that passerelle backup make made.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put on record that a backup was destroyed; refused while its folder is there."""
    from retention import backups

    out = screen(as_json=as_json)
    with opened() as workspace:
        done = backups.expire(workspace, backup_id, remove=remove)
        value = backups.described(done, workspace.now().date())
    out.answer(value, lambda: _said(out, Text(f"Sauvegarde {done.id} détruite.", f"Backup {done.id} is destroyed.")))


@backup.command("make")
def make(
    folder: Annotated[Path, typer.Option("--out", help="A new folder, outside the workspace.")],
    expires: Annotated[
        str | None, typer.Option("--expires", help="The last day on which it may be there; by default thirty days on.")
    ] = None,
    with_keys: Annotated[
        Path | None,
        typer.Option("--with-keys", help="Another new folder, for the keys; without it they are not copied."),
    ] = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Copy database and files as they are at one instant, and put the backup on record; never the keys, unless apart."""
    from retention import backups

    out = screen(as_json=as_json)
    last = date_value(expires, "--expires") if expires else None
    keys = Path(os.path.abspath(with_keys)) if with_keys else None  # noqa: PTH100 -- links are not followed
    with opened() as workspace, looked(workspace, "backup_made", "backup"):
        new = backups.make(workspace, Path(os.path.abspath(folder)), by=actor(by), expires_on=last, keys=keys)  # noqa: PTH100 -- likewise
        value = backups.described(new, workspace.now().date())
    last_day = date.fromisoformat(new.expires_on)
    text = Text(
        f"Sauvegarde {new.id} faite, à détruire le {day(last_day, 'fr')} au plus tard.",
        f"Backup {new.id} is made, to be destroyed by {day(last_day, 'en')}.",
    )
    out.answer(value, lambda: _said(out, text))


@backup.command("restore")
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that passerelle backup make made.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="What is there now is replaced.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put a backup back; what was destroyed since is destroyed again before anything else opens the workspace."""
    from passerelle.workspace import Settings
    from retention.restoring import restore as put_back

    out = screen(as_json=as_json)
    if not confirm:
        raise UsageError(
            "expected --confirm: database and files that are there now are replaced",
            hint="passerelle backup make first, when they matter",
            fr="il faut --confirm : la base et les fichiers actuels seront remplacés",
            hint_fr="passerelle backup make d'abord, s'ils importent",
        )
    _show_restored(out, put_back(Settings.read(os.environ), Path(os.path.abspath(folder))).as_json())  # noqa: PTH100 -- as above


@backup.command("replay")
def replay(as_json: JsonFlag = False) -> None:
    """After a database was put back by other means: destroy again what was destroyed since, then let it be opened."""
    from passerelle.workspace import Settings
    from retention.restoring import replay as destroy_again

    out = screen(as_json=as_json)
    _show_restored(out, destroy_again(Settings.read(os.environ)).as_json())


def _show_restored(out: Screen, value: dict[str, Any]) -> None:
    def show() -> None:
        out.say(Text("Sauvegarde remise en place.", "The backup is back in place."), Tone.DONE)
        out.facts(
            [
                (Text("écritures retrouvées", "entries found"), value["trail_size"]),
                (Text("écritures perdues", "entries lost"), value["lost"]),
                (Text("copies à nouveau détruites", "copies destroyed again"), value["copies"]),
                (
                    Text("conventions à nouveau détruites", "conventions destroyed again"),
                    ", ".join(value["conventions"]) or "–",
                ),
                (Text("certificats repris", "certificates kept"), value["certificates"]),
                (Text("oppositions reprises", "objections kept"), value["objections"]),
                (Text("écritures de suspensions reprises", "records of holds kept"), value["holds"]),
            ]
        )
        if value["lost"]:
            out.say(Text("Ce qui a été consigné depuis la sauvegarde est à consigner à nouveau.", "What was recorded since the backup must be recorded again."), Tone.WARNED)  # fmt: skip

    out.answer(value, show)


def _on(text: str | None, out: Screen) -> str | None:
    return None if text is None else day(date.fromisoformat(text), out.lang)


def _said(out: Screen, text: Text) -> None:
    out.say(text, Tone.DONE)


def _zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Paris")
