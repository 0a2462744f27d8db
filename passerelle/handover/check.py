"""A contract on a file, without an exchange: what a sender runs before sending. Writes nothing of the file anywhere."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from passerelle.boundary import sealed
from passerelle.contract import Contract
from passerelle.handover.repeats import find_repeats, reject_repeats
from passerelle.handover.tally import Tally
from passerelle.intake import open_source


@sealed
def check_file(path: Path, contract: Contract) -> dict[str, Any]:
    """Read, accepted and rejected rows, rejected ones by rule, and repairs: counts and row numbers only.

    Raises:
        IntakeError: the file is in none of the contract's dialects.
    """
    tally, repairs = Tally(), Counter[str]()
    read = rejected = 0
    with ExitStack() as stack:
        source = stack.enter_context(open_source(path, contract.dialects))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="passerelle-")))
        repeats = find_repeats(source, contract, folder)
        for batch in source.batches():
            judgement = reject_repeats(contract.judge(batch, source.dialect), batch, repeats)
            tally.add(judgement.failures, batch.first_row)
            repairs.update(judgement.repairs)
            read += batch.rows.num_rows
            rejected += len(judgement.rejected_rows)
        repairs.update(source.repairs)
        return {
            "dataset": contract.id,
            "version": contract.version,
            "dialect": source.dialect.id,
            "read": read,
            "accepted": read - rejected,
            "rejected": rejected,
            "by_rule": tally.by_rule(),
            "repairs": dict(repairs),
        }
