"""The workspace: everything that one gateway keeps, opened at once and handed to whoever works."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from sqlalchemy import Connection

from passerelle.clock import Clock, PretendedClock, SystemClock, iso
from passerelle.convention import Convention, Event, load
from passerelle.errors import (
    ConventionFileError,
    KeyStoreError,
    PasserelleError,
    TrailError,
    UsageError,
    WorkspaceError,
)
from passerelle.journal import Journal
from passerelle.keys import KeyRing, KeySet
from passerelle.store import Database, conventions, events, runs
from passerelle.store import settings as store_settings
from passerelle.store.database import sqlite_url
from passerelle.trail import Entry, Ledger
from passerelle.trail.ledger import MAX_UNSIGNED, MAX_UNSIGNED_MINUTES
from passerelle.workspace import tombstones
from passerelle.workspace.announcing import finish_announcing
from passerelle.workspace.files import is_read_only, locked, write_whole
from passerelle.workspace.guard import insist_on_one_workspace
from passerelle.workspace.settings import Settings

ID_LETTERS = 12  # letters only: the trail takes no word with digits enough for a person's number
SHIPPED = Path(__file__).parents[2] / "conventions"
FOLDERS = (
    "conventions",
    "holdings",
    "index",
    "inbox",
    "locks",
    "logs",
    "outbox",
    "releases",
    "reports",
    "staging",
    "trust",
)


class Workspace:
    """One gateway. ``create`` makes it, ``open`` opens it; nothing else writes outside it but deliveries to partners' folders."""

    def __init__(self, settings: Settings, about: dict[str, Any]) -> None:
        self.home = settings.home
        self.rehearsal = bool(about["rehearsal"])
        self.clock = _clock(settings, rehearsal=self.rehearsal)
        self.origin = f"passerelle.example/{about['id']}"
        self.read_only = is_read_only(self.home)
        aside = [settings.tombstones] if settings.tombstones else []
        self.tombstones = (self.home / "keys" / tombstones.NAME, *aside)
        self._told_something = False
        self.database = Database(
            settings.database_url or sqlite_url(self.home / "passerelle.db"), read_only=self.read_only
        )
        try:
            self.keys = self._opened_keys(about, settings)
        except BaseException:
            self.database.close()
            raise
        self.ledger = Ledger(self.origin, self.keys.trail_key)
        self.journal = Journal(self.home / "logs" / "passerelle.jsonl")
        self._conventions: dict[str, Convention] = {}
        self._seen = _stamps(self.home)

    def _opened_keys(self, about: dict[str, Any], settings: Settings) -> KeyRing:
        """The key ring, once everything else belongs with it."""
        if about["complete"]:
            self.database.check()
            insist_on_one_workspace(self.home, about, self.origin, self.database)
            tombstones.insist_on_tombstones(self.database, *self.tombstones)
        return KeyRing.open(self.home / "keys", settings.roots)

    @classmethod
    def create(cls, settings: Settings, *, rehearsal: bool = False) -> Workspace:
        """Make a workspace: folders, keys, database, the first entry of its trail. Resumes an interrupted making.

        Raises:
            WorkspaceError: it is complete already.
        """
        home = settings.home
        marker = home / "workspace.json"
        about = _about(marker) if _exists(marker) else _new_about(rehearsal=rehearsal)
        if about.get("restoring"):
            raise _being_restored()
        if about["complete"]:
            raise WorkspaceError(
                "this folder is a workspace already",
                hint="name another one with PASSERELLE_HOME",
                fr="ce dossier est déjà un espace de travail",
                hint_fr="PASSERELLE_HOME en désigne un autre",
            )
        _make_folders(home)
        write_whole(marker, _json(about))
        if not (home / "keys" / "CURRENT").exists():
            KeyRing.create(home / "keys", settings.roots)
        workspace = cls(settings, about)
        workspace.database.create()
        workspace.publish_trust()
        with workspace.database.begin() as connection:
            if workspace.ledger.size(connection) == 0:
                about_it = {"origin": workspace.origin, "rehearsal": rehearsal or None}
                workspace.append(connection, "workspace_created", about_it)
                workspace._accept_shipped(connection)
                workspace.ledger.checkpoint(connection, workspace.now())
        write_whole(marker, _json({**about, "complete": True}))
        return workspace

    @classmethod
    def open(cls, settings: Settings) -> Workspace:
        """Open a workspace; a rotation of the signing key that was interrupted is told and published first.

        On a disk that cannot be written it can be read: ``read_only`` is True, and every change is refused.

        Raises:
            WorkspaceError: there is none, its database is not of this version, or its parts do not belong together.
            UsageError: a pretended clock outside a rehearsal.
        """
        marker = settings.home / "workspace.json"
        about = _about(marker) if _exists(marker) else {"complete": False}
        if about.get("restoring"):
            raise _being_restored()
        if not about["complete"]:
            raise WorkspaceError(
                "there is no workspace here",
                hint="passerelle init, or set PASSERELLE_HOME",
                fr="il n'y a pas d'espace de travail ici",
                hint_fr="passerelle init en crée un, PASSERELLE_HOME en désigne un autre",
            )
        workspace = cls(settings, about)
        if not workspace.read_only:
            finish_announcing(workspace)
            tombstones.sync(workspace)
        return workspace

    def now(self) -> datetime:
        """The instant, in UTC."""
        return self.clock.now()

    def path(self, location: str) -> Path:
        """A registered location as a path."""
        return self.home / location

    def location(self, path: Path) -> str:
        """A path as a registered location: relative when it lies in the workspace."""
        return str(path.relative_to(self.home)) if path.is_relative_to(self.home) else str(path)

    def keyset(self, convention_id: str) -> KeySet:
        """The keys of a convention, made when nothing ever ran under it.

        Raises:
            KeyStoreError: they were destroyed; or they are missing, though exchanges ran under them.
        """
        if not self.keys.knows(convention_id):
            with self.database.read() as connection:
                ran = runs.runs(connection, convention=convention_id)
            if ran:
                raise KeyStoreError(
                    f"the key set of {convention_id} is missing, though exchanges ran under it",
                    hint="restore the folder keys/ that goes with this database",
                    fr=f"le trousseau de {convention_id} manque, alors que des échanges ont eu lieu avec lui",
                    hint_fr="restaurez le dossier keys/ qui va avec cette base",
                )
        return self.keys.keyset(convention_id)

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a lock of this workspace while working."""
        return locked(self.home / "locks", name)

    def append(self, connection: Connection, kind: str, body: dict[str, Any]) -> int:
        """Append an entry to the trail, in the transaction of the state change that it tells."""
        index = self.ledger.append(connection, Entry(kind, iso(self.now()), body))
        self._told_something = True
        self.sign_when_due(connection)
        return index

    def sign_when_due(self, connection: Connection) -> str | None:
        """Sign the head of the trail when enough entries stand unsigned, or for long enough; None when it is not due."""
        entries = store_settings.read(connection, store_settings.CHECKPOINT_ENTRIES, MAX_UNSIGNED)
        minutes = store_settings.read(connection, store_settings.CHECKPOINT_MINUTES, MAX_UNSIGNED_MINUTES)
        age = timedelta(minutes=minutes)
        return self.ledger.sign_when_due(connection, self.now(), entries=entries, age=age)

    def last_act(self, connection: Connection) -> datetime | None:
        """The instant of the last entry of the trail: the clock must not run behind it (D1)."""
        size = self.ledger.size(connection)
        last = next(iter(self.ledger.entries(connection, size - 1)), None) if size else None
        return datetime.fromisoformat(last.entry.at) if last else None

    def convention_ids(self) -> list[str]:
        """The ids of the conventions shipped and of those laid in the workspace, sorted."""
        return sorted(convention_files(self.home))

    def convention(self, convention_id: str) -> Convention:
        """The convention ``convention_id``, loaded once; raises as ``load_convention`` does."""
        if convention_id not in self._conventions:
            self._conventions[convention_id] = load_convention(self.home, convention_id, self._conventions)
        return self._conventions[convention_id]

    @property
    def texts_seen(self) -> object:
        """Equal to an earlier one as long as no convention file was seen to change."""
        return self._seen

    def refresh(self) -> None:
        """Forget the conventions that were loaded when a file changed since: a server that lives long must see the change."""
        now = _stamps(self.home)
        if now != self._seen:
            self._seen, self._conventions = now, {}

    def history(self, connection: Connection, convention_id: str) -> tuple[Event, ...]:
        """What was recorded of a convention, as the rules read it.

        Raises:
            TrailError: the record is not what the trail tells: an event was added, changed or taken out behind its back.
        """
        rows = events.history(connection, convention_id)
        told = {
            found.entry.body["event_id"]: found.entry.body.get("payload_sha256")
            for found in self.ledger.find(connection, "event_recorded", convention=convention_id)
        }
        if told != {f"e-{row.id}": events.digest(row.type, row.payload) for row in rows}:
            raise TrailError(
                "the record of events is not what the trail tells",
                where=convention_id,
                hint="passerelle trail show lists the events recorded; restore the database",
            )
        return tuple(Event(type=row.type, payload=row.payload, recorded_at=row.recorded_at) for row in rows)

    def publish_trust(self) -> None:
        """Write what partners verify with: the signer of manifests and certificates, and the key of the trail."""
        trust = self.home / "trust"
        write_whole(trust / "allowed_signers", self.keys.allowed_signers.encode(), 0o644)
        write_whole(trust / "trail.vkey", (self.ledger.verifier_key + "\n").encode(), 0o644)

    def close(self) -> None:
        """Write down what was destroyed meanwhile, then let the database go."""
        if self._told_something and not self.read_only:
            with suppress(PasserelleError, OSError):  # the next opening does it
                tombstones.sync(self)
        self._told_something = False
        self.database.close()

    def _accept_shipped(self, connection: Connection) -> None:
        """Accept the files that the gateway ships: whoever installs it reads them; their changes take two people."""
        for path in sorted(SHIPPED.glob("*.yaml")):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            conventions.accept(connection, path.stem, sha256, at=self.now())
            self.append(connection, "convention_loaded", {"convention": path.stem, "convention_sha256": sha256})


def convention_files(home: Path) -> dict[str, Path]:
    """The convention files by id: those shipped, and those laid in the workspace at ``home``, which come before them."""
    return {path.stem: path for folder in (SHIPPED, home / "conventions") for path in folder.glob("*.yaml")}


def _stamps(home: Path) -> dict[Path, tuple[int, int]]:
    """When each convention file was last written, and its size."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in convention_files(home).values()}


