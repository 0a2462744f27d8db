"""Files of the workspace: private from their first byte, complete or absent, locked while a process works on them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from passerelle.errors import WorkspaceError
from passerelle.store.database import read_only


class HeldError(WorkspaceError):
    """Another process holds the lock: it is at work on the same thing."""


def is_read_only(folder: Path) -> bool:
    """Whether nothing can be written in ``folder``, which is there: its disk is read-only, or it is someone else's."""
    return os.path.isdir(folder) and not os.access(folder, os.W_OK)  # noqa: PTH112 -- Path.is_dir raises on a name too long


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write ``data`` beside, sync it, then put it in place of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def erase(path: Path) -> None:
    """Unlink ``path``; a file that is gone already is fine.

    What it held is encrypted: it is the destruction of its key that makes it unreadable, the unlinking frees the place.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock ``name``; it falls with the process, however that ends.

    Raises:
        HeldError: another process holds it.
        WorkspaceError: the workspace can be read only.
    """
    if is_read_only(folder.parent):
        raise read_only()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = True
        else:
            held = False
        if held:
            raise HeldError(
                f"another process is at work on {name}",
                hint="wait until it ends, then run the command again",
                fr=f"un autre traitement est en cours sur {name}",
                hint_fr="attendez qu'il se termine, puis recommencez",
            )
        yield
    finally:
        os.close(descriptor)
