"""contract probe: what a partner's file looks like, and what speaks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import JsonFlag, regular, screen, written
from portal.render import Screen, Text, Tone

if TYPE_CHECKING:
    from passerelle.intake.probe import Proposal

_LONGEST = 3


def attach(contract: typer.Typer) -> None:
    """Add this command to the group of data contracts."""
    contract.command("probe")(probe)


def probe(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of a partner, of any format with a reader.")],
    show_header: Annotated[bool, typer.Option("--show-header", help="Show the names of the columns too.")] = False,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="The contract whose columns those of the same name are, for --out.")
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Write the proposal there, names of columns too, for contract check --dialect."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Propose a dialect for a file, with its evidence. Nothing is applied and no value of the file is shown."""
    from contracts.registry import contract as find
    from passerelle.intake.declared import declaration
    from passerelle.intake.probe import probe as look

    if dataset is not None and out_file is None:
        raise UsageError("--dataset goes with --out", fr="--dataset va avec --out")
    out = screen(as_json=as_json)
    judging = None if dataset is None else find(dataset)
    proposal = look(regular(file, "FILE"))
    if out_file is not None:
        settings = declaration(proposal, judging)
        written(out_file, json.dumps(settings, ensure_ascii=False, indent=2).encode() + b"\n", "--out")
    out.answer(proposal.as_json(show_header=show_header), lambda: _show(out, proposal, show_header=show_header))


def _show(out: Screen, proposal: Proposal, *, show_header: bool) -> None:
    out.say(
        Text(
            "Proposition, qui n'est pas appliquée : un dialecte se déclare.",
            "A proposal, which is not applied: a dialect is declared.",
        ),
        Tone.WARNED,
    )
    rows = [(name, _written(value), proposal.evidence.get(name, "")) for name, value in proposal.settings.items()]
    rows += [(name, "", said) for name, said in proposal.evidence.items() if name not in proposal.settings]
    out.table([Text("réglage", "setting"), Text("proposé", "proposed"), Text("constat", "evidence")], rows)
    if show_header and proposal.named:
        out.facts([(name, _written(value)) for name, value in proposal.named.items()])
    titles = [Text("colonne", "column"), Text("aspect", "guess"), Text("décompte", "counts"), Text("défauts", "flaws")]
    names = [Text("nom", "name")] if show_header else []
    out.table(
        titles + names,
        [
            (
                one.place,
                one.main,
                _counts(one.shapes | one.marks),
                _counts(one.flaws),
                *([one.name] if show_header else []),
            )
            for one in proposal.columns
        ],
        right=frozenset({0}),
    )
    for warning in proposal.warnings:
        out.say(Text(f"À voir : {warning}", f"To look at: {warning}"), Tone.WARNED)
    seen = "tout le fichier" if proposal.whole else "le début du fichier"
    said = "the whole file" if proposal.whole else "the beginning of the file"
    out.say(
        Text(f"{proposal.rows} lignes examinées ({seen}).", f"{proposal.rows} rows looked at ({said})."), Tone.FAINT
    )


def _written(value: Any) -> str:
    names = {"\t": "tab", None: "none", "": "empty"}
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value)
    return names.get(value, str(value))


def _counts(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda pair: -pair[1])[:_LONGEST]
    return ", ".join(f"{count} {name}" for name, count in most)
