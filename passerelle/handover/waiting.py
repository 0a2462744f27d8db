"""A file that its sender lays through the portal: encrypted as it arrives, checked, then waiting in the inbox for its exchange.

It is a copy as any other: registered before its first byte is written, sealed to a key of its own, told in the trail once it is whole,
opened in memory only, destroyed by the purge or as soon as its exchange took it. What a killed arrival left goes with the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from passerelle.access import Look, write_in
from passerelle.clock import iso
from passerelle.contract import Contract, Dialect
from passerelle.errors import IntakeError, RefusedError
from passerelle.handover.check import check_original
from passerelle.handover.job import erase_copy, is_personal
from passerelle.handover.order import SENDING, Served, sending_at
from passerelle.handover.versions import over
from passerelle.intake import Source, open_original, open_source
from passerelle.intake.beginning import looked_at
from passerelle.keys import AgeFile, CopyKey, age_sink
from passerelle.store import holdings, purges, sendings
from passerelle.store.holdings import WAITING, Holding
from passerelle.store.sendings import Sending, location_of
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase, sync_folder

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


def opened(workspace: Workspace, source: Path, dialects: Sequence[Dialect]) -> Source:
    """A sender's file to read; a sending is opened in memory."""
    if sending_at(workspace, source) is None:
        return open_source(source, dialects)
    location = workspace.location(source)
    key = workspace.keys.copy_key(source.relative_to(workspace.home).parts[1], location)
    return open_original(AgeFile(source, [key.identity]), dialects)


def receive(
    workspace: Workspace, about: Announced, blocks: Iterable[bytes], *, actor: str, today: date, reason: str = ""
) -> tuple[Sending, bool]:
    """Take a file as it arrives; the sending, and whether it is new: the same content for the same period waits once.

        1. Register the copy that is about to be written, with a key of its own.
        2. Write what comes, sealed, unless its beginning is in no dialect already; check it once it is whole.
        3. Put it in its place, and keep its line, in one transaction with its entry in the trail.

    Raises:
        IntakeError: it is in none of the contract's dialects; nothing of it is kept.
        RefusedError: its version's notice is over, too many of the party's sendings wait, or a purge is under way.
    """
    with workspace.database.read() as connection:
        _insist_on_room(connection, about.party)
    new = Sending(
        f"s-{secrets.token_hex(8)}", about.convention, about.exchange, about.period, about.party, "", 0, {},
        iso(workspace.now()), None, "waiting", None,
    )  # fmt: skip
    with _arriving(workspace, new) as (file, part, key):  # 1
        begun = looked_at(blocks, [one.contract.dialects for one in about.versions])
        sha256, size = _sealed(file, key, begun)  # 2
        checked = _checked(part, key, about.versions, today)
        commitment = workspace.keyset(about.convention).commit(sha256.encode())
        new = replace(new, commitment=commitment, bytes=size, checked=checked)
        look = Look(
            actor, "sending_received", new.id, reason, partner=about.party, convention=about.convention,
            exchange=about.exchange, count=checked["read"],
        )  # fmt: skip
        known = _keep(workspace, new, part, look)  # 3
    return known or new, known is None


def settle(workspace: Workspace) -> None:
    """Destroy the files of sendings that are over, and those that a killed arrival left: nobody was told that they came.

    A sending that waited for ``LONGEST_WAIT`` goes; so does the line of one whose file is gone.
    """
    with workspace.database.read() as connection:
        copies = holdings.present(connection, kind=WAITING)
    for copy in copies:
        if not _is_arriving(workspace.path(copy.location)):
            _settle(workspace, copy)
    with workspace.database.read() as connection:
        present = {copy.location for copy in holdings.present(connection, kind=WAITING)}
    for path in (workspace.home / "inbox").glob("*/*/*/*s-*.age*"):
        place = path.with_name(path.name.removeprefix(".").removesuffix(".part"))
        if SENDING.fullmatch(place.name) and workspace.location(place) not in present and not _is_arriving(place):
            erase(path)


def _settle(workspace: Workspace, copy: Holding) -> None:
    """Destroy a copy whose time is over: its key, its file; told once."""
    with workspace.database.read() as connection:
        one = sendings.find(connection, copy.run)
    why = _why_over(workspace, copy, one)
    if why is None:
        return
    _destroy(workspace, copy)
    with workspace.database.begin() as connection:
        if not holdings.present(connection, location=copy.location):
            return
        holdings.destroyed(connection, [copy.id], at=workspace.now())
        if one is not None:
            body = {"sending": one.id, "convention": one.convention, "exchange": one.exchange, "reason": why}
            workspace.append(connection, "sending_destroyed", body)
        if one is not None and not one.over:
            sendings.drop(connection, one.id)


