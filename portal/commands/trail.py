"""trail: the DPO's questions to the evidence."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, content, looked, opened, screen, written
from portal.render import Text, Tone, number
from portal.words import moment

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
    """Rebuild the log from its entries, check every hash, head and signature, and hold the tables against it."""
    from passerelle.trail.fsck import check
    from passerelle.workspace.agreement import verify_tables

    out = screen(as_json=as_json)
    held = [content(path, "--receipt") for path in receipt or []]
    with opened() as workspace, workspace.database.read() as connection:
        report = check(connection, workspace.ledger.verifier_key, held)
        tables = verify_tables(workspace.ledger, connection)
    value = {**report.as_json(), "tables": tables}

    def show() -> None:
        entries = number(report.size, out.lang)
        out.say(Text(f"Le registre de preuve est intact : {entries} écritures.", f"The trail is whole: {entries} entries."), Tone.DONE)  # fmt: skip
        out.facts(
            [
                (Text("dernière écriture", "last entry"), moment(value["at"], out.lang)),
                (Text("jalons signés vérifiés", "signed checkpoints verified"), value["checkpoints"]),
                (Text("écritures depuis le dernier jalon", "entries since the last checkpoint"), value["unsigned"]),
                (
                    Text("jalons tenus par d'autres, vérifiés", "checkpoints held by others, verified"),
                    value["receipts"],
                ),
                (Text("cosignatures de témoins vérifiées", "witnesses' cosignatures verified"), value["cosignatures"]),
                (Text("livraisons retrouvées aux tables", "deliveries found in the tables"), tables["deliveries"]),
                (Text("copies au registre", "copies in the register"), tables["holdings"]),
                (Text("empreinte du registre", "root of the trail"), value["root"]),
            ]
        )

    out.answer(value, show)


@trail.command("show")
def show_entries(
    convention: Annotated[str | None, typer.Option(help="Entries about one convention only.")] = None,
    last: Annotated[int, typer.Option(min=1, help="How many of the latest entries.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show the trail as sentences."""
    from passerelle.trail.show import render
    from portal.bundle.words import EVENTS
    from portal.words import named

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "trail_read", convention or "trail", convention=convention),
        workspace.database.read() as connection,
    ):
        if convention is None:
            known = workspace.ledger.entries(connection, max(workspace.ledger.size(connection) - last, 0))
        else:
            workspace.convention(convention)
            every = workspace.ledger.entries(connection)
            known = (one for one in every if one.entry.body.get("convention") == convention)
        chosen = deque(known, maxlen=last)
    value = [{"index": r.index, "at": r.entry.at, "kind": r.entry.kind, "body": dict(r.entry.body)} for r in chosen]
    titles = [Text("n°", "no."), Text("instant", "instant"), Text("écriture", "entry")]
    out.answer(
        value,
        lambda: out.table(
            titles,
            [(r.index, moment(r.at, out.lang), r.text) for r in render(chosen, out.lang, named(EVENTS, out.lang))],
            right=frozenset({0}),
        ),
    )


@trail.command("prove")
def prove(
    entry: Annotated[int, typer.Argument(help="The entry's number.")],
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the proof there instead of printing it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove one entry: a C2SP tlog-proof that anyone checks offline."""
    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "trail_prove", f"entry-{entry}"),
        workspace.database.begin() as connection,
    ):
        size = workspace.ledger.size(connection)
        if not 0 <= entry < size:
            raise UsageError(
                f"expected an entry from 0 to {size - 1}",
                hint="passerelle trail show numbers them",
                fr=f"les écritures vont de 0 à {size - 1}",
                hint_fr="passerelle trail show les numérote",
            )
        workspace.ledger.checkpoint(connection, workspace.now())
        proof = workspace.ledger.prove(connection, entry)
    if out_file is not None:
        written(out_file, proof, "--out")
    out.answer({"entry": entry, "proof": proof.decode()}, lambda: None if out_file else out.put(proof))
