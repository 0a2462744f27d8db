"""How long a purge of 1,000 parcels takes, whether they hold ten thousand rows in all or ten million (`make bench`).

Keys are destroyed and files unlinked, none is read or overwritten: the time goes with the number of copies, not with what
they hold. Each run has what an exchange leaves: raw copy, parcel in the outbox, wrapped release key, person index.

A purge ends with its certificate, and the disk may still be taking back the blocks of the files behind it (passerelle/workspace/
freeing.py): how long is told too, for with online discard it goes with the bytes.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from contracts.samples import sample
from passerelle.clock import iso
from passerelle.handover.recording import record_event
from passerelle.keys import age_sink
from passerelle.store import holdings, runs
from passerelle.store.runs import Run
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.freeing import THREADS
from retention.purge import purge

PARCELS, ROWS = 1_000, (10_000, 10_000_000)
CONVENTION, EXCHANGE, DATASET = "csp-ft-2024", "candidate-pools", "candidate_pool"
AIM = 1.5
START = datetime(2025, 5, 12, 6, tzinfo=UTC)
TAG_BYTES = 8


def fill(workspace: Workspace, rows: int) -> int:
    """What ``PARCELS`` runs of ``rows`` rows each left; how many bytes in all. Every copy is sealed to the run's own key."""
    plain = b"".join(sample(DATASET, rows, 0.0, 1))
    workspace.keyset(CONVENTION)
    now, written = workspace.now(), 0
    tags = np.sort(np.random.default_rng(1).integers(0, 2**64, rows, np.uint64)).astype(">u8").tobytes()
    for number in range(PARCELS):
        run = f"r-{number:08x}"
        raw, parcel, release, index = (
            f"holdings/{CONVENTION}/{run}/raw.age", f"outbox/p-{number:08x}.tar", f"releases/p-{number:08x}.key",
            f"index/{CONVENTION}/{run}.tags",
        )  # fmt: skip
        sealed = io.BytesIO()
        with age_sink(sealed, [workspace.keys.new_copy_key(CONVENTION, raw).recipient]) as sink:
            sink.write(plain)
        content = {"raw": (raw, sealed.getvalue()), "parcel": (parcel, sealed.getvalue()), "release": (release, bytes(100)), "index": (index, tags)}  # fmt: skip
        with workspace.database.begin() as connection:
            runs.start(connection, Run(run, CONVENTION, EXCHANGE, "2025-05", "france-travail", f"{DATASET}@1.0.0", "delivered", 8, {"read": rows}, None, iso(now), iso(now)))  # fmt: skip
            workspace.append(connection, "delivered", {"delivery": f"p-{number:08x}", "convention": CONVENTION, "exchange": EXCHANGE})  # fmt: skip
            for kind, (location, data) in content.items():
                workspace.path(location).parent.mkdir(parents=True, exist_ok=True)
                workspace.path(location).write_bytes(data)
                holdings.register(connection, convention=CONVENTION, exchange=EXCHANGE, run=run, kind=kind, location=location, personal=True, at=now)  # fmt: skip
                holdings.weigh(connection, location, len(data))
                written += len(data)
    return written


def measure(rows: int) -> tuple[float, float, int]:
    """Seconds of one purge, those that the disk took after it, and the bytes that it found."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        workspace = Workspace.create(Settings(Path(folder) / "home", pretended_now=START), rehearsal=True)
        written = fill(workspace, rows // PARCELS)
        record_event(workspace, CONVENTION, "declared_unnecessary", {"on": f"{START:%Y-%m-%d}"}, by="bench")
        os.sync()  # what is purged was written long ago
        started = time.perf_counter()
        done = purge(workspace, CONVENTION)
        seconds = time.perf_counter() - started
        for thread in threading.enumerate():
            if thread.name.startswith(THREADS):
                thread.join()
        after = time.perf_counter() - started - seconds
        assert done.state == "done"
        assert not list((workspace.home / "holdings").rglob("*.age"))
        workspace.close()
        return seconds, after, written


def main() -> None:
    """Measure both, after one that does not count, and tell the ratio."""
    _, *found = [measure(rows) for rows in (ROWS[0], *ROWS)]
    for rows, (seconds, after, written) in zip(ROWS, found, strict=True):
        print(
            f"purge of {PARCELS:,} parcels, {rows:>10,} rows, {written / 1e6:>8,.0f} MB: {seconds:6.2f} s to the certificate"
            f" ({after:5.2f} s more for the disk)"
        )
    (small, *_), (large, *_) = found
    print(f"ratio {large / small:.2f} (aim: at most {AIM})")


if __name__ == "__main__":
    main()
