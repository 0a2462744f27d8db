"""A file that its sender lays through the portal: encrypted as it arrives, checked, then waiting in the inbox for its exchange.

Not a byte of it is on a disk in the clear: it is sealed to the key of its exchange's orders, which goes with the purge, and opened in
memory only. Killed while one arrives, what is there bears a temporary name that nobody takes, and goes with the next arrival.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from passerelle.access import Look, write_in
from passerelle.clock import iso
from passerelle.contract import Contract, Dialect
from passerelle.errors import IntakeError, RefusedError
from passerelle.handover.check import check_original
from passerelle.handover.order import Served
from passerelle.handover.versions import over
from passerelle.intake import Source, open_original, open_source
from passerelle.keys import ORDERS, AgeFile, CopyKey, age_sink
from passerelle.store import sendings
from passerelle.store.sendings import Sending
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase, sync_folder

NAME = re.compile(r"(s-[0-9a-f]{16})\.age")
HALF = re.compile(r"\.?s-[0-9a-f]{16}\.age(\.part)?")
LONGEST_WAIT = timedelta(days=30)  # a rule of the hub: what no exchange takes is not kept for its purge to find
MOST_WAITING = 50  # sendings of one party that no run has ended


@dataclass(frozen=True, slots=True)
class Announced:
    """What a sender says of its file: which exchange, which period; ``versions`` are those of the contract that are served."""

    convention: str
    exchange: str
    period: str
    party: str
    versions: Sequence[Served]


def orders_key(workspace: Workspace, convention: str, exchange: str) -> CopyKey:
    """The key of what waits for an exchange: orders and sendings."""
    workspace.keyset(convention)  # made at first use
    return workspace.keys.obtain_copy_key(convention, f"{ORDERS}{exchange}")


def sending_at(workspace: Workspace, source: Path) -> str | None:
    """The id of the sending that waits at ``source``; None for any other file."""
    found = NAME.fullmatch(source.name)
    return found[1] if found and source.is_relative_to(workspace.home / "inbox") else None


def place_of(workspace: Workspace, one: Sending) -> Path:
    """Where a sending waits."""
    return workspace.home / "inbox" / one.convention / one.exchange / one.period / f"{one.id}.age"


def opened(workspace: Workspace, source: Path, dialects: Sequence[Dialect]) -> Source:
    """A sender's file to read; a sending is opened in memory."""
    if sending_at(workspace, source) is None:
        return open_source(source, dialects)
    convention, exchange, _ = source.parent.relative_to(workspace.home / "inbox").parts
    return open_original(AgeFile(source, [orders_key(workspace, convention, exchange).identity]), dialects)


def receive(
    workspace: Workspace, about: Announced, blocks: Iterable[bytes], *, actor: str, today: date, reason: str = ""
) -> tuple[Sending, bool]:
    """Take a file as it arrives; the sending, and whether it is new: the same content for the same period waits once.

    Raises:
        IntakeError: it is in none of the contract's dialects; nothing of it is kept.
        RefusedError: its version's notice is over, or too many of the party's sendings wait.
    """
    with workspace.database.read() as connection:
        if len(sendings.waiting(connection, party=about.party)) >= MOST_WAITING:
            raise _too_many()
    key = orders_key(workspace, about.convention, about.exchange)
    new = Sending(
        f"s-{secrets.token_hex(8)}", about.convention, about.exchange, about.period, about.party, "", 0, {},
        iso(workspace.now()), None, "waiting", None,
    )  # fmt: skip
    place = place_of(workspace, new)
    with _arriving(workspace, place) as (file, part):
        sha256, size = _sealed(file, key, blocks)
        checked = _checked(part, key, about.versions, today)
        new = replace(
            new, commitment=workspace.keyset(about.convention).commit(sha256.encode()), bytes=size, checked=checked
        )
        if (known := _known(workspace, new)) is not None:
            return known, False
        part.rename(place)
        sync_folder(place.parent)
        look = Look(
            actor, "sending_received", new.id, reason, partner=about.party, convention=about.convention,
            exchange=about.exchange, count=checked["read"],
        )  # fmt: skip
        try:
            with workspace.database.begin() as connection:
                sendings.add(connection, new)
                write_in(connection, workspace, look)
        except BaseException:
            erase(place)
            raise
    return new, True


def settle(workspace: Workspace) -> None:
    """Remove the files of sendings that are over, and those that a killed arrival left: nobody was told that they came.

    A sending that waited for ``LONGEST_WAIT`` goes; so does the line of one whose file went with the purge of its part.
    """
    for path in (workspace.home / "inbox").glob("*/*/*/*s-*.age*"):
        which = sending_at(workspace, path)
        with workspace.database.read() as connection:
            one = None if which is None else sendings.find(connection, which)
        if one is None and HALF.fullmatch(path.name):
            _erase_unless_locked(path)
        elif one is not None and one.over:
            erase(path)
    with workspace.database.begin() as connection:
        idle = [one for one in sendings.waiting(connection) if one.state == "waiting"]
        for one in idle:
            if datetime.fromisoformat(one.received_at) + LONGEST_WAIT <= workspace.now():
                erase(place_of(workspace, one))
            if not place_of(workspace, one).exists():
                sendings.drop(connection, one.id)


def _known(workspace: Workspace, new: Sending) -> Sending | None:
    """The sending of the same content for the same period that waits, or that was delivered."""
    with workspace.database.read() as connection:
        same = sendings.of_content(connection, new)
    return next((one for one in same if one.state != "refused"), None)


@contextmanager
def _arriving(workspace: Workspace, place: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file under its temporary name, locked while it arrives; gone on leaving, unless it was put in its place."""
    settle(workspace)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place.with_name(f".{place.name}.part")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield file, part
        finally:
            erase(part)


def _erase_unless_locked(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        erase(path)


def _sealed(file: IO[bytes], key: CopyKey, blocks: Iterable[bytes]) -> tuple[str, int]:
    """Write ``blocks`` sealed to ``key``, durably; the hash and the size of what came."""
    digest, size = hashlib.sha256(), 0
    with age_sink(file, [key.recipient]) as sink:
        for block in blocks:
            digest.update(block)
            size += sink.write(block)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest(), size


def _checked(part: Path, key: CopyKey, versions: Sequence[Served], today: date) -> dict[str, Any]:
    """What the contract says of a file, by the version in one of whose dialects it is; the latest says why it is in none."""
    for one in versions:
        if _is_in(AgeFile(part, [key.identity]), one.contract):
            if one.until is not None and today > one.until:
                raise over(one, versions)
            return check_original(AgeFile(part, [key.identity]), one.contract, today)
    return check_original(AgeFile(part, [key.identity]), versions[0].contract, today)


def _is_in(original: AgeFile, contract: Contract) -> bool:
    try:
        open_original(original, contract.dialects).close()
    except IntakeError:
        return False
    return True


def _too_many() -> RefusedError:
    return RefusedError(
        f"{MOST_WAITING} files of yours wait already",
        hint="wait until their exchanges have taken them in",
        fr=f"{MOST_WAITING} de vos fichiers attendent déjà",
        hint_fr="attendez que leurs échanges les aient reçus",
    )
