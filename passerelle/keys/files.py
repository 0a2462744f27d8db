"""Small secret files: written whole and synced before anyone can see them, overwritten before they are deleted."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_WRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet, mode 0600, synced."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def put(path: Path, data: bytes) -> None:
    """Write or replace a file: a temporary name beside, synced, then renamed."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    write_new(temporary, data)
    temporary.replace(path)
    sync_folder(path.parent)


def put_over(path: Path, data: bytes) -> None:
    """As ``put``; the bytes of the file that is replaced are overwritten, for what they wrapped is to be destroyed."""
    with path.open("r+b") as old:
        put(path, data)
        old.write(os.urandom(os.fstat(old.fileno()).st_size))
        old.flush()
        os.fsync(old.fileno())


def shred(path: Path) -> None:
    """Overwrite and delete; nothing happens when the file is gone already.

    Overwriting reaches the blocks of this file on a plain disk only: snapshots, copies and worn flash cells keep theirs,
    which is why a purge rotates the root key too.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(os.fstat(descriptor).st_size))
        file.flush()
        os.fsync(descriptor)
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` as a lock against every other thread and process; the system frees it when its holder dies.

    Where nothing can be written a lock that is not there is not made: nobody can change what is read.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        if not path.exists():
            yield
            return
        descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
