"""receipt: the recipient's signed word that a parcel came, and what the gateway makes of it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from portal.commands.parcels import Trusted, trust_folder
from portal.context import JsonFlag, content, looked, opened, regular, screen, written
from portal.render import Text, Tone
from portal.words import moment

receipt = typer.Typer(help="Receipts: what came to its recipient, signed by the recipient.", no_args_is_help=True)
After = Annotated[
    Path | None, typer.Option("--after", help="Your receipt of the parcel before: a replay or a gap shows.")
]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(receipt, name="receipt")


@receipt.command("give")
def give(
    parcel: Annotated[Path, typer.Argument(metavar="PARCEL", help="The parcel's file.")],
    key: Annotated[
        Path | None, typer.Option(help="Your SSH private key; without it, the line to sign with ssh-keygen is written.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the receipt there instead of printing it.")
    ] = None,
    after: After = None,
    trust: Trusted = None,
    party: Annotated[str | None, typer.Option("--as", help="The party that signs: the parcel must be for it.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify a parcel and sign its receipt; needs neither workspace nor database."""
    from passerelle.handover.evidence import trust_from
    from passerelle.keys import parse_private
    from passerelle.parcel import verify
    from passerelle.receipt import check_continues, read_receipt, receipt_of, sign_receipt

    out = screen(as_json=as_json)
    verified = verify(regular(parcel, "PARCEL"), trust_from(trust_folder(trust), party))
    if after is not None:
        check_continues(read_receipt(content(after, "--after")), verified)
    said = receipt_of(verified, _now())
    data = sign_receipt(said, parse_private(content(key, "--key"))) if key else said.line()
    value = {"parcel": said.parcel, "party": said.party, "signed": key is not None, "at": said.at}
    if out_file is None:
        out.answer({**value, "receipt": data.decode()}, lambda: out.put(data))
        return
    written(out_file, data, "--out")

    def show() -> None:
        if key:
            out.say(Text("Accusé de réception signé.", "Receipt signed."), Tone.DONE)
            return
        out.say(Text("Ligne à signer écrite ; puis :", "Line to sign written; then:"))
        out.say(f"ssh-keygen -Y sign -n passerelle-receipt -f KEY {out_file} && cat {out_file} {out_file}.sig")

    out.answer({**value, "file": str(out_file)}, show)


@receipt.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The receipt in hand.")],
    parcel: Annotated[Path, typer.Argument(metavar="PARCEL", help="The parcel's file.")],
    trust: Trusted = None,
    as_json: JsonFlag = False,
) -> None:
    """Check that a parcel is the one that a receipt was given for; says what was changed."""
    from passerelle.handover.evidence import trust_from
    from passerelle.parcel import verify
    from passerelle.receipt import check_matches, read_receipt

    out = screen(as_json=as_json)
    said = read_receipt(content(file, "RECEIPT"))
    check_matches(said, verify(regular(parcel, "PARCEL"), trust_from(trust_folder(trust))))
    words = Text("C'est le colis dont il a été accusé réception.", "This is the parcel that was receipted.")
    out.answer({"parcel": said.parcel, "same": True, "at": said.at}, lambda: out.say(words, Tone.DONE))


@receipt.command("record")
def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt that came.")], as_json: JsonFlag = False
) -> None:
    """Verify a receipt under the party's approved SSH keys, keep it, and tell it in the trail."""
    from passerelle.receipt.recording import record as record_receipt

    out = screen(as_json=as_json)
    with opened() as workspace:
        received = record_receipt(workspace, content(file, "FILE"))
    said = received.receipt
    value = {
        "parcel": said.parcel,
        "party": said.party,
        "sequence": said.sequence,
        "fingerprint": received.fingerprint,
        "at": said.at,
        "trail_size": received.checkpoint.size,
        "sha256": received.sha256,
    }

    def show() -> None:
        out.say(
            Text(f"Accusé de réception de {said.party} enregistré.", f"Receipt of {said.party} recorded."), Tone.DONE
        )
        out.facts([(Text("colis", "parcel"), said.parcel), (Text("clé", "key"), received.fingerprint)])

    out.answer(value, show)


@receipt.command("list")
def list_(
    days: Annotated[int | None, typer.Option(min=0, help="Days after which a receipt is late.")] = None,
    late: Annotated[bool, typer.Option("--late", help="Late ones only.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show what was delivered, opened, receipted, and what is late."""
    from passerelle.receipt.recording import DAYS, reconcile

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "receipts_read", "receipts"),
        workspace.database.read() as connection,
    ):
        found = reconcile(workspace, connection, days=DAYS if days is None else days)
    chosen = [one for one in found if one.late or not late]
    titles = [
        Text("colis", "parcel"),
        Text("destinataire", "recipient"),
        Text("n°", "no."),
        Text("remis le", "delivered"),
        Text("second verrou remis le", "second lock handed"),
        Text("accusé le", "receipted"),
    ]
    overdue = Text("en retard", "late")
    rows = [
        (
            one.parcel, one.recipient, one.sequence, moment(one.delivered_at, out.lang), moment(one.opened_at, out.lang),
            overdue if one.late else moment(one.receipted_at, out.lang),
        )
        for one in chosen
    ]  # fmt: skip
    nothing = Text("Aucune remise.", "No delivery.")
    out.answer([one.as_json() for one in chosen], lambda: out.table(titles, rows) if rows else out.say(nothing))


def _now() -> datetime:
    """The partner's clock; a rehearsal pretends on both sides."""
    from passerelle.clock import SystemClock
    from passerelle.workspace import Settings

    return Settings.read(os.environ).pretended_now or SystemClock().now()
