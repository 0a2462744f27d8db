"""Sealing: the extract streams into the tar, encrypted, and is written once; the other members follow when they are known.

    1. sealer = Sealer(path, created); with sealer.extract("extract.csv", recipients, release) as sink: …  synced
    2. record sealer.sealed, decide again, sign; the process may end here: Sealer.resume(path, created, sealed)
    3. sealer.finish(manifest, signature, proof, notices): the rest, synced, renamed to its own name

Until ``finish`` the file is called ``….part``; it holds ciphertext only.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from passerelle.errors import ParcelError, UsageError
from passerelle.keys.age import AgeSink, Data, Writable
from passerelle.keys.files import sync_folder
from passerelle.keys.recipient import Recipient
from passerelle.parcel import archive, limits
from passerelle.parcel.facts import Sealed
from passerelle.parcel.manifest import Lock, parse_manifest
from passerelle.parcel.notices import notice_hashes


class Sealer:
    """One parcel on its way; steps out of order are refused. ``sealed`` is None until the extract is sealed."""

    def __init__(self, path: Path, created: datetime) -> None:
        """Prepare a parcel at ``path``; ``created`` is the manifest's instant and the mtime of all members."""
        self.path = path
        self.sealed: Sealed | None = None
        self._mtime = int(created.timestamp())
        self._part = path.with_name(path.name + ".part")

    @classmethod
    def resume(cls, path: Path, created: datetime, sealed: Sealed) -> Sealer:
        """The sealer of a parcel whose extract was sealed before a crash; what follows the extract is cut off.

        Raises:
            ParcelError: the file is missing, or its extract is not ``sealed``.
        """
        sealer = cls(path, created)
        if not sealer._part.exists() and path.exists():
            path.rename(sealer._part)  # killed after the last step: finish again
        try:
            with sealer._part.open("r+b") as file:
                sealer._check_extract(file, sealed)
                file.truncate(_end_of_extract(sealed))
        except OSError as error:
            raise ParcelError(f"the sealed extract cannot be read ({type(error).__name__})", where=path.name) from None
        sealer.sealed = sealed
        return sealer

    @contextmanager
    def extract(
        self, name: str, recipients: Sequence[Recipient], release: Recipient | None = None
    ) -> Iterator[ExtractSink]:
        """A sink for the plain bytes of ``extract.csv``, ``extract.parquet`` or ``verdicts.csv``; on leaving, ``sealed`` is set.

        ``recipients`` open the inner lock, any of them; ``release`` is who the outer lock is for, None for open and
        aggregate data. An exception inside removes the file.

        Raises:
            UsageError: no recipient, another name, or an extract that is sealed already.
        """
        if self.sealed is not None:
            raise UsageError("expected an extract yet to be sealed, it is sealed")
        if not recipients:
            raise UsageError("expected at least one recipient, none came")
        if f"{name}.age" not in archive.EXTRACTS:
            raise UsageError("expected extract.csv or another name of a first member")
        layers = (tuple(recipients),) if release is None else ((release,), tuple(recipients))
        try:
            with self._part.open("wb") as file, ThreadPoolExecutor(2) as pool:
                os.fchmod(file.fileno(), 0o600)
                file.write(archive.header(f"{name}.age", 0, self._mtime))
                sink = ExtractSink(file, layers, pool)
                yield sink
                plain, cipher = sink.finish()
                file.write(archive.padding(cipher.size))
                file.seek(0)
                file.write(archive.header(f"{name}.age", cipher.size, self._mtime))
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        self.sealed = Sealed(name, plain.hex, plain.size, cipher.hex, cipher.size, _locks(layers))

    def finish(self, manifest: bytes, signature: bytes, proof: bytes, notices: Mapping[str, bytes]) -> Path:
        """Append the other members and give the parcel its name; the same arguments give the same bytes.

        Raises:
            UsageError: the extract is not sealed yet.
            ParcelError: the manifest speaks of another extract, of other notices, or of another instant.
        """
        if self.sealed is None:
            raise UsageError("expected a sealed extract, none is")
        self._check_manifest(manifest, self.sealed, notices)
        small = {archive.MANIFEST: manifest, archive.SIGNATURE: signature, archive.PROOF: proof, **notices}
        with self._part.open("r+b") as file:
            file.truncate(file.seek(_end_of_extract(self.sealed)))
            for name in archive.after(f"{self.sealed.name}.age"):
                data = small[name]
                file.write(archive.header(name, len(data), self._mtime) + data + archive.padding(len(data)))
            file.write(archive.END)
            file.flush()
            os.fsync(file.fileno())
        self._part.rename(self.path)
        sync_folder(self.path.parent)
        return self.path

    def _check_extract(self, file: BinaryIO, sealed: Sealed) -> None:
        member, size = f"{sealed.name}.age", sealed.cipher_bytes
        if file.read(archive.BLOCK) != archive.header(member, size, self._mtime):
            raise ParcelError("the header is not that of the sealed extract", where=f"{member}: byte 0 of the tar")
        if digest_range(file, archive.BLOCK, size) != sealed.cipher_sha256:
            raise ParcelError(
                "sha256 differs from the sealed extract", where=f"{member}: from byte {archive.BLOCK} of the tar"
            )
        if file.read(len(archive.padding(size))) != archive.padding(size):
            raise ParcelError("expected zeros after the data", where=member)

    def _check_manifest(self, data: bytes, sealed: Sealed, notices: Mapping[str, bytes]) -> None:
        manifest = parse_manifest(data)
        said = (manifest.member, manifest.passerelle.cipher_sha256, manifest.resource.hash)
        if said != (f"{sealed.name}.age", sealed.cipher_sha256, f"sha256:{sealed.plain_sha256}"):
            raise ParcelError("the manifest speaks of another extract", where=archive.MANIFEST)
        if manifest.passerelle.notices != notice_hashes(notices):
            raise ParcelError("the manifest speaks of other notices", where=archive.MANIFEST)
        if int(manifest.instant.timestamp()) != self._mtime:
            raise ParcelError("the manifest speaks of another instant", where=archive.MANIFEST)


