"""What a file holds once its packing (zip or gzip) is undone: bytes under limits, as often as they are asked for.

Nothing is unpacked on disk. A packed file holds exactly one file, and no archive in turn; its name is never used.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final

from passerelle.contract import Packing
from passerelle.errors import IntakeError
from passerelle.intake.archive import open_archive, refuse, stream
from passerelle.intake.limits import (
    GIB,
    MAX_MEMBER_BYTES,
    MAX_PACKED_WORKBOOK_BYTES,
    MAX_PACKING_RATIO,
    MIB,
    MIN_PIECE_BYTES,
    RATIO_FREE_BYTES,
)
from passerelle.intake.original import Original

See = Callable[[bytes], None]
"""Is shown every byte of the file as received, in order, once."""

ZIP: Final = b"PK\x03\x04"
GZIP: Final = b"\x1f\x8b"
_ZLIB_GZIP: Final = 31
_UNPACKED_BYTES: Final = 256 * 1024


class Content:
    """The bytes in one open file; ``packing`` says what they came in."""

    def __init__(self, original: Original, block_bytes: int) -> None:
        self._original = original
        self._block_bytes = block_bytes
        self._member: str | None = None
        self.packing: Packing = self._recognise()

    def _recognise(self) -> Packing:
        magic = self._original.pread(len(ZIP), 0)
        if magic.startswith(GZIP):
            return "gzip"
        if magic == ZIP:
            with open_archive(self._original.file) as archive:
                names = [member.filename for member in archive.infolist() if not _is_litter(member)]
            if is_package(names):
                return "plain"
            if fault := _contents_fault(names):
                raise refuse(fault)
            self._member = names[0]
            return "zip"
        return "plain"

    def head(self, size: int) -> bytes:
        """The first ``size`` bytes, or all there are.

        Raises:
            IntakeError: the packing is damaged or over a limit, or an archive is packed again.
        """
        if self.packing == "plain":
            return self._original.pread(size, 0)
        head = b""
        for piece in self._unpacked(None):
            head += piece
            if len(head) >= size:
                break
        if head.startswith((GZIP, ZIP)) and not self._is_packed_workbook(head):
            raise refuse("expected one file in the archive, came an archive in an archive")
        return head[:size]

    def _is_packed_workbook(self, head: bytes) -> bool:
        if not head.startswith(ZIP):
            return False
        with open_archive(self.file) as archive:
            return is_package(archive.namelist())

    def blocks(self, see: See | None, at_least: int = 0) -> Iterator[bytes]:
        """Every byte, in blocks of the size that this was made with or ``at_least``, but for the last.

        Raises:
            IntakeError: as ``head``, or the file grew.
        """
        size = max(self._block_bytes, at_least)
        return self._raw(see, size) if self.packing == "plain" else _regrouped(self._unpacked(see), size)

    def see_all(self, see: See | None) -> None:
        """Show every byte of the file as received."""
        if see is not None:
            for _ in self._raw(see, max(self._block_bytes, MIN_PIECE_BYTES)):
                pass

    def file(self) -> BinaryIO:
        """What is in the packing as a file to seek in; a packed one is held in memory.

        Raises:
            IntakeError: as ``head``, or more than ``MAX_PACKED_WORKBOOK_BYTES`` in a packing.
        """
        if self.packing == "plain":
            return self._original.file()
        held = io.BytesIO()
        for piece in self._unpacked(None):
            if held.tell() + len(piece) > MAX_PACKED_WORKBOOK_BYTES:
                raise refuse(f"a packed workbook of more than {MAX_PACKED_WORKBOOK_BYTES // MIB} MiB")
            held.write(piece)
        held.seek(0)
        return held

    def _unpacked(self, see: See | None) -> Iterator[bytes]:
        if self._member is None:
            yield from _gunzipped(self._raw(see, MIN_PIECE_BYTES))
            return
        self.see_all(see)
        with open_archive(self._original.file) as archive:
            yield from stream(archive, self._member)

    def _raw(self, see: See | None, size: int) -> Iterator[bytes]:
        place = 0
        while block := self._original.pread(size, place):
            place += len(block)
            if place > self._original.size_bytes:
                raise changed()
            if see is not None:
                see(block)
            yield block


def is_package(names: Iterable[str]) -> bool:
    """Whether an archive of these members is an Office Open XML file, a workbook among them."""
    return any(name.endswith(".rels") for name in names)


def _is_litter(member: zipfile.ZipInfo) -> bool:
    """Folders, and what the Finder of macOS leaves beside a file."""
    name = member.filename
    return member.is_dir() or name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"


def _contents_fault(names: list[str]) -> str | None:
    if "mimetype" in names and "content.xml" in names:
        return "expected a workbook in .xlsx, came an OpenDocument file"
    return None if len(names) == 1 else f"expected one file in the archive, came {len(names) or 'none'}"


def changed() -> IntakeError:
    """The error of a file that is not the same from one read to the next."""
    return IntakeError("the input changed while it was read", where="input", hint="send it again, whole")


def _gunzipped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """RFC 1952, members one after the other included."""
    engine = zlib.decompressobj(_ZLIB_GZIP)
    packed = unpacked = 0
    for block in blocks:
        packed += len(block)
        data, piece = block, b""
        while data or len(piece) == _UNPACKED_BYTES:
            if engine.eof:
                if not data:
                    break
                engine = zlib.decompressobj(_ZLIB_GZIP)
            piece = _inflated(engine, data)
            data = engine.unused_data if engine.eof else engine.unconsumed_tail
            unpacked += len(piece)
            if unpacked > MAX_MEMBER_BYTES:
                raise refuse(f"expected at most {MAX_MEMBER_BYTES // GIB} GiB in the gzip file, came more")
            if unpacked > max(RATIO_FREE_BYTES, MAX_PACKING_RATIO * packed):
                raise refuse(f"the gzip file unpacks to more than {MAX_PACKING_RATIO} times its size")
            if piece:
                yield piece
    if not engine.eof:
        raise refuse("the gzip file is cut short")


def _inflated(engine: zlib._Decompress, data: bytes) -> bytes:
    try:
        return engine.decompress(data, _UNPACKED_BYTES)
    except zlib.error:
        pass
    raise refuse("the gzip file is damaged, or something follows it")


def _regrouped(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            data = b"".join(held)
            whole = length - length % size
            for start in range(0, whole, size):
                yield data[start : start + size]
            held, length = [data[whole:]], length - whole
    if length:
        yield b"".join(held)