def load_convention(home: Path, convention_id: str, loaded: dict[str, Convention] | None = None) -> Convention:
    """A convention by its id, without its history; ``loaded`` keeps what it inherits from.

    Raises:
        UsageError: there is none of that id.
        ConventionFileError: its file breaks the format.
    """
    files = convention_files(home)
    if convention_id not in files:
        known = ", ".join(sorted(files))
        raise UsageError(
            f"unknown convention, expected one of {known}",
            hint="lay its file in the workspace's folder conventions/",
            fr=f"convention inconnue ; celles qui existent : {known}",
            hint_fr="déposez son fichier dans le dossier conventions/ de l'espace de travail",
        )
    found = load(files[convention_id], files, loaded)
    if found.id != convention_id:
        raise ConventionFileError(
            f"expected the id {convention_id}, as the file is named; it says another",
            where=f"{convention_id}.yaml",
            hint="name the file after the id of its convention",
        )
    return found


def _new_about(*, rehearsal: bool) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "".join(secrets.choice(ascii_lowercase) for _ in range(ID_LETTERS)),
        "rehearsal": rehearsal,
        "complete": False,
    }


def _being_restored() -> WorkspaceError:
    return WorkspaceError(
        "a restoration was begun here and is not complete: nothing is served before what was destroyed is destroyed again",
        hint="passerelle backup restore, with the same folder",
        fr="une restauration a commencé ici et n'est pas achevée : rien n'est servi avant que soit détruit ce qui l'avait été",
        hint_fr="passerelle backup restore, avec le même dossier",
    )


