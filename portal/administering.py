"""Accounts of the portal, administered: the same acts for the command line and the pages, each with its line in the access log."""

from __future__ import annotations

from passerelle.store import access, accounts, factors
from passerelle.store.accounts import Account
from passerelle.workspace import Workspace


def add(workspace: Workspace, name: str, role: str, party: str | None, *, by: str) -> tuple[Account, str]:
    """A new account and its activation code, which is told once."""
    now = workspace.now().replace(microsecond=0)
    with workspace.database.begin() as connection:
        found = accounts.add(connection, name, role, party, by=by, at=now)
        code = factors.invite(connection, found.id, at=now)
        access.log(connection, actor=by, action="account_added", subject=found.id, at=now, partner=party)
    return found, code


def reset(workspace: Workspace, found: Account, *, by: str) -> str:
    """Forget an account's password and second factors and end its sessions; a new activation code, told once."""
    now = workspace.now().replace(microsecond=0)
    with workspace.database.begin() as connection:
        code = factors.invite(connection, found.id, at=now)
        accounts.close_all(connection, found.id)
        access.log(connection, actor=by, action="account_reset", subject=found.id, at=now, partner=found.party)
    return code


def change(workspace: Workspace, found: Account, role: str, party: str | None, *, by: str) -> None:
    """Give an account another role, and end its sessions."""
    now = workspace.now().replace(microsecond=0)
    with workspace.database.begin() as connection:
        accounts.change(connection, found.id, role, party)
        access.log(connection, actor=by, action="account_changed", subject=found.id, at=now, partner=party)


def disable(workspace: Workspace, found: Account, *, by: str) -> None:
    """Let an account sign in no more, and end its sessions now."""
    now = workspace.now().replace(microsecond=0)
    with workspace.database.begin() as connection:
        accounts.disable(connection, found.id, at=now)
        access.log(connection, actor=by, action="account_disabled", subject=found.id, at=now, partner=found.party)
