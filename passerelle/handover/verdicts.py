"""Row by row, what became of a sender's file: accepted, or rejected by which rules; sealed to the sender as rows are judged.

docs/spec/verdicts.md has the form. A verdict is the contract's alone: whether a person was left out later is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from passerelle.contract import Batch, Column, Failure, Judgement, Kind
from passerelle.handover.decide import approved_keys
from passerelle.handover.job import Job
from passerelle.keys import Recipient, parse_recipient
from passerelle.minimise import CsvSink
from passerelle.parcel import Sealed, Sealer

NAME = "verdicts.csv"
COLUMNS = (
    Column("row", "numéro de la ligne dans le fichier, à partir de 1, en-tête non compris", "number of the row in the file, from 1, without the header", Kind.INTEGER),
    Column("verdict", "accepted (acceptée) ou rejected (rejetée)", "accepted or rejected", Kind.CODE),
    Column("rules", "règles enfreintes, colonne:règle, séparées par une espace", "rules broken, column:rule, separated by a space", required=False),
)  # fmt: skip


def rules_by_row(failures: Sequence[Failure]) -> tuple[pa.Array, pa.Array]:
    """The rows that broke rules (offsets, ascending), and for each its rules: ``column:rule``, sorted, a space between."""
    import polars as pl

    said = [f"{one.column}:{one.rule}" for one in failures]
    frame = pl.DataFrame(
        {
            "at": np.concatenate([np.zeros(0, np.int64), *(one.rows for one in failures)]),
            "said": np.repeat(np.arange(len(said)), [len(one.rows) for one in failures]),
        },
        schema={"at": pl.Int64, "said": pl.Int64},
    )
    words = pl.Series("words", said, dtype=pl.String)
    found = (
        frame.select("at", words=words.gather(frame["said"]))
        .unique()
        .sort("at", "words")
        .group_by("at", maintain_order=True)
        .agg(pl.col("words").str.join(" "))
    )
    return found["at"].to_arrow(), found["words"].to_arrow()


def verdicts_on(batch: Batch, judgement: Judgement) -> pa.Table:
    """The verdicts on the rows of one batch."""
    rows = batch.rows.num_rows
    rejected = np.zeros(rows, np.bool_)
    rejected[judgement.rejected_rows] = True
    broken, said = rules_by_row(judgement.failures)
    place = np.full(rows, -1, np.int64)
    place[broken.to_numpy(zero_copy_only=False)] = np.arange(len(broken))
    rules = said.take(pa.array(place, mask=place < 0))
    verdict = pa.array(["accepted", "rejected"]).take(pa.array(rejected.astype(np.int8)))
    numbers = pa.array(np.arange(batch.first_row, batch.first_row + rows, dtype=np.int64))
    return pa.table({"row": numbers, "verdict": verdict, "rules": rules.cast(pa.string())})


@dataclass(slots=True)
class Verdicts:
    """The verdicts being sealed; ``sealed`` is known once the last row is judged."""

    created: datetime
    sealed: Sealed | None = None
    _write: Callable[[pa.Table], None] | None = field(default=None)

    def add(self, batch: Batch, judgement: Judgement) -> None:
        """Take the verdicts on a batch; nothing is kept where there is no key to seal to."""
        if self._write is not None:
            self._write(verdicts_on(batch, judgement))


@contextmanager
def judging(job: Job) -> Iterator[Verdicts]:
    """Seal verdicts to the sender's approved keys while its rows are judged; an exception inside removes them.

    Raises:
        KeyStoreError: a stored key is not the one that was approved.
    """
    created = job.workspace.now().replace(microsecond=0)
    recipients = _recipients(job)
    if not recipients:
        yield Verdicts(created)
        return
    sealer = Sealer(job.register("staging", staged_verdicts(job.run)), created)
    with sealer.extract(NAME, recipients) as sink:
        csv = CsvSink(sink.write, [column.name for column in COLUMNS])
        verdicts = Verdicts(created, None, csv.write)
        yield verdicts
    verdicts.sealed = sealer.sealed


def _recipients(job: Job) -> list[Recipient]:
    """Who may open the verdicts: nobody where a parcel is sent again, for its rows were told of before."""
    if job.order.resends is not None:
        return []
    with job.workspace.database.read() as connection:
        return [
            parse_recipient(key.recipient) for key in approved_keys(connection, job.parties.sender, job.workspace.now())
        ]


def verdicts_id(run: str) -> str:
    """The id of the parcel of verdicts of a run."""
    return f"v-{run.removeprefix('r-')}"


def staged_verdicts(run: str) -> str:
    """Where the verdicts of a run are sealed."""
    return f"staging/{verdicts_id(run)}.tar"
