"""The key ring: one folder per generation of the root key, and a pointer to the one that counts.

    keys/CURRENT                       the number of the generation in force, replaced atomically
    keys/lock                          held during every operation
    keys/gen-0003/root.key             the root key, or a reference to it
    keys/gen-0003/signing.key          signs manifests; wrapped        trail.key: signs checkpoints; wrapped
    keys/gen-0003/retired.key          the public halves of earlier signing keys, each until when; wrapped
    keys/gen-0003/portal.key           wraps the secrets of second factors; wrapped
    keys/gen-0003/ID.keyset            the key set of a convention; wrapped
    keys/gen-0003/ID.0001.copies       the keys of its copies, wrapped under its key set
    keys/gen-0003/ID.index             its person-index key; wrapped
    keys/gen-0003/ID.destroyed         tombstone of its key set        ID.index-destroyed: of its index key

A generation that CURRENT does not name was begun or is finished with: whoever opens the ring next destroys it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.errors import KeyStoreError
from passerelle.keys import wrapping
from passerelle.keys.copies import SUFFIX as COPIES
from passerelle.keys.copies import Copies, Wrapping
from passerelle.keys.copies import unwrapped as _read
from passerelle.keys.files import NOT_WRITABLE, locked, put, shred, sync_folder, write_new
from passerelle.keys.keyset import PRF_BYTES, CopyKey, KeySet
from passerelle.keys.recipient import Identity, parse_identities
from passerelle.keys.root import FileRootKey, RootKey, RootKeys
from passerelle.keys.ssh import NAMESPACES, Signer, allowed_signers, parse_allowed_signers, public_text

CONVENTION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
GENERATION = re.compile(r"gen-([0-9]{4,})")
WRAPPED = (".keyset", ".index", ".key")
TOMBSTONES = {".destroyed": ".keyset", ".index-destroyed": ".index"}
SEED_BYTES = 32
SIGNING = "signing.key"
RETIRED = "retired.key"
PORTAL = "portal.key"


class KeyRing:
    """The gateway's keys; safe between threads and processes, each operation reads the generation in force."""

    def __init__(self, folder: Path, roots: RootKeys = FileRootKey) -> None:
        self._folder = folder
        self._roots = roots

    @classmethod
    def create(cls, folder: Path, roots: RootKeys = FileRootKey) -> KeyRing:
        """A new ring in ``folder``, which is made if need be; a creation that was killed is begun again.

        Raises:
            KeyStoreError: there is one already.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ring = cls(folder, roots)
        with locked(folder / "lock"):
            if ring._current.exists():
                raise KeyStoreError("there is a key ring already", where=folder.name)
            ring._sweep(keep=0)
            generation, root = ring._begin(1)
            for name in (SIGNING, "trail.key"):
                write_new(generation / name, root.wrap(secrets.token_bytes(SEED_BYTES), name))
            sync_folder(generation)
            put(ring._current, b"0001\n")
        return ring

    @classmethod
    def open(cls, folder: Path, roots: RootKeys = FileRootKey) -> KeyRing:
        """The ring in ``folder``; what a killed rotation or destruction left is finished first.

        Raises:
            KeyStoreError: there is none, or its pointer or root key cannot be read.
        """
        ring = cls(folder, roots)
        ring._number()
        failure = None
        with locked(folder / "lock"):
            try:
                ring._finish()
            except OSError as error:
                if error.errno not in NOT_WRITABLE:
                    raise
                failure = type(error).__name__
        if failure:
            raise KeyStoreError(
                f"what a killed rotation or destruction left cannot be finished here ({failure})",
                where=folder.name,
                hint="open the workspace once on a disk that can be written, as its owner",
            )
        return ring

    def _finish(self) -> None:
        """Carry out what was begun: destroy what CURRENT does not name, and what has a tombstone or a temporary name."""
        self._sweep(keep=self._number())
        generation, root = self._in_force()
        for tombstone in TOMBSTONES:
            for path in generation.glob(f"*{tombstone}"):
                _destroy(path)
        for path in generation.glob("*.keyset"):
            Copies(path, root).sweep()
        for unfinished in (*self._folder.glob("*.new"), *generation.glob("*.new")):
            shred(unfinished)

    @property
    def generation(self) -> int:
        """The number of root keys there have been."""
        return self._number()

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """Signs manifests."""
        return self._ed25519(SIGNING)

    @property
    def trail_key(self) -> Ed25519PrivateKey:
        """Signs checkpoints of the trail."""
        return self._ed25519("trail.key")

    @property
    def portal_key(self) -> bytes:
        """Wraps what second factors are checked with; 32 bytes, made at first use."""
        with locked(self._folder / "lock"):
            generation, root = self._in_force()
            path = generation / PORTAL
            if not path.exists():
                put(path, root.wrap(wrapping.new_key(), path.name))
            return _read(root, path)

    @property
    def signing_public(self) -> str:
        """The public half of the signing key, one line, as in an OpenSSH ``.pub`` file."""
        return public_text(self.signing_key.public_key())

    @property
    def signers(self) -> tuple[Signer, ...]:
        """The public halves of every signing key there was, the one in use last."""
        with locked(self._folder / "lock"):
            generation, root = self._in_force()
            return _signers(generation, root)

    @property
    def allowed_signers(self) -> str:
        """What partners keep to check manifests and certificates with ``ssh-keygen -Y verify``: a line for each key and use."""
        return "".join(
            allowed_signers(one.key, namespace=namespace, before=one.before)
            for one in self.signers
            for namespace in NAMESPACES
        )

    def rotate_signing(self, at: datetime) -> Signer:
        """Sign with a new key from ``at`` on; what the old one signed before stays good. The new signer.

        1. Write down the old public half, with ``at``. 2. Replace the key. Killed between, the key in use is still the old
        one, which counts as in use whatever is written of it.
        """
        with locked(self._folder / "lock"):
            generation, root = self._in_force()
            *past, current = _signers(generation, root)
            retired = [*past, Signer(current.key, at.replace(microsecond=0))]
            lines = "".join(allowed_signers(one.key, before=one.before) for one in retired)
            put(generation / RETIRED, root.wrap(lines.encode(), RETIRED))  # 1
            put(generation / SIGNING, root.wrap(secrets.token_bytes(SEED_BYTES), SIGNING))  # 2
            return _signers(generation, root)[-1]

    def keyset(self, convention: str) -> KeySet:
        """The keys of ``convention``, made at first use.

        Raises:
            KeyStoreError: they were destroyed, or do not open.
        """
        with self._operation(convention) as (generation, root):
            _refuse_destroyed(generation / f"{convention}.destroyed", "the keys of this convention were destroyed")
            index = generation / f"{convention}.index"
            if not index.exists():
                put(index, root.wrap(secrets.token_bytes(PRF_BYTES), index.name))
            path = generation / f"{convention}.keyset"
            if not path.exists():
                put(path, Wrapping.new().wrapped(root, path))
            return KeySet(convention, Wrapping.read(root, path).master, _read(root, index))

    def new_copy_key(self, convention: str, name: str) -> CopyKey:
        """A key of its own for the copy ``name``, kept; the one of an earlier copy of that name is replaced.

        Raises:
            KeyStoreError: the convention has no key set, or its keys were destroyed.
        """
        identity = Identity.generate()
        with self._copies(convention) as copies:
            copies.keep(name, identity.secret)
        return CopyKey(convention, name, identity)

    def obtain_copy_key(self, convention: str, name: str) -> CopyKey:
        """The key of the copies ``name``, made at first use; raises as ``new_copy_key``."""
        with self._copies(convention) as copies:
            secret = copies.obtain(name, Identity.generate().secret)
        return CopyKey(convention, name, parse_identities(secret.encode())[0])

    def copy_key(self, convention: str, name: str) -> CopyKey:
        """The key of the copy ``name``.

        Raises:
            KeyStoreError: it was destroyed, or there never was one; or the convention's keys were destroyed.
        """
        with self._copies(convention) as copies:
            secret = copies.load().get(name)
        if secret is None:
            raise KeyStoreError("the key of this copy was destroyed, or never made", where=convention)
        return CopyKey(convention, name, parse_identities(secret.encode())[0])

    def copy_keys(self, convention: str) -> frozenset[str]:
        """The names of the copies that have a key; none of a convention without keys, or whose keys were destroyed."""
        with self._operation(convention) as (generation, root):
            path = generation / f"{convention}.keyset"
            if not path.exists() or (generation / f"{convention}.destroyed").exists():
                return frozenset()
            return frozenset(Copies(path, root).load())

    def forget(self, convention: str, names: frozenset[str]) -> int:
        """Destroy the keys of the copies ``names`` for ever, and wrap the others under a new key; how many went.

        It takes as long as the convention has copies, whatever they hold. May be repeated; what has no key is passed over.
        """
        with self._operation(convention) as (generation, root):
            path = generation / f"{convention}.keyset"
            if not path.exists() or (generation / f"{convention}.destroyed").exists():
                return 0
            return Copies(path, root).forget(names)

    def knows(self, convention: str) -> bool:
        """Whether ``convention`` has a key set, or had one that was destroyed."""
        with self._operation(convention) as (generation, _):
            return any((generation / f"{convention}{suffix}").exists() for suffix in (".keyset", ".destroyed"))

    def index_key(self, convention: str) -> bytes:
        """The person-index key, 16 bytes: it outlives the key set, for the period that the DPO sets.

        Raises:
            KeyStoreError: it was destroyed, or the convention never had keys.
        """
        with self._operation(convention) as (generation, root):
            _refuse_destroyed(generation / f"{convention}.index-destroyed", "the person-index key was destroyed")
            return _read(root, generation / f"{convention}.index")

    def destroy(self, convention: str) -> None:
        """Destroy the key set of ``convention`` for ever; may be repeated. The person-index key stays."""
        with self._operation(convention) as (generation, _):
            _destroy(generation / f"{convention}.destroyed")

    def destroy_index(self, convention: str) -> None:
        """Destroy the person-index key; may be repeated.

        Raises:
            KeyStoreError: the key set lives still, and needs it.
        """
        with self._operation(convention) as (generation, _):
            if not (generation / f"{convention}.destroyed").exists():
                raise KeyStoreError("expected a destroyed key set, it lives still", where=convention)
            _destroy(generation / f"{convention}.index-destroyed")

    def destroyed(self) -> frozenset[str]:
        """The conventions whose key set was destroyed."""
        with locked(self._folder / "lock"):
            generation, _ = self._in_force()
            return frozenset(path.stem for path in generation.glob("*.destroyed"))

    def rotate_root(self) -> int:
        """Wrap what is left under a new root key and destroy the old one; the new generation's number.

        1. Build the next generation whole, synced. 2. Point CURRENT to it. 3. Destroy the old generation. Killed before 2,
        the next opening destroys the new generation; killed after, it destroys the old one.
        """
        with locked(self._folder / "lock"):
            number = self._number()
            self._sweep(keep=number)
            old, old_root = self._in_force()
            new, new_root = self._begin(number + 1)  # 1
            for path in sorted(old.iterdir()):
                if path.suffix in TOMBSTONES:
                    write_new(new / path.name, path.read_bytes())
                elif path.suffix == COPIES and not path.with_name(f"{path.name.partition('.')[0]}.destroyed").exists():
                    write_new(new / path.name, path.read_bytes())  # wrapped under the key set, not under the root
                elif path.suffix in WRAPPED and path.name != "root.key" and not _is_destroyed(path):
                    write_new(new / path.name, new_root.wrap(_read(old_root, path), path.name))
            sync_folder(new)
            put(self._current, f"{number + 1:04d}\n".encode())  # 2
            self._sweep(keep=number + 1)  # 3
            return number + 1

    @property
    def _current(self) -> Path:
        return self._folder / "CURRENT"

    def _path(self, number: int) -> Path:
        return self._folder / f"gen-{number:04d}"

    def _number(self) -> int:
        try:
            text = self._current.read_bytes()
        except OSError:
            raise KeyStoreError("there is no key ring", where=self._folder.name, hint="passerelle init") from None
        if not re.fullmatch(rb"[0-9]{4,9}\n", text):
            raise KeyStoreError("expected the number of a generation", where="CURRENT")
        return int(text)

    def _in_force(self) -> tuple[Path, RootKey]:
        generation = self._path(self._number())
        return generation, self._roots.open(generation)

    def _begin(self, number: int) -> tuple[Path, RootKey]:
        generation = self._path(number)
        generation.mkdir(mode=0o700)
        root = self._roots.create(generation)
        sync_folder(self._folder)
        return generation, root

    @contextmanager
    def _operation(self, convention: str) -> Iterator[tuple[Path, RootKey]]:
        if not CONVENTION_ID.fullmatch(convention):
            raise KeyStoreError("expected a convention id of lower-case letters, digits and hyphens", where="key ring")
        with locked(self._folder / "lock"):
            yield self._in_force()

    @contextmanager
    def _copies(self, convention: str) -> Iterator[Copies]:
        with self._operation(convention) as (generation, root):
            _refuse_destroyed(generation / f"{convention}.destroyed", "the keys of this convention were destroyed")
            path = generation / f"{convention}.keyset"
            if not path.exists():
                raise KeyStoreError("this convention has no key set", where=convention)
            yield Copies(path, root)

    def _ed25519(self, name: str) -> Ed25519PrivateKey:
        with locked(self._folder / "lock"):
            generation, root = self._in_force()
            return Ed25519PrivateKey.from_private_bytes(_read(root, generation / name))

    def _sweep(self, keep: int) -> None:
        """Destroy every generation but ``keep``, the root key first."""
        for folder in sorted(self._folder.glob("gen-*")):
            match = GENERATION.fullmatch(folder.name)
            if match is None or int(match[1]) == keep:
                continue
            if (folder / "root.key").exists():
                self._roots.open(folder).destroy()
            for path in sorted(folder.iterdir()):
                shred(path)
            folder.rmdir()
            sync_folder(self._folder)


def _refuse_destroyed(tombstone: Path, message: str) -> None:
    if tombstone.exists():
        raise KeyStoreError(message, where=tombstone.stem)


def _is_destroyed(secret: Path) -> bool:
    return any(secret.with_suffix(mark).exists() for mark, suffix in TOMBSTONES.items() if suffix == secret.suffix)


def _destroy(tombstone: Path) -> None:
    if not tombstone.exists():
        put(tombstone, b"destroyed\n")
    secret = tombstone.with_suffix(TOMBSTONES[tombstone.suffix])
    shred(secret)
    if secret.suffix == ".keyset":
        for copies in tombstone.parent.glob(f"{tombstone.stem}.*{COPIES}"):
            shred(copies)


def _signers(generation: Path, root: RootKey) -> tuple[Signer, ...]:
    seed = _read(root, generation / SIGNING)
    current = Signer(Ed25519PrivateKey.from_private_bytes(seed).public_key())
    if not (generation / RETIRED).exists():
        return (current,)
    past = parse_allowed_signers(_read(root, generation / RETIRED).decode())
    return (*(one for one in past if one.key != current.key), current)
