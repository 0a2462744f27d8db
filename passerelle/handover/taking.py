"""Step 2: read the source once, whole: its bytes into the encrypted raw copy, its keys into the uniqueness digests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from passerelle.handover.job import Job
from passerelle.handover.repeats import ByKey, find_repeats
from passerelle.intake import Source
from passerelle.keys import AgeSink, age_sink


@contextmanager
def sealed_copy(job: Job, kind: str, name: str) -> Iterator[AgeSink]:
    """A registered copy, encrypted to a key of its own from its first byte, durable on leaving."""
    location = f"holdings/{job.order.convention}/{job.run}/{name}"
    path = job.register(kind, location)
    key = job.workspace.keys.new_copy_key(job.order.convention, location)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with age_sink(file, [key.recipient]) as sink:
            yield sink
        file.flush()
        os.fsync(file.fileno())


def take_in(job: Job, source: Source) -> ByKey:
    """Read the source whole; per key of the contract, the rows that repeat the key of an earlier row."""
    with sealed_copy(job, "raw", "raw.age") as raw:
        return find_repeats(
            source,
            job.tools.contract,
            job.workspace.home / "staging",
            raw=raw,
            told=lambda rows: job.reach(2, rows),
        )
