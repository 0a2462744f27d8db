"""One writer among several: looks, and seals now and then (run by test_batches.py)."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.access import seal
from passerelle.store import Database, access
from passerelle.trail import Ledger


def main(url: str, writer: str, count: int, seed: str, origin: str) -> None:
    database = Database(url)
    ledger = Ledger(origin, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))
    print("ready", flush=True)  # noqa: T201 -- tells the test
    sys.stdin.readline()
    for number in range(count):
        now = datetime.now(UTC)
        with database.begin() as connection:
            access.log(connection, actor=f"w{writer}", action="release_key", subject=f"p-{number}", at=now)
            if number % 10 == 9:
                seal(connection, ledger, now)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
