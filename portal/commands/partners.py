"""partner: recipients and their keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, content, looked, opened, screen
from portal.render import Screen, Text, Tone
from portal.words import KEY_STATES, moment, said

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passerelle.store.partners import PartnerKey
    from passerelle.workspace import Workspace

partner = typer.Typer(help="Recipients and their keys.", no_args_is_help=True)
key = typer.Typer(help="The keys that parcels are sealed to.", no_args_is_help=True)
partner.add_typer(key, name="key")


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(partner, name="partner")


@partner.command("add")
def add(
    party: Annotated[str, typer.Argument(help="The party's id in its conventions.")],
    name: Annotated[str | None, typer.Option(help="Its name, for people.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where its parcels go; by default the workspace's outbox.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a partner."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        place = str(folder.absolute()) if folder else None
        partners.add(connection, party, name or party, place, at=workspace.now())
    out.answer(
        {"partner": party}, lambda: out.say(Text(f"Partenaire {party} inscrit.", f"Partner {party} added."), Tone.DONE)
    )


@partner.command("list")
def list_partners(as_json: JsonFlag = False) -> None:
    """Show partners and the state of their keys."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        known = partners.partners(connection)
        keys = partners.keys(connection)
    value = [
        {"partner": p.id, "name": p.name, "keys": [_key_json(k) for k in keys if k.partner == p.id]} for p in known
    ]

    def show() -> None:
        titles = [Text("partenaire", "partner"), Text("nom", "name"), Text("clés", "keys")]
        shown = {p.id: [_key_line(out, k) for k in keys if k.partner == p.id] for p in known}
        out.table(titles, [(p.id, p.name, "\n".join(shown[p.id]) or None) for p in known])

    out.answer(value, show)


def _key_line(out: Screen, found: PartnerKey) -> str:
    return f"{found.fingerprint} {out.words(said(KEY_STATES, found.state) or found.state)}"


