"""A zip archive from outside, opened under limits: nothing is extracted, every member is read as a bounded stream."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from passerelle.errors import IntakeError
from passerelle.intake.limits import (
    GIB,
    KIB,
    MAX_DIRECTORY_BYTES,
    MAX_FILE_BYTES,
    MAX_MEMBER_BYTES,
    MAX_MEMBERS,
    MAX_PACKING_RATIO,
    RATIO_FREE_BYTES,
)

READ_BYTES: Final = 64 * KIB
Opener = Callable[[], BinaryIO]
"""Gives a file that can be sought in, open for reading; whoever asks closes it."""
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_ZIP64_END: Final = b"PK\x06\x06"
_ZIP64_BYTES: Final = 56
_ENCRYPTED: Final = 0x1
_MODE_SHIFT: Final = 16
_LINK_MODE: Final = 0o120000
_TYPE_MASK: Final = 0o170000


def refuse(message: str, where: str = "input") -> IntakeError:
    """The error of an archive or of markup; ``message`` holds no name of a member or element."""
    return IntakeError(message, where=where, hint="ask the sender for it again, saved anew")


@contextmanager
def open_archive(opener: Opener) -> Iterator[zipfile.ZipFile]:
    """The archive in a file, its directory checked.

    Raises:
        IntakeError: not a zip archive, over a limit, or with members that no file for an exchange has.
    """
    with opener() as file:
        _check_directory(file)
        with _zipfile(file) as archive:
            if fault := _members_fault(archive.infolist()):
                raise refuse(fault)
            yield archive


def _check_directory(file: BinaryIO) -> None:
    """Bound what zipfile will read before it reads it (APPNOTE 4.3.16)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_BYTES - 0xFFFF - _LOCATOR_BYTES))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise refuse("the archive has no directory: it is cut short or not a zip archive")
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    locator = tail[max(0, at - _LOCATOR_BYTES) : at]
    if locator.startswith(_ZIP64_LOCATOR):
        count, directory_bytes = _zip64(file, locator)
    if count > MAX_MEMBERS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise refuse(f"expected at most {MAX_MEMBERS} members in a directory of {MAX_DIRECTORY_BYTES // KIB} KiB")
    file.seek(0)


def _zip64(file: BinaryIO, locator: bytes) -> tuple[int, int]:
    """Members and bytes of the directory as a zip64 end record says them (APPNOTE 4.3.14, 4.3.15)."""
    offset = struct.unpack_from("<Q", locator, 8)[0]
    record = b""
    if offset < MAX_FILE_BYTES:
        file.seek(offset)
        record = file.read(_ZIP64_BYTES)
    if len(record) < _ZIP64_BYTES or not record.startswith(_ZIP64_END):
        raise refuse("the archive's directory cannot be read")
    count, directory_bytes = struct.unpack_from("<QQ", record, 32)
    return count, directory_bytes


def _zipfile(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, EOFError):
        pass
    raise refuse("the archive's directory cannot be read")


def _members_fault(members: list[zipfile.ZipInfo]) -> str | None:
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        return "two members of the archive have one name"
    for member in members:
        if not member.filename:
            return "a member of the archive has no name"
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
            return "a member's name leads outside the archive"
        if member.external_attr >> _MODE_SHIFT & _TYPE_MASK == _LINK_MODE:
            return "a member of the archive is a link"
        if member.flag_bits & _ENCRYPTED:
            return "a member of the archive is encrypted"
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return "a member is packed by a method other than deflate"
        if member.file_size > MAX_MEMBER_BYTES:
            return f"expected members of at most {MAX_MEMBER_BYTES // GIB} GiB, came more"
        if member.file_size > max(RATIO_FREE_BYTES, MAX_PACKING_RATIO * member.compress_size):
            return f"a member unpacks to more than {MAX_PACKING_RATIO} times its size"
    return None


def stream(archive: zipfile.ZipFile, name: str, limit: int = MAX_MEMBER_BYTES) -> Iterator[bytes]:
    """The bytes of one member in blocks; their count and checksum are checked as they go.

    Raises:
        IntakeError: there is no such member, it is damaged, or it is more than ``limit`` bytes.
    """
    try:
        member = archive.open(name)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, struct.error):
        member = None
    if member is None:
        raise refuse("a part of the archive is missing or damaged")
    with member:
        total = 0
        while True:
            try:
                block = member.read(READ_BYTES)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
                block = None
            if block is None:
                raise refuse("a part of the archive is damaged")
            if not block:
                return
            total += len(block)
            if total > limit:
                raise refuse(f"a part of the archive is more than {limit // KIB} KiB unpacked")
            yield block
