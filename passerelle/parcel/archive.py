"""The tar of a parcel: each member's header is a function of its name, size and instant, so that no byte is left unsaid.

POSIX ustar, regular files, mode 0644, owner 0 without names; a size of 8 GiB or more is written in base 256, as GNU tar
does. Data are padded with zeros to 512 bytes; two blocks of zeros end the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from passerelle.errors import ParcelError
from passerelle.parcel import limits

BLOCK = 512
END = bytes(2 * BLOCK)
OCTAL_LIMIT = 8**11
HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x")
BLANK_SUM = b" " * 8
ZERO = b"0000000\0"
BASE_256 = 0x80

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
PROOF = "manifest.tlog-proof"
NOTICES = ("LISEZMOI.txt", "README.txt")
VERDICTS = "verdicts.csv.age"  # what is handed back to a sender (docs/spec/verdicts.md)
EXTRACTS = ("extract.csv.age", "extract.parquet.age", VERDICTS)
REPORTS = ("report.json", "report.html")  # beside verdicts only
MOST = 8  # members: an extract, three that prove it, four that people read
MAX_BYTES = {
    MANIFEST: limits.MANIFEST,
    SIGNATURE: limits.SIGNATURE,
    PROOF: limits.PROOF,
    **dict.fromkeys(NOTICES, limits.NOTICE),
    **dict.fromkeys(REPORTS, limits.REPORT),
}


def texts_of(first: str) -> tuple[str, ...]:
    """The members that people read, in their order, of a parcel whose first member is ``first``."""
    return (*NOTICES, *REPORTS) if first == VERDICTS else NOTICES


def after(first: str) -> tuple[str, ...]:
    """The members that follow ``first``, in their order."""
    return (MANIFEST, SIGNATURE, PROOF, *texts_of(first))


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the tar: ``size`` bytes from ``offset``; ``mtime`` in seconds of Unix time."""

    name: str
    offset: int
    size: int
    mtime: int


def header(name: str, size: int, mtime: int) -> bytes:
    """The 512 bytes before a member's data."""
    octal_or_binary = b"%011o\0" % size if size < OCTAL_LIMIT else bytes([BASE_256]) + size.to_bytes(11, "big")
    fields = [name.encode("ascii"), b"0000644\0", ZERO, ZERO, octal_or_binary, b"%011o\0" % mtime, BLANK_SUM, b"0"]
    rest = [b"", b"ustar\0", b"00", b"", b"", ZERO, ZERO, b""]
    total = sum(HEADER.pack(*fields, *rest))
    fields[6] = b"%06o\0 " % total
    return HEADER.pack(*fields, *rest)


def padding(size: int) -> bytes:
    """The zeros that fill a member's last block."""
    return bytes(-size % BLOCK)


def members(file: BinaryIO) -> Iterator[Member]:
    """Walk the tar from its start and account for every byte that is not a member's data.

    Raises:
        ParcelError: a header, a padding or the end differs by one bit from what this format writes.
    """
    end = file.seek(0, 2)
    at = found = 0
    while True:
        file.seek(at)
        block = file.read(BLOCK)
        if block == END[:BLOCK]:
            break
        member = _member(block, at)
        after = member.offset + member.size
        at = after + len(padding(member.size))
        if at > end:
            raise ParcelError("expected more bytes, the file is cut", where=f"{member.name}: byte {end} of the tar")
        file.seek(after)
        if any(file.read(at - after)):
            raise ParcelError(
                "expected zeros after the data", where=f"{member.name}: bytes {after} to {at - 1} of the tar"
            )
        if (found := found + 1) > MOST:
            raise ParcelError(
                "expected no further member", where=f"{member.name}: byte {member.offset - BLOCK} of the tar"
            )
        yield member
    file.seek(at)
    if file.read(len(END) + 1) != END:
        raise ParcelError("expected two blocks of zeros and nothing more", where=f"end of the tar: from byte {at}")


def _member(block: bytes, at: int) -> Member:
    where = f"header or end of the tar at byte {at}"
    if len(block) < BLOCK:
        raise ParcelError("expected a header, the file is cut", where=where)
    try:
        name = block[:100].rstrip(b"\0").decode("ascii")
        size = int.from_bytes(block[125:136], "big") if block[124] == BASE_256 else int(block[124:135], 8)
        member = Member(name, at + BLOCK, size, int(block[136:147], 8))
        if min(size, member.mtime) < 0:
            raise ValueError  # noqa: TRY301 -- int() takes a sign, ustar has digits alone
        expected = header(name, size, member.mtime)
    except (ValueError, struct.error):
        raise ParcelError("expected a ustar header of a parcel", where=where) from None
    if name not in (*EXTRACTS, *MAX_BYTES):
        raise ParcelError("the header names a member that no parcel has", where=where)
    if block != expected:
        offset = next(i for i in range(BLOCK) if block[i] != expected[i])
        raise ParcelError(
            "the header differs from what a parcel writes", where=f"{name}: byte {at + offset} of the tar"
        )
    return member
