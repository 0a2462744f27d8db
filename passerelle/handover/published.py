"""Step 5 for tables of outcomes: disclosure control beside every table that the recipients have already."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.ipc
from sqlalchemy import Connection

from passerelle.canonical import canonical, parse
from passerelle.clock import iso
from passerelle.convention import DisclosureControl
from passerelle.disclosure import SECRET, OutcomeTable, Release, Thresholds, Units, protect
from passerelle.errors import OurWayError, RefusedError
from passerelle.handover.job import Job, Published
from passerelle.handover.taking import sealed_copy
from passerelle.keys import decrypt
from passerelle.store import holdings, outcome_releases
from passerelle.store.outcome_releases import OutcomeRelease
from passerelle.workspace import Workspace

FIGURES = "figures"
"""The kind of the encrypted copy of a table before protection."""


def protected(job: Job, table: pa.Table) -> pa.Table:
    """The table as it may leave, judged beside every earlier one of its dataset that a recipient has, under any convention.

    Raises:
        RefusedError: it cannot be made safe; the message names the cells.
    """
    control, roles = job.exchange.disclosure_control, job.tools.outcomes
    if control is None or roles is None:
        raise OurWayError(f"{job.exchange.id} needs disclosure control, its contract names no table of outcomes")
    thresholds = thresholds_of(control)
    earlier = _earlier(job, control)
    truth = table.select([name for name in roles.named if name in table.column_names and name not in roles.carried])
    before = [(one, _release(job.workspace, one)) for one in _one_for_each_run(earlier)]
    beside = frozenset(one.delivery for one in earlier)
    if (again := _again(job, earlier, before, truth, thresholds)) is not None:
        _note(job, again, thresholds, beside)
        return _as_before(table, again)
    found = protect(table, roles, thresholds, [release for _, release in before])
    _note(job, found.table.select(_shown(roles, found.table)), thresholds, beside)
    with sealed_copy(job, FIGURES, "figures.arrow.age") as copy:
        copy.write(_bytes(truth))
    return found.table


def _note(job: Job, table: pa.Table, thresholds: Thresholds, beside: frozenset[str]) -> None:
    job.published = Published(table, thresholds, beside)
    assert job.tools.outcomes is not None  # noqa: S101 - the table was judged by its roles
    _, job.counts["withheld"] = figures_of(table, job.tools.outcomes)


def figures_of(table: pa.Table, roles: OutcomeTable) -> tuple[int, int]:
    """How many figures (counts and rates) ``table`` shows, and how many it withholds; a rate that the sender did not give is neither."""
    counts = [value for name in roles.counts for value in table[name].to_pylist()]
    rates = [
        value for rate in roles.rates if rate.column in table.column_names for value in table[rate.column].to_pylist()
    ]
    withheld = sum(value in {SECRET, None} for value in counts) + rates.count(SECRET)
    return len(counts) + len(rates) - rates.count(None) - withheld, withheld


def thresholds_of(control: DisclosureControl) -> Thresholds:
    """The thresholds that a convention sets for an exchange."""
    return Thresholds(control.min_count, control.min_denominator, control.dominance)


def keep(connection: Connection, job: Job, recipient: str, parcel: str) -> None:
    """Note in the register what ``recipient`` is about to have, in the transaction of the intent.

    Raises:
        RefusedError: another table reached one of the recipients while this one was judged.
    """
    if job.published is None:
        return
    control, one = job.exchange.disclosure_control, job.published
    assert control is not None  # noqa: S101 - the table was judged under it
    others = {row.delivery for row in _rows(connection, job, control) if row.run != job.run}
    if not others <= one.beside:
        raise RefusedError(
            "another table of the same data was delivered while this one was judged",
            hint="run the exchange again",
            fr="un autre tableau des mêmes données a été livré pendant l'examen de celui-ci",
            hint_fr="relancez l'échange",
        )
    assert job.tools.outcomes is not None  # noqa: S101 - as above
    shown, withheld = figures_of(one.table, job.tools.outcomes)
    order = job.order
    outcome_releases.keep(
        connection,
        OutcomeRelease(
            delivery=parcel,
            run=job.run,
            convention=order.convention,
            exchange=order.exchange,
            dataset=job.tools.contract.id,
            period=order.period,
            recipient=recipient,
            thresholds=canonical(as_json(one.thresholds)).decode(),
            cells=one.table.num_rows,
            published=shown,
            withheld=withheld,
            figures=_bytes(one.table),
            released_at=iso(job.workspace.now()),
        ),
    )


def read_figures(row: OutcomeRelease) -> pa.Table:
    """The table that a row of the register keeps: codes, counts and rates as published."""
    return _table(row.figures)


def as_json(thresholds: Thresholds) -> dict[str, object]:
    """The thresholds that the register keeps beside a table."""
    return {
        "min_count": thresholds.min_count,
        "min_denominator": thresholds.min_denominator,
        **({} if thresholds.dominance is None else {"dominance": str(thresholds.dominance)}),
    }


def _thresholds(text: str) -> Thresholds:
    kept = parse(text.encode())
    dominance = kept.get("dominance")
    return Thresholds(kept["min_count"], kept["min_denominator"], None if dominance is None else float(dominance))


def _rows(connection: Connection, job: Job, control: DisclosureControl) -> list[OutcomeRelease]:
    """What the readers have already: the recipients themselves, under any convention; everyone, where they pool."""
    readers = None if control.pool == "everyone" else job.parties.recipients
    return outcome_releases.releases(connection, job.tools.contract.id, readers)


def _earlier(job: Job, control: DisclosureControl) -> list[OutcomeRelease]:
    with job.workspace.database.read() as connection:
        return _rows(connection, job, control)


def _one_for_each_run(rows: Sequence[OutcomeRelease]) -> list[OutcomeRelease]:
    """One row of each run: its recipients were sent the same table."""
    return list({row.run: row for row in rows}.values())


def _release(workspace: Workspace, row: OutcomeRelease) -> Release:
    return Release(read_figures(row), Units.NOT_STATED, _truth(workspace, row), _thresholds(row.thresholds))


def _truth(workspace: Workspace, row: OutcomeRelease) -> pa.Table | None:
    """The table before protection, from its encrypted copy; None once that was purged."""
    with workspace.database.read() as connection:
        copies = holdings.present(connection, run=row.run, kind=FIGURES)
    if not copies:
        return None
    plain = io.BytesIO()
    with workspace.path(copies[0].location).open("rb") as file:
        decrypt(file, plain, [workspace.keys.copy_key(row.convention, copies[0].location).identity])
    return _table(plain.getvalue())


def _again(
    job: Job,
    rows: Sequence[OutcomeRelease],
    before: Sequence[tuple[OutcomeRelease, Release]],
    truth: pa.Table,
    thresholds: Thresholds,
) -> pa.Table | None:
    """The very table, as every recipient has it already; None where one of them does not."""
    for one, release in before:
        have = {row.recipient for row in rows if row.run == one.run}
        same = release.truth is not None and release.truth.equals(truth.combine_chunks())
        if same and release.thresholds == thresholds and have.issuperset(job.parties.recipients):
            return release.table
    return None


def _as_before(table: pa.Table, published: pa.Table) -> pa.Table:
    """``table`` with the figures as they were published."""
    for name in published.column_names:
        table = table.set_column(table.column_names.index(name), name, published[name])
    return table


def _shown(roles: OutcomeTable, table: pa.Table) -> list[str]:
    """The columns of a protected table that identify its cells or say something of them."""
    return [name for name in table.column_names if name not in roles.carried]


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def _table(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all().combine_chunks()
