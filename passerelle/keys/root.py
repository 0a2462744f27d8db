"""The root key: the one secret that wraps all others. A file here; a KMS, an HSM or Vault behind the same Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self

from passerelle.errors import KeyStoreError
from passerelle.keys import wrapping
from passerelle.keys.files import put, shred

FILE = "root.key"


class RootKey(Protocol):
    """Wraps and unwraps secrets without showing the key (docs/spec/keys.md, "A root key kept elsewhere").

    Implementations MUST bind ``context`` to the ciphertext, MUST raise ``KeyStoreError`` when it does not open, and MUST
    make ``destroy`` final and repeatable: killed within it, ``open`` and ``destroy`` again MUST finish it. Callers MUST NOT
    use the key after ``destroy``.
    """

    def wrap(self, data: bytes, context: str) -> bytes: ...
    def unwrap(self, wrapped: bytes, context: str) -> bytes: ...
    def destroy(self) -> None: ...


class RootKeys(Protocol):
    """Makes and finds the root key of one generation.

    ``create`` MUST write ``root.key`` in ``folder``, the key or a reference to it, whole or not at all, and nothing else.
    ``open`` MUST raise ``KeyStoreError`` when what it finds there is not its own.
    """

    def create(self, folder: Path) -> RootKey: ...
    def open(self, folder: Path) -> RootKey: ...


class FileRootKey:
    """A root key in ``root.key``, 32 bytes, mode 0600."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A new key in ``folder``."""
        key = wrapping.new_key()
        put(folder / FILE, key)  # whole or not at all: a sweep must be able to open and destroy it
        return cls(folder / FILE, key)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The key in ``folder``.

        Raises:
            KeyStoreError: no key there, not 32 bytes, or others than its owner may read it.
        """
        path = folder / FILE
        try:
            mode, key = path.stat().st_mode, path.read_bytes()
        except OSError as error:
            raise KeyStoreError(f"the root key cannot be read ({type(error).__name__})", where=path.name) from None
        if mode & 0o077:
            raise KeyStoreError(
                f"expected mode 0600, found {mode & 0o777:04o}",
                where=path.name,
                hint="chmod 600; whoever read it can open what it wraps until the next purge puts another in its place",
            )
        if len(key) != wrapping.KEY_BYTES:
            raise KeyStoreError(f"expected {wrapping.KEY_BYTES} bytes, found {len(key)}", where=path.name)
        return cls(path, key)

    def wrap(self, data: bytes, context: str) -> bytes:
        return wrapping.wrap(self._key, data, context)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        return wrapping.unwrap(self._key, wrapped, context)

    def destroy(self) -> None:
        shred(self._path)
