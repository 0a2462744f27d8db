"""trail: the DPO's questions to the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from portal.context import JsonFlag, opened, regular, screen
from portal.render import Text, Tone, number

trail = typer.Typer(help="The trail: what happened, and the proof that it was not altered.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(trail, name="trail")


@trail.command("verify")
def verify(
    receipt: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint or proof that someone else holds; may be given several times."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Rebuild the log from its entries and check every hash, head and signature."""
    from passerelle.trail.fsck import check

    out = screen(as_json=as_json)
    held = [regular(path, "--receipt").read_bytes() for path in receipt or []]
    with opened() as workspace, workspace.database.read() as connection:
        report = check(connection, workspace.ledger.verifier_key, held)
    value = report.as_json()

    def show() -> None:
        entries = number(report.size, out.lang)
        out.say(
            Text(f"Le journal est intact : {entries} écritures.", f"The trail is whole: {entries} entries."), Tone.DONE
        )
        out.facts([(name, value[name]) for name in value])

    out.answer(value, show)


@trail.command("show")
def show_entries(
    convention: Annotated[str | None, typer.Option(help="Entries about one convention only.")] = None,
    last: Annotated[int, typer.Option(help="How many of the latest entries.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show the trail as sentences."""
    from passerelle.trail.show import render

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        known = list(workspace.ledger.entries(connection))
    chosen = [r for r in known if convention is None or r.entry.body.get("convention") == convention][-last:]
    value = [
        {"index": r.index, "at": r.entry.at, "kind": r.entry.kind, "body": dict(r.entry.body)} for r in chosen
    ]  # fmt: skip
    titles = [Text("n°", "no."), Text("instant", "instant"), Text("écriture", "entry")]
    out.answer(
        value,
        lambda: out.table(titles, [(r.index, r.at, r.text) for r in render(chosen, out.lang)], right=frozenset({0})),
    )


@trail.command("prove")
def prove(
    entry: Annotated[int, typer.Argument(help="The entry's number.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the proof there instead of printing it.")
    ] = None,
) -> None:
    """Prove one entry: a C2SP tlog-proof that anyone checks offline."""
    out = screen()
    with opened() as workspace, workspace.database.begin() as connection:
        workspace.ledger.checkpoint(connection, workspace.now())
        proof = workspace.ledger.prove(connection, entry)
    if out_file is not None:
        out_file.write_bytes(proof)
    else:
        out.say(proof.decode().rstrip("\n"))
