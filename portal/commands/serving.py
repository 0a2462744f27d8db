"""serve, account: the web portal, and who signs in to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, opened, screen
from portal.render import Screen, Text, Tone

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passerelle.store.accounts import Account

account = typer.Typer(help="Accounts of the web portal.", no_args_is_help=True)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("serve")(serve)
    app.add_typer(account, name="account")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8450,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate with its chain (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS private key (PEM).")] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A proxy on this machine speaks TLS to the outside.")
    ] = False,
) -> None:
    """Start the web portal on this workspace; Ctrl-C ends it."""
    import uvicorn

    from portal.web.site import site

    secure = behind_tls or certificate is not None
    if host not in LOOPBACK and certificate is None:
        raise UsageError(
            "expected TLS where the portal is reached from other machines",
            hint="give --certificate and --key, or listen on 127.0.0.1 behind a proxy with --behind-tls",
            fr="le portail doit être servi en TLS dès qu'il est joignable d'autres machines",
            hint_fr="donnez --certificate et --key, ou écoutez sur 127.0.0.1 derrière un mandataire avec --behind-tls",
        )
    if (certificate is None) != (key is None):
        raise UsageError(
            "--certificate and --key go together", fr="--certificate et --key vont ensemble",
        )  # fmt: skip
    out = screen()
    with opened() as workspace:
        scheme = "https" if certificate else "http"
        place = f"[{host}]" if ":" in host else host
        out.say(Text(f"Le portail est ouvert : {scheme}://{place}:{port}/", f"The portal is open: {scheme}://{place}:{port}/"), Tone.DONE)  # fmt: skip
        uvicorn.run(
            site(workspace, secure=secure), host=host, port=port, log_config=None, access_log=False, server_header=False,
            proxy_headers=behind_tls, forwarded_allow_ips="127.0.0.1,::1" if behind_tls else None,
            ssl_certfile=certificate, ssl_keyfile=key, timeout_keep_alive=15, timeout_graceful_shutdown=10,
        )  # fmt: skip


@account.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="partner, dpo, engineer or administrator.")],
    party: Annotated[str | None, typer.Option(help="Whom a partner's account works for.")] = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an account; the activation code is shown once, its owner sets password and second factor with it."""
    from passerelle.store import access, accounts, factors

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        now = workspace.now().replace(microsecond=0)
        found = accounts.add(connection, name, role, party, by=actor(by), at=now)
        code = factors.invite(connection, found.id, at=now)
        access.log(connection, actor=actor(by), action="account_added", subject=found.id, at=now, partner=party)
    out.answer({**_as_json(found), "activation_code": code}, lambda: _invited(out, found, code))


@account.command("reset")
def reset(name: Name, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Forget an account's password and second factor and end its sessions; a new activation code is shown once."""
    from passerelle.store import access, accounts, factors

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        now = workspace.now().replace(microsecond=0)
        found = _named(connection, name)
        code = factors.invite(connection, found.id, at=now)
        accounts.close_all(connection, found.id)
        access.log(connection, actor=actor(by), action="account_reset", subject=found.id, at=now, partner=found.party)
    out.answer({**_as_json(found), "activation_code": code}, lambda: _invited(out, found, code))


@account.command("disable")
def disable(name: Name, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Let an account sign in no more, and end its sessions now."""
    from passerelle.store import access, accounts

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.begin() as connection:
        now = workspace.now().replace(microsecond=0)
        found = _named(connection, name)
        accounts.disable(connection, found.id, at=now)
        access.log(
            connection, actor=actor(by), action="account_disabled", subject=found.id, at=now, partner=found.party
        )
    said = Text(f"Le compte {found.name} est fermé.", f"The account {found.name} is closed.")
    out.answer({**_as_json(found), "disabled": True}, lambda: out.say(said, Tone.DONE))


@account.command("list")
def list_accounts(as_json: JsonFlag = False) -> None:
    """Show the accounts."""
    from passerelle.store import accounts

    out = screen(as_json=as_json)
    with opened() as workspace, workspace.database.read() as connection:
        found = accounts.accounts(connection)
    titles = [Text("compte", "account"), Text("rôle", "role"), Text("partie", "party"), Text("fermé", "closed")]
    rows = [(one.name, one.role, one.party, one.disabled) for one in found]
    out.answer([_as_json(one) for one in found], lambda: out.table(titles, rows))


def _named(connection: Connection, name: str) -> Account:
    from passerelle.store import accounts

    found = accounts.by_name(connection, name)
    if found is None:
        raise UsageError(
            "there is no account of that name",
            hint="passerelle account list shows them",
            fr="aucun compte de ce nom",
            hint_fr="passerelle account list les montre",
        )
    return found


def _as_json(found: Account) -> dict[str, Any]:
    return {"account": found.name, "role": found.role, "party": found.party, "disabled": found.disabled}


def _invited(out: Screen, found: Account, code: str) -> None:
    out.say(Text(f"Compte {found.name} inscrit.", f"Account {found.name} added."), Tone.DONE)
    out.facts([(Text("code d'activation, trois jours", "activation code, three days"), code)])
    out.say(
        Text(
            "Remettez ce code à la personne par un autre moyen que son nom ; elle ouvre son compte à la page /activate.",
            "Hand this code to the person by another way than the name; the account is opened on the page /activate.",
        )
    )
