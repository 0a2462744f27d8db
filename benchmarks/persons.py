"""How long "who received data on this person" takes: 1,000 deliveries of 100,000 persons each (`make bench`)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from passerelle.clock import iso
from passerelle.persons import received
from passerelle.store import holdings, runs
from passerelle.store.runs import Delivery, Run
from passerelle.workspace import Settings, Workspace

DELIVERIES, PERSONS, LOOKS = 1_000, 100_000, 5
CONVENTION, EXCHANGE = "csp-ft-2024", "candidate-pools"


def fill(workspace: Workspace, deliveries: int, persons: int) -> None:
    """Runs, deliveries and shards as the gateway writes them; the tags are random, as tags are."""
    generator = np.random.default_rng(1)
    now = workspace.now()
    folder = workspace.home / "index" / CONVENTION
    folder.mkdir(parents=True)
    workspace.keyset(CONVENTION)
    with workspace.database.begin() as connection:
        for number in range(deliveries):
            run, location = f"r-{number:08x}", f"index/{CONVENTION}/r-{number:08x}.tags"
            tags = np.sort(generator.integers(0, 2**64, persons, np.uint64))
            workspace.path(location).write_bytes(tags.astype(">u8").tobytes())
            period = f"{2000 + number // 12}-{number % 12 + 1:02}"
            runs.start(connection, Run(run, CONVENTION, EXCHANGE, period, "france-travail", "candidate_pool@1.0.0", "delivered", 8, {}, None, iso(now), iso(now)))  # fmt: skip
            runs.intend(connection, Delivery(f"p-{number:08x}", run, CONVENTION, EXCHANGE, period, "mtfp", number + 1, "delivered", "allow", b"", "{}", "0" * 64, number, persons, "x", iso(now), iso(now)))  # fmt: skip
            holdings.register(connection, convention=CONVENTION, exchange=EXCHANGE, run=run, kind="index", location=location, personal=True, at=now)  # fmt: skip
            holdings.weigh(connection, location, 8 * persons)


def main() -> None:
    """Fill a workspace, ask it, and tell the seconds."""
    deliveries = int(sys.argv[1]) if len(sys.argv) > 1 else DELIVERIES
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "home")
        workspace = Workspace.create(settings)
        fill(workspace, deliveries, PERSONS)
        engine, command = [], []
        environment = {**os.environ, "PASSERELLE_HOME": str(settings.home)}
        for number in range(LOOKS):
            started = time.perf_counter()
            with workspace.database.read() as connection:
                answer = received(workspace, connection, f"{number:07}A")
            engine.append(time.perf_counter() - started)
            assert answer.runs_searched == deliveries
            started = time.perf_counter()
            words = ["person", "received", "-", "--json", "--by", "bench"]
            program = "from portal.cli import main; main()"
            subprocess.run([sys.executable, "-c", program, *words], env=environment, input=f"{number:07}A".encode(), check=True, capture_output=True)  # fmt: skip
            command.append(time.perf_counter() - started)
        workspace.close()
    size = f"{deliveries} deliveries of {PERSONS} persons"
    print(f"person received, {size}: engine {median(engine):.3f} s, command {median(command):.3f} s, false positives {answer.false_positive:.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
