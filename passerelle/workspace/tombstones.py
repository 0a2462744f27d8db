"""What was destroyed, and what is held, written down outside the database and every backup: no restoration undoes either.

``keys/tombstones`` (docs/spec/backups.md): one JSON object a line, appended and synced; a line cut short by a death is written again.
PASSERELLE_TOMBSTONES names a second copy, on another disk. The lines follow from the tables, the trail and the key ring: they are
brought up to date at each opening, and at each closing after something was destroyed, or a hold was placed, reviewed or lifted.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.convention.holds import EVENTS
from passerelle.errors import KeyStoreError, WorkspaceError
from passerelle.keys import wrapping
from passerelle.store import backups, events, holdings, objections, purges
from passerelle.store.objections import Objection
from passerelle.trail.tables import trail_entry

if TYPE_CHECKING:
    from passerelle.store import Database
    from passerelle.workspace.workspace import Workspace

NAME = "tombstones"
MARKS = ("destroyed", "index-destroyed")  # how the ring ends the names of its own tombstones
TELLING = ("destroyed", "expired", "rotated", "superseded", "objection", "purge", "erased", "erasure", "backup")
TAIL_BYTES = 4096
PURPOSE = "passerelle/tombstone"  # what seals an objection or a hold (docs/spec/keys.md, section 3)

Line = Mapping[str, Any]


def read(*files: Path | None) -> list[dict[str, Any]]:
    """The lines of every copy there is, each once, in their order; a last line without its end is left out."""
    found: dict[str, None] = {}
    for path in files:
        with suppress(FileNotFoundError):
            for line in path.read_bytes().decode("utf-8", "replace").split("\n")[:-1] if path else ():
                found[line] = None
    return [_line(text) for text in found]


def insist_on_tombstones(database: Database, *files: Path | None) -> None:
    """Refuse a database that is older than what was destroyed: it was restored without its tombstones.

    Raises:
        WorkspaceError: the trail is shorter than it was when something was last destroyed.
    """
    told = max((_told(path) for path in files if path is not None), default=0)
    with database.read() as connection:
        size = _size(connection)
    if size < told:
        raise WorkspaceError(
            f"the trail was truncated, or the database is from before a destruction: {size} entries of at least {told}",
            where="database",
            hint="an older database was put back: passerelle backup replay destroys again what was destroyed since. None was: entries "
            "were cut; keep this disk, restore the last backup, and verify it with a partner's receipt (trail verify --receipt)",
            fr=f"registre de preuve tronqué, ou base d'avant une destruction : {size} écritures sur au moins {told}",
            hint_fr="une base plus ancienne a été remise : passerelle backup replay détruit à nouveau ce qui l'a été depuis. Aucune ne l'a "
            "été : des écritures ont été coupées ; gardez ce disque, restaurez la dernière sauvegarde et vérifiez-la avec l'accusé d'un "
            "partenaire (trail verify --receipt)",
        )


def sync(workspace: Workspace, *, anew: bool = False) -> int:
    """Write down what was destroyed since the last time; how many lines were added. Once more adds nothing.

    ``anew``: the trail is another, shorter one, after a restoration.
    """
    files = workspace.tombstones
    told = min((_told(path) for path in files), default=0)
    with workspace.database.read() as connection:
        size = _size(connection)
        behind = anew or any(not path.exists() for path in files) or _destroyed_since(connection, told)
        lines = list(_lines(workspace, connection)) if behind else []
    if not behind:
        return 0
    return max(_append(path, lines, size) for path in files)


def names_in_ring(folder: Path) -> list[str]:
    """The names of the ring's own tombstones, in the generation in force."""
    with suppress(OSError, ValueError):
        generation = folder / f"gen-{int((folder / 'CURRENT').read_bytes()):04d}"
        return sorted(path.name for path in generation.iterdir() if path.name.rpartition(".")[2] in MARKS)
    return []


def _lines(workspace: Workspace, connection: Connection) -> Iterator[Line]:
    """Everything that was destroyed, as the gateway knows it now."""
    for name in names_in_ring(workspace.home / "keys"):
        yield {"kind": "key", "name": name}
    yield {"kind": "rotated", "generation": workspace.keys.generation}
    for copy in holdings.every(connection):
        if copy.destroyed_at is not None and copy.ours:
            yield {"kind": "copy", "convention": copy.convention, "run": copy.run, "location": copy.location}
    for done in purges.purges(connection, state="done"):
        yield {"kind": "purge", **asdict(done), "plan": dict(done.plan)}
    for kept in backups.backups(connection):
        yield {"kind": "backup", **asdict(kept), "covers": list(kept.covers)}
    standing = objections.standing(connection)
    for one in standing:
        if (sealed := _sealed(workspace, one)) is not None:
            yield {"kind": "objection", "id": one.id, "convention": one.convention, "sealed": sealed}
    there = {one.id for one in standing}
    for found in workspace.ledger.find(connection, "objection_withdrawn"):
        body = found.entry.body
        if body["objection"] not in there:
            yield {"kind": "withdrawn", "id": body["objection"], "convention": body["convention"]}
    yield from _holds(workspace, connection)


def _holds(workspace: Workspace, connection: Connection) -> Iterator[Line]:
    """What was said of holds, as long as there is something to hold."""
    for convention in sorted(events.conventions(connection)):
        for row in (one for one in events.history(connection, convention) if one.type in EVENTS):
            if (sealed := _sealed_hold(workspace, row)) is not None:
                yield {"kind": "hold", "id": hold_id(row), "convention": convention, "sealed": sealed}