def _exists(marker: Path) -> bool:
    return os.path.exists(marker)  # noqa: PTH110 -- Path.exists raises on a name too long


def _make_folders(home: Path) -> None:
    failure = ""
    try:
        for folder in FOLDERS:
            (home / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        home.chmod(0o700)
    except OSError as error:
        failure = type(error).__name__
    if failure:
        raise WorkspaceError(
            f"the workspace's folders cannot be made there ({failure})",
            hint="PASSERELLE_HOME names a folder that can be written",
            fr=f"les dossiers de l'espace de travail ne peuvent pas être créés à cet endroit ({failure})",
            hint_fr="PASSERELLE_HOME doit désigner un dossier où l'on peut écrire",
        )


def _about(marker: Path) -> dict[str, Any]:
    """What the workspace says of itself.

    Raises:
        WorkspaceError: its file cannot be read, or is not one of ours.
    """
    try:
        about = json.loads(marker.read_text("utf-8"))
    except (OSError, ValueError):
        about = None
    if isinstance(about, dict) and {"id", "rehearsal", "complete"} <= about.keys():
        return about
    raise WorkspaceError(
        "the workspace cannot be read",
        where=marker.name,
        hint="check whose folder it is, or restore the file from a backup",
        fr="l'espace de travail ne peut pas être lu",
        hint_fr="vérifiez à qui est le dossier, ou rétablissez le fichier depuis une sauvegarde",
    )


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _clock(settings: Settings, *, rehearsal: bool) -> Clock:
    if settings.pretended_now is None:
        return SystemClock()
    if not rehearsal:
        raise UsageError(
            "PASSERELLE_NOW is set, and this workspace lives on the real clock",
            hint="unset it, or make a workspace with passerelle init --rehearsal",
            fr="PASSERELLE_NOW est donnée, et cet espace de travail vit à l'heure réelle",
            hint_fr="retirez-la, ou créez un espace de travail par passerelle init --rehearsal",
        )
    return PretendedClock(settings.pretended_now)