@key.command("add")
def add_key(
    party: Annotated[str, typer.Argument(help="The partner.")],
    recipient: Annotated[str | None, typer.Option(help="Its public key: age1…, ssh-ed25519 … or ssh-rsa ….")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file that holds the public key.")] = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Enrol a partner's public key: two other people approve it before anything is sealed to it."""
    from passerelle.keys import parse_recipient
    from passerelle.store import partners

    if (recipient is None) == (file is None):
        raise UsageError(
            "expected a public key, by --recipient or by --file",
            hint="age-keygen -y identity.txt prints it",
            fr="il faut une clé publique, par --recipient ou par --file",
            hint_fr="age-keygen -y identity.txt l'affiche",
        )
    text = recipient or _public_line(content(file or Path(), "--file"))
    parsed = parse_recipient(text)
    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        who, at = actor(by), workspace.now()
        facts = {"kind": parsed.kind, "recipient": parsed.text, "fingerprint": parsed.fingerprint}
        if partners.enrol(connection, party, by=who, at=at, **facts):
            _tell(workspace, connection, "partner_key_enrolled", party, parsed.fingerprint, 0)
    value = {"partner": party, "fingerprint": parsed.fingerprint, "state": "pending"}

    def show() -> None:
        out.say(Text(f"Clé inscrite pour {party}, à approuver par deux autres personnes.", f"Key enrolled for {party}; two other people must approve it."), Tone.DONE)  # fmt: skip
        out.facts([(Text("empreinte", "fingerprint"), parsed.fingerprint)])
        out.say(
            Text(
                f"Confirmez l'empreinte par un second canal, puis : passerelle partner key approve {parsed.fingerprint} --by …",
                f"Confirm the fingerprint on a second channel, then: passerelle partner key approve {parsed.fingerprint} --by …",
            ),
            Tone.FAINT,
        )

    out.answer(value, show)


@key.command("approve")
def approve_key(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a key: two people do, of whom neither enrolled it."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        found = partners.approve(connection, fingerprint, by=actor(by), at=workspace.now())
        _tell(workspace, connection, "partner_key_approved", found.partner, found.fingerprint, len(found.approvals))
    missing = max(partners.APPROVALS_NEEDED - len(found.approvals), 0)
    outcome = (
        Text(f"Clé de {found.partner} approuvée : les colis peuvent lui être scellés.", f"Key of {found.partner} approved: parcels can be sealed to it.")
        if not missing
        else Text("Approbation enregistrée, il en manque une.", "Approval recorded; one more is needed.")
    )  # fmt: skip
    out.answer(_key_json(found), lambda: out.say(outcome, Tone.DONE))


@key.command("revoke")
def revoke_key(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    as_json: JsonFlag = False,
) -> None:
    """Revoke a key: nothing is sealed to it any more."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        found = partners.revoke(connection, fingerprint, at=workspace.now())
        _tell(workspace, connection, "partner_key_revoked", found.partner, found.fingerprint, len(found.approvals))
    outcome = Text(f"Clé de {found.partner} révoquée.", f"Key of {found.partner} revoked.")
    out.answer(_key_json(found), lambda: out.say(outcome, Tone.DONE))


@key.command("list")
def list_keys(
    party: Annotated[str | None, typer.Argument(help="One partner's keys only.")] = None, as_json: JsonFlag = False
) -> None:
    """Show keys, their state and who approved them."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        keys = partners.keys(connection, party)
    titles = [
        Text("partenaire", "partner"),
        Text("empreinte", "fingerprint"),
        Text("nature", "kind"),
        Text("état", "state"),
        Text("approuvée par", "approved by"),
    ]
    rows = [(k.partner, k.fingerprint, k.kind, said(KEY_STATES, k.state), "\n".join(k.approvals) or None) for k in keys]
    out.answer([_key_json(k) for k in keys], lambda: out.table(titles, rows))


@partner.command("exposure")
def exposure(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    as_json: JsonFlag = False,
) -> None:
    """List the parcels that a key could have opened, by the manifests that named it."""
    from passerelle.handover.evidence import exposed
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "key_exposure", "key") as look,
        workspace.database.read() as connection,
    ):
        key = partners.key_by(connection, fingerprint)
        look.subject, look.partner = key.fingerprint, key.partner
        found = exposed(connection, key.fingerprint)
        look.count = len(found)
    titles = [
        Text("colis", "parcel"),
        Text("convention", "convention"),
        Text("échange", "exchange"),
        Text("destinataire", "recipient"),
        Text("remis le", "delivered"),
        Text("lignes", "rows"),
    ]
    rows = [
        (f["parcel"], f["convention"], f["exchange"], f["recipient"], moment(f["delivered_at"], out.lang), f["rows"])
        for f in found
    ]
    nothing = Text(
        "Aucun colis encore au dossier n'est scellé à cette clé.", "No parcel still on file is sealed to this key."
    )
    out.answer(found, lambda: out.table(titles, rows, right=frozenset({5})) if rows else out.say(nothing))


def _public_line(text: bytes) -> str:
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise UsageError(
            f"expected one line with a public key, found {len(lines)}",
            hint="age-keygen -y identity.txt prints it",
            fr=f"il faut une ligne avec une clé publique, il y en a {len(lines)}",
            hint_fr="age-keygen -y identity.txt l'affiche",
        )
    return lines[0]


def _key_json(found: PartnerKey) -> dict[str, Any]:
    return {
        "partner": found.partner,
        "fingerprint": found.fingerprint,
        "kind": found.kind,
        "state": found.state,
        "approvals": len(found.approvals),
    }


def _tell(
    workspace: Workspace, connection: Connection, kind: str, party: str, fingerprint: str, approvals: int
) -> None:
    body = {"party": party, "fingerprint": fingerprint, "approvals": approvals}
    workspace.append(connection, kind, body)
    workspace.ledger.checkpoint(connection, workspace.now())
