"""Putting a backup back: what was destroyed since is destroyed again before anything is served (docs/spec/backups.md)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from passerelle.errors import KeyStoreError, WorkspaceError
from passerelle.handover.job import erase_copy
from passerelle.keys import KeyRing
from passerelle.keys.files import put
from passerelle.store import Database, backups, events, holdings, objections, purges, replies, runs
from passerelle.store.backups import Backup
from passerelle.store.copying import put_back
from passerelle.store.database import sqlite_url
from passerelle.store.objections import Objection
from passerelle.store.tables import purge
from passerelle.trail.fsck import check
from passerelle.trail.tables import count_of_kind
from passerelle.workspace import Settings, Workspace
from passerelle.workspace import tombstones as stones
from passerelle.workspace.files import erase, write_whole
from retention.backups import DATABASE, DESCRIPTION, FILES, FOLDERS, FORMAT, digest
from retention.golden import classify

BATCH = 500  # copies told in one trail entry
CURRENT = "CURRENT"
AGAIN = "passerelle backup restore"  # who records again what the tombstones tell


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restoration did: entries of the restored trail, entries that were lost, and what was destroyed again."""

    trail_size: int
    lost: int
    copies: int
    conventions: tuple[str, ...]
    certificates: int
    objections: int
    holds: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "trail_size": self.trail_size, "lost": self.lost, "copies": self.copies, "conventions": list(self.conventions),
            "certificates": self.certificates, "objections": self.objections, "holds": self.holds,
        }  # fmt: skip


def restore(settings: Settings, folder: Path) -> Restored:
    """Put a backup back in the place of the workspace, beside the keys that are there. Killed, it is begun again.

        1. Read the backup, all of it, and compare its hashes.
        2. Mark the workspace: from now on nobody else opens it.
        3. Put database and files back, without the files that are known to be destroyed.
        4. Destroy again what the tombstones tell.
        5. Tell it in the trail; take the mark off.

    Raises:
        WorkspaceError: the folder is no backup of this gateway, or was altered; nothing was changed.
        KeyStoreError: the folder keys/ is not there.
    """
    home = settings.home
    about = _about(home)
    _insist_on_backup(folder, about)
    if not (home / "keys" / CURRENT).exists():
        raise KeyStoreError(
            "the folder keys/ is missing: a backup of the data has no keys",
            hint="put back the newest copy of keys/, then restore",
            fr="le dossier keys/ manque : une sauvegarde des données n'a pas de clés",
            hint_fr="rétablissez la copie la plus récente de keys/, puis restaurez",
        )
    write_whole(home / "workspace.json", _json({**about, "complete": False, "restoring": True}))
    known = stones.read(*_stone_files(settings))
    database = Database(settings.database_url or sqlite_url(home / "passerelle.db"))
    try:
        put_back(database, folder / DATABASE)
        with database.read() as connection:
            gone = {location for places in _destroyed(connection, known).values() for location in places}
    finally:
        database.close()
    _put_back_files(home, folder / FILES, known, gone)
    return _finish(settings, about, known)


def replay(settings: Settings) -> Restored:
    """Destroy again what the tombstones tell, in a database that was put back by other means.

    Raises:
        WorkspaceError: the database is of another gateway.
        TrailError: its trail does not hold: it was altered, and is not from before a destruction; nothing is changed.
    """
    about = _about(settings.home)
    _insist_on_trail(settings, about)
    write_whole(settings.home / "workspace.json", _json({**about, "complete": False, "restoring": True}))
    return _finish(settings, about, stones.read(*_stone_files(settings)))


def _insist_on_trail(settings: Settings, about: Mapping[str, Any]) -> None:
    workspace = Workspace(settings, {**about, "complete": False})
    try:
        with workspace.database.read() as connection:
            check(connection, workspace.ledger.verifier_key)
    finally:
        workspace.close()


