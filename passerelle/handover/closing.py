"""How a run ends: what came of it, and what is kept of one that delivered, repeated another, or failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from passerelle.boundary import SealedError
from passerelle.errors import PasserelleError, RefusedError, TheirDataError
from passerelle.handover.job import Job, close_run
from passerelle.handover.order import Delivered, Outcome
from passerelle.profile import Verdict
from passerelle.store import runs

KEPT_IF_DELIVERED: Final = frozenset({"raw", "quarantine", "release", "index", "parcel", "verdicts", "figures"})


def states_of(job: Job) -> frozenset[str]:
    """The states of the deliveries that the run has begun."""
    with job.workspace.database.read() as connection:
        return frozenset(delivery.state for delivery in runs.deliveries(connection, run=job.run))


def close_duplicate(job: Job, made: Sequence[Delivered]) -> Outcome:
    """Close the run of a file whose deliveries were all made by another."""
    told = ("run_duplicate", {**job.named, "deliveries": len(made)})
    close_run(job.workspace, job.run, "duplicate", None, keep=frozenset({"parcel"}), told=told)
    return outcome(job, "duplicate", made)


def close_delivered(job: Job) -> None:
    """Close the run of a job that has delivered."""
    with job.workspace.database.begin() as connection:
        runs.advance(connection, job.run, 8, job.counts)
    close_run(job.workspace, job.run, "delivered", None, keep=KEPT_IF_DELIVERED)


def close_failed(job: Job, error: Exception, keep: frozenset[str]) -> None:
    """Close the run of a job that ``error`` stopped; of an error that is not ours, the trail has no more than that it came."""
    kind = type(error).__name__ if isinstance(error, PasserelleError) else SealedError.__name__
    state = "refused" if isinstance(error, RefusedError | TheirDataError) else "failed"
    told = ("run_failed", {**job.named, "error": kind})
    close_run(job.workspace, job.run, state, kind, keep=keep, told=told, counts=job.counts)
    job.workspace.journal.write(job.workspace.now(), "run_failed", run=job.run, error=kind)


def outcome(
    job: Job, state: str, made: Sequence[Delivered], verdict: Verdict | None = None, report: str | None = None
) -> Outcome:
    """What came of the job, as it is told: counts, rules and ids."""
    findings = [
        {"id": f.id, "passed": f.passed, "level": f.level, "fr": f.fr, "en": f.en}
        for f in (verdict.findings if verdict else ())
    ]
    return Outcome(
        run=job.run,
        state=state,
        convention=job.order.convention,
        exchange=job.order.exchange,
        period=job.order.period,
        sender=job.parties.sender,
        dialect=job.dialect,
        counts=job.counts,
        by_rule=job.tally.by_rule(),
        repairs=job.repairs,
        deliveries=made,
        warning=job.decision.warning,
        findings=findings,
        report=report,
    )
