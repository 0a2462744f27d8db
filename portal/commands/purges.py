"""purge: what is to be destroyed and when, making it go, and the proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from passerelle.errors import RefusedError, UsageError
from portal.certificate import on, show_certificate
from portal.context import JsonFlag, looked, opened, screen, written
from portal.render import Screen, Text, Tone, size
from portal.words import COPIES, NO_VALUE, PURGE_STATES, ground, moment, reason, said

purge = typer.Typer(help="Destruction: plan, run, certificate.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(purge, name="purge")


@purge.command("plan")
def plan(as_json: JsonFlag = False) -> None:
    """Show what would be destroyed, when, and why then; destroys nothing."""
    from retention.plan import plans

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "purge_plan_read", "plans"),
        workspace.database.read() as connection,
    ):
        value = [one.as_json() for one in plans(workspace, connection)]
    out.answer(value, lambda: _show_plans(out, value))


def _show_plans(out: Screen, value: list[dict[str, Any]]) -> None:
    if not value:
        out.say(Text("Rien n'est détenu : rien n'est à détruire.", "Nothing is held: nothing is to be destroyed."))
    for one in value:
        out.heading(one["convention"])
        deadline = one["deadline"]
        out.facts(
            [
                (Text("échéance", "deadline"), on(deadline["value"]) or NO_VALUE.get(deadline["status"])),
                (Text("fondement", "basis"), ground(deadline["basis"], deadline["article"])),
                (Text("calcul", "arithmetic"), deadline["arithmetic"][out.lang]),
                (Text("purge possible", "purge may run"), one["allowed"]),
                (Text("motif", "reason"), reason(one["reason"])),
                (Text("copies chez des partenaires", "copies with partners"), one["partner_copies"]),
            ]
        )
        titles = [Text("copies", "copies"), Text("nombre", "count"), Text("taille", "size")]
        rows = [(said(COPIES, c["kind"]), c["count"], size(c["bytes"], out.lang)) for c in one["copies"]]
        out.table(titles, rows, right=frozenset({1, 2}))


@purge.command("run")
def run(
    convention: Annotated[str | None, typer.Argument(help="One convention; by default every one that is due.")] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Destroy; without it the plan is shown.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Destroy what is due: keys, copies, rows; rotate the root key; write the certificate."""
    from retention.plan import plan as plan_one
    from retention.plan import plans
    from retention.purge import purge as purge_one

    out = screen(as_json=as_json)
    with opened() as workspace:
        seen = looked(workspace, "purge_plan_read", convention or "plans", convention=convention)
        with seen, workspace.database.read() as connection:
            found = [plan_one(workspace, connection, convention)] if convention else plans(workspace, connection)
        due = [one for one in found if one.allowed or convention]
        if not confirm:
            value = [one.as_json() for one in due]
            out.answer({"confirmed": False, "plans": value}, lambda: _preview(out, value))
            return
        if not due:
            raise RefusedError(
                "no purge is due",
                hint="passerelle purge plan shows the deadlines",
                fr="aucune destruction n'est à échéance",
                hint_fr="passerelle purge plan donne les échéances",
            )
        done = [purge_one(workspace, one.convention) for one in due]
    certificates = [{"purge": p.id, "convention": p.convention, "certificate": p.id} for p in done]

    def show() -> None:
        for one in done:
            out.say(Text(f"{one.convention} : détruit, certificat {one.id}.", f"{one.convention}: destroyed, certificate {one.id}."), Tone.DONE)  # fmt: skip

    out.answer({"confirmed": True, "certificates": certificates}, show)


def _preview(out: Screen, value: list[dict[str, Any]]) -> None:
    _show_plans(out, value)
    if value:
        out.say(Text("Rien n'a été détruit : ajoutez --confirm.", "Nothing was destroyed: add --confirm."), Tone.WARNED)


@purge.command("status")
def status(as_json: JsonFlag = False) -> None:
    """Show purges, under way and done."""
    from passerelle.store import purges

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        known = purges.purges(connection)
    value = [{"purge": p.id, "convention": p.convention, "state": p.state, "ended_at": p.ended_at} for p in known]
    titles = [Text("purge", "purge"), Text("convention", "convention"), Text("état", "state"), Text("achevée", "ended")]
    rows = [(p.id, p.convention, said(PURGE_STATES, p.state), moment(p.ended_at, out.lang)) for p in known]
    out.answer(value, lambda: out.table(titles, rows))


@purge.command("certificate")
def certificate(
    purge_id: Annotated[str, typer.Argument(metavar="ID", help="The purge's id, or its convention's.")],
    out_folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for certificate.json and its SSH signature, to keep and to check."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a certificate of destruction: what is proved, and what it cannot prove."""
    from passerelle.store import purges

    seen = "certificate_read", "certificate"
    with opened() as workspace, looked(workspace, *seen) as look, workspace.database.read() as connection:
        found = [p for p in purges.purges(connection, state="done") if purge_id in {p.id, p.convention}]
        if found:
            look.subject, look.convention = found[-1].id, found[-1].convention
    if not found:
        raise UsageError(
            "no certificate of that id",
            hint="passerelle purge status lists the purges",
            fr="aucun certificat de ce numéro",
            hint_fr="passerelle purge status donne la liste des destructions",
        )
    last = found[-1]
    body = json.loads(last.certificate or "{}")
    out = screen(as_json=as_json)
    if out_folder is not None:
        written(out_folder / "certificate.json", (last.certificate or "").encode(), "--out")
        written(out_folder / "certificate.json.sig", (last.signature or "").encode(), "--out")
    out.answer({**body, "signature": last.signature}, lambda: show_certificate(out, body))
