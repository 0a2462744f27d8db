"""Steps 3 and 5, batch by batch: the contract judges, rejected rows go to quarantine, accepted ones to the parcels being made."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from passerelle.contract import Batch, Judgement
from passerelle.errors import ContractError
from passerelle.handover.batches import joined
from passerelle.handover.drafting import keep_draft
from passerelle.handover.index import PersonIndex
from passerelle.handover.job import Job
from passerelle.handover.outgoing import Outgoing
from passerelle.handover.published import protected
from passerelle.handover.repeats import ByKey, reject_repeats
from passerelle.handover.screening import Screening
from passerelle.handover.taking import sealed_copy
from passerelle.handover.verdicts import judging, rules_by_row
from passerelle.intake import Source
from passerelle.minimise import CsvSink
from passerelle.profile import Profile, ProfileBuilder

JUDGED_ROWS = 40_000
AHEAD = 1  # batches judged ahead of those being written
MAX_OUTCOME_ROWS = 200_000  # a table of outcomes is protected whole, in memory


def stream(
    job: Job,
    source: Source,
    repeats: ByKey,
    parcels: Sequence[Outgoing],
    index: PersonIndex,
) -> Profile:
    """Judge and minimise the whole file; give its profile.

    Raises:
        ContractError: the exchange tolerates fewer rejected rows; the report says which rules they broke.
    """
    profile = ProfileBuilder(job.tools.contract.columns, job.tools.editions)
    screening = Screening.of(job)
    whole: list[pa.Table] = []
    repairs: Counter[str] = Counter()
    read = rejected = extracted = 0
    with sealed_copy(job, "quarantine", "quarantine.csv.age") as file, judging(job) as verdicts:
        quarantine: CsvSink | None = None
        for batch, judgement in _judged(job, source, repeats, screening):
            job.reach(3, batch.first_row - 1)
            profile.add(judgement)
            job.tally.add(judgement.failures, batch.first_row)
            repairs.update(judgement.repairs)
            verdicts.add(batch, judgement)
            if len(judgement.rejected_rows):
                quarantine = quarantine or CsvSink(file.write, ["row", "rules", *batch.rows.column_names])
                quarantine.write(_quarantined(batch, judgement))
            read += batch.rows.num_rows
            rejected += len(judgement.rejected_rows)
            accepted = screening.persons.without(judgement.accepted)
            extracted += accepted.num_rows
            if job.exchange.disclosure_control is not None:
                whole.append(accepted)
                _bounded(extracted)
                continue
            job.reach(5, read)
            _send(accepted, parcels, index)
    pa.default_memory_pool().release_unused()
    job.counts.update(read=read, accepted=read - rejected, rejected=rejected, extracted=extracted, **screening.counts())
    job.free_text = screening.notes()
    repairs.update(source.repairs)
    job.repairs = dict(repairs)
    keep_draft(job, verdicts)
    _tolerate(job)
    if whole:
        job.reach(5, read)
        _send(protected(job, pa.concat_tables(whole)), parcels, index)
    return profile.finish(job.order.period)


def _judged(job: Job, source: Source, repeats: ByKey, screening: Screening) -> Iterator[tuple[Batch, Judgement]]:
    """Each batch with its judgement, which is made one batch ahead, in a thread of its own: it needs nothing but the batch and the day."""

    def judge(batch: Batch) -> Judgement:
        return screening.judged(
            reject_repeats(job.tools.contract.judge(batch, source.dialect, job.day), batch, repeats)
        )

    with ThreadPoolExecutor(1) as pool:
        pending: deque[tuple[Batch, Future[Judgement]]] = deque()
        for batch in joined(source.batches(), JUDGED_ROWS):
            pending.append((batch, pool.submit(judge, batch)))
            if len(pending) > AHEAD:
                done, judgement = pending.popleft()
                yield done, judgement.result()
        for done, judgement in pending:
            yield done, judgement.result()


def _quarantined(batch: Batch, judgement: Judgement) -> pa.Table:
    """The rejected rows as they came, with their numbers in the file and the rules that they broke."""
    rejected = judgement.rejected_rows
    _, rules = rules_by_row(judgement.failures)
    rows = batch.rows.take(pa.array(rejected)).add_column(0, "rules", rules.cast(pa.string()))
    return rows.add_column(0, "row", pa.array(rejected + batch.first_row))


def _send(accepted: pa.Table, parcels: Sequence[Outgoing], index: PersonIndex) -> None:
    index.add(accepted)
    for parcel in parcels:
        parcel.write(accepted)


def _bounded(rows: int) -> None:
    if rows > MAX_OUTCOME_ROWS:
        raise ContractError(
            f"expected at most {MAX_OUTCOME_ROWS} rows in a table of outcomes, came more",
            hint="send it by period or by territory",
            fr=f"un tableau de résultats a au plus {MAX_OUTCOME_ROWS} lignes, celui-ci en a davantage",
            hint_fr="envoyez-le par période ou par territoire",
        )


def _tolerate(job: Job) -> None:
    read, rejected = job.counts["read"], job.counts["rejected"]
    handling = job.exchange.handling
    share = handling.max_rejected_share if handling and handling.rejects == "quarantine" else 0.0
    if read == 0:
        raise ContractError(
            "expected rows, the file has none",
            hint="ask the sender for the file of the period",
            fr="le fichier n'a aucune ligne",
            hint_fr="demandez à l'émetteur le fichier de la période",
        )
    if rejected > share * read:
        worst = job.tally.by_rule()[0]
        raise ContractError(
            f"{rejected} of {read} rows break the contract, the exchange tolerates {share:.0%} "
            f"(most often rule {worst['rule']} in {worst['column']})",
            hint=f"passerelle exchange report {job.run} tells rules, columns, row numbers and what was expected; send a corrected file",
            fr=f"{rejected} lignes sur {read} enfreignent le contrat de données, l'échange en tolère {100 * share:.0f} % "
            f"(le plus souvent la règle {worst['rule']}, colonne {worst['column']})",
            hint_fr=f"passerelle exchange report {job.run} donne règles, colonnes, numéros de ligne et ce qui était attendu ; envoyez un fichier corrigé",
        )
