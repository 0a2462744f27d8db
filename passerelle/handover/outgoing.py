"""Steps 5 and 6 for one recipient: minimised rows stream into the parcel being sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa

from passerelle.contract import Column, Kind
from passerelle.convention import Exchange
from passerelle.errors import OurWayError, RefusedError
from passerelle.handover.job import PERSONAL, Job, release_location, staged_at
from passerelle.keys import Identity, parse_recipient
from passerelle.minimise import CsvSink, pseudonyms
from passerelle.parcel import Formulas, Sealer
from passerelle.workspace.files import write_whole

EXTRACT = "extract.csv"


@dataclass(slots=True)
class Outgoing:
    """The parcel being made for one recipient."""

    recipient: str
    parcel: str
    created: datetime
    sealer: Sealer
    columns: tuple[Column, ...]
    pseudonym_key: bytes
    pseudonymised: frozenset[str]
    sink: CsvSink | None = field(default=None)

    @property
    def formulas(self) -> tuple[Formulas, ...]:
        """The columns with cells that a spreadsheet would take for formulas."""
        found = self.sink.formulas if self.sink else {}
        return tuple(Formulas(column=name, cells=count) for name, count in found.items())

    def write(self, accepted: pa.Table) -> None:
        """Take the columns that the exchange allows, pseudonyms in place of identifiers, and seal them."""
        if self.sink is None:
            raise OurWayError("the parcel is not open")
        table = accepted.select([column.name for column in self.columns])
        for name in self.pseudonymised & set(table.column_names):
            position = table.column_names.index(name)
            table = table.set_column(position, name, pseudonyms(self.pseudonym_key, table.column(name)))
        self.sink.write(table)


@contextmanager
def sealing(job: Job, recipients: Sequence[str]) -> Iterator[list[Outgoing]]:
    """Open one parcel for each of ``recipients``; on leaving, their extracts are sealed and durable.

    An exception inside removes what was begun.
    """
    with ExitStack() as stack:
        parcels = [_open(job, recipient, stack) for recipient in recipients]
        yield parcels


def _open(job: Job, recipient: str, stack: ExitStack) -> Outgoing:
    created = job.workspace.now().replace(microsecond=0)
    parcel = job.parcel_id(recipient)
    path = job.register("staging", staged_at(parcel))
    release = _release(job, parcel) if job.personal else None
    keys = [parse_recipient(key.recipient) for key in job.parties.keys[recipient]]
    sealer = Sealer(path, created)
    outgoing = Outgoing(
        recipient=recipient,
        parcel=parcel,
        created=created,
        sealer=sealer,
        columns=_as_published(job, leaving(job.exchange, job.tools.contract.columns)),
        pseudonym_key=job.keys.pseudonym_key(recipient),
        pseudonymised=frozenset(job.exchange.handling.pseudonyms if job.exchange.handling else ()),
    )
    sink = stack.enter_context(sealer.extract(EXTRACT, keys, release.recipient if release else None))
    outgoing.sink = CsvSink(sink.write, [column.name for column in outgoing.columns])
    return outgoing


def _release(job: Job, parcel: str) -> Identity:
    """The release identity of a parcel, kept wrapped under a key of its own: the second lock."""
    identity = Identity.generate()
    path = job.register("release", release_location(parcel))
    key = job.workspace.keys.new_copy_key(job.order.convention, release_location(parcel))
    write_whole(path, key.wrap_release(identity, parcel))
    return identity


def _as_published(job: Job, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns as disclosure control leaves them: a rate may be withheld or shown as an edge ("< 5 %"), so it is text."""
    if job.tools.outcomes is None or job.exchange.disclosure_control is None:
        return columns
    rates = {rate.column for rate in job.tools.outcomes.rates}
    return tuple(replace(column, kind=Kind.TEXT) if column.name in rates else column for column in columns)


def leaving(exchange: Exchange, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that leave: the exchange's allow-list in the contract's order; all of them when it has none.

    Raises:
        RefusedError: the data are personal and no column is allowed by name: an empty list allows nothing then.
        OurWayError: the allow-list or the pseudonyms name a column that the contract does not have.
    """
    handling = exchange.handling
    wanted = set(handling.columns) if handling else set()
    if not wanted and exchange.data_class in PERSONAL:
        raise RefusedError(
            f"{exchange.id} is about persons, and allows no column by name",
            hint="list the columns that may leave in the exchange's handling",
            fr=f"{exchange.id} porte sur des personnes et n'autorise nommément aucune colonne",
            hint_fr="énumérez, dans le « handling » de l'échange, les colonnes qui peuvent sortir",
        )
    named = wanted | set(handling.pseudonyms if handling else ())
    if unknown := named - {column.name for column in columns}:
        raise OurWayError(f"{exchange.id} names columns that the contract lacks: {', '.join(sorted(unknown))}")
    return tuple(column for column in columns if not wanted or column.name in wanted)
