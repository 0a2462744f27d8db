"""One writer among several: appends entries of its own, one transaction each (run by test_writers.py)."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from passerelle.clock import iso
from passerelle.trail import Entry, Ledger
from passerelle.trail.tables import begin_immediate


def main(url: str, writer: str, count: int, seed: str, origin: str) -> None:
    engine = create_engine(url, connect_args={"timeout": 300} if url.startswith("sqlite") else {})
    begin_immediate(engine)
    ledger = Ledger(origin, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))
    print("ready", flush=True)  # noqa: T201 -- tells the test
    sys.stdin.readline()
    for number in range(count):
        now = datetime.now(UTC)
        body = {"run": f"w{writer}-{number}", "passed": True, "failed": []}
        with engine.begin() as connection:
            ledger.append(connection, Entry("checked", iso(now), body))
            if number % 50 == 49:
                ledger.checkpoint(connection, now)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
