"""parcel, release-key: for the partner, on its own machine, and the second lock."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.beside import ConsistencyOption, Given, ReceiptsOption, SeenOption, check_beside, say_earlier
from portal.context import Actor, JsonFlag, Reason, actor, near, opened, readable, regular, screen, why, written
from portal.render import Text, Tone
from portal.words import reason

if TYPE_CHECKING:
    from passerelle.parcel.manifest import Resource

parcel = typer.Typer(
    help="Verify and open a parcel, which needs neither workspace nor database; send one again.", no_args_is_help=True
)
Trusted = Annotated[
    Path | None, typer.Option("--trust", help="Folder with allowed_signers and trail.vkey; by default the workspace's.")
]

LABELS = {
    "parcel": Text("colis", "parcel"),
    "convention": Text("convention", "convention"),
    "exchange": Text("échange", "exchange"),
    "article": Text("article", "article"),
    "period": Text("période", "period"),
    "sender": Text("émetteur", "sender"),
    "recipient": Text("destinataire", "recipient"),
    "signer": Text("signé par", "signed by"),
    "rows": Text("lignes", "rows"),
    "locks": Text("verrous", "locks"),
}


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(parcel, name="parcel")
    app.command("release-key")(release_key)


def trust_folder(folder: Path | None) -> Path:
    """Where a verifier finds what it trusts: as given, else the workspace's folder."""
    return folder or Path(os.environ.get("PASSERELLE_HOME") or ".passerelle") / "trust"


