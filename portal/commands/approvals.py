"""convention approve, convention exposures: who let a changed text through, and what a late event calls into question."""

from __future__ import annotations

from typing import Annotated

import typer

from portal.commands.conventions import convention
from portal.context import Actor, JsonFlag, actor, looked, opened, screen
from portal.render import Text, Tone

Which = Annotated[str, typer.Argument(metavar="ID", help="The convention's id.")]


def attach(_app: typer.Typer) -> None:
    """Add these commands to those of conventions."""
    convention.command("approve")(approve)
    convention.command("exposures")(exposures)


def approve(which: Which, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Approve the changed file of a convention: the gate refuses it until two people have."""
    from passerelle.handover.approval import approve as approved
    from passerelle.store.conventions import APPROVALS_NEEDED

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = approved(workspace, which, by=actor(by))
    missing = max(APPROVALS_NEEDED - len(found.approvals), 0)
    said = (
        Text(f"Le fichier de {which} est accepté.", f"The file of {which} is accepted.")
        if found.stands
        else Text(f"Approbation enregistrée ; il en manque {missing}.", f"Approval recorded; {missing} more needed.")
    )

    def show() -> None:
        out.say(said, Tone.DONE)
        out.facts([(Text("empreinte", "hash"), found.sha256)])

    out.answer(found.as_json(), show)


def exposures(which: Which, as_json: JsonFlag = False) -> None:
    """List the deliveries that should not have happened, as the record tells it since."""
    from passerelle.handover.exposures import exposures as exposed
    from portal.due import show_exposures

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "exposures_read", which, convention=which),
        workspace.database.read() as connection,
    ):
        found = [one.as_json() for one in exposed(workspace, connection, which)]
    out.answer(found, lambda: show_exposures(out, found))
