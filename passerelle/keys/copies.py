"""The keys of a convention's copies, in one file wrapped under a key of its own, which the key set holds.

    ID.keyset          master, wrap (32 bytes), edition (n)
    ID.0001.copies     canonical JSON {name: identity}, wrapped under ``wrap``, of edition n

Forgetting some writes the others in edition n + 1 under a new key, then points the key set to it: the old key is nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from passerelle.canonical import canonical, parse
from passerelle.errors import EvidenceError, KeyStoreError
from passerelle.keys import wrapping
from passerelle.keys.files import put, put_over, shred
from passerelle.keys.root import RootKey

SUFFIX = ".copies"


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What a key set's file holds: the master that keys derive from, and the key and edition of the copies' keys."""

    master: bytes = field(repr=False)
    wrap: bytes = field(repr=False)
    edition: int

    @classmethod
    def new(cls) -> Self:
        """For a convention at its first use."""
        return cls(wrapping.new_key(), wrapping.new_key(), 1)

    @classmethod
    def read(cls, root: RootKey, path: Path) -> Self:
        """From a ``.keyset`` file.

        Raises:
            KeyStoreError: it does not open, or is no key set.
        """
        try:
            value = parse(unwrapped(root, path))
            master, wrap, edition = bytes.fromhex(value["master"]), bytes.fromhex(value["wrap"]), value["edition"]
        except (EvidenceError, KeyError, TypeError, ValueError):
            raise _unreadable("a key set", path.name) from None
        if not isinstance(edition, int) or {len(master), len(wrap)} != {wrapping.KEY_BYTES}:
            raise _unreadable("a key set", path.name)
        return cls(master, wrap, edition)

    def wrapped(self, root: RootKey, path: Path) -> bytes:
        """As the ``.keyset`` file holds it."""
        fields = {"master": self.master.hex(), "wrap": self.wrap.hex(), "edition": self.edition}
        return root.wrap(canonical(fields), path.name)


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies' keys of one convention, in one generation of the ring; the caller holds the ring's lock."""

    keyset: Path
    root: RootKey = field(repr=False)

    def load(self) -> dict[str, str]:
        """Identities by name; none before the first.

        Raises:
            KeyStoreError: the file does not open under the key set's key, or is missing though there was one.
        """
        return self._load(Wrapping.read(self.root, self.keyset))

    def keep(self, name: str, identity: str) -> None:
        """Add one, or replace the one of that name."""
        held = Wrapping.read(self.root, self.keyset)
        self._write(held, {**self._load(held), name: identity})

    def obtain(self, name: str, fresh: str) -> str:
        """The one of that name; ``fresh`` where there is none, kept."""
        known = self.load()
        if name not in known:
            self.keep(name, fresh)
        return known.get(name, fresh)

    def forget(self, names: frozenset[str]) -> int:
        """Destroy those of ``names``; how many there were. None: nothing is written.

        1. Write the others in the next edition, under a new key. 2. Point the key set to it, over the old one's bytes.
        3. Destroy the old edition. Killed before 2 everything opens still; after it, what was forgotten never does.
        """
        held = Wrapping.read(self.root, self.keyset)
        known = self._load(held)
        left = {name: identity for name, identity in known.items() if name not in names}
        if len(left) == len(known):
            return 0
        following = replace(held, wrap=wrapping.new_key(), edition=held.edition + 1)
        self._write(following, left)  # 1
        put_over(self.keyset, following.wrapped(self.root, self.keyset))  # 2
        shred(self._path(held.edition))  # 3
        return len(known) - len(left)

    def sweep(self) -> None:
        """Destroy every edition but the one that the key set names: what a killed forgetting left."""
        editions = sorted(self.keyset.parent.glob(f"{self.keyset.stem}.*{SUFFIX}"))
        if len(editions) > 1:
            current = self._path(Wrapping.read(self.root, self.keyset).edition)
            for path in editions:
                if path != current:
                    shred(path)

    def _path(self, edition: int) -> Path:
        return self.keyset.with_name(name_of(self.keyset.stem, edition))

    def _load(self, held: Wrapping) -> dict[str, str]:
        path = self._path(held.edition)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if held.edition == 1:
                return {}
            raise _unreadable("the keys of copies", path.name) from None
        return read_copies(held.wrap, data, path.name)

    def _write(self, held: Wrapping, identities: Mapping[str, str]) -> None:
        path = self._path(held.edition)
        put(path, wrapping.wrap(held.wrap, canonical(dict(identities)), path.name))


def name_of(convention: str, edition: int) -> str:
    """The file of an edition, which is its context too."""
    return f"{convention}.{edition:04d}{SUFFIX}"


def read_copies(wrap: bytes, data: bytes, name: str) -> dict[str, str]:
    """The identities that a ``.copies`` file holds, by name.

    Raises:
        KeyStoreError: another key, another convention or edition, or bytes that were altered.
    """
    try:
        found = parse(wrapping.unwrap(wrap, data, name))
    except EvidenceError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise _unreadable("the keys of copies", name)
    return found


def unwrapped(root: RootKey, path: Path) -> bytes:
    """What a wrapped file of the ring holds.

    Raises:
        KeyStoreError: it cannot be read, or does not open.
    """
    try:
        return root.unwrap(path.read_bytes(), path.name)
    except OSError as error:
        raise KeyStoreError(f"expected a wrapped key ({type(error).__name__})", where=path.name) from None


def _unreadable(what: str, name: str) -> KeyStoreError:
    return KeyStoreError(f"expected {what}", where=name)
