"""Kills a key operation with SIGKILL before each call that changes the disk, and prints what the next opening finds.

Run as a program: ``python killed.py OPERATION FOLDER``. One JSON line for each point, until the operation ends by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passerelle.errors import KeyStoreError
from passerelle.keys import KeyRing

CALLS = ("open", "fdopen", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir")
OPERATIONS: dict[str, Callable[[Path], object]] = {
    "create": KeyRing.create,
    "rotate": lambda folder: KeyRing.open(folder).rotate_root(),
    "destroy": lambda folder: KeyRing.open(folder).destroy("alpha"),
    "sign": lambda folder: KeyRing.open(folder).rotate_signing(datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
    "keyset": lambda folder: KeyRing.open(folder).keyset("fresh"),
}


def prepare(folder: Path) -> None:
    """A ring with a living convention, one destroyed, and one whose index key is destroyed too."""
    ring = KeyRing.create(folder)
    for convention in ("alpha", "beta", "gamma"):
        ring.keyset(convention)
    ring.destroy("beta")
    ring.destroy("gamma")
    ring.destroy_index("gamma")


def killed_at(point: int, operate: Callable[[Path], object], folder: Path) -> bool:
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
        operate(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def found(folder: Path) -> dict[str, Any]:
    """What the next opening finds, and what lies on the disk after it."""
    try:
        ring = KeyRing.open(folder)
    except KeyStoreError as error:
        return {"error": error.message}
    secrets = {name: _secret(ring, name) for name in ("alpha", "beta", "gamma")}
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return {"generation": ring.generation, "secrets": secrets, "signer": ring.signing_public, "files": files} | {
        "trusted": ring.allowed_signers
    }


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
    """Print one line for each point of the operation, and a first one for the state before it."""
    name, base = sys.argv[1], Path(sys.argv[2])
    if name != "create":
        prepare(base / "start")
        tell(found(base / "start"))
    point, died = 0, True
    while died:
        folder = base / f"at-{point}"
        if name != "create":
            shutil.copytree(base / "start", folder)
        died = killed_at(point, OPERATIONS[name], folder)
        if name == "create" and died:
            KeyRing.create(folder) if not (folder / "CURRENT").exists() else KeyRing.open(folder)
        tell(found(folder))
        point += 1


if __name__ == "__main__":
    main()