@parcel.command("verify")
def verify(
    path: Annotated[Path, typer.Argument(metavar="PARCEL", help="The parcel's file.")],
    trust: Trusted = None,
    recipient: Annotated[
        str | None, typer.Option("--as", help="The party that verifies: the parcel must be for it.")
    ] = None,
    seen: SeenOption = None,
    receipts: ReceiptsOption = None,
    consistency: ConsistencyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify signature, manifest, hashes, recipient and the proof that the parcel is in the trail, offline.

    Beside what you saw before, its number and its head of the trail too: replayed, missing, forked, rolled back.
    """
    from passerelle.handover.evidence import trust_from
    from passerelle.parcel import verify as verify_parcel

    out = screen(as_json=as_json)
    verified = verify_parcel(regular(path, "PARCEL"), trust_from(trust_folder(trust), recipient))
    beside = check_beside(verified, trust_folder(trust), Given(seen, receipts or [], consistency or []))
    terms, resource = verified.parcel.manifest.passerelle, verified.parcel.manifest.resource
    value: dict[str, Any] = {
        "parcel": verified.parcel.manifest.name,
        "verified": True,
        "signer": verified.signer,
        "manifest_sha256": verified.manifest_sha256,
        "convention": terms.convention,
        "exchange": terms.exchange,
        "article": terms.article,
        "sender": terms.sender,
        "recipient": terms.recipient,
        "period": terms.period,
        "sequence": terms.sequence,
        "rows": resource.rows,
        "locks": len(terms.locks),
        "warning": terms.decision.warning,
        "destroy_by": terms.destroy_by.date,
        "resends": terms.resends.parcel if terms.resends else None,
        "supersedes": list(terms.supersedes.parcels) if terms.supersedes else [],
        "beside": beside,
    }

    def show() -> None:
        out.say(Text("Le colis est intact, signé, et inscrit au registre de preuve.", "The parcel is whole, signed, and in the trail."), Tone.DONE)  # fmt: skip
        until = date.fromisoformat(terms.destroy_by.date) if terms.destroy_by.date else Text("non échu", "not due yet")
        facts: list[tuple[Text, object]] = [(LABELS[name], value[name]) for name in LABELS]
        out.facts([*facts, (Text("à détruire au plus tard le", "destroy by"), until)])
        out.say(getattr(terms.destroy_by.arithmetic, out.lang), Tone.FAINT)
        say_earlier(out, terms, beside)
        if (warning := reason(terms.decision.warning)) is not None:
            out.say(Text(f"Réserve : {warning.fr}", f"Warning: {warning.en}"), Tone.WARNED)

    out.answer(value, show)


@parcel.command("open")
def open_(
    path: Annotated[Path, typer.Argument(metavar="PARCEL", help="The parcel's file.")],
    identity: Annotated[Path, typer.Option(help="The recipient's age identity or SSH private key.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the extract.")],
    release: Annotated[
        Path | None, typer.Option("--release-key", help="The second lock's key, for two-lock parcels.")
    ] = None,
    for_people: Annotated[
        bool, typer.Option("--for-people", help="Write a copy for a spreadsheet too, in which no cell is a formula.")
    ] = False,
    trust: Trusted = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify a parcel and decrypt its extract."""
    from passerelle.handover.evidence import trust_from
    from passerelle.keys import read_identities
    from passerelle.parcel import open_parcel
    from passerelle.parcel import verify as verify_parcel

    out = screen(as_json=as_json)
    verified = verify_parcel(regular(path, "PARCEL"), trust_from(trust_folder(trust)))
    second = read_identities(readable(release, "--release-key"))[0] if release else None
    opened_ = open_parcel(verified.parcel, read_identities(readable(identity, "--identity")), second, out_folder)
    value = {"extract": str(opened_.path), "rows": opened_.rows, "bytes": opened_.bytes, "sha256": opened_.sha256}
    if for_people:
        value |= _for_people(opened_.path, verified.parcel.manifest.resource)
    formulas = sum(one.cells for one in verified.parcel.manifest.passerelle.formulas or ())

    def show() -> None:
        out.say(Text("Colis ouvert.", "Parcel opened."), Tone.DONE)
        out.facts([(Text("extrait", "extract"), value["extract"]), (Text("lignes", "rows"), opened_.rows)])
        if for_people:
            out.facts([(Text("copie pour tableur", "copy for a spreadsheet"), value["for_people"]), (Text("cellules neutralisées", "cells neutralised"), value["neutralised"])])  # fmt: skip
        elif formulas:
            out.say(Text(f"{formulas} cellules commencent comme une formule : pour un tableur, ajoutez --for-people.", f"{formulas} cells begin as a formula does: for a spreadsheet, add --for-people."), Tone.WARNED)  # fmt: skip

    out.answer(value, show)


def _for_people(extract: Path, resource: Resource) -> dict[str, Any]:
    from passerelle.minimise.people import write_for_people

    if resource.dialect is None:
        raise UsageError("expected a CSV extract for --for-people", fr="--for-people demande un extrait CSV")
    types = [field.type for field in resource.table.fields]
    path, cells = write_for_people(extract, types, resource.dialect.delimiter)
    return {"for_people": str(path), "neutralised": cells}


@parcel.command("resend")
def resend(
    parcel_id: Annotated[str, typer.Argument(metavar="PARCEL-ID", help="The parcel's id: the name in its manifest.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="CODE", help="lost, damaged, key-replaced or recipient-request.")
    ],
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Send the extract of a delivered parcel again, under a new number: the gate is asked, the raw copy read where it lies."""
    from flows import assembly
    from passerelle.handover.resend import resend as resend_parcel

    out = screen(as_json=as_json)
    with opened() as workspace:
        outcome = resend_parcel(workspace, parcel_id, reason, assembly.tools_for, actor=actor(by))
        (made,) = outcome.deliveries
        place = str(workspace.path(made.location))
    value = {
        "parcel": made.parcel,
        "resends": parcel_id,
        "state": outcome.state,
        "recipient": made.recipient,
        "rows": made.rows,
        "location": place,
    }

    def show() -> None:
        if outcome.state == "duplicate":
            again = f"passerelle parcel resend {made.parcel} --reason …"
            out.say(Text(f"Ce colis a déjà été renvoyé : {made.parcel}.", f"This parcel was sent again already: {made.parcel}."), Tone.WARNED)  # fmt: skip
            out.say(Text(f"Si celui-ci s'est perdu aussi : {again}", f"If that one was lost too: {again}"), Tone.FAINT)
            return
        out.say(Text(f"Colis renvoyé à {made.recipient}.", f"Parcel sent again to {made.recipient}."), Tone.DONE)
        out.facts(
            [(LABELS["parcel"], made.parcel), (LABELS["rows"], made.rows), (Text("fichier", "file"), near(place))]
        )

    out.answer(value, show)


def release_key(
    parcel_id: Annotated[str, typer.Argument(metavar="PARCEL-ID", help="The parcel's id: the name in its manifest.")],
    party: Annotated[str, typer.Option("--as", help="The recipient of the parcel.")],
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the key there instead of printing it.")] = None,
    by: Actor = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> None:
    """Hand the second lock's key of a parcel to its recipient; logged."""
    from passerelle.handover.evidence import hand_release_key

    out = screen(as_json=as_json)
    with opened() as workspace:
        identity = hand_release_key(workspace, parcel_id, party, actor=actor(by), reason=why(reason))
    if out_file is None:
        out.answer({"parcel": parcel_id, "identity": identity.secret}, lambda: out.say(identity.secret))
        return
    written(out_file, (identity.secret + "\n").encode(), "--out")
    value = {"parcel": parcel_id, "file": str(out_file)}
    out.answer(value, lambda: out.say(Text("Clé du second verrou remise, et la remise consignée.", "Second lock's key handed over, and logged."), Tone.DONE))  # fmt: skip
