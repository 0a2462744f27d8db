"""What others need to watch the gateway: the exported trail, its witnesses, and the signing key that partners trust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from portal.commands.trail import trail
from portal.context import JsonFlag, content, looked, opened, screen, written
from portal.render import Text, Tone, number
from portal.words import moment

witness = typer.Typer(help="Partners who cosign heads of the trail.", no_args_is_help=True)
keys = typer.Typer(help="The gateway's own keys.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    trail.command("export")(export)
    trail.command("consistency")(consistency)
    trail.command("checkpoints")(checkpoints)
    trail.add_typer(witness, name="witness")
    app.add_typer(keys, name="keys")


def export(
    out_folder: Annotated[Path, typer.Option("--out", help="Folder; an earlier export there is continued.")],
    as_json: JsonFlag = False,
) -> None:
    """Write the trail as static files that any C2SP tlog-tiles client reads."""
    from passerelle.trail.tiles import export as export_tiles

    out = screen(as_json=as_json)
    with opened() as workspace:
        with looked(workspace, "trail_export", "trail"), workspace.database.begin() as connection:
            workspace.ledger.checkpoint(connection, workspace.now())
        with workspace.database.read() as connection:
            head = workspace.ledger.latest(connection)
            assert head is not None  # noqa: S101 - signed just above
            count = export_tiles(connection, head, out_folder)
    written(out_folder / "trail.vkey", (workspace.ledger.verifier_key + "\n").encode(), "--out")
    value = {"size": head.size, "root": head.root.hex(), "files": count, "folder": str(out_folder)}
    entries = number(head.size, out.lang)
    said = Text(f"Journal exporté : {entries} écritures.", f"Trail exported: {entries} entries.")
    out.answer(value, lambda: out.say(said, Tone.DONE))


def consistency(
    older: Annotated[int, typer.Argument(min=1, help="Number of entries of the older head.")],
    newer: Annotated[int | None, typer.Argument(min=1, help="Of the newer one; by default all signed.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that a newer head continues an older one: the hashes of RFC 6962, one a line."""
    from passerelle.trail.note import encode64

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        head = workspace.ledger.latest(connection)
        until = newer if newer is not None else head.size if head else 0
        path = [encode64(item) for item in workspace.ledger.prove_consistency(connection, older, until)]
    value = {"older": older, "newer": until, "proof": path}
    out.answer(value, lambda: out.put("".join(f"{line}\n" for line in path).encode()))


def checkpoints(
    entries: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Sign when so many entries stand unsigned.")
    ] = None,
    minutes: Annotated[
        int | None, typer.Option(min=1, max=1440, help="Sign when one stood unsigned for so long.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show, or set, how often the head of the trail is signed; told in the trail."""
    from passerelle.handover.signing import checkpoint_policy, set_checkpoint_policy

    out = screen(as_json=as_json)
    with opened() as workspace:
        if entries is not None or minutes is not None:
            set_checkpoint_policy(workspace, entries, minutes)
        with workspace.database.read() as connection:
            value = checkpoint_policy(connection)
    facts = [
        (Text("écritures au plus sans jalon", "entries at most without a checkpoint"), value["entries"]),
        (Text("minutes au plus sans jalon", "minutes at most without a checkpoint"), value["minutes"]),
    ]
    out.answer(value, lambda: out.facts(facts))


@witness.command("add")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The witness's verifier key (type 4), one line.")],
    party: Annotated[str, typer.Option("--as", help="The partner that it is.")],
    as_json: JsonFlag = False,
) -> None:
    """Enrol the key that a partner cosigns heads with."""
    from passerelle.handover.witnesses import enrol_witness

    out = screen(as_json=as_json)
    with opened() as workspace:
        key = enrol_witness(workspace, content(file, "FILE").decode("utf-8", "replace"), party)
    said = Text(f"Témoin {key.name} inscrit.", f"Witness {key.name} enrolled.")
    out.answer({"witness": key.name, "party": party}, lambda: out.say(said, Tone.DONE))


@witness.command("record")
def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint with the witness's line.")],
    as_json: JsonFlag = False,
) -> None:
    """Keep the cosignatures that a checkpoint came back with."""
    from passerelle.trail.witness import record as record_cosignatures

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        found = record_cosignatures(connection, workspace.ledger, content(file, "FILE"), workspace.now())
    value = [{"witness": one.witness, "size": one.size, "at": one.at.isoformat()} for one in found]
    names = ", ".join(one.witness for one in found)
    out.answer(value, lambda: out.say(Text(f"Cosigné par {names}.", f"Cosigned by {names}."), Tone.DONE))


@witness.command("require")
def require(
    count: Annotated[int, typer.Argument(metavar="K", min=0, help="How many witnesses before a purge.")],
    as_json: JsonFlag = False,
) -> None:
    """Set how many witnesses must have cosigned the latest head before a purge."""
    from passerelle.handover.witnesses import require_witnesses

    out = screen(as_json=as_json)
    with opened() as workspace:
        require_witnesses(workspace, count)
    said = Text(f"Témoins exigés avant une destruction : {count}.", f"Witnesses required before a purge: {count}.")
    out.answer({"required": count}, lambda: out.say(said, Tone.DONE))


@witness.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Show the witnesses and the largest head that each one cosigned."""
    from passerelle.clock import iso
    from passerelle.trail.witness import cosignatures, enrolled

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        known, seen = enrolled(connection), {one.witness: one for one in cosignatures(connection)}
    value, rows = [], []
    for key, party in known:
        last = seen.get(key.name)
        size, at = (last.size, iso(last.at)) if last else (None, None)
        value.append({"witness": key.name, "party": party, "size": size, "at": at})
        rows.append((key.name, party, size, moment(at, out.lang)))
    titles = [Text("témoin", "witness"), Text("partenaire", "partner"), Text("a vu", "saw"), Text("le", "at")]
    out.answer(value, lambda: out.table(titles, rows) if rows else out.say(Text("Aucun témoin.", "No witness.")))


@keys.command("rotate-signing")
def rotate(as_json: JsonFlag = False) -> None:
    """Sign manifests and certificates with a new key; what the old one signed stays good."""
    from passerelle.handover.signing import rotate_signing
    from passerelle.keys import fingerprint

    out = screen(as_json=as_json)
    with opened() as workspace:
        new = fingerprint(rotate_signing(workspace).key)
        trust = str(workspace.home / "trust")

    def show() -> None:
        out.say(
            Text("Clé de signature renouvelée, inscrite au journal.", "Signing key rotated, told in the trail."),
            Tone.DONE,
        )
        out.facts([(Text("empreinte", "fingerprint"), new)])
        out.say(
            Text(f"Remettez {trust}/allowed_signers aux partenaires.", f"Hand {trust}/allowed_signers to the partners.")
        )

    out.answer({"fingerprint": new, "trust": trust}, show)
