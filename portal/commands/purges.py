"""purge: what is to be destroyed and when, making it go, and the proof."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import PasserelleError, RefusedError, UsageError
from portal.certificate import on, show_certificate
from portal.commands.parcels import Trusted, trust_folder
from portal.context import JsonFlag, actor, content, looked, opened, screen, written
from portal.render import Screen, Text, Tone, day, size
from portal.words import COPIES, NO_VALUE, PURGE_STATES, STUCK, ground, moment, reason, said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passerelle.workspace import Workspace
    from retention.scope import Scope

purge = typer.Typer(help="Destruction: plan, run, certificate.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(purge, name="purge")


By = Annotated[
    str | None,
    typer.Option("--as", "--by", help="Who decides, for the access log; by default PASSERELLE_ACTOR, else the user."),
]
Part = Annotated[str | None, typer.Option("--exchange", help="Only this exchange.")]
Dataset = Annotated[str | None, typer.Option("--dataset", help="Only this dataset.")]
Period = Annotated[str | None, typer.Option("--period", help="Only this period: 2025, 2025-Q2, 2025-05…")]


def _scope(workspace: Workspace, convention: str | None, *named: str | None) -> Scope | None:
    """The part that was typed; None without a convention.

    Raises:
        UsageError: a part of no convention, or one that the convention does not have.
    """
    from retention.scope import scope_of

    if convention is None:
        if any(named):
            raise UsageError(
                "a part is one of a convention: name the convention first",
                fr="une partie est celle d'une convention : nommez d'abord la convention",
            )
        return None
    exchange, dataset, period = named
    return scope_of(workspace.convention(convention), exchange=exchange, dataset=dataset, period=period)


def _found(workspace: Workspace, connection: Connection, scope: Scope | None) -> list[dict[str, Any]]:
    from retention.approving import approvals, plan_id
    from retention.plan import plan as plan_one
    from retention.plan import plans

    found = [plan_one(workspace, connection, scope.convention, scope)] if scope else plans(workspace, connection)
    value = []
    for one in found:
        given = approvals(connection, plan_id(one), workspace.now())
        value.append({**one.as_json(), "plan": plan_id(one), "approvals": [each.as_json() for each in given]})
    return value


@purge.command("plan")
def plan(
    convention: Annotated[str | None, typer.Argument(help="One convention; by default every one with copies.")] = None,
    exchange: Part = None,
    dataset: Dataset = None,
    period: Period = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="A page to print, of one convention's plan.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what would be destroyed, when, and why then; destroys nothing."""
    from portal.papers import plan_page

    out = screen(as_json=as_json)
    if out_file is not None and convention is None:
        raise UsageError(
            "--out needs a convention: the page is that of one plan",
            fr="--out demande une convention : la page est celle d'un seul plan",
        )
    with (
        opened() as workspace,
        looked(workspace, "purge_plan_read", convention or "plans", convention=convention),
        workspace.database.read() as connection,
    ):
        value = _found(workspace, connection, _scope(workspace, convention, exchange, dataset, period))
    if out_file is not None:
        written(out_file, plan_page(value[0]), "--out")
    out.answer(value, lambda: _show_plans(out, value))


