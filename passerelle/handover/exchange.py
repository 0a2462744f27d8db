"""One exchange: the convention decides, the file is taken in, judged, checked, minimised, sealed, delivered, remembered."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import partial
from typing import Any

from passerelle.boundary import sealed
from passerelle.convention import Decision
from passerelle.convention.dates import local_day
from passerelle.errors import ContractError, PasserelleError, RefusedError, TheirDataError, UsageError
from passerelle.handover import earlier
from passerelle.handover.closing import (
    KEPT_IF_DELIVERED,
    close_delivered,
    close_duplicate,
    close_failed,
    outcome,
    states_of,
)
from passerelle.handover.decide import ask, exchange_of, insist, recipients_of, sender_of, with_keys
from passerelle.handover.deliver import deliver
from passerelle.handover.erased import let_go
from passerelle.handover.index import PersonIndex
from passerelle.handover.job import Job, day_of, open_run
from passerelle.handover.order import Delivered, Order, Outcome, Progress, Tools, quiet
from passerelle.handover.outgoing import sealing
from passerelle.handover.recover import recover
from passerelle.handover.replying import delivered, refused, reply
from passerelle.handover.stream import stream
from passerelle.handover.taking import take_in
from passerelle.handover.versions import sent_as
from passerelle.handover.waiting import opened
from passerelle.intake import Source
from passerelle.profile import NEAREST, Profile, Verdict
from passerelle.store import profiles, runs
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verified_keys
from passerelle.workspace.files import write_whole

EXCHANGE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PERIOD = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?|-[QS][1-4])?")
KEPT_WHEN_REFUSED = frozenset({"quarantine", "parcel", "verdicts"})


@sealed
def run_exchange(workspace: Workspace, order: Order, tools: Tools | None, progress: Progress = quiet) -> Outcome:
    """Carry out ``order``, exactly once for its content: a second time gives the deliveries of the first.

        1. Decide: the gate, the parties, their keys.
        2. Take in: the raw copy, encrypted; the keys that must be unique.
        3. Validate: the contract judges every row; the rejected ones go to quarantine.
        4. Check: the profile, against the profiles of earlier periods.
        5. Minimise: the columns, pseudonyms and figures that the exchange allows.
        6. Seal: one parcel per recipient.
        7. Decide again, then deliver.
        8. Remember: holdings, person index, profile.

    Steps 3, 5 and 6 pass over the file together, batch by batch; step 4 needs the whole profile, and nothing leaves before it.

    Raises:
        GateRefusedError: the convention does not allow it; the refusal is on record.
        RefusedError: a recipient has no approved key, or no contract is bound to the exchange.
        TheirDataError: the file is not what its dialect declares, or breaks its contract too often.
        OurWayError: the gateway could not; nothing was delivered that the trail does not tell.
    """
    _insist_on_words(workspace, order)
    with workspace.lock(f"{order.convention}.{order.exchange}"):
        recover(workspace, order.convention, order.exchange)
        progress(1, 0)
        job = _decide(workspace, order, tools, progress)  # 1
        try:
            return _carry_out(job)
        except Exception as error:
            _close_failed(job, error)
            raise


def _insist_on_words(workspace: Workspace, order: Order) -> None:
    """Refuse what is no convention, exchange or period before it can become the name of a file or a word of the trail."""
    workspace.convention(order.convention)
    if not EXCHANGE.fullmatch(order.exchange):
        raise UsageError(
            "expected the id of an exchange: lower-case letters, digits and hyphens",
            hint=f"passerelle convention show {order.convention} lists them",
            fr="l'identifiant d'un échange s'écrit en minuscules, chiffres et traits d'union",
            hint_fr=f"passerelle convention show {order.convention} en donne la liste",
        )
    if not is_period(order.period):
        raise UsageError(
            "expected a period such as 2026, 2026-03, 2026-03-31, 2026-Q1 or 2026-S1",
            fr="une période s'écrit 2026, 2026-03, 2026-03-31, 2026-Q1 (trimestre) ou 2026-S1 (semestre)",
        )


def is_period(text: str) -> bool:
    """Whether ``text`` is a year, a month, a day that exists, a quarter or a half-year."""
    if not PERIOD.fullmatch(text):
        return False
    try:
        return text.count("-") < 2 or bool(date.fromisoformat(text))  # noqa: PLR2004 - year-month-day
    except ValueError:
        return False


def _decide(workspace: Workspace, order: Order, tools: Tools | None, progress: Progress) -> Job:
    text = workspace.convention(order.convention)
    exchange = exchange_of(text, order.exchange)
    sender = sender_of(exchange, order.sender) if exchange else order.sender or "unknown"
    recipients = recipients_of(text, exchange, sender) if exchange else ()
    with workspace.database.begin() as connection:
        decision = ask(
            workspace,
            connection,
            order.exchange,
            convention=order.convention,
            period=order.period,
            parties=(sender, recipients),
            stage="start",
        )
    _tell(workspace, order, decision)
    insist(decision)
    if tools is None or exchange is None:
        raise RefusedError(
            f"no data contract is bound to {order.exchange}: it carries no rows yet",
            hint=f"passerelle convention show {order.convention} tells which exchanges carry rows",
            fr=f"aucun contrat de données n'est lié à {order.exchange} : cet échange ne porte pas encore de lignes",
            hint_fr=f"passerelle convention show {order.convention} dit quels échanges portent des lignes",
        )
    tools = sent_as(tools, partial(opened, workspace, order.source), local_day(workspace.now(), text.zone))
    with workspace.database.read() as connection:
        verified_keys(workspace.ledger, connection)
        parties = with_keys(connection, sender, recipients, workspace.now())
        closes = earlier.superseded_by(connection, order)
    keys = workspace.keyset(order.convention)
    run = open_run(workspace, order, sender, f"{tools.contract.id}@{tools.contract.version}")
    day = day_of(run, text)
    return Job(workspace, order, tools, text, exchange, parties, decision, keys, run.id, day, progress, closes=closes)


def _tell(workspace: Workspace, order: Order, decision: Decision) -> None:
    workspace.journal.write(
        workspace.now(),
        "decision",
        convention=order.convention,
        exchange=order.exchange,
        period=order.period,
        decision=decision.outcome,
        reason=decision.reason,
    )


def _carry_out(job: Job) -> Outcome:
    with opened(job.workspace, job.order.source, job.tools.contract.dialects) as source:
        job.dialect = source.dialect.id
        job.reach(2)
        repeats = take_in(job, source)  # 2
        job.content = source.sha256
        _note_intake(job, source)
        made, wanted = _delivered_already(job)
        if not wanted:
            return close_duplicate(job, made)
        with PersonIndex(job) as index:
            with sealing(job, wanted) as parcels:
                profile = stream(job, source, repeats, parcels, index)  # 3, 5, 6
                _note_judged(job)
                job.reach(4, job.counts["read"])
                verdict, report = _check(job, profile)  # 4
                job.reach(6, job.counts["read"])
            job.reach(7, job.counts["read"])
            index.write()
            handed = [deliver(job, parcel) for parcel in parcels]  # 7
        job.reach(8, job.counts["read"])
        reply(job, delivered(_failed_checks(job)))
        _remember(job)  # 8
    return outcome(job, "delivered", [*made, *handed], verdict, report)


def _note_intake(job: Job, source: Source) -> None:
    body = {"rows": source.rows, "bytes": source.size_bytes, "commitment": job.keys.commit(job.content.encode())}
    job.counts["read"] = source.rows
    job.note(2, "intake", {**body, "dialect": source.dialect.id})


def _delivered_already(job: Job) -> tuple[list[Delivered], list[str]]:
    """The deliveries that this very content already made, and the recipients still to be served."""
    made, wanted = [], []
    with job.workspace.database.read() as connection:
        for recipient in job.parties.recipients:
            found = runs.deliveries(connection, id=job.parcel_id(recipient), state="delivered")
            if found:
                earlier.insist_linked(job, connection, found[0].id)
                made.append(Delivered(found[0].id, recipient, found[0].location or "", found[0].rows))
            else:
                wanted.append(recipient)
        earlier.insist_open(job, connection, wanted)
    return made, wanted


def _note_judged(job: Job) -> None:
    by_rule: dict[str, int] = {}
    for (rule, _), count in job.tally.counts.items():
        by_rule[rule] = by_rule.get(rule, 0) + count
    body = {"accepted": job.counts["accepted"], "rejected": job.counts["rejected"], "by_rule": by_rule}
    job.note(3, "judged", body)


def _check(job: Job, profile: Profile) -> tuple[Verdict, str]:
    body = json.dumps(profile.as_json(), sort_keys=True)
    with job.workspace.database.read() as connection:
        run = runs.runs(connection, id=job.run)[0]
        bodies = profiles.held_against(connection, run, body, NEAREST)
    history = [Profile.from_json(json.loads(one)) for one in bodies]
    verdict = job.tools.judge(profile, history)
    report = f"reports/{job.order.convention}.{job.order.exchange}.{job.run}.html"
    write_whole(job.workspace.path(report), job.tools.page(verdict, profile, history).encode())
    job.unmet = tuple(finding for finding in verdict.findings if not finding.passed)
    failed = [finding.id for finding in job.unmet if finding.level == "error"]
    job.note(4, "checked", {"passed": verdict.passed, "failed": failed})
    if not verdict.passed:
        raise ContractError(
            f"{len(failed)} checks of the whole file failed: {', '.join(failed)}",
            hint=f"the report tells: {report}",
            fr=f"{len(failed)} contrôles d'ensemble du fichier ont échoué : {', '.join(failed)}",
            hint_fr=f"le rapport les explique : {report}",
        )
    # Kept before anything leaves; later checks read it once the run is delivered.
    with job.workspace.database.begin() as connection:
        profiles.keep(connection, run, body, json.dumps(verdict.as_json()), at=job.workspace.now())
    return verdict, report


def _remember(job: Job) -> None:
    let_go(job.workspace, job.run)
    close_delivered(job)
    job.workspace.journal.write(
        job.workspace.now(),
        "delivered",
        run=job.run,
        convention=job.order.convention,
        exchange=job.order.exchange,
        period=job.order.period,
        read=job.counts["read"],
        accepted=job.counts["accepted"],
        rejected=job.counts["rejected"],
    )


def _close_failed(job: Job, error: Exception) -> None:
    made = states_of(job)
    if "intent" in made:
        return  # stays open: the next run on this exchange completes the intent or abandons it (recover)
    if isinstance(error, RefusedError | TheirDataError) and not _replied(job, error):
        return  # stays open as well
    close_failed(job, error, KEPT_IF_DELIVERED if "delivered" in made else KEPT_WHEN_REFUSED)


def _replied(job: Job, error: RefusedError | TheirDataError) -> bool:
    """Whether the sender could be told; a run of which it could not stays open, and the watchdog says so."""
    try:
        reply(job, refused(error, _failed_checks(job)))
    except (PasserelleError, OSError) as fault:
        job.workspace.journal.write(job.workspace.now(), "reply_waits", run=job.run, error=type(fault).__name__)
        return False
    return True


def _failed_checks(job: Job) -> list[dict[str, Any]]:
    return [{"id": one.id, "level": one.level, "fr": one.fr, "en": one.en} for one in job.unmet]
