"""The person index of one run: the keyed tags of the identifiers that its extracts speak of, sorted in one file.

A tag is PRF(index key, scheme:normalised identifier); without the key the file says nothing (domain §3.1, store C).
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.handover.job import Job
from passerelle.minimise import cmac, normalise
from passerelle.shard import Shard


class PersonIndex:
    """Gathers tags while rows pass; ``write`` puts them in their registered file."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._columns = [c for c in job.tools.contract.columns if c.identifier is not None]
        self._shard = Shard(job.workspace.home / "staging")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._shard.close()

    def add(self, accepted: pa.Table) -> None:
        """Take the identifiers of accepted rows."""
        for column in self._columns:
            assert column.identifier is not None  # noqa: S101 - chosen so
            values = accepted.column(column.name)
            self._shard.add(person_tags(self._job.keys.index_key, column.identifier, values))

    def write(self) -> None:
        """Write the sorted tags, durable; nothing where the contract has no identifier."""
        if not self._columns:
            return
        path = self._job.register("index", f"index/{self._job.order.convention}/{self._job.run}.tags")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            self._shard.write(file)
            file.flush()
            os.fsync(file.fileno())


def person_tags(index_key: bytes, scheme: str, column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """The tags, (n, 16) bytes, of the identifiers of ``scheme`` that are not null."""
    known = normalise(scheme, column).drop_null()
    return cmac(index_key, pc.binary_join_element_wise(f"{scheme}:", known, ""))