def _sealed(workspace: Workspace, one: Objection) -> str | None:
    return _seal(workspace, one.convention, one.id, {**asdict(one), "tag": one.tag.hex()})


def opened(workspace: Workspace, line: Line) -> Objection | None:
    """The objection of a tombstone; None when its convention's keys are gone: nothing of it leaves any more.

    Raises:
        KeyStoreError: the line does not open.
    """
    body = _unsealed(workspace, line)
    return None if body is None else Objection(**{**body, "tag": bytes.fromhex(body["tag"])})


def hold_id(row: events.Recorded) -> str:
    """What a line calls an event about a hold: it follows from what was said, and when."""
    said = {"type": row.type, "payload": dict(row.payload), "at": iso(row.recorded_at)}
    return f"e-{hashlib.sha256(canonical(said)).hexdigest()[:16]}"


def _sealed_hold(workspace: Workspace, row: events.Recorded) -> str | None:
    """An event about a hold; None under a convention that never had keys, or has none any more: nothing of it is held."""
    if not workspace.keys.knows(row.convention):
        return None
    said = {"type": row.type, "payload": dict(row.payload), "at": iso(row.recorded_at), "evidence": row.evidence_sha256}
    return _seal(workspace, row.convention, hold_id(row), said)


def opened_hold(workspace: Workspace, line: Line) -> dict[str, Any] | None:
    """Type, payload, instant and evidence of the event of a line; None when its convention's keys are gone.

    Raises:
        KeyStoreError: the line does not open.
    """
    return _unsealed(workspace, line)


def _seal(workspace: Workspace, convention: str, name: str, said: Mapping[str, Any]) -> str | None:
    """Something sealed to a convention: without the keys it says nothing, and it ends with them."""
    try:
        master = workspace.keys.keyset(convention).master
    except KeyStoreError:
        return None
    key = wrapping.derive(master, PURPOSE, wrapping.KEY_BYTES)
    body = json.dumps(said, sort_keys=True).encode()
    return base64.b64encode(wrapping.wrap(key, body, f"{PURPOSE}/{name}")).decode()


def _unsealed(workspace: Workspace, line: Line) -> dict[str, Any] | None:
    try:
        master = workspace.keys.keyset(line["convention"]).master
    except KeyStoreError:
        return None
    key = wrapping.derive(master, PURPOSE, wrapping.KEY_BYTES)
    said: dict[str, Any] = json.loads(wrapping.unwrap(key, base64.b64decode(line["sealed"]), f"{PURPOSE}/{line['id']}"))
    return said


def _size(connection: Connection) -> int:
    last = connection.scalar(select(trail_entry.c.index).order_by(trail_entry.c.index.desc()).limit(1))
    return 0 if last is None else int(last) + 1


def _destroyed_since(connection: Connection, index: int) -> bool:
    kinds = connection.scalars(select(trail_entry.c.kind).where(trail_entry.c.index >= index).distinct())
    if any(word in kind for kind in kinds for word in TELLING):
        return True
    told = select(trail_entry.c.body).where(trail_entry.c.index >= index, trail_entry.c.kind == "event_recorded")
    return any(json.loads(body)["body"]["event"] in EVENTS for body in connection.scalars(told))


def _told(path: Path) -> int:
    """The size of the trail that a copy's last whole line tells."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            tail = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return 0
    heads = [line for line in map(_head, reversed(tail)) if line is not None]
    return heads[0] if heads else 0


def _head(line: bytes) -> int | None:
    with suppress(ValueError):
        value = json.loads(line)
        if isinstance(value, dict) and value.get("kind") == "head":
            return int(value["size"])
    return None


def _append(path: Path, lines: Sequence[Line], size: int) -> int:
    """Add the lines that a copy lacks, then the head that says up to where it tells; synced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with closing(os.fdopen(descriptor, "rb+")) as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        data = file.read()
        whole = data.rpartition(b"\n")[0]
        known = {_key(_line(text)) for text in whole.decode("utf-8", "replace").split("\n") if text}
        new = _new(lines, known)
        file.seek(len(whole) + bool(whole))
        file.truncate()
        file.write(b"".join(_written(one) for one in (*new, {"kind": "head", "size": size})))
        file.flush()
        os.fsync(descriptor)
    return len(new)


def _new(lines: Iterable[Line], known: set[str]) -> list[Line]:
    return [one for one in lines if _key(one) not in known]


def _key(one: Line) -> str:
    """What makes two lines the same: what is sealed is sealed anew each time."""
    return json.dumps({name: value for name, value in one.items() if name != "sealed"}, sort_keys=True)


def _written(one: Line) -> bytes:
    return (json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()


def _line(text: str) -> dict[str, Any]:
    """One line.

    Raises:
        KeyStoreError: it is not one of ours: what was destroyed cannot be told any more.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("kind"), str):
        return value
    raise KeyStoreError(
        "expected a tombstone on each line",
        where=NAME,
        hint="put back the file's other copy (PASSERELLE_TOMBSTONES); nothing that was restored may be served without it",
        fr="une ligne du fichier des destructions est illisible",
        hint_fr="rétablissez l'autre exemplaire (PASSERELLE_TOMBSTONES) ; rien de ce qui est restauré ne peut être servi sans lui",
    )
