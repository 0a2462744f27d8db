"""Step 5, before columns are chosen: persons who are left out, and what the policy of the exchange does with its free text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from passerelle.contract import Column, Judgement
from passerelle.convention import Exchange
from passerelle.errors import OurWayError
from passerelle.freetext import DEFAULT, Action, Policy, screen
from passerelle.freetext.policy import Found
from passerelle.handover.job import Job
from passerelle.handover.outgoing import leaving
from passerelle.parcel import FreeTextNote
from passerelle.persons import LeftOut, left_out
from passerelle.workspace.agreement import verified_objections


@dataclass(slots=True)
class Screening:
    """What is taken out of the rows of one run, and how much it was."""

    policies: dict[str, Policy]
    persons: LeftOut
    found: Found = field(default_factory=Counter)

    @classmethod
    def of(cls, job: Job) -> Screening:
        """The policy of the job's exchange, and the objections that stand as it begins.

        Raises:
            TablesDisagreeError: the objections on file are not those that the trail tells.
        """
        columns = job.tools.contract.columns
        with job.workspace.database.read() as connection:
            ledger, convention = job.workspace.ledger, job.order.convention
            known = verified_objections(ledger, connection, convention, job.exchange.id)
        served = frozenset(column.name for one in job.tools.versions for column in one.contract.columns)
        return cls(policies(job.exchange, columns, served), left_out(known, columns, job.keys.index_key))

    def judged(self, judgement: Judgement) -> Judgement:
        """The judgement with rows rejected for what their texts hold, and with data masked."""
        if not self.policies:
            return judgement
        screened = screen(judgement, self.policies)
        self.found.update(screened.found)
        return screened.judgement

    def counts(self) -> dict[str, int]:
        """For the counts of the run: ``free_text.<kind>`` left as they are, ``masked.<kind>``, rows left out, those of erased persons."""
        counts: Counter[str] = Counter()
        for (_, kind, action), total in self.found.items():
            if action != Action.REFUSE:
                counts[f"masked.{kind}" if action == Action.MASK else f"free_text.{kind}"] += total
        persons = self.persons
        told = {"left_out": persons.rows, "erased": persons.erased, "objections_unrecognised": persons.unrecognised}
        return {**counts, **{name: count for name, count in told.items() if count}}

    def notes(self) -> tuple[FreeTextNote, ...]:
        """For the manifest: by column and kind, what was done how often."""
        return tuple(
            FreeTextNote.model_validate({"column": column, "kind": kind, "action": action, "count": total})
            for (column, kind, action), total in sorted(self.found.items())
        )


def policies(exchange: Exchange, columns: Sequence[Column], served: frozenset[str] = frozenset()) -> dict[str, Policy]:
    """What is done with the free text of ``exchange``, by column; a marked column that leaves without a policy has the default.

    ``served`` are the columns of the other versions that are served: the policy may name them too.

    Raises:
        OurWayError: the policy names a column that the contract does not have.
    """
    stated = exchange.handling.free_text if exchange.handling else None
    named = set(stated.columns) if stated else set()
    out = {column.name for column in leaving(exchange, columns)}
    here = {column.name for column in columns}
    if unknown := named - here - served:
        raise OurWayError(f"{exchange.id} names columns that the contract lacks: {', '.join(sorted(unknown))}")
    found: dict[str, Policy] = {column.name: DEFAULT for column in columns if column.free_text and column.name in out}
    if stated:
        found |= {name: {kind: Action(action) for kind, action in stated.actions.items()} for name in named & here}
    return found
