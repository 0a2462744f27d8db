"""A root key that nobody can read: a process apart keeps it in its memory, as an HSM or a KMS would, and answers on a socket.

Run as a program: ``python hardware.py SOCKET``. One JSON object a line; secrets go in and out wrapped, keys never do.
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from passerelle.errors import KeyStoreError
from passerelle.keys import wrapping
from passerelle.keys.files import put, sync_folder
from passerelle.keys.root import FILE

REFERENCE = "token:"


@dataclass(frozen=True)
class TokenKey:
    """A root key in the token; ``root.key`` holds its number."""

    address: Path
    path: Path
    number: int

    def wrap(self, data: bytes, context: str) -> bytes:
        return bytes.fromhex(ask(self.address, "wrap", self.number, data.hex(), context))

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        data = ask(self.address, "unwrap", self.number, wrapped.hex(), context)
        if data is None:
            raise KeyStoreError("the token does not open it", where=context)
        return bytes.fromhex(data)

    def destroy(self) -> None:
        ask(self.address, "destroy", self.number)
        self.path.unlink(
            missing_ok=True
        )  # not overwritten first: until it is gone it must be read, to be destroyed again
        sync_folder(self.path.parent)


@dataclass(frozen=True)
class TokenKeys:
    """Root keys in the token that listens at ``address``."""

    address: Path

    def create(self, folder: Path) -> TokenKey:
        number = ask(self.address, "create")
        put(folder / FILE, f"{REFERENCE}{number}".encode())
        return TokenKey(self.address, folder / FILE, number)

    def open(self, folder: Path) -> TokenKey:
        try:
            text = (folder / FILE).read_text()
            return TokenKey(self.address, folder / FILE, int(text.removeprefix(REFERENCE)))
        except (OSError, ValueError):
            raise KeyStoreError("expected the number of a key in the token", where=FILE) from None

    def wraps(self) -> dict[str, int]:
        """How often each key that is alive wrapped something."""
        found: dict[str, int] = ask(self.address, "wraps")
        return found

    def again(self, verb: str) -> None:
        """``save`` the token as it is, or ``restore`` it as it was saved: no token does; a test of deaths must."""
        ask(self.address, verb)


def ask(address: Path, *request: Any) -> Any:
    """What the token answers."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(address))
        line.sendall(json.dumps(request).encode() + b"\n")
        with line.makefile("rb") as answer:
            return json.loads(answer.readline())


@contextmanager
def token(address: Path) -> Iterator[TokenKeys]:
    """A token of its own, empty."""
    program = [sys.executable, __file__, str(address)]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        try:
            yield TokenKeys(address)
        finally:
            process.kill()


class _Token(socketserver.StreamRequestHandler):
    keys: dict[int, bytes] = {}  # noqa: RUF012 -- one memory, as long as the process
    wrapped: dict[int, int] = {}  # noqa: RUF012 -- the same

    saved: tuple[dict[int, bytes], dict[int, int]] = ({}, {})

    def handle(self) -> None:
        verb, *arguments = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(getattr(self, f"do_{verb}")(*arguments)).encode() + b"\n")

    def do_create(self) -> int:
        number = max(self.wrapped, default=0) + 1
        self.keys[number], self.wrapped[number] = wrapping.new_key(), 0
        return number

    def do_wrap(self, number: int, data: str, context: str) -> str:
        self.wrapped[number] += 1
        return aes_key_wrap_with_padding(self._bound(number, context), bytes.fromhex(data)).hex()

    def do_unwrap(self, number: int, data: str, context: str) -> str | None:
        try:
            return aes_key_unwrap_with_padding(self._bound(number, context), bytes.fromhex(data)).hex()
        except (KeyError, InvalidUnwrap):
            return None

    def do_destroy(self, number: int) -> None:
        self.keys.pop(number, None)

    def do_wraps(self) -> dict[int, int]:
        return {number: self.wrapped[number] for number in self.keys}

    def do_save(self) -> None:
        type(self).saved = (dict(self.keys), dict(self.wrapped))

    def do_restore(self) -> None:
        type(self).keys, type(self).wrapped = dict(self.saved[0]), dict(self.saved[1])

    def _bound(self, number: int, context: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=context.encode()).derive(self.keys[number])


if __name__ == "__main__":
    with socketserver.UnixStreamServer(sys.argv[1], _Token) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()
