"""Batches put together, so that the fixed cost of a judgement is paid for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from passerelle.contract import Batch


def joined(batches: Iterable[Batch], least: int) -> Iterator[Batch]:
    """``batches`` put together until they have ``least`` rows; the last has what is left."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.rows.num_rows
        if rows >= least:
            yield _one(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _one(waiting)


def _one(batches: Sequence[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    return Batch(pa.concat_tables([batch.rows for batch in batches]).combine_chunks(), batches[0].first_row)