@purge.command("approve")
def approve(
    number: Annotated[str, typer.Argument(metavar="PLAN-ID", help="The plan's number, as purge plan gives it.")],
    convention: Annotated[str | None, typer.Argument(help="Its convention; needed for a plan of a part.")] = None,
    exchange: Part = None,
    dataset: Dataset = None,
    period: Period = None,
    by: By = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a plan as the DPO: it holds for this very plan, thirty days."""
    from retention.approving import approve as approved

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "purge_approved", number, by=by, convention=convention),
    ):
        scope = _scope(workspace, convention, exchange, dataset, period)
        given = approved(workspace, number, scope, by=actor(by))
    until = date.fromisoformat(given.until[:10])
    words = Text(f"Plan {number} approuvé, jusqu'au {day(until, 'fr')}.", f"Plan {number} approved, until {day(until, 'en')}.")  # fmt: skip
    out.answer(given.as_json(), lambda: out.say(words, Tone.DONE))


@purge.command("rule")
def rule(
    required: Annotated[
        bool | None,
        typer.Option("--approval/--no-approval", help="Whether a purge waits for another person's approval."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or set whether a purge waits for the DPO's approval, given by another person than runs it."""
    from passerelle.store import settings
    from retention.approving import REQUIRED
    from retention.approving import required as is_required

    out = screen(as_json=as_json)
    with opened() as workspace:
        if required is not None:
            with workspace.database.begin() as connection:
                settings.write(connection, REQUIRED, int(required))
        with workspace.database.read() as connection:
            value = is_required(connection)
    words = (
        Text("Une destruction attend l'approbation du DPO.", "A purge waits for the DPO's approval.")
        if value
        else Text("Qui confirme une destruction en décide.", "Who confirms a purge decides it.")
    )
    out.answer({"approval_required": value}, lambda: out.say(words))


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
                (Text("destruction possible", "purge may run"), one["allowed"]),
                (Text("motif", "reason"), reason(one["reason"])),
                (Text("plan", "plan"), one["plan"]),
                (
                    Text("copies conservées par une suspension", "copies kept by a hold"),
                    sum(sum(each["copies"].values()) for each in one["held"]),
                ),
                (Text("copies pas encore à échéance", "copies not due yet"), one["not_due"]),
                (Text("colis remis à des partenaires", "parcels handed to partners"), one["handed_to_partners"]),
            ]
        )
        if not one["copies"]:
            out.say(Text("Aucune copie à détruire à ce jour.", "No copy to be destroyed to date."))
            continue
        titles = [Text("copies", "copies"), Text("nombre", "count"), Text("taille", "size")]
        rows = [(said(COPIES, c["kind"]), c["count"], size(c["bytes"], out.lang)) for c in one["copies"]]
        out.table(titles, rows, right=frozenset({1, 2}))


