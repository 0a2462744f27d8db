"""partner: recipients and their keys."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, content, instant_value, looked, opened, screen
from portal.render import Screen, Text, Tone
from portal.words import KEY_STATES, SECOND_LOCKS, moment, said

if TYPE_CHECKING:
    from passerelle.store.partners import PartnerKey

PARIS = ZoneInfo("Europe/Paris")  # a day without a zone is one of the gateway's

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
        place = str(folder.resolve()) if folder else None
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
    not_before: Annotated[str | None, typer.Option(help="The day or instant from which it is sealed to.")] = None,
    not_after: Annotated[str | None, typer.Option(help="The day or instant from which it is not any more.")] = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Enrol a partner's public key: two other people approve it before anything is sealed to it."""
    from passerelle.workspace import partner_keys

    if (recipient is None) == (file is None):
        raise UsageError(
            "expected a public key, by --recipient or by --file",
            hint="age-keygen -y identity.txt prints it",
            fr="il faut une clé publique, par --recipient ou par --file",
            hint_fr="age-keygen -y identity.txt l'affiche",
        )
    text = recipient or _public_line(content(file or Path(), "--file"))
    out = screen(as_json=as_json)
    since, until = _instant(not_before, "--not-before"), _instant(not_after, "--not-after")
    with opened() as workspace:
        found = partner_keys.enrol(workspace, party, text, by=actor(by), not_before=since, not_after=until)
    value = {"partner": party, "fingerprint": found.fingerprint, "state": "pending"}

    def show() -> None:
        out.say(Text(f"Clé inscrite pour {party}, à approuver par deux autres personnes.", f"Key enrolled for {party}; two other people must approve it."), Tone.DONE)  # fmt: skip
        out.facts([(Text("empreinte", "fingerprint"), found.fingerprint)])
        out.say(
            Text(
                f"Confirmez l'empreinte par un second canal, puis : passerelle partner key approve {found.fingerprint} --channel phone --by …",
                f"Confirm the fingerprint on a second channel, then: passerelle partner key approve {found.fingerprint} --channel phone --by …",
            ),
            Tone.FAINT,
        )

    out.answer(value, show)


