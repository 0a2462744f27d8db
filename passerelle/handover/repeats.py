"""Keys that must be unique in the whole file: found on a first pass, by digests under a key that nobody keeps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from passerelle.contract import Batch, Contract, Judgement
from passerelle.handover.tally import without_duplicates
from passerelle.intake import Source, Writer
from passerelle.minimise import row_tags
from passerelle.spill import Digests, Repeats

PRF_BYTES = 16
ByKey = Mapping[tuple[str, ...], Repeats]


def _nobody(_rows: int) -> None:
    """Told how many rows were read."""


def find_repeats(
    source: Source,
    contract: Contract,
    folder: Path,
    *,
    raw: Writer | None = None,
    told: Callable[[int], None] = _nobody,
) -> ByKey:
    """Read the source whole, its bytes to ``raw``; per key of the contract, the rows that repeat an earlier row's key.

    Args:
        source: the partner's file.
        contract: whose ``unique`` keys are meant; a key whose columns the dialect does not bring is passed over.
        folder: where digests wait, in a file without a name.
        raw: takes the bytes as they are read, and MUST encrypt them.
        told: hears how many rows were read.
    """
    keys = keys_brought(contract, source)
    prf = secrets.token_bytes(PRF_BYTES)
    needed = list(dict.fromkeys(name for key in keys for name in key))
    with ExitStack() as stack:
        spills = {key: stack.enter_context(Digests(folder)) for key in keys}
        for batch in source.digest_pass(needed, raw):
            compared = contract.compared(batch, source.dialect, needed)
            for key, spill in spills.items():
                tags, present = row_tags(prf, compared, key)
                spill.add(tags[present], np.flatnonzero(present) + batch.first_row)
            told(batch.first_row + batch.rows.num_rows - 1)
        return {key: spill.duplicates() for key, spill in spills.items()}


def keys_brought(contract: Contract, source: Source) -> list[tuple[str, ...]]:
    """The keys of ``contract`` whose columns the dialect brings."""
    return [key for key in contract.unique if set(key) <= set(source.columns)]


def reject_repeats(judgement: Judgement, batch: Batch, repeats: ByKey) -> Judgement:
    """The judgement with rows that repeat an earlier row's key rejected too, under rule ``unique``."""
    for columns, rows in repeats.items():
        offsets = rows.within(batch.first_row, batch.rows.num_rows)
        if len(offsets):
            judgement = without_duplicates(judgement, offsets, columns)
    return judgement
