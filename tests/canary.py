"""Find planted values in everything that was written: every byte of every file, in every form a value takes on its way.

``sweep`` reads the names and the bytes of all files under some folders and looks for each canary as written, without its
accents, in any letter case, in UTF-8, cp1252 and UTF-16, escaped as JSON, XML, a URL or Python do, in base64 (the three
alignments, folded lines included) and in hexadecimal. It also looks inside zip, gzip and tar, one level deep, and inside
Parquet and Arrow files, whose pages are compressed. SQLite files and their logs are seen as raw bytes.

It raises rather than skip: a file it cannot read, a container it cannot open, a folder with nothing in it.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote

import polars as pl

CHUNK = 4 << 20  # bytes read at a time
SHORTEST = 6  # characters: a shorter canary would be found by chance
LARGEST_MEMBER = 1 << 30  # bytes unpacked from one member of a container

_FOLDS = re.compile(rb"\\r|\\n|\s")  # line ends inside base64, as bytes or as JSON writes them


@dataclass(frozen=True, slots=True)
class Finding:
    """A canary where it should not be: ``offset`` in bytes from the start of the file or of the container's ``member``.

    The offset of a value in folded base64 is that of the piece of file it stands in.
    """

    path: Path
    offset: int
    canary: str
    encoding: str
    member: str | None = None


class NotSweptError(AssertionError):
    """Something could not be looked at, so nothing can be said."""


def sweep(folders: Iterable[Path], canaries: Mapping[str, str]) -> list[Finding]:
    """Look for ``canaries`` (id to value) in every file under ``folders``; a file may stand for a folder.

    Raises:
        NotSweptError: no folder, no canary, a canary shorter than ``SHORTEST``, a folder without a file, a special file,
            a container that does not open.
    """
    needles = _Needles(canaries)
    roots = [Path(folder) for folder in folders]
    if not roots:
        raise NotSweptError("expected a folder to sweep, none came")
    findings: list[Finding] = []
    for root in roots:
        if not root.exists():
            raise NotSweptError(f"expected files under {root}, it does not exist")
        files = sorted(path for path in (root.rglob("*") if root.is_dir() else [root]) if not _is_folder(path))
        if not files:
            raise NotSweptError(f"expected files under {root}, none came")
        for path in files:
            findings += _file(path, needles)
        findings += [finding for path in root.rglob("*") if _is_folder(path) for finding in _name(path, needles)]
    return findings


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _name(path: Path, needles: _Needles) -> list[Finding]:
    text = path.name + (f"\0{path.readlink()}" if path.is_symlink() else "")
    hits = needles.scan(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    return [Finding(path, offset, canary, f"name: {form}") for offset, canary, form in hits]


def _file(path: Path, needles: _Needles) -> list[Finding]:
    found = _name(path, needles)
    if path.is_symlink() or stat.S_ISSOCK(path.stat().st_mode):
        return found  # a link's target is swept where it stands, a socket has no bytes
    if not path.is_file():
        raise NotSweptError(f"expected a file, a special one came: {path}")
    with path.open("rb") as stream:
        found += [Finding(path, *hit) for hit in needles.scan(stream)]
    try:
        for member, content in _members(path):
            with closing(content):
                found += [Finding(path, *hit, member) for hit in needles.scan(content, LARGEST_MEMBER)]
                found += [Finding(path, *hit, member) for hit in needles.scan(io.BytesIO(member.encode()))]
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        EOFError,
        zlib.error,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise NotSweptError(f"{path}: the container does not open: {type(error).__name__}") from error
    return found


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The members of a container by their names, unpacked; none when ``path`` is no container."""
    with path.open("rb") as stream:
        head = stream.read(512)
    for is_container, opened in _CONTAINERS:
        if is_container(head):
            yield from opened(path)
            return


