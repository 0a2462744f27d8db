"""What an exchange does with personal data in its free text: count, mask, or refuse the row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from passerelle.contract import Column, Failure, Judgement
from passerelle.freetext.patterns import KINDS
from passerelle.freetext.spotting import Spotted, spot

RULE: Final = "free_text."
"""A row refused for what its text holds breaks the rule ``free_text.<kind>``."""


class Action(StrEnum):
    """What is done with a datum that is found."""

    COUNT = "count"
    MASK = "mask"
    REFUSE = "refuse"


Policy = Mapping[str, Action]
"""An action for each of ``KINDS``."""

DEFAULT: Final[Policy] = {
    "email": Action.MASK,
    "iban": Action.REFUSE,
    "nir": Action.REFUSE,
    "avs": Action.REFUSE,
    "phone": Action.MASK,
    "name": Action.MASK,
}
"""For a column of free text that leaves without a policy: nobody decided that persons may leave in it (GDPR art. 25(2))."""

Found = Counter[tuple[str, str, str]]
"""By column, kind and action: how many data in rows that stay (count, mask), or how many rows (refuse)."""


@dataclass(frozen=True, slots=True)
class Screened:
    """A judgement after its free text was looked at."""

    judgement: Judgement
    found: Found


def screen(judgement: Judgement, policies: Mapping[str, Policy]) -> Screened:
    """Carry out ``policies`` (by column) on the accepted rows: reject those refused, mask and count in the others.

    A pure function of the judgement, as the judgement is of its batch. Columns that the batch lacks are passed over.
    """
    found: Found = Counter()
    named = {name: policy for name, policy in policies.items() if name in judgement.accepted.column_names}
    judgement, spotted = _refuse(judgement, named, found)
    table = judgement.accepted
    for name, spots in spotted.items():
        masked = [kind for kind in KINDS if named[name][kind] is Action.MASK]
        for kind, total in spots.totals().items():
            found[name, kind, named[name][kind].value] += total
        if any(spots.counts[kind].any() for kind in masked):
            table = table.set_column(table.column_names.index(name), table.field(name), spots.masked(masked))
    return Screened(replace(judgement, accepted=table), found)


def noted(judgement: Judgement, columns: Sequence[Column]) -> Judgement:
    """The judgement with notes on the accepted rows whose free text holds personal data: ``free_text.<kind>``; nothing changes."""
    notes = []
    for column in columns:
        if column.free_text and column.name in judgement.accepted.column_names:
            counts = spot(judgement.accepted.column(column.name)).counts
            notes += [
                Failure(RULE + kind, column.name, judgement.accepted_rows[counts[kind] > 0])
                for kind in KINDS
                if counts[kind].any()
            ]
    return replace(judgement, notes=(*judgement.notes, *notes)) if notes else judgement


def _refuse(
    judgement: Judgement, policies: Mapping[str, Policy], found: Found
) -> tuple[Judgement, Mapping[str, Spotted]]:
    """The judgement without the rows that a policy refuses, and what the texts of the others hold."""
    table = judgement.accepted
    spotted = {name: spot(table.column(name)) for name in policies}
    refused = np.zeros(table.num_rows, np.bool_)
    failures: list[Failure] = []
    for name, spots in spotted.items():
        for kind in (kind for kind in KINDS if policies[name][kind] is Action.REFUSE):
            held = spots.counts[kind] > 0
            if held.any():
                failures.append(Failure(RULE + kind, name, judgement.accepted_rows[held]))
                found[name, kind, Action.REFUSE.value] += int(held.sum())
                refused |= held
    if not refused.any():
        return judgement, spotted
    kept = ~refused
    rest = replace(
        judgement,
        accepted=table.filter(pa.array(kept)),
        accepted_rows=judgement.accepted_rows[kept],
        rejected_rows=np.sort(np.concatenate([judgement.rejected_rows, judgement.accepted_rows[refused]])),
        failures=(*judgement.failures, *failures),
    )
    return rest, {name: spot(rest.accepted.column(name)) for name in policies}