@purge.command("run")
def run(
    convention: Annotated[str | None, typer.Argument(help="One convention; by default every one that is due.")] = None,
    exchange: Part = None,
    dataset: Dataset = None,
    period: Period = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Destroy; without it the plan is shown.")] = False,
    by: By = None,
    clock_confirmed: Annotated[
        bool, typer.Option("--clock-confirmed", help="The date was checked, though the clock jumped ahead.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Destroy what is due: keys, copies, rows; rotate the root key; write the certificate."""
    from flows.assembly import PREFECT
    from retention.clock import confirm as confirm_clock
    from retention.purge import purge as purge_one

    out = screen(as_json=as_json)
    with opened() as workspace:
        seen = looked(
            workspace,
            "purge_run" if confirm else "purge_plan_read",
            convention or "plans",
            by=by,
            convention=convention,
        )
        with seen, workspace.database.read() as connection:
            scope = _scope(workspace, convention, exchange, dataset, period)
            value = [one for one in _found(workspace, connection, scope) if one["allowed"] or convention]
        if not confirm:
            out.answer({"confirmed": False, "plans": value}, lambda: _preview(out, value))
            return
        if not value:
            raise RefusedError(
                "no purge is due",
                hint="passerelle purge plan shows the deadlines",
                fr="aucune destruction n'est à échéance",
                hint_fr="passerelle purge plan donne les échéances",
            )
        if clock_confirmed:
            confirm_clock(workspace, by=actor(by))
        done, failures = [], []
        for one in value:
            try:
                done.append(purge_one(workspace, one["convention"], scope=scope, prefect=PREFECT, by=actor(by)))
            except PasserelleError as error:  # one purge that waits, or is stuck, stops no other
                failures.append(error)
        if failures:
            raise failures[0]
    certificates = [{"purge": p.id, "convention": p.convention, "certificate": p.id} for p in done]

    def show() -> None:
        for one in done:
            out.say(Text(f"{one.convention} : détruit, certificat {one.id}.", f"{one.convention}: destroyed, certificate {one.id}."), Tone.DONE)  # fmt: skip

    out.answer({"confirmed": True, "certificates": certificates}, show)


def _preview(out: Screen, value: list[dict[str, Any]]) -> None:
    _show_plans(out, value)
    if any(one["allowed"] for one in value):
        out.say(Text("Rien n'a été détruit : ajoutez --confirm.", "Nothing was destroyed: add --confirm."), Tone.WARNED)
    elif value:
        out.say(Text("Rien n'a été détruit, rien ne peut l'être à ce jour.", "Nothing was destroyed, nothing may be to date."), Tone.WARNED)  # fmt: skip


@purge.command("status")
def status(as_json: JsonFlag = False) -> None:
    """Show purges, under way and done, and what could not be removed yet."""
    from retention.standing import standings

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        known = standings(connection)
    titles = [
        Text("destruction", "purge"),
        Text("convention", "convention"),
        Text("état", "state"),
        Text("achevée", "ended"),
    ]
    rows = [(p.purge, p.convention, said(PURGE_STATES, p.state), moment(p.ended_at, out.lang)) for p in known]

    def show() -> None:
        out.table(titles, rows)
        for one in known:
            for each in one.left:
                what = said({**COPIES, **STUCK}, each.kind) or Text(each.kind, each.kind)
                name = each.subject or str(each.count)
                out.say(Text(f"{one.purge} : encore là, {what.fr} {name}", f"{one.purge}: still there, {what.en} {name}"), Tone.WARNED)  # fmt: skip

    out.answer([one.as_json() for one in known], show)


@purge.command("certificate")
def certificate(
    purge_id: Annotated[str, typer.Argument(metavar="ID", help="The purge's id, or its convention's.")],
    out_folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for certificate.json, its signature, its proof, and the page to print."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a certificate of destruction: what is proved, and what it cannot prove."""
    from passerelle.store import purges
    from portal.papers import certificate_page

    seen = "certificate_read", "certificate"
    with opened() as workspace, looked(workspace, *seen) as look, workspace.database.read() as connection:
        found = [p for p in purges.purges(connection, state="done") if purge_id in {p.id, p.convention}]
        if found:
            look.subject, look.convention = found[-1].id, found[-1].convention
            told = workspace.ledger.find(connection, "purge_certificate", convention=found[-1].convention)
            entry = next(one.index for one in told if one.entry.body["purge"] == found[-1].id)
            proof = workspace.ledger.prove(connection, entry)
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
        written(out_folder / "certificate.tlog-proof", proof, "--out")
        written(out_folder / "certificate.html", certificate_page(body), "--out")
    out.answer({**body, "signature": last.signature}, lambda: show_certificate(out, body))


@purge.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder with certificate.json, its signature and its proof.")],
    trust: Trusted = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify a certificate of destruction, offline: its form, its signature, and the proof that it is in the trail."""
    from passerelle.handover.evidence import trusted
    from passerelle.keys import parse_allowed_signers
    from passerelle.keys.ssh import CERTIFICATE_NAMESPACE
    from retention.certified import verify_certificate

    out = screen(as_json=as_json)
    lines, trail_key = trusted(trust_folder(trust))
    signers = parse_allowed_signers(lines, namespace=CERTIFICATE_NAMESPACE)
    names = ("certificate.json", "certificate.json.sig", "certificate.tlog-proof")
    data, signature, proof = (content(folder / name, name) for name in names)
    found = verify_certificate(data, signature, proof, signers, trail_key)
    said = found.certificate
    value = {
        "purge": said.purge, "verified": True, "convention": said.convention, "whole": said.whole, "signer": found.signer,
        "completed_at": said.completed_at, "entry": found.entry, "sha256": found.sha256,
    }  # fmt: skip

    def show() -> None:
        out.say(Text("Le certificat est intact, signé, et inscrit au registre de preuve.", "The certificate is whole, signed, and in the trail."), Tone.DONE)  # fmt: skip
        out.facts(
            [
                (Text("destruction", "purge"), said.purge),
                (Text("convention", "convention"), said.convention),
                (Text("achevée", "completed"), moment(said.completed_at, out.lang)),
                (Text("signé par", "signed by"), found.signer),
                (Text("écriture du registre", "entry of the trail"), found.entry),
            ]
        )

    out.answer(value, show)
