"""Backups: which there are, what each still holds, until when; making one. Does a backup still hold purged data? (domain §3.1, 15)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.convention import dates, destruction_deadline
from passerelle.errors import PasserelleError, RefusedError, UsageError
from passerelle.store import backups, holdings, purges
from passerelle.store.backups import COVERS, Backup
from passerelle.store.copying import copy_database
from passerelle.workspace import Workspace
from passerelle.workspace.files import write_whole

FORMAT = "passerelle-backup/1"
DESCRIPTION = "backup.json"
DATABASE, FILES = "database", "files"
FOLDERS = (
    "conventions", "codes", "holdings", "inbox", "index", "outbox", "releases", "reports", "staging", "trust",
)  # fmt: skip
LIFE_DAYS = 30  # of a backup without a date of its own; a rule of the hub


@dataclass(frozen=True, slots=True)
class Holds:
    """What one backup still holds of one convention.

    ``copies``: registered copies of ours that were there when it was taken, of ``kinds``; ``opens``: whether it brings the keys that open them.
    ``late_by``: days between the last day of destruction and the day on which the backup goes, or today where it should be gone;
    0 when it goes in time, or holds the person index alone, which outlives the purge.
    """

    backup: Backup
    convention: str
    copies: int
    kinds: tuple[str, ...]
    opens: bool
    purged_on: str | None
    deadline: str | None
    late_by: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "backup": self.backup.id, "label": self.backup.label, "convention": self.convention, "copies": self.copies, "kinds": list(self.kinds),
            "opens": self.opens, "purged_on": self.purged_on, "deadline": self.deadline, "taken_at": self.backup.taken_at,
            "expires_on": self.backup.expires_on, "late_by": self.late_by,
        }  # fmt: skip


def described(one: Backup, today: date) -> dict[str, Any]:
    """One backup as a JSON object."""
    over = one.destroyed_at is None and one.expires_on < today.isoformat()
    return {
        "backup": one.id, "label": one.label, "covers": list(one.covers), "taken_at": one.taken_at, "expires_on": one.expires_on,
        "destroyed_at": one.destroyed_at, "overdue": over,
    }  # fmt: skip


def record(
    workspace: Workspace,
    label: str,
    *,
    covers: Sequence[str],
    taken_at: datetime,
    expires_on: date,
    by: str,
    trail_size: int | None = None,
) -> Backup:
    """Put a backup on record, and tell it in the trail.

    Raises:
        RefusedError: it covers nothing known, was taken in the future, or goes before it was taken.
    """
    if not covers or not set(covers) <= set(COVERS) or not label:
        raise RefusedError(
            f"expected what the backup covers: some of {', '.join(COVERS)}",
            hint="--covers database,files",
            fr=f"il faut dire ce que contient la sauvegarde, parmi : {', '.join(COVERS)}",
            hint_fr="--covers database,files",
        )
    if taken_at > workspace.now() or expires_on < taken_at.date():
        raise RefusedError(
            "expected a backup taken in the past, that ends after it was taken",
            hint="--taken-at INSTANT --expires DATE",
            fr="une sauvegarde a été prise dans le passé, et finit après avoir été prise",
            hint_fr="--taken-at INSTANT --expires DATE",
        )
    ordered = tuple(one for one in COVERS if one in covers)
    new = Backup(
        f"b-{uuid4().hex[:16]}", label, ordered, iso(taken_at), expires_on.isoformat(), trail_size, by, iso(workspace.now()),
        None,
    )  # fmt: skip
    with workspace.database.begin() as connection:
        backups.record(connection, new)
        body = {"backup": new.id, "covers": list(ordered), "taken_at": new.taken_at, "expires": new.expires_on, "size": trail_size}  # fmt: skip
        workspace.append(connection, "backup_recorded", body)
    return new


def expire(workspace: Workspace, backup_id: str, *, remove: bool = False) -> Backup:
    """Put on record that a backup was destroyed; with ``remove`` remove the folder that it was made in. Repeatable.

    Raises:
        UsageError: there is none of that id.
        RefusedError: its folder is still there.
    """
    with workspace.database.read() as connection:
        found = backups.backups(connection, id=backup_id)
    if not found:
        raise UsageError(
            "no backup of that id",
            hint="passerelle backup list",
            fr="aucune sauvegarde de ce numéro",
            hint_fr="passerelle backup list",
        )
    folder = Path(found[0].label)
    if remove and (folder / DESCRIPTION).is_file():
        shutil.rmtree(folder)
    if folder.is_absolute() and os.path.lexists(folder):
        raise RefusedError(
            "the backup is still there",
            hint="destroy it first, or add --remove when it is a folder that passerelle backup make made",
            fr="la sauvegarde est encore là",
            hint_fr="détruisez-la d'abord, ou ajoutez --remove si passerelle backup make a fait ce dossier",
        )
    now = workspace.now()
    with workspace.database.begin() as connection:
        if backups.destroyed(connection, backup_id, at=now):
            late = max(0, (now.date() - date.fromisoformat(found[0].expires_on)).days)
            workspace.append(connection, "backup_destroyed", {"backup": backup_id, "days": late or None})
    with workspace.database.read() as connection:
        return backups.backups(connection, id=backup_id)[0]


def holding(
    workspace: Workspace, connection: Connection, convention: str, ids: frozenset[int] | None = None
) -> list[Holds]:
    """The standing backups that hold copies of a convention, or those of ``ids``, oldest first: what a DPO asks."""
    copies = [copy for copy in holdings.all_of(connection, convention) if copy.ours and (ids is None or copy.id in ids)]
    done = [one for one in purges.purges(connection, convention=convention, state="done") if one.ended_at]
    purged_on = (done[-1].ended_at or "")[:10] if done else None
    due = _deadline(workspace, connection, convention)
    found = []
    for one in backups.standing(connection):
        there = [
            c
            for c in copies
            if c.created_at <= one.taken_at and (c.destroyed_at is None or c.destroyed_at > one.taken_at)
        ]
        if there and set(one.covers) & {"database", "files"}:
            kinds = tuple(sorted({copy.kind for copy in there}))
            late = 0 if kinds == ("index",) else _late(workspace, one, due)
            deadline = due.isoformat() if due else None
            found.append(Holds(one, convention, len(there), kinds, "keys" in one.covers, purged_on, deadline, late))
    return found


def certified(
    workspace: Workspace, connection: Connection, convention: str, ids: frozenset[int]
) -> list[dict[str, Any]]:
    """What a certificate tells of backups: those that hold copies of ``ids``, and those of keys taken while these were there."""
    born = min((copy.created_at for copy in holdings.all_of(connection, convention) if copy.id in ids), default=None)
    found = {
        one.backup.id: {**_told(one.backup), "copies": one.copies, "opens": one.opens, "late_by": one.late_by}
        for one in holding(workspace, connection, convention, ids)
    }
    due = _deadline(workspace, connection, convention)
    for one in backups.standing(connection):
        if one.id not in found and "keys" in one.covers and born is not None and one.taken_at >= born:
            found[one.id] = {**_told(one), "copies": 0, "opens": True, "late_by": _late(workspace, one, due)}
    today = workspace.now().date()
    return [{**one, **_words(one, today)} for one in found.values()]


def _late(workspace: Workspace, one: Backup, due: date | None) -> int:
    """By how many days a standing backup outlives the last day of destruction."""
    goes = max(date.fromisoformat(one.expires_on), workspace.now().date())
    return max(0, (goes - due).days) if due else 0


def _told(one: Backup) -> dict[str, Any]:
    return {"backup": one.id, "covers": list(one.covers), "taken_at": one.taken_at, "expires_on": one.expires_on}


def _words(one: Mapping[str, Any], today: date) -> dict[str, str]:
    taken, last = date.fromisoformat(one["taken_at"][:10]), date.fromisoformat(one["expires_on"])
    late, over, held = one["late_by"], last < today, _held(one["copies"], opens=one["opens"])
    s = "s" if late > 1 else ""
    to_go_fr = "devait être détruite" if over else "est à détruire"
    to_go_en = "was to be destroyed" if over else "is to be destroyed"
    still_fr, still_en = (" et ne l'est pas", " and is not") if over else ("", "")
    late_fr, late_en = (f", {late} jour{s} après l'échéance : elle est inscrite en retard", f", {late} day{s} after the deadline: it is recorded as late") if late else ("", "")  # fmt: skip
    return {
        "fr": f"La sauvegarde {one['backup']}, prise le {dates.fr(taken)}, {held['fr']} ; "
        f"elle {to_go_fr} le {dates.fr(last)} au plus tard{still_fr}{late_fr}.",
        "en": f"The backup {one['backup']}, taken on {dates.en(taken)}, {held['en']}; "
        f"it {to_go_en} by {dates.en(last)}{still_en}{late_en}.",
    }


def _held(copies: int, *, opens: bool) -> dict[str, str]:
    """What a backup has of the copies that went: the copies, the keys, or both."""
    if not copies:
        return {"fr": "ne contient aucune copie mais les clés d'alors", "en": "holds no copy but the keys of that day"}
    s, ies = ("s", "ies") if copies > 1 else ("", "y")
    return {
        "fr": f"contient encore {copies} copie{s} chiffrée{s}, {'avec' if opens else 'sans'} les clés d'alors",
        "en": f"still holds {copies} encrypted cop{ies}, {'with' if opens else 'without'} the keys of that day",
    }


def every_holding(workspace: Workspace, connection: Connection) -> list[Holds]:
    """What each standing backup holds, of every convention."""
    if not backups.standing(connection):
        return []
    conventions = sorted({copy.convention for copy in holdings.every(connection)})
    return [one for convention in conventions for one in holding(workspace, connection, convention)]


def alerts(workspace: Workspace, connection: Connection) -> list[dict[str, Any]]:
    """What the watchdog tells: backups past their day, and those that will outlive the deadline of what they hold."""
    today = workspace.now().date()
    over = [one for one in backups.standing(connection) if date.fromisoformat(one.expires_on) < today]
    found: list[dict[str, Any]] = [{"code": "backup_overdue", "backup": one.id, "due": one.expires_on} for one in over]
    late = [one for one in every_holding(workspace, connection) if one.late_by]
    return found + [
        {"code": "backup_late", "backup": one.backup.id, "convention": one.convention, "due": one.deadline}
        for one in late
    ]


def _deadline(workspace: Workspace, connection: Connection, convention: str) -> date | None:
    """The last day of destruction, where the text lets one tell it."""
    try:
        answer = destruction_deadline(
            workspace.convention(convention), workspace.history(connection, convention), workspace.now()
        )
    except PasserelleError:
        return None
    return answer.value if isinstance(answer.value, date) else None


def make(workspace: Workspace, folder: Path, *, by: str, expires_on: date | None, keys: Path | None = None) -> Backup:
    """Copy the gateway into ``folder``, which is made: nothing else works meanwhile. Keys go into ``keys``, or nowhere.

    Raises:
        RefusedError: the folder is there already, or the keys would lie in it.
        HeldError: an exchange or a purge is at work.
    """
    _insist_on_places(workspace, folder, keys)
    taken = workspace.now()
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    with ExitStack() as locks:
        for name in _locks(workspace):
            locks.enter_context(workspace.lock(name))
        beside.mkdir(mode=0o700, parents=True)
        copy_database(workspace.database, beside / DATABASE)
        for name in FOLDERS:
            if (workspace.home / name).is_dir():
                shutil.copytree(workspace.home / name, beside / FILES / name)
        with workspace.database.read() as connection:
            size = workspace.ledger.size(connection)
    last = expires_on or taken.date() + timedelta(days=LIFE_DAYS)
    write_whole(beside / DESCRIPTION, _description(workspace, beside, taken, size))
    beside.replace(folder)
    if keys is not None:
        record(workspace, str(_copied_keys(workspace, keys)), covers=["keys"], taken_at=taken, expires_on=last, by=by)
    return record(
        workspace, str(folder), covers=["database", "files"], taken_at=taken, expires_on=last, by=by, trail_size=size
    )


def _insist_on_places(workspace: Workspace, folder: Path, keys: Path | None) -> None:
    inside = folder.is_relative_to(workspace.home) or workspace.home.is_relative_to(folder)
    together = keys is not None and (keys.is_relative_to(folder) or folder.is_relative_to(keys))
    if inside or together or os.path.lexists(folder) or (keys is not None and os.path.lexists(keys)):
        raise RefusedError(
            "expected a new folder outside the workspace, and another one for the keys",
            hint="passerelle backup make --out FOLDER [--with-keys OTHER-FOLDER]",
            fr="il faut un nouveau dossier hors de l'espace de travail, et un autre pour les clés",
            hint_fr="passerelle backup make --out DOSSIER [--with-keys AUTRE-DOSSIER]",
        )


def _locks(workspace: Workspace) -> Iterator[str]:
    for name in workspace.convention_ids():
        yield f"{name}.purge"
        yield from (f"{name}.{one.id}" for one in workspace.convention(name).exchanges)


def _description(workspace: Workspace, folder: Path, taken: datetime, size: int) -> bytes:
    files: Mapping[str, str] = {
        path.relative_to(folder).as_posix(): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    about = {"format": FORMAT, "origin": workspace.origin, "taken_at": iso(taken), "trail_size": size, "files": files}
    return (json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copied_keys(workspace: Workspace, keys: Path) -> Path:
    shutil.copytree(workspace.home / "keys", keys, ignore=shutil.ignore_patterns("lock"))
    return keys
