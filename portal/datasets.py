"""The datasets that a party sends or receives under the conventions in force, and what it is given to prepare for them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from contracts.base import DataContract
from contracts.registry import served
from passerelle.convention import Convention, Exchange, in_force
from passerelle.convention.force import starts
from passerelle.errors import ConventionFileError
from passerelle.handover.decide import recipients_of
from passerelle.workspace import Workspace
from portal.context import today
from portal.render import Text

SAMPLE_ROWS, FAULTY_SHARE = 200, 0.1
ANYONE = frozenset({"any", "all"})

Side = Literal["sends", "receives"]


@dataclass(frozen=True, slots=True)
class Use:
    """One exchange by which a party sends or receives a dataset; ``dataset`` may name a version, as the exchange does."""

    convention: str
    exchange: str
    title: Text
    article: str | None
    side: Side
    dataset: str


def uses(workspace: Workspace, connection: Connection, party: str) -> list[Use]:
    """Every use of a dataset by ``party`` under a convention that has begun and has not ended, by dataset."""
    found = [
        Use(text.id, exchange.id, Text(exchange.title.fr, exchange.title.en), exchange.article, side, exchange.handling.contract)
        for text in living(workspace, connection)
        for exchange in text.exchanges
        if exchange.handling is not None
        for side in _sides(text, exchange, party)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.dataset, one.convention, one.exchange, one.side))


def living(workspace: Workspace, connection: Connection) -> Iterator[Convention]:
    """The conventions that have begun and have not ended; where it is not known whether one has, it is among them."""
    now = workspace.now()
    for which in workspace.convention_ids():
        try:
            text = workspace.convention(which)
        except ConventionFileError:
            continue  # nothing is exchanged under a file that cannot be read, and the watchdog tells of it
        events = workspace.history(connection, which)
        if starts(text, events).value is not None and in_force(text, events, now).value != "no":
            yield text


def senders_of(text: Convention, exchange: Exchange) -> tuple[str, ...]:
    """Who may send: as the exchange names them, or every party."""
    return tuple(party.id for party in text.parties) if ANYONE & set(exchange.from_) else exchange.from_


def _sides(text: Convention, exchange: Exchange, party: str) -> Iterator[Side]:
    senders = senders_of(text, exchange)
    if party in senders:
        yield "sends"
    if any(party in recipients_of(text, exchange, sender) for sender in senders):
        yield "receives"


def versions(dataset: str) -> list[DataContract]:
    """Every version of a dataset that is served, the latest first."""
    return list(served(dataset.partition("@")[0]))


def pinned(dataset: str) -> list[DataContract]:
    """The versions in which a file may come for an exchange that names ``dataset``: that version alone where it names one."""
    return list(served(dataset))


def version(dataset: str, wanted: str) -> DataContract | None:
    """The served version of a dataset that is asked for, the latest where none is; None where there is no such one."""
    return next((one for one in versions(dataset) if wanted in {"", one.version}), None)


def _schema(chosen: DataContract) -> Iterator[bytes]:
    from contracts.pages import json_schema

    yield json.dumps(json_schema(chosen), ensure_ascii=False, indent=1).encode()


def _standard(chosen: DataContract) -> Iterator[bytes]:
    from contracts.odcs import odcs

    yield json.dumps(odcs(chosen), ensure_ascii=False, indent=1).encode()


def _good(chosen: DataContract) -> Iterator[bytes]:
    from contracts.samples import sample

    return sample(chosen.reference, SAMPLE_ROWS)


def _faulty(chosen: DataContract) -> Iterator[bytes]:
    from contracts.samples import sample

    return sample(chosen.reference, SAMPLE_ROWS, FAULTY_SHARE)


def _verdicts(chosen: DataContract) -> Iterator[bytes]:
    yield json.dumps(expected_of(chosen), ensure_ascii=False, indent=1).encode()


def expected_of(chosen: DataContract) -> dict[str, Any]:
    """What the check says of the sample with faults: counts, rules, first rows."""
    from passerelle.handover.check import check_original
    from passerelle.intake.original import OnDisk

    with tempfile.TemporaryFile() as file:  # people who do not exist
        file.writelines(_faulty(chosen))
        file.flush()
        return check_original(OnDisk(os.dup(file.fileno())), chosen, today())


@dataclass(frozen=True, slots=True)
class Offered:
    """A file that goes with a contract."""

    said: Text
    media_type: str
    chunks: Callable[[DataContract], Iterator[bytes]]


FILES: Mapping[str, Offered] = {
    "schema.json": Offered(Text("schéma JSON d'une ligne", "JSON Schema of one row"), "application/schema+json", _schema),
    "odcs.json": Offered(Text("contrat au format ODCS 3.1", "contract as ODCS 3.1"), "application/json", _standard),
    "sample.csv": Offered(Text("échantillon valable, de personnes qui n'existent pas", "valid sample, of people who do not exist"), "text/csv", _good),
    "sample-with-faults.csv": Offered(Text("échantillon avec des lignes fausses à dessein", "sample with rows that are wrong on purpose"), "text/csv", _faulty),
    "expected-verdicts.json": Offered(Text("ce que le contrôle doit en dire", "what the check must say of it"), "application/json", _verdicts),
}  # fmt: skip
