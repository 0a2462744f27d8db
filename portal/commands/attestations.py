"""attestation: a recipient's signed word that it destroyed what it was delivered."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from portal.commands.parcels import Trusted, trust_folder
from portal.context import JsonFlag, content, date_value, looked, opened, screen, written
from portal.render import Screen, Text, Tone
from portal.words import ATTESTATION_STATES, said

attestation = typer.Typer(help="Attestations of destruction, signed by recipients.", no_args_is_help=True)


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(attestation, name="attestation")


@attestation.command("request")
def request(
    convention: Annotated[str, typer.Argument(metavar="CONVENTION", help="The convention's id.")],
    party: Annotated[str | None, typer.Option(help="One recipient; by default every one that received.")] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Write the signed requests there too.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask recipients to attest that they destroyed what they were delivered; the request lies in their folder."""
    from retention.asking import request_file, request_name
    from retention.attestations import request as ask

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = ask(workspace, convention, party=party)
        for one in found if out_folder is not None else ():
            assert out_folder is not None  # noqa: S101 - as the line above says
            written(out_folder / request_name(one.request), request_file(workspace, one.request), "--out")

    def show() -> None:
        for one in found:
            out.say(
                Text(
                    f"{one.party} : {one.parcels} colis à attester, demande {one.request}.",
                    f"{one.party}: {one.parcels} parcels to attest, request {one.request}.",
                ),
                Tone.DONE,
            )

    out.answer([one.as_json() for one in found], show)


@attestation.command("give")
def give(
    file: Annotated[Path, typer.Argument(metavar="REQUEST", help="The request that came.")],
    identity: Annotated[
        Path | None,
        typer.Option(help="Your SSH private key; without it, the line to sign with ssh-keygen is written."),
    ] = None,
    kept: Annotated[
        list[str] | None, typer.Option("--kept", help="A parcel that was not destroyed; as often as needed.")
    ] = None,
    destroyed_on: Annotated[str, typer.Option(help="The day by which all was destroyed; by default today.")] = "",
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the attestation there.")] = None,
    trust: Trusted = None,
    party: Annotated[str | None, typer.Option("--as", help="The party that signs: the request must be for it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a request and sign the attestation; needs neither workspace nor database."""
    from passerelle.errors import EvidenceError
    from passerelle.keys import NOTICE_NAMESPACE, parse_allowed_signers, parse_private
    from passerelle.receipt.attestation import attest, sign_attestation, verify_request
    from portal.commands.receipts import _now

    out = screen(as_json=as_json)
    signers = content(trust_folder(trust) / "allowed_signers", "--trust").decode("utf-8", "replace")
    asked = verify_request(content(file, "REQUEST"), parse_allowed_signers(signers, namespace=NOTICE_NAMESPACE))
    if party is not None and asked.party != party:
        raise EvidenceError(
            f"the request is for {asked.party}", where="request: party", fr=f"la demande est pour {asked.party}"
        )
    day = date_value(destroyed_on, "--destroyed-on") if destroyed_on else None
    line = attest(asked, _now(), kept=kept or (), destroyed_on=day)
    data = sign_attestation(line, parse_private(content(identity, "--identity"))) if identity else line.line()
    value = {
        "request": asked.request,
        "party": asked.party,
        "destroyed": len(line.destroyed),
        "kept": sorted(kept or ()),
        "signed": identity is not None,
        "at": line.at,
    }
    if out_file is None:
        out.answer({**value, "attestation": data.decode()}, lambda: out.put(data))
        return
    written(out_file, data, "--out")
    out.answer({**value, "file": str(out_file)}, lambda: _given(out, out_file, signed=identity is not None))


def _given(out: Screen, file: Path, *, signed: bool) -> None:
    if signed:
        out.say(Text("Attestation signée.", "Attestation signed."), Tone.DONE)
        return
    out.say(Text("Ligne à signer écrite ; puis :", "Line to sign written; then:"))
    out.say(f"ssh-keygen -Y sign -n passerelle-attestation -f KEY {file} && cat {file} {file}.sig")


@attestation.command("record")
def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The attestation that came.")], as_json: JsonFlag = False
) -> None:
    """Verify an attestation under the keys approved when it was signed, keep it, and tell it in the trail."""
    from retention.attesting import record as record_attestation

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = record_attestation(workspace, content(file, "FILE"))
    party = found.attestation.party

    def show() -> None:
        if found.missing:
            left = ", ".join(found.missing)
            out.say(
                Text(
                    f"Attestation partielle de {party} enregistrée ; non attestés : {left}.",
                    f"Partial attestation of {party} recorded; not attested: {left}.",
                ),
                Tone.WARNED,
            )
            return
        out.say(Text(f"Attestation de {party} enregistrée.", f"Attestation of {party} recorded."), Tone.DONE)

    out.answer(found.as_json(), show)


@attestation.command("list")
def list_(
    convention: Annotated[str | None, typer.Option(help="Of one convention only.")] = None,
    party: Annotated[str | None, typer.Option(help="Of one recipient only.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Those past their day only.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show who was asked to attest what, who answered, and who is late."""
    from retention.attestations import standing

    out = screen(as_json=as_json)
    where = {name: value for name, value in (("convention", convention), ("party", party)) if value is not None}
    with (
        opened() as workspace,
        looked(workspace, "attestations_read", "attestations", convention=convention, partner=party),
        workspace.database.read() as connection,
    ):
        found = [one for one in standing(workspace, connection, **where) if one.overdue or not overdue]
    titles = [
        Text("demande", "request"),
        Text("destinataire", "recipient"),
        Text("colis", "parcels"),
        Text("attestés", "attested"),
        Text("échéance", "due"),
        Text("état", "state"),
        Text("DPO", "DPO"),
    ]
    late = Text("en retard", "overdue")
    rows = [
        (
            one.request, one.party, one.parcels, one.attested, date.fromisoformat(one.due),
            late if one.overdue else said(ATTESTATION_STATES, one.state),
            Text("non indiqué", "not stated") if one.dpo == "not_stated" else one.dpo,
        )
        for one in found
    ]  # fmt: skip
    nothing = Text("Aucune demande.", "No request.")
    out.answer([one.as_json() for one in found], lambda: out.table(titles, rows) if rows else out.say(nothing))
