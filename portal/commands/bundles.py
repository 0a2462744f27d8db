"""bundle: what an auditor is given, in one folder that verifies itself offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from portal.commands.conventions import Which
from portal.context import Actor, JsonFlag, Reason, actor, opened, screen, why
from portal.render import Text, Tone, number, size

STEPS = 5  # evidence, proofs, trail, pages, sums


def attach(app: typer.Typer) -> None:
    """Add this command."""
    app.command("bundle")(bundle)


def bundle(
    convention: Which,
    out_folder: Annotated[Path, typer.Option("--out", help="The folder to make; it is not there yet.")],
    names: Annotated[
        bool, typer.Option("--names", help="Name those who work with the gateway, instead of agent-1, agent-2…")
    ] = False,
    without_rest: Annotated[
        bool,
        typer.Option(
            "--without-rest",
            help="Leave the other conventions' entries of the trail out: no proof then that none is missing.",
        ),
    ] = False,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Write the auditor's bundle: what was allowed, left, was destroyed, with its proofs and a checker; logged."""
    from passerelle.access import Look
    from portal.bundle import pages
    from retention.bundle import Options, write_bundle

    out = screen(as_json=as_json)
    options = Options(names=names, whole_trail=not without_rest)
    with opened() as workspace, out.progress(Text("Dossier d'audit", "Auditor's bundle"), STEPS) as moved:
        look = Look(actor(by), "bundle_export", convention, why(reason), convention=convention)
        done = write_bundle(
            workspace,
            convention,
            out_folder.absolute(),
            look=look,
            pages=pages,
            options=options,
            told=lambda _: moved(1),
        )
    value = done.as_json()

    def show() -> None:
        out.say(
            Text(f"Dossier d'audit de {convention} établi.", f"Auditor's bundle of {convention} written."), Tone.DONE
        )
        out.facts(
            [
                (Text("fichiers", "files"), done.files),
                (Text("taille", "size"), size(done.bytes, out.lang)),
                (Text("écritures prouvées", "entries proven"), done.entries),
                (
                    Text("sur les écritures du registre", "of the entries of the trail"),
                    number(done.trail_size, out.lang),
                ),
                (Text("empreinte de SHA256SUMS", "hash of SHA256SUMS"), done.sha256),
            ]
        )
        folder = out_folder.name
        out.say(Text(f"À lire : {folder}/index.html", f"To read: {folder}/index.html"))
        out.say(Text(f"À vérifier, sans la passerelle : python3 -I -S {folder}/verify.py", f"To check, without the gateway: python3 -I -S {folder}/verify.py --lang en"))  # fmt: skip
        if not names:
            out.say(Text("Les agents y sont numérotés ; --names les nomme.", "Those who work are numbered; --names names them."), Tone.FAINT)  # fmt: skip

    out.answer(value, show)