def _zip(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        yield from ((info.filename, archive.open(info)) for info in archive.infolist())


def _gzip(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    yield "", cast("IO[bytes]", gzip.GzipFile(path))


def _tar(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path) as archive:
        for info in archive:
            yield info.name + info.linkname, archive.extractfile(info) or io.BytesIO()


def _parquet(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        for index, batch in enumerate(table.iter_batches()):
            yield f"batch {index}", io.BytesIO(str(batch.to_pylist()).encode())


def _arrow(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    import pyarrow as pa

    with pa.ipc.open_file(str(path)) as table:
        for index in range(table.num_record_batches):
            yield f"batch {index}", io.BytesIO(str(table.get_batch(index).to_pylist()).encode())


_Opened = Callable[[Path], Iterator[tuple[str, IO[bytes]]]]
_CONTAINERS: tuple[tuple[Callable[[bytes], bool], _Opened], ...] = (
    (lambda head: head.startswith((b"PK\x03\x04", b"PK\x05\x06")), _zip),
    (lambda head: head.startswith(b"\x1f\x8b"), _gzip),
    (lambda head: head[257:262] == b"ustar", _tar),
    (lambda head: head.startswith(b"PAR1"), _parquet),
    (lambda head: head.startswith(b"ARROW1"), _arrow),
)


class _Needles:
    """Every form of every canary, in lower case, found all at once (Aho-Corasick, from polars)."""

    def __init__(self, canaries: Mapping[str, str]) -> None:
        if not canaries:
            raise NotSweptError("expected canaries, none came")
        self._names: dict[bytes, tuple[str, str]] = {}
        for name, value in canaries.items():
            if len(value) < SHORTEST:
                raise NotSweptError(f"canary {name}: expected {SHORTEST} characters or more, {len(value)} came")
            for form, needle in _forms(value):
                self._names.setdefault(needle.lower(), (name, form))
        self._needles = list(self._names)
        self._patterns = pl.Series([[needle.decode("latin-1") for needle in self._needles]])
        self._overlap = max(map(len, self._needles)) * 2

    def scan(self, stream: IO[bytes], most: int | None = None) -> list[tuple[int, str, str]]:
        """Every hit in ``stream``: offset, canary, form."""
        hits: set[tuple[int, str, str]] = set()
        start, kept = 0, b""
        while piece := stream.read(CHUNK):
            window = kept + piece
            hits.update((start + at, *self._names[needle]) for at, needle in self._find(window))
            folded = self._find(_FOLDS.sub(b"", window)) if _FOLDS.search(window) else ()
            encoded = (self._names[needle] for _, needle in folded)
            hits.update(
                (start, name, f"{form}, folded")
                for name, form in encoded
                if form.startswith(("base64", "hexadecimal")) and not any((name, form) == hit[1:] for hit in hits)
            )
            start, kept = start + len(window) - len(window[-self._overlap :]), window[-self._overlap :]
            if most is not None and start > most:
                raise NotSweptError(f"expected at most {most} bytes in a member, more came")
        return sorted(hits)

    def _find(self, window: bytes) -> Iterator[tuple[int, bytes]]:
        text = window.lower().decode("latin-1")
        found = pl.select(pl.lit(text).str.find_many(self._patterns, overlapping=True)).item()
        matched = (
            pl.select(pl.lit(text).str.extract_many(self._patterns, overlapping=True)).item() if len(found) else ()
        )
        raw = text.encode() if len(found) else b""
        for at, needle in zip(found, matched, strict=True):
            yield len(raw[:at].decode()), needle.encode("latin-1")


def _forms(value: str) -> Iterator[tuple[str, bytes]]:
    for variant in _variants(value):
        yield from _escaped(variant)
        for encoding in ("utf-8", "cp1252", "utf-16-le", "utf-16-be"):
            try:
                octets = variant.encode(encoding)
            except UnicodeEncodeError:
                continue
            yield encoding, octets
            yield f"hexadecimal of {encoding}", octets.hex().encode()
            yield f"percent-encoded {encoding}", quote(octets, safe="").encode()
            yield f"percent-encoded {encoding}", quote(octets, safe="/:@,;=+ ").replace(" ", "+").encode()
            yield f"escaped {encoding}", "".join(chr(o) if o < 128 else f"\\x{o:02x}" for o in octets).encode()
            for alphabet in (b"+/", b"-_"):
                for alignment in range(3):
                    yield f"base64 of {encoding}", _base64(octets, alignment, alphabet)


def _variants(value: str) -> set[str]:
    composed = unicodedata.normalize("NFC", value)
    decomposed = unicodedata.normalize("NFD", value)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    cased = {composed, decomposed, bare} | {value}
    return cased | {v.upper() for v in cased} | {v.lower() for v in cased} | {v.title() for v in cased}


def _escaped(value: str) -> Iterator[tuple[str, bytes]]:
    yield "JSON-escaped", json.dumps(value)[1:-1].encode()
    yield "JSON-escaped twice", json.dumps(json.dumps(value)[1:-1])[1:-1].encode()
    yield "Python-escaped", value.encode("unicode_escape")
    yield "XML-escaped", value.encode("ascii", "xmlcharrefreplace")


def _base64(octets: bytes, alignment: int, alphabet: bytes) -> bytes:
    """The characters of base64 that ``octets`` alone decide when ``alignment`` bytes stand before them in their group."""
    encoded = base64.b64encode(b"\0" * alignment + octets, altchars=alphabet)
    return encoded[-(-8 * alignment // 6) : (alignment + len(octets)) * 8 // 6]
