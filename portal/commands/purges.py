"""purge: what is to be destroyed and when, making it go, and the proof."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from passerelle.errors import RefusedError, UsageError
from portal.context import JsonFlag, opened, screen
from portal.render import Screen, Text, Tone, number, size

purge = typer.Typer(help="Destruction: plan, run, certificate.", no_args_is_help=True)

KINDS = {
    "raw": Text("copies brutes", "raw copies"),
    "quarantine": Text("lignes rejetées", "rejected rows"),
    "staging": Text("fichiers de travail", "staged files"),
    "release": Text("seconds verrous", "second locks"),
    "parcel": Text("colis", "parcels"),
}


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(purge, name="purge")


@purge.command("plan")
def plan(as_json: JsonFlag = False) -> None:
    """Show what would be destroyed, when, and why then; destroys nothing."""
    from retention.plan import plans

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
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
                (Text("échéance", "deadline"), deadline["value"] or deadline["status"]),
                (Text("fondement", "basis"), deadline["basis"]),
                (Text("calcul", "arithmetic"), deadline["arithmetic"][out.lang]),
                (Text("purge possible", "purge may run"), one["allowed"]),
                (Text("motif", "reason"), one["reason"]),
            ]
        )
        titles = [Text("copies", "copies"), Text("nombre", "count"), Text("taille", "size")]
        rows = [(KINDS.get(c["kind"], c["kind"]), c["count"], size(c["bytes"], out.lang)) for c in one["copies"]]
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
        with workspace.database.read() as connection:
            found = [plan_one(workspace, connection, convention)] if convention else plans(workspace, connection)
        due = [one for one in found if one.allowed or convention]
        if not confirm:
            value = [one.as_json() for one in due]
            out.answer({"confirmed": False, "plans": value}, lambda: _preview(out, value))
            return
        if not due:
            raise RefusedError("no purge is due", hint="passerelle purge plan shows the deadlines")
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
    titles = [Text("purge", "purge"), Text("état", "state"), Text("terminée", "ended")]
    out.answer(value, lambda: out.table(titles, [(p.id, p.state, p.ended_at) for p in known]))


@purge.command("certificate")
def certificate(
    purge_id: Annotated[str, typer.Argument(metavar="ID", help="The purge's id, or its convention's.")],
    signature: Annotated[
        bool, typer.Option("--signature", help="Print the SSH signature of the certificate instead.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show a certificate of destruction: what is proved, and what it cannot prove."""
    from passerelle.store import purges

    with opened() as workspace, workspace.database.read() as connection:
        found = [p for p in purges.purges(connection, state="done") if purge_id in {p.id, p.convention}]
    if not found:
        raise UsageError("no certificate of that id", hint="passerelle purge status lists the purges")
    last = found[-1]
    body = json.loads(last.certificate or "{}")
    out = screen(as_json=as_json)
    if signature:
        out.answer({"signature": last.signature}, lambda: out.say((last.signature or "").rstrip("\n")))
        return
    out.answer({**body, "signature": last.signature}, lambda: _show_certificate(out, body))


def _show_certificate(out: Screen, body: dict[str, Any]) -> None:
    out.heading(Text(f"Certificat de destruction {body['purge']}", f"Certificate of destruction {body['purge']}"))
    deadline = body["deadline"]
    out.facts(
        [
            (Text("convention", "convention"), body["convention"]),
            (Text("échéance", "deadline"), deadline["value"]),
            (Text("calcul", "arithmetic"), deadline["arithmetic"][out.lang]),
            (Text("achevée", "completed"), body["completed_at"]),
            (Text("génération de la clé racine", "root key generation"), body["keys"]["root_generation"]),
        ]
    )
    titles = [Text("détruit", "destroyed"), Text("nombre", "count"), Text("taille", "size")]
    rows = [
        (KINDS.get(d["kind"], d["kind"]), number(d["count"], out.lang), size(d["bytes"], out.lang))
        for d in body["destroyed"]
    ]
    out.table(titles, rows, right=frozenset({1, 2}))
    out.heading(Text("Ce qui est prouvé", "What is proved"))
    for sentence in body["proved"]:
        out.say(f"– {sentence[out.lang]}")
    out.heading(Text("Ce que ce certificat ne peut prouver", "What this certificate cannot prove"))
    for sentence in body["not_proved"]:
        out.say(f"– {sentence[out.lang]}")