def _finish(settings: Settings, about: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> Restored:
    buried = _bury(settings, known)
    workspace = Workspace(settings, {**about, "complete": False})
    try:
        workspace.database.check()
        if _forget(workspace, known) or buried:
            workspace.keys.rotate_root()
        done = _again(workspace, known)
        workspace.database.scrub()
        stones.sync(workspace, anew=True)
        write_whole(settings.home / "workspace.json", _json({**about, "complete": True}))
        return done
    finally:
        workspace.close()


def _bury(settings: Settings, known: Sequence[Mapping[str, Any]]) -> bool:
    """Mark as destroyed the keys that the tombstones name and a restored ring still has; whether there were any."""
    ring = settings.home / "keys"
    missing = {one["name"] for one in known if one["kind"] == "key"} - set(stones.names_in_ring(ring))
    generation = ring / f"gen-{int((ring / CURRENT).read_bytes()):04d}"
    for name in sorted(missing):
        put(generation / Path(name).name, b"destroyed\n")
    if missing:
        KeyRing.open(ring, settings.roots)
    return bool(missing)


def _forget(workspace: Workspace, known: Sequence[Mapping[str, Any]]) -> int:
    """Destroy the keys of single copies that were destroyed since, in a ring that was restored; how many there were."""
    with workspace.database.read() as connection:
        names = _destroyed(connection, known)
    forgotten = 0
    for convention, locations in sorted(names.items()):
        if there := workspace.keys.copy_keys(convention) & locations:
            forgotten += workspace.keys.forget(convention, frozenset(there))
    return forgotten


def _destroyed(connection: Connection, known: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """By convention, where copies lay that were destroyed and no other lies: a run may make anew what one that failed had begun."""
    gone = {(one["run"], one["location"]) for one in known if one["kind"] == "copy"}
    made_anew = {
        copy.location for copy in holdings.present(connection) if copy.ours and (copy.run, copy.location) not in gone
    }
    found: dict[str, set[str]] = defaultdict(set)
    for one in known:
        if one["kind"] == "copy" and one["location"] not in made_anew:
            found[one["convention"]].add(one["location"])
    return found


def _again(workspace: Workspace, known: Sequence[Mapping[str, Any]]) -> Restored:
    """Everything that the tombstones tell, in one transaction with its entries in the trail."""
    lost = max((one["size"] for one in known if one["kind"] == "head"), default=0)
    with workspace.database.begin() as connection:
        size = workspace.ledger.size(connection)
        _tell_rotations(workspace, connection)
        conventions = _purged_again(workspace, connection, known)
        copies = _copies_again(workspace, connection, known, conventions)
        certificates = _certificates(workspace, connection, known)
        _backups_again(workspace, connection, known)
        told = _objections_again(workspace, connection, known)
        held = _holds_again(workspace, connection, known)
        done = Restored(size, max(0, lost - size), copies, conventions, certificates, told, held)
        body = {"size": size, "lost": done.lost, "holdings": copies, "conventions": list(conventions) or None}
        workspace.append(connection, "backup_restored", body)
        workspace.ledger.checkpoint(connection, workspace.now())
    return done


def _tell_rotations(workspace: Workspace, connection: Connection) -> None:
    for generation in range(count_of_kind(connection, "root_rotated") + 2, workspace.keys.generation + 1):
        workspace.append(connection, "root_rotated", {"generation": generation})


def _purged_again(workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Conventions whose keys are destroyed, and of which the restored tables still tell as if they were held."""
    found = []
    indexes = {name.removesuffix(".index-destroyed") for name in stones.names_in_ring(workspace.home / "keys")}
    for convention in sorted(workspace.keys.destroyed()):
        copies = [copy for copy in holdings.present(connection, convention=convention) if copy.ours]
        copies = [copy for copy in copies if copy.kind != "index" or convention in indexes]
        told = any(
            entry.entry.body["convention"] == convention
            for entry in workspace.ledger.find(connection, "keys_destroyed")
        )
        if told and not copies:
            continue
        ref = _ref(known, convention)
        if not told:
            workspace.append(connection, "keys_destroyed", {"convention": convention, "purge": ref})
        _destroy(workspace, connection, convention, copies, ref)
        for clear in (runs.clear, replies.clear, objections.clear):
            clear(connection, convention)
        for name in (f"{convention}.*", f".{convention}.*"):
            for report in (workspace.home / "reports").glob(name):
                erase(report)
        shutil.rmtree(workspace.home / "inbox" / convention, ignore_errors=True)
        found.append(convention)
    return tuple(found)


def _ref(known: Sequence[Mapping[str, Any]], convention: str) -> str:
    ids = [one["id"] for one in known if one["kind"] == "purge" and one["convention"] == convention]
    return str(ids[-1]) if ids else f"{convention}.restored"


def _destroy(
    workspace: Workspace, connection: Connection, convention: str, copies: Sequence[holdings.Holding], ref: str
) -> None:
    for start in range(0, len(copies), BATCH):
        some = copies[start : start + BATCH]
        for copy in some:
            erase_copy(workspace, copy)
        holdings.destroyed(connection, [copy.id for copy in some], at=workspace.now())
        body = {"convention": convention, "purge": ref, "holdings": len(some)}
        workspace.append(connection, "holding_destroyed", body)


def _copies_again(
    workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]], purged: Sequence[str]
) -> int:
    """Single copies that were destroyed since: of partial purges, superseded parcels, quarantines past their life."""
    gone = {(one["run"], one["location"]) for one in known if one["kind"] == "copy"}
    back: dict[str, list[holdings.Holding]] = defaultdict(list)
    for copy in holdings.present(connection):
        if copy.ours and (copy.run, copy.location) in gone:
            back[copy.convention].append(copy)
    for convention, copies in sorted(back.items()):
        _destroy(workspace, connection, convention, copies, f"{convention}.restored")
    whole = sum(1 for one in known if one["kind"] == "copy" and one["convention"] in purged)
    return sum(map(len, back.values())) + whole


def _certificates(workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]]) -> int:
    """Purges of which the restored database knows nothing: their plans and certificates, told again."""
    there = {one.id for one in purges.purges(connection)}
    back = [one for one in known if one["kind"] == "purge" and one["id"] not in there]
    for one in back:
        values = {column.name: one[column.name] for column in purge.columns if column.name in one}
        plan = json.dumps(one["plan"], sort_keys=True, ensure_ascii=False)
        connection.execute(insert(purge).values(**{**values, "plan": plan}))
        named = {"convention": one["convention"], "purge": one["id"]}
        workspace.append(connection, "purge_started", named)
        sha256 = hashlib.sha256(one["certificate"].encode()).hexdigest()
        workspace.append(connection, "purge_certificate", {**named, "certificate_sha256": sha256})
    return len(back)


def _backups_again(workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]]) -> None:
    """Backups recorded or destroyed since: the one that is put back does not know of itself."""
    last = {one["id"]: one for one in known if one["kind"] == "backup"}
    there = {one.id: one for one in backups.backups(connection)}
    for name, one in sorted(last.items()):
        new = Backup(**{**{part: one[part] for part in Backup.__slots__}, "covers": tuple(one["covers"])})
        if name not in there:
            backups.record(connection, new)
            body = {"backup": name, "covers": list(new.covers), "taken_at": new.taken_at, "expires": new.expires_on}
            workspace.append(connection, "backup_recorded", {**body, "size": new.trail_size})
        elif new.destroyed_at and backups.destroyed(connection, name, at=datetime.fromisoformat(new.destroyed_at)):
            workspace.append(connection, "backup_destroyed", {"backup": name})


def _objections_again(workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]]) -> int:
    """Objections and erasures recorded since are kept again; those withdrawn since are withdrawn again."""
    withdrawn = {one["id"]: one["convention"] for one in known if one["kind"] == "withdrawn"}
    there = {one.id for one in objections.standing(connection)}
    count = 0
    for one in known:
        if one["kind"] != "objection" or one["id"] in there or one["id"] in withdrawn:
            continue
        if (found := stones.opened(workspace, one)) is not None:
            connection.execute(
                insert(objections.objection).values(**{n: getattr(found, n) for n in Objection.__slots__})
            )
            body = {
                "convention": found.convention,
                "objection": found.id,
                "scheme": found.scheme,
                "ground": found.ground,
            }
            more = {"exchange": found.exchange, "commitment": found.commitment}
            workspace.append(connection, "objection_recorded", {**body, **more})
            there.add(found.id)
            count += 1
    for name in sorted(there & withdrawn.keys()):
        objections.withdraw(connection, name)
        workspace.append(connection, "objection_withdrawn", {"convention": withdrawn[name], "objection": name})
        count += 1
    return count


def _holds_again(workspace: Workspace, connection: Connection, known: Sequence[Mapping[str, Any]]) -> int:
    """What was said of holds since is said again, in its order: what is held stays held. How many events."""
    there = {
        (name, stones.hold_id(row))
        for name in events.conventions(connection)
        for row in events.history(connection, name)
    }
    count = 0
    for one in known:
        name = one["convention"] if one["kind"] == "hold" else None
        if name is None or (name, one["id"]) in there or (said := stones.opened_hold(workspace, one)) is None:
            continue
        number = events.record(
            connection, name, said["type"], said["payload"], by=AGAIN, at=datetime.fromisoformat(said["at"]),
            evidence_sha256=said["evidence"],
        )  # fmt: skip
        body = {
            "convention": name,
            "event": said["type"],
            "event_id": f"e-{number}",
            "evidence_sha256": said["evidence"],
        }
        digest_of = events.digest(said["type"], said["payload"])
        workspace.append(connection, "event_recorded", {**body, "payload_sha256": digest_of})
        there.add((name, one["id"]))
        count += 1
    return count


def _put_back_files(home: Path, saved: Path, known: Sequence[Mapping[str, Any]], gone: set[str]) -> None:
    """The folders of the backup in place of those that are there, without what is known to be destroyed."""
    purged = {one["name"].removesuffix(".destroyed") for one in known if one["kind"] == "key" and one["name"].endswith(".destroyed")}  # fmt: skip
    for name in FOLDERS:
        shutil.rmtree(home / name, ignore_errors=True)
        (home / name).mkdir(mode=0o700)
    for path in sorted(saved.rglob("*")):
        relative = path.relative_to(saved).as_posix()
        found = classify(relative)
        destroyed = found is not None and found.kind.goes and found.convention in purged
        if path.is_file() and relative not in gone and not destroyed:
            target = home / relative
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(path, target)


def _insist_on_backup(folder: Path, about: Mapping[str, Any]) -> None:
    fault = "it is no backup of ours"
    try:
        said = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        if said["format"] == FORMAT and said["origin"] == f"passerelle.example/{about['id']}":
            there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()} - {DESCRIPTION}
            same = there == said["files"].keys() and all(digest(folder / name) == said["files"][name] for name in there)
            fault = "" if same else "its files are not what its description says"
        elif said["format"] == FORMAT:
            fault = "it is of another gateway"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    if fault:
        raise WorkspaceError(
            f"this folder cannot be restored: {fault}",
            where=DESCRIPTION,
            hint="passerelle backup make makes what can be restored; nothing was changed",
            fr="ce dossier ne peut pas être restauré : ce n'est pas une sauvegarde intacte de cette passerelle",
            hint_fr="passerelle backup make fait ce qui se restaure ; rien n'a été changé",
        )


def _stone_files(settings: Settings) -> tuple[Path | None, ...]:
    return (settings.home / "keys" / stones.NAME, settings.tombstones)


def _about(home: Path) -> dict[str, Any]:
    try:
        about = json.loads((home / "workspace.json").read_text("utf-8"))
        return {"format": about["format"], "id": about["id"], "rehearsal": about["rehearsal"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise WorkspaceError(
        "there is no workspace here to restore into",
        hint="put back workspace.json and keys/ first: PASSERELLE_HOME names their folder",
        fr="il n'y a pas ici d'espace de travail où restaurer",
        hint_fr="rétablissez d'abord workspace.json et keys/ ; PASSERELLE_HOME désigne leur dossier",
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