@key.command("approve")
def approve_key(
    fingerprint: Annotated[str, typer.Argument(help="The key's whole fingerprint, as its owner told it.")],
    channel: Annotated[
        str | None,
        typer.Option(metavar="CHANNEL", help="How its owner told it: phone, video, meeting, letter or signed-mail."),
    ] = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Approve a key: two people do, of whom neither enrolled it, once its owner told the fingerprint on a second channel."""
    from passerelle.store import partners
    from passerelle.workspace import partner_keys

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = partner_keys.approve(workspace, fingerprint, channel, by=actor(by))
    missing = max(partners.APPROVALS_NEEDED - len(found.approvals), 0)
    outcome = (
        Text(f"Clé de {found.partner} approuvée : les colis peuvent lui être scellés.", f"Key of {found.partner} approved: parcels can be sealed to it.")
        if not missing
        else Text("Approbation enregistrée, il en manque une.", "Approval recorded; one more is needed.")
    )  # fmt: skip

    def show() -> None:
        out.say(outcome, Tone.DONE)
        if channel is None:
            out.say(Text("Aucun second canal n'a été nommé (--channel) : le registre le dira.", "No second channel was named (--channel): the trail will say so."), Tone.WARNED)  # fmt: skip

    out.answer(_key_json(found), show)


@key.command("revoke")
def revoke_key(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    at: Annotated[
        str | None, typer.Option("--at", help="The instant from which it counts, when the key was lost before today.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Revoke a key: nothing is sealed to it any more; what it could have opened is in its exposure."""
    from passerelle.workspace import partner_keys

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = partner_keys.revoke(workspace, fingerprint, since=_instant(at, "--at"))

    def show() -> None:
        out.say(Text(f"Clé de {found.partner} révoquée.", f"Key of {found.partner} revoked."), Tone.DONE)
        report = f"passerelle partner exposure {found.fingerprint}"
        out.say(Text(f"Ce qu'elle a pu ouvrir : {report}", f"What it could have opened: {report}"), Tone.FAINT)

    out.answer(_key_json(found), show)


@key.command("end")
def end_key(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    not_after: Annotated[str, typer.Option(help="The day or instant from which nothing is sealed to it any more.")],
    as_json: JsonFlag = False,
) -> None:
    """Let a key run out: until then, parcels are sealed to it and to its successor."""
    from passerelle.workspace import partner_keys

    until = _instant(not_after, "--not-after")
    assert until is not None  # noqa: S101 - it was given
    out = screen(as_json=as_json)
    with opened() as workspace:
        found = partner_keys.end(workspace, fingerprint, not_after=until)
    when = moment(found.not_after, out.lang)
    outcome = Text(
        f"La clé de {found.partner} prendra fin le {when}.", f"The key of {found.partner} will end on {when}."
    )
    out.answer(_key_json(found), lambda: out.say(outcome, Tone.DONE))


@key.command("list")
def list_keys(
    party: Annotated[str | None, typer.Argument(help="One partner's keys only.")] = None, as_json: JsonFlag = False
) -> None:
    """Show keys, their state and who approved them."""
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        keys, now = partners.keys(connection, party), workspace.now()
    titles = [
        Text("partenaire", "partner"),
        Text("empreinte", "fingerprint"),
        Text("nature", "kind"),
        Text("état", "state"),
        Text("fin", "end"),
        Text("approuvée par", "approved by"),
    ]
    rows = [
        (
            k.partner, k.fingerprint, k.kind, said(KEY_STATES, k.state_at(now)),
            moment(k.revoked_at or k.not_after, out.lang), "\n".join(k.approvals) or None,
        )
        for k in keys
    ]  # fmt: skip
    out.answer([{**_key_json(k), "state": k.state_at(now)} for k in keys], lambda: out.table(titles, rows))


@partner.command("exposure")
def exposure(
    fingerprint: Annotated[str, typer.Argument(help="The key's fingerprint, or its beginning.")],
    as_json: JsonFlag = False,
) -> None:
    """List the parcels that a key could have opened: which were opened or receipted, and whose second lock is gone."""
    from passerelle.handover.keyreport import key_exposure
    from passerelle.store import partners

    out = screen(as_json=as_json)
    with (
        opened() as workspace,
        looked(workspace, "key_exposure", "key") as look,
        workspace.database.read() as connection,
    ):
        key = partners.key_by(connection, fingerprint)
        look.subject, look.partner = key.fingerprint, key.partner
        found = [one.as_json() for one in key_exposure(workspace, connection, key)]
        look.count = len(found)
    titles = [
        Text("colis", "parcel"),
        Text("convention", "convention"),
        Text("échange", "exchange"),
        Text("période", "period"),
        Text("remis le", "delivered"),
        Text("accusé le", "receipted"),
        Text("second verrou", "second lock"),
        Text("lignes", "rows"),
    ]
    rows = [
        (
            f["parcel"], f["convention"], f["exchange"], f["period"], moment(f["delivered_at"], out.lang),
            moment(f["receipted_at"], out.lang), said(SECOND_LOCKS, f["second_lock"]), f["rows"],
        )
        for f in found
    ]  # fmt: skip
    nothing = Text(
        "Aucun colis encore au dossier n'est scellé à cette clé.", "No parcel still on file is sealed to this key."
    )
    out.answer(found, lambda: out.table(titles, rows, right=frozenset({7})) if rows else out.say(nothing))


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


def _instant(text: str | None, what: str) -> datetime | None:
    return None if text is None else instant_value(text, what, PARIS)


def _key_json(found: PartnerKey) -> dict[str, Any]:
    return {
        "partner": found.partner,
        "fingerprint": found.fingerprint,
        "kind": found.kind,
        "state": found.state,
        "approvals": len(found.approvals),
        "not_before": found.not_before,
        "not_after": found.not_after,
        "revoked_at": found.revoked_at,
    }
