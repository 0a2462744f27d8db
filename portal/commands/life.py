"""init, demo: the workspace itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from portal.context import JsonFlag, screen
from portal.render import Text, Tone


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("init")(init)
    app.command("demo")(demo)


def init(
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Allow a pretended clock (PASSERELLE_NOW).")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make the workspace: keys, database, folders."""
    from passerelle.workspace import Settings, Workspace

    workspace = Workspace.create(Settings.read(os.environ), rehearsal=rehearsal)
    out = screen(as_json=as_json)
    facts = {
        "home": str(workspace.home),
        "origin": workspace.origin,
        "rehearsal": rehearsal,
        "conventions": workspace.convention_ids(),
    }

    def show() -> None:
        out.say(Text("L'espace de travail est prêt.", "The workspace is ready."), Tone.DONE)
        out.facts(
            [
                (Text("dossier", "folder"), facts["home"]),
                (Text("registre de preuve", "trail"), facts["origin"]),
                (Text("conventions", "conventions"), ", ".join(workspace.convention_ids())),
            ]
        )
        out.say(
            Text(
                "Sauvegardez le dossier keys/ à part de la base : sans l'un, l'autre reste fermé. Détruisez ses sauvegardes à chaque purge.",
                "Back up the folder keys/ apart from the database: without the one, the other stays shut. Destroy its backups at each purge.",
            )
        )

    out.answer(facts, show)
    workspace.close()


def demo(
    home: Annotated[Path, typer.Option(help="Where the demo's workspace is made.")] = Path("demo-workspace"),
) -> None:
    """Play a convention's whole life on generated data, on a pretended clock."""
    from portal.demo import play

    play(home.absolute(), screen())
