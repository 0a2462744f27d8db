"""Opening a parcel on the recipient's machine: the extract comes out whole and as the manifest says, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from passerelle.errors import EvidenceError, ParcelError
from passerelle.keys.files import sync_folder
from passerelle.keys.opening import age_source, decrypt
from passerelle.keys.recipient import Identity
from passerelle.parcel.manifest import Resource
from passerelle.parcel.sealing import digest_range
from passerelle.parcel.verifying import Parcel

QUOTE = ord('"')
LINE_FEED = ord("\n")
SHUT = {
    "outer": "le premier verrou ne s'ouvre pas : ce n'est pas la clé de ce colis, ou l'extrait a été altéré",
    "inner": "le verrou du destinataire ne s'ouvre pas : ce n'est pas sa clé, ou l'extrait a été altéré",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """The plain extract: where it is, its rows without the header, its size in bytes, its SHA-256 in hex."""

    path: Path
    rows: int
    bytes: int
    sha256: str


def open_parcel(parcel: Parcel, identities: Sequence[Identity], release: Identity | None, out: Path) -> Opened:
    """Decrypt the extract into the folder ``out``, which is made if need be; a second time changes nothing.

    1. Open the outer lock with ``release`` (two locks), then the inner one with ``identities``, into a temporary name.
    2. Compare size, SHA-256 and rows with the manifest. 3. Rename.

    Raises:
        ParcelError: a key is missing or does not open its lock, the extract is not what the manifest says, or a different
            file bears its name.
    """
    resource = parcel.manifest.resource
    out.mkdir(parents=True, exist_ok=True)
    path, temporary = out / resource.path, out / f".{resource.path}.part"
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            plain = _Plain(file)
            _unlock(parcel, identities, release, plain)  # 1
            file.flush()
            os.fsync(file.fileno())
        opened = Opened(path, _rows(resource, plain, temporary), plain.size, plain.hex)
        _compare(opened, resource)  # 2
        _refuse_other(opened)
        temporary.rename(path)  # 3
        sync_folder(out)
    finally:
        temporary.unlink(missing_ok=True)
    return opened


def _unlock(parcel: Parcel, identities: Sequence[Identity], release: Identity | None, plain: _Plain) -> None:
    two = len(parcel.manifest.passerelle.locks) > 1
    terms, member = parcel.manifest.passerelle, parcel.extract.name
    if not identities:
        raise ParcelError(
            "expected at least one identity, none came", where=member, fr="il faut au moins une clé privée"
        )
    if two and release is None:
        raise ParcelError(
            "the outer lock needs the release key of this parcel",
            where=member,
            hint=f"passerelle release-key {parcel.manifest.name} --as {terms.recipient}",
            fr="le premier verrou s'ouvre avec la clé de ce colis, que la passerelle remet",
            hint_fr=f"passerelle release-key {parcel.manifest.name} --as {terms.recipient}",
        )
    with parcel.path.open("rb") as file:
        cipher = _Range(file, parcel.extract.offset, parcel.extract.size)
        try:
            if not two or release is None:
                decrypt(cipher, plain, identities)
                return
            with age_source(cipher, [release]) as outer:
                try:
                    decrypt(outer, plain, identities)
                except EvidenceError as error:
                    lock = "outer" if outer.error is error else "inner"
                    raise ParcelError(f"{lock} lock: {error.message}", where=member, fr=SHUT[lock]) from None
        except EvidenceError as error:
            if isinstance(error, ParcelError):
                raise
            raise ParcelError(error.message, where=member, fr=SHUT["inner"]) from None


def _rows(resource: Resource, plain: _Plain, path: Path) -> int:
    if resource.dialect is not None:
        return max(plain.lines - 1, 0)
    from pyarrow.lib import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        return int(read_metadata(path).num_rows)
    except (ArrowException, OSError):
        raise ParcelError("expected a parquet file", where=resource.path) from None


def _compare(opened: Opened, resource: Resource) -> None:
    if opened.bytes != resource.bytes or f"sha256:{opened.sha256}" != resource.hash:
        raise ParcelError(
            "size or sha256 of the opened extract differs from the manifest",
            where=resource.path,
            fr="la taille ou l'empreinte de l'extrait ouvert n'est pas celle du bordereau",
        )
    if opened.rows != resource.rows:
        raise ParcelError(
            f"expected {resource.rows} rows, as the manifest says, found {opened.rows}",
            where=resource.path,
            fr=f"le bordereau annonce {resource.rows} lignes, l'extrait en a {opened.rows}",
        )


def _refuse_other(opened: Opened) -> None:
    if not opened.path.exists():
        return
    with opened.path.open("rb") as file:
        if digest_range(file, 0, opened.path.stat().st_size) != opened.sha256:
            raise ParcelError(
                "a different file of this name is there already",
                where=opened.path.name,
                hint="choose another folder",
                fr="un autre fichier porte déjà ce nom dans ce dossier",
                hint_fr="choisissez un autre dossier",
            )


class _Range:
    """A readable part of a file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        file.seek(offset)
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


class _Plain:
    """Writes the plain bytes on and keeps what the manifest speaks of: size, SHA-256, and lines of CSV."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._quoted = False
        self._ended = True
        self._lines = 0
        self.size = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        self._lines += self._count(data)
        self._ended = data.endswith(b"\n") if data else self._ended
        return self._file.write(data)

    @property
    def hex(self) -> str:
        return self._digest.hexdigest()

    @property
    def lines(self) -> int:
        """Records of the CSV, the header among them: line feeds outside quotes, and a last record without one."""
        return self._lines + (not self._ended)

    def _count(self, data: bytes) -> int:
        if not self._quoted and b'"' not in data:
            return data.count(b"\n")
        import numpy as np

        octets = np.frombuffer(data, np.uint8)
        quotes = np.cumsum(octets == QUOTE, dtype=np.uint32) + np.uint32(self._quoted)
        self._quoted = bool(quotes[-1] & 1) if len(octets) else self._quoted
        return int(np.count_nonzero((octets == LINE_FEED) & (quotes & 1 == 0)))
