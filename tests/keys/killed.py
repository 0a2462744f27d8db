"""Kills a key operation with SIGKILL before each call that changes the disk, and prints what the next opening finds.

Run as a program: ``python killed.py OPERATION FOLDER [token]``. One JSON line for each point, until the operation ends by
itself. With ``token`` the root keys are in a process apart (hardware.py), which outlives each death.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from passerelle.errors import KeyStoreError
from passerelle.keys import FileRootKey, KeyRing, RootKeys
from tests.keys.hardware import TokenKeys, token

CALLS = ("open", "fdopen", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir")
OPERATIONS: dict[str, Callable[[Path, RootKeys], object]] = {
    "create": KeyRing.create,
    "rotate": lambda folder, roots: KeyRing.open(folder, roots).rotate_root(),
    "destroy": lambda folder, roots: KeyRing.open(folder, roots).destroy("alpha"),
    "sign": lambda folder, roots: KeyRing.open(folder, roots).rotate_signing(datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
    "keyset": lambda folder, roots: KeyRing.open(folder, roots).keyset("fresh"),
    "keep": lambda folder, roots: KeyRing.open(folder, roots).new_copy_key("alpha", "three"),
    "forget": lambda folder, roots: KeyRing.open(folder, roots).forget("alpha", frozenset({"one"})),
}


def prepare(folder: Path, roots: RootKeys) -> None:
    """A ring with a living convention, one destroyed, and one whose index key is destroyed too."""
    ring = KeyRing.create(folder, roots)
    for convention in ("alpha", "beta", "gamma"):
        ring.keyset(convention)
        for name in ("one", "two"):
            ring.new_copy_key(convention, name)
    ring.destroy("beta")
    ring.destroy("gamma")
    ring.destroy_index("gamma")


def killed_at(point: int, operate: Callable[[], object]) -> bool:
    """Run ``operate`` in a child that dies before its ``point``-th change of the disk; whether it died."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
                return call(*args, **kwargs)

            return wrapper

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        operate()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def found(folder: Path, roots: RootKeys) -> dict[str, Any]:
    """What the next opening finds, and what lies on the disk after it."""
    try:
        ring = KeyRing.open(folder, roots)
    except KeyStoreError as error:
        return {"error": error.message}
    secrets = {name: _secret(ring, name) for name in ("alpha", "beta", "gamma")}
    copies = {name: ring.copy_key("alpha", name).identity.secret for name in sorted(ring.copy_keys("alpha"))}
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return {
        "generation": ring.generation,
        "secrets": secrets,
        "copies": copies,
        "signer": ring.signing_public,
        "files": files,
    } | {"trusted": ring.allowed_signers}


def _secret(ring: KeyRing, convention: str) -> list[str]:
    reads: tuple[Callable[[], bytes], ...] = (
        lambda: ring.keyset(convention).master,
        lambda: ring.index_key(convention),
    )
    return [_hex_or_destroyed(read) for read in reads]


def _hex_or_destroyed(read: Callable[[], bytes]) -> str:
    try:
        return read().hex()
    except KeyStoreError:
        return "destroyed"


def tell(state: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(state) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print one line for each point of the operation: what the next opening finds; first of all the state before."""
    name, base = sys.argv[1], Path(sys.argv[2])
    apart = len(sys.argv) > len(("program", "operation", "folder"))
    keeper = token(base / "socket") if apart else nullcontext(FileRootKey)
    with keeper as roots:
        if name != "create":
            prepare(base / "start", roots)
            tell(found(base / "start", roots))
        if isinstance(roots, TokenKeys):
            roots.again("save")
        point, died = 0, True
        while died:
            folder = base / f"at-{point}"
            if name != "create":
                shutil.copytree(base / "start", folder)
            if isinstance(roots, TokenKeys):
                roots.again("restore")
            died = killed_at(point, partial(OPERATIONS[name], folder, roots))
            if name == "create" and died and not (folder / "CURRENT").exists():
                KeyRing.create(folder, roots)
            tell({**found(folder, roots), "alive": roots.wraps() if isinstance(roots, TokenKeys) else {}})
            point += 1


if __name__ == "__main__":
    main()
