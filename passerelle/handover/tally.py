"""Rejected rows as the report tells them: by rule and column, how many, and the first row numbers. Never a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from passerelle.contract import Failure, Judgement, Rows

FIRST_ROWS = 5


@dataclass(slots=True)
class Tally:
    """Counts failures over the batches of one file."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    first: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, failures: Iterable[Failure], first_row: int) -> None:
        """Count the failures of the batch that begins at ``first_row``."""
        for failure in failures:
            key = (failure.rule, failure.column)
            self.counts[key] = self.counts.get(key, 0) + len(failure.rows)
            shown = self.first.setdefault(key, [])
            room = FIRST_ROWS - len(shown)
            shown.extend(int(row) + first_row for row in failure.rows[:room])

    def by_rule(self) -> list[dict[str, Any]]:
        """One object per rule and column, most frequent first."""
        return [
            {"rule": rule, "column": column, "count": count, "first_rows": self.first[rule, column]}
            for (rule, column), count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        ]


def without_duplicates(judgement: Judgement, duplicates: Rows, columns: tuple[str, ...]) -> Judgement:
    """The judgement with the ``duplicates`` (offsets in the batch, ascending) rejected too, under rule ``unique``.

    A row that another rule rejected already is not counted twice: its digest may come from a faulty identifier.
    """
    repeated = np.isin(judgement.accepted_rows, duplicates, assume_unique=True)
    if not repeated.any():
        return judgement
    keep = ~repeated
    rows = judgement.accepted_rows[repeated]
    notes = (replace(note, rows=np.setdiff1d(note.rows, rows, assume_unique=True)) for note in judgement.notes)
    return replace(
        judgement,
        accepted=judgement.accepted.filter(pa.array(keep)),
        accepted_rows=judgement.accepted_rows[keep],
        rejected_rows=np.sort(np.concatenate([judgement.rejected_rows, rows])),
        failures=(*judgement.failures, Failure("unique", "+".join(columns), rows)),
        notes=tuple(note for note in notes if len(note.rows)),
    )
