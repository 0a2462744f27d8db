"""A contract on a file, without an exchange: what a sender runs before sending. Writes nothing of the file anywhere.

One pass: an exchange must know which rows repeat a key before it seals them, a check only before it has counted. Batches are
judged in threads while the next ones are read; which rows were rejected or noted is kept as one bit a row until the keys of
the whole file are known.
"""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from passerelle.boundary import sealed
from passerelle.contract import Batch, Contract, Dialect, Failure, Judgement, Rows
from passerelle.freetext import noted
from passerelle.handover.batches import joined
from passerelle.handover.repeats import PRF_BYTES, ByKey, keys_brought
from passerelle.handover.tally import Tally
from passerelle.intake import Source, open_original, open_source
from passerelle.intake.limits import MIB
from passerelle.intake.original import Original
from passerelle.minimise import row_tags
from passerelle.spill import Digests

READ_BYTES = 12 * MIB
JUDGED_ROWS = 40_000
JUDGES = 2
"""Threads that judge; as many batches wait for each of them as it has in hand."""

Tags = Mapping[tuple[str, ...], tuple[npt.NDArray[np.uint8], Rows]]
"""By key: the digests of the rows that have one, and the numbers of these rows."""


@sealed
def check_file(path: Path, contract: Contract, day: date, tried: Dialect | None = None) -> dict[str, Any]:
    """As of ``day``: rows read, accepted, rejected by rule, notes on accepted ones, repairs: counts and row numbers only.

    ``tried`` is read instead of the contract's dialects: what a sender and a gateway try before they agree on it.

    Raises:
        IntakeError: the file is in none of the dialects.
    """
    dialects = contract.dialects if tried is None else (tried,)
    return _checked(open_source(path, dialects, batch_bytes=READ_BYTES), contract, day)


@sealed
def check_original(original: Original, contract: Contract, day: date) -> dict[str, Any]:
    """As ``check_file``, from bytes that are open already: those of a sealed file open in memory only."""
    return _checked(open_original(original, contract.dialects, batch_bytes=READ_BYTES), contract, day)


def _checked(opened: Source, contract: Contract, day: date) -> dict[str, Any]:
    tally, repairs = Tally(), Counter[str]()
    kept: list[_Kept] = []
    with ExitStack() as stack:
        source = stack.enter_context(opened)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="passerelle-")))
        spills = {key: stack.enter_context(Digests(folder)) for key in keys_brought(contract, source)}
        for batch, judgement, tags in _judged(source, contract, day, tuple(spills)):
            for key, (digests, rows) in tags.items():
                spills[key].add(digests, rows)
            tally.add(judgement.failures, batch.first_row)
            repairs.update(judgement.repairs)
            kept.append(_Kept.of(batch, judgement))
        repeats = {key: spill.duplicates() for key, spill in spills.items()}
        repairs.update(source.repairs)
    notes = Tally()
    rejected = sum(_settle(one, repeats, tally, notes) for one in kept)
    read = sum(one.rows for one in kept)
    return {
        "dataset": contract.id,
        "version": contract.version,
        "dialect": source.dialect.id,
        "read": read,
        "accepted": read - rejected,
        "rejected": rejected,
        "by_rule": tally.by_rule(),
        "notes": [{"note": one.pop("rule"), **one} for one in notes.by_rule()],
        "repairs": dict(repairs),
    }


def _judged(
    source: Source, contract: Contract, day: date, keys: Sequence[tuple[str, ...]]
) -> Iterator[tuple[Batch, Judgement, Tags]]:
    """Each batch, in the order of the file, with its judgement and the digests of its keys (under a key nobody keeps)."""
    prf = secrets.token_bytes(PRF_BYTES)

    def judge(batch: Batch) -> tuple[Batch, Judgement, Tags]:
        judgement = noted(contract.judge(batch, source.dialect, day), contract.columns)
        compared = contract.compared(batch, source.dialect, list(dict.fromkeys(name for key in keys for name in key)))
        tags = {}
        for key in keys:
            digests, present = row_tags(prf, compared, key)
            tags[key] = digests[present], np.flatnonzero(present) + batch.first_row
        return Batch(batch.rows.select([]), batch.first_row), judgement, tags

    ahead: deque[Future[tuple[Batch, Judgement, Tags]]] = deque()
    with ThreadPoolExecutor(JUDGES) as pool:
        for batch in joined(source.batches(), JUDGED_ROWS):
            ahead.append(pool.submit(judge, batch))
            if len(ahead) > JUDGES:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is remembered of one batch: one bit a row for those rejected, and for those that each note speaks of."""

    first_row: int
    rows: int
    rejected: npt.NDArray[np.uint8]
    notes: tuple[tuple[Failure, npt.NDArray[np.uint8]], ...]

    @classmethod
    def of(cls, batch: Batch, judgement: Judgement) -> _Kept:
        rows = len(judgement.accepted_rows) + len(judgement.rejected_rows)
        nobody = np.zeros(0, np.int64)
        notes = tuple((Failure(note.rule, note.column, nobody), _bits(note.rows, rows)) for note in judgement.notes)
        return cls(batch.first_row, rows, _bits(judgement.rejected_rows, rows), notes)


def _bits(rows: Rows, count: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return np.packbits(mask)


def _settle(one: _Kept, repeats: ByKey, tally: Tally, notes: Tally) -> int:
    """Count the rows of a batch that repeat a key and that no other rule rejected; give how many are rejected in all."""
    rejected = np.unpackbits(one.rejected, count=one.rows).astype(np.bool_)
    for key, rows in repeats.items():
        repeated = rows.within(one.first_row, one.rows)
        repeated = repeated[~rejected[repeated]]
        if len(repeated):
            tally.add([Failure("unique", "+".join(key), repeated)], one.first_row)
            rejected[repeated] = True
    for said, bits in one.notes:
        spoken = np.flatnonzero(np.unpackbits(bits, count=one.rows).astype(np.bool_) & ~rejected)
        if len(spoken):
            notes.add([Failure(said.rule, said.column, spoken)], one.first_row)
    return int(rejected.sum())
