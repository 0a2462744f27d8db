"""serve, account: the web portal, and who signs in to it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, create_server, getaddrinfo, socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.context import Actor, JsonFlag, actor, opened, screen
from portal.render import Screen, Text, Tone

if TYPE_CHECKING:
    from passerelle.store.accounts import Account
    from passerelle.workspace import Workspace

account = typer.Typer(help="Accounts of the web portal.", no_args_is_help=True)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_CONNECTIONS = 200  # at once; more are told to come back (503)
LARGEST_HEAD = 32 << 10  # bytes of a request's line and headers
Role = Annotated[str, typer.Option(help="partner, dpo, engineer or administrator.")]
Party = Annotated[str | None, typer.Option(help="Whom a partner's account works for.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")]


def attach(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("serve")(serve)
    app.add_typer(account, name="account")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8450,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate with its chain (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS private key (PEM).")] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A proxy on this machine speaks TLS to the outside.")
    ] = False,
) -> None:
    """Start the web portal on this workspace; Ctrl-C ends it."""
    import os
    from dataclasses import replace

    import uvicorn

    from portal.web import setup
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
        chosen = setup.read(Path(os.environ.get("PASSERELLE_PORTAL") or workspace.home / setup.FILE))
        chosen = replace(chosen, prefect=chosen.prefect or setup.prefect(os.environ))
        if secure and chosen.origin is None:
            raise UsageError(
                "expected the address under which the portal is reached",
                hint='write {"origin": "https://HOST"} into portal.json of the workspace',
                fr="il faut l'adresse sous laquelle le portail est joignable",
                hint_fr='écrivez {"origin": "https://HÔTE"} dans portal.json de l\'espace de travail',
            )
        scheme = "https" if certificate else "http"
        place = f"[{host}]" if ":" in host else "localhost" if host in LOOPBACK else host
        address = f"{chosen.origin or f'{scheme}://{place}:{port}'}/"
        config = uvicorn.Config(
            site(workspace, secure=secure, setup=chosen), log_config=None, access_log=False,
            server_header=False, http="h11", h11_max_incomplete_event_size=LARGEST_HEAD, limit_concurrency=MOST_CONNECTIONS,
            proxy_headers=behind_tls, forwarded_allow_ips="127.0.0.1,::1" if behind_tls else None,
            ssl_certfile=certificate, ssl_keyfile=key, timeout_keep_alive=15, timeout_graceful_shutdown=10,
        )  # fmt: skip
        config.load()  # a certificate that cannot be read is told before anything is open
        server = uvicorn.Server(config)
        with _listening(host, port) as door, suppress(KeyboardInterrupt):
            out.say(Text(f"Le portail est ouvert : {address}", f"The portal is open: {address}"), Tone.DONE)  # fmt: skip
            server.run(sockets=[door])
        if not server.started:
            raise typer.Exit(1)


def _listening(host: str, port: int) -> socket:
    """Listens from now on: who connects before the portal answers waits for it."""
    try:
        families = [one[0] for one in getaddrinfo(host, port, type=SOCK_STREAM)]
        return create_server((host, port), family=AF_INET if AF_INET in families else families[0])
    except OSError as error:
        raise UsageError(
            f"this machine does not let the portal listen on {host}, port {port} ({type(error).__name__})",
            hint="another program may have that port, or another machine that address: choose with --port and --host",
            fr=f"cette machine ne laisse pas le portail écouter sur {host}, port {port} ({type(error).__name__})",
            hint_fr="un autre programme occupe peut-être ce port, ou une autre machine a cette adresse : choisissez avec --port et --host",
        ) from None


@account.command("add")
def add(
    name: Name,
    role: Role,
    party: Party = None,
    by: Actor = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an account; the activation code is shown once, its owner sets password and second factor with it."""
    from portal import administering

    out = screen(as_json=as_json)
    with opened() as workspace:
        found, code = administering.add(workspace, name, role, party, by=actor(by))
    out.answer({**_as_json(found), "activation_code": code}, lambda: _invited(out, found, code))


@account.command("reset")
def reset(name: Name, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Forget an account's password and second factor and end its sessions; a new activation code is shown once."""
    from portal import administering

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = _named(workspace, name)
        code = administering.reset(workspace, found, by=actor(by))
    out.answer({**_as_json(found), "activation_code": code}, lambda: _invited(out, found, code))


@account.command("change")
def change(name: Name, role: Role, party: Party = None, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Give an account another role, and end its sessions."""
    from portal import administering

    out = screen(as_json=as_json)
    with opened() as workspace:
        administering.change(workspace, _named(workspace, name), role, party, by=actor(by))
        found = _named(workspace, name)
    said = Text(f"Le compte {found.name} a changé de rôle.", f"The account {found.name} has another role.")
    out.answer(_as_json(found), lambda: out.say(said, Tone.DONE))


@account.command("disable")
def disable(name: Name, by: Actor = None, as_json: JsonFlag = False) -> None:
    """Let an account sign in no more, and end its sessions now."""
    from portal import administering

    out = screen(as_json=as_json)
    with opened() as workspace:
        found = _named(workspace, name)
        administering.disable(workspace, found, by=actor(by))
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


def _named(workspace: Workspace, name: str) -> Account:
    from passerelle.store import accounts

    with workspace.database.read() as connection:
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