def _why_over(workspace: Workspace, copy: Holding, one: Sending | None) -> str | None:
    """Why a copy that is not arriving goes; None when it waits."""
    if one is None:
        return "untold"
    if one.over:
        return "refused" if one.state == "refused" else "taken"
    if one.state == "waiting" and datetime.fromisoformat(one.received_at) + LONGEST_WAIT <= workspace.now():
        return "expired"
    return None if one.state == "running" or workspace.path(copy.location).exists() else "missing"


def _destroy(workspace: Workspace, copy: Holding) -> None:
    workspace.keys.forget(copy.convention, frozenset({copy.location}))
    erase_copy(workspace, copy)


@contextmanager
def _arriving(workspace: Workspace, new: Sending) -> Iterator[tuple[IO[bytes], Path, CopyKey]]:
    """A registered file under its temporary name, locked while it arrives; destroyed on leaving, unless it was put in its place.

    The lock comes first: whoever meets a registered copy without a line can tell by it whether one still arrives.
    """
    settle(workspace)
    place = workspace.path(location_of(new))
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place.with_name(f".{place.name}.part")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            workspace.keyset(new.convention)  # made at first use
            _register(workspace, new)
            yield file, part, workspace.keys.new_copy_key(new.convention, location_of(new))
        finally:
            if not place.exists():
                _give_up(workspace, new, part)


def _register(workspace: Workspace, new: Sending) -> None:
    exchange = workspace.convention(new.convention).exchange(new.exchange)
    with workspace.database.begin() as connection:
        _insist_on_no_purge(connection, new.convention)
        holdings.register(
            connection, convention=new.convention, exchange=new.exchange, run=new.id, kind=WAITING, location=location_of(new),
            personal=exchange is None or is_personal(exchange), at=workspace.now(),
        )  # fmt: skip


def _give_up(workspace: Workspace, new: Sending, part: Path) -> None:
    workspace.keys.forget(new.convention, frozenset({location_of(new)}))
    erase(part)
    with workspace.database.begin() as connection:
        copies = holdings.present(connection, location=location_of(new))
        holdings.destroyed(connection, [copy.id for copy in copies], at=workspace.now())


def _keep(workspace: Workspace, new: Sending, part: Path, look: Look) -> Sending | None:
    """Put a file in its place and keep its line; or the sending of the same content that is there already."""
    place = workspace.path(location_of(new))
    try:
        with workspace.database.begin() as connection:
            _record(workspace, connection, new)
            write_in(connection, workspace, look)
            part.rename(place)
            sync_folder(place.parent)
            holdings.weigh(connection, location_of(new), place.stat().st_size)
    except _KnownError as known:
        return known.sending
    except BaseException:
        erase(place)
        raise
    return None


def _record(workspace: Workspace, connection: Connection, new: Sending) -> None:
    """The entry comes first, because it locks the trail: of two files that arrive at once the second sees the first."""
    body = {
        "sending": new.id, "convention": new.convention, "exchange": new.exchange, "period": new.period, "sender": new.party,
        "rows": new.checked["read"], "bytes": new.bytes, "commitment": new.commitment,
    }  # fmt: skip
    workspace.append(connection, "sending_received", body)
    _insist_on_no_purge(connection, new.convention)
    if (known := _known(connection, new)) is not None:
        raise _KnownError(known)
    _insist_on_room(connection, new.party)
    sendings.add(connection, new)


class _KnownError(Exception):
    """The same content is there already: what was begun is rolled back."""

    def __init__(self, sending: Sending) -> None:
        super().__init__()
        self.sending = sending


def _known(connection: Connection, new: Sending) -> Sending | None:
    """The sending of the same content for the same period that waits, or that was delivered."""
    return next((one for one in sendings.of_content(connection, new) if one.state != "refused"), None)


def _is_arriving(place: Path) -> bool:
    """Whether a process is taking in the file of ``place`` now, under its temporary name or already under its own."""
    for path in (place.with_name(f".{place.name}.part"), place):
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _insist_on_room(connection: Connection, party: str) -> None:
    if len(sendings.waiting(connection, party=party)) >= MOST_WAITING:
        raise _too_many()


def _insist_on_no_purge(connection: Connection, convention: str) -> None:
    known = purges.purges(connection, convention=convention)
    if known and known[-1].state != "done":
        raise RefusedError(
            "what is held under this convention is being destroyed",
            hint="send the file again once the destruction has ended, if the convention still lets you",
            fr="ce qui est détenu au titre de cette convention est en cours de destruction",
            hint_fr="renvoyez le fichier après la destruction, si la convention le permet encore",
        )


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