def _locks(layers: Sequence[Sequence[Recipient]]) -> tuple[Lock, ...]:
    kinds: tuple[Literal["release", "recipient"], ...] = ("release", "recipient")
    return tuple(
        Lock(kind=kind, fingerprints=tuple(one.fingerprint for one in layer))
        for kind, layer in zip(kinds[-len(layers) :], layers, strict=True)
    )


def _end_of_extract(sealed: Sealed) -> int:
    return archive.BLOCK + sealed.cipher_bytes + len(archive.padding(sealed.cipher_bytes))


def digest_range(file: BinaryIO, offset: int, size: int) -> str:
    """SHA-256 in hex of ``size`` bytes from ``offset`` (of what there is, when the file is shorter)."""
    digest = hashlib.sha256()
    file.seek(offset)
    while size and (block := file.read(min(size, limits.READ))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


class Digest:
    """SHA-256 and size of a stream, hashed in a thread of its own while the caller goes on."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._digest = hashlib.sha256()
        self._pending: Future[None] | None = None
        self.size = 0

    def update(self, block: bytes) -> None:
        self._wait()
        self._pending = self._pool.submit(self._digest.update, block)
        self.size += len(block)

    @property
    def hex(self) -> str:
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()
            self._pending = None


class _Cipher:
    """The bottom: ciphertext goes to the tar and to its hash."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self._file = file
        self._digest = digest

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)


class ExtractSink:
    """Takes plain bytes, in pieces of any size; a file object as far as pyarrow needs one."""

    def __init__(self, file: BinaryIO, layers: Sequence[Sequence[Recipient]], pool: ThreadPoolExecutor) -> None:
        self._plain, self._cipher = Digest(pool), Digest(pool)
        self._block = bytearray()
        self._stack = ExitStack()
        top: Writable = _Cipher(file, self._cipher)
        for recipients in layers:
            top = self._stack.enter_context(AgeSink(top, recipients))
        self._top = top

    def write(self, data: Data) -> int:
        """Take ``data``; all of it, always."""
        view = memoryview(data).cast("B")
        if len(view) >= limits.READ:
            self.flush()
            self._hand_on(bytes(data))
        else:
            self._block += view
            if len(self._block) >= limits.READ:
                self.flush()
        return len(view)

    def flush(self) -> None:
        """Hand on what was gathered."""
        if self._block:
            self._hand_on(bytes(self._block))
            self._block.clear()

    def _hand_on(self, block: bytes) -> None:
        self._plain.update(block)
        self._top.write(block)

    def finish(self) -> tuple[Digest, Digest]:
        """Close every layer, the innermost first; the digests of plain and cipher."""
        self.flush()
        self._stack.close()
        return self._plain, self._cipher

    @property
    def closed(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        """Plain bytes taken so far."""
        return self._plain.size + len(self._block)
