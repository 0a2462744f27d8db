"""Where parcels go: a recipient's folder. Whoever looks into it meets whole files only."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from passerelle.errors import OurWayError
from passerelle.store import partners
from passerelle.workspace import Workspace
from passerelle.workspace.files import sync_folder


def folder_of(workspace: Workspace, recipient: str) -> Path:
    """Where the parcels of a recipient go: its own folder, or the workspace's outbox."""
    with workspace.database.read() as connection:
        partner = partners.find(connection, recipient)
    return Path(partner.folder) if partner and partner.folder else workspace.home / "outbox" / recipient


def put_in_folder(staged: Path, folder: Path) -> Path:
    """Move a file into ``folder``: under a temporary name first, then its own, so that nobody meets half a file.

    Raises:
        OurWayError: the folder cannot be written or is full; nothing is left in it.
    """
    target, beside = folder / staged.name, folder / f".{staged.name}.part"
    failure: OSError | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _move(staged, target, beside)
        sync_folder(folder)
    except OSError as error:
        failure = error
    if failure is not None:
        with suppress(OSError):
            beside.unlink()
        raise not_written(failure)
    return target


def _move(staged: Path, target: Path, beside: Path) -> None:
    try:
        staged.rename(target)
    except OSError:
        shutil.copyfile(staged, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.rename(target)


def not_written(error: OSError) -> OurWayError:
    """The error of a folder that does not take a file; its name is not shown."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    if full:
        return OurWayError(
            "the recipient's folder is full: nothing was delivered",
            where="delivery",
            hint="make room there, then run the command again: it goes on from here",
            fr="le dossier du destinataire est plein : rien n'a été remis",
            hint_fr="libérez de la place, puis recommencez : l'échange reprendra où il en était",
        )
    return OurWayError(
        f"the recipient's folder cannot be written ({type(error).__name__}): nothing was delivered",
        where="delivery",
        hint="check that it exists and may be written, then run the command again: it goes on from here",
        fr=f"le dossier du destinataire ne peut pas être écrit ({type(error).__name__}) : rien n'a été remis",
        hint_fr="vérifiez qu'il existe et qu'on peut y écrire, puis recommencez : l'échange reprendra où il en était",
    )
