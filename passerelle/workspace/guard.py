"""What an opening insists on: workspace.json, keys, database and trail are of one workspace and of one time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from passerelle.errors import KeyStoreError, WorkspaceError
from passerelle.keys import KeyRing
from passerelle.store import Database, purges
from passerelle.trail import Entry
from passerelle.trail.tables import count_of_kind, first_leaf


def insist_on_one_workspace(home: Path, about: dict[str, Any], origin: str, database: Database) -> None:
    """Refuse a workspace whose parts do not belong together.

    Asked before the key ring is opened, which destroys the generations that it does not need.

    Raises:
        WorkspaceError: workspace.json says another name, or another of rehearsal and real, than the trail's first entry.
        KeyStoreError: keys or database were restored from before a purge.
    """
    with database.read() as connection:
        _insist_on_birth(connection, origin, rehearsal=bool(about["rehearsal"]))
        _insist_on_generation(connection, KeyRing(home / "keys").generation)


def _insist_on_birth(connection: Connection, origin: str, *, rehearsal: bool) -> None:
    leaf = first_leaf(connection)
    first = Entry.parse(leaf).body if leaf is not None else {}
    if (first.get("origin"), first.get("rehearsal", False)) != (origin, rehearsal):
        raise WorkspaceError(
            "workspace.json is not what the first entry of the trail says: its name, or whether this is a rehearsal",
            where="workspace.json",
            hint="restore the file that goes with this database",
            fr="workspace.json ne dit pas ce que dit la première écriture du journal : son nom, ou s'il s'agit d'une répétition",
            hint_fr="restaurez le fichier qui va avec cette base",
        )


def _insist_on_generation(connection: Connection, found: int) -> None:
    """The trail tells how often the root key was rotated; one rotation that a purge under way has not told is allowed for."""
    told = count_of_kind(connection, "root_rotated")
    untold = bool(purges.purges(connection, state="rows"))
    if found not in {told + 1, told + 1 + untold}:
        raise KeyStoreError(
            f"the keys are of generation {found}, the trail tells of {told + 1}",
            hint="keys or database are a copy from another time: restore the two that belong together, the newest",
            fr=f"les clés sont de la génération {found}, le registre dit {told + 1}",
            hint_fr="les clés ou la base datent d'un autre moment : restaurez celles qui vont ensemble, les plus récentes",
        )
