"""The person index of one run: the keyed tags of the identifiers that its extracts speak of, sorted in one file.

A tag is PRF(index key, scheme:normalised identifier); without the key the file says nothing (domain §3.1, store C).
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import pyarrow as pa

from passerelle.handover.job import Job
from passerelle.persons import keyed
from passerelle.shard import Shard


class PersonIndex:
    """Gathers tags while rows pass; ``write`` puts them in their registered file."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._keyed = keyed(job.tools.contract.columns)
        self._shard = Shard(job.workspace.home / "staging")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._shard.close()

    def add(self, accepted: pa.Table) -> None:
        """Take the identifiers of accepted rows."""
        for scheme in self._keyed:
            tags, present = scheme.tags(self._job.keys.index_key, accepted)
            self._shard.add(tags[present])

    def write(self) -> None:
        """Write the sorted tags, durable; nothing where the contract has no identifier."""
        if not self._keyed:
            return
        path = self._job.register("index", f"index/{self._job.order.convention}/{self._job.run}.tags")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            self._shard.write(file)
            file.flush()
            os.fsync(file.fileno())
