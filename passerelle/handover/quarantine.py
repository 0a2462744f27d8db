"""Quarantined rows: encrypted, of a short life, read only with a reason that is written down before the first row is shown.

No trace, no look: the line of the access log and the trail's entry commit together, then the rows are handed over.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from passerelle.access import Look, refusing
from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.convention import destruction_deadline
from passerelle.errors import OurWayError, PasserelleError, RefusedError, UsageError
from passerelle.handover.decide import exchange_of
from passerelle.keys import AgeSource, Recipient, age_sink, age_source
from passerelle.minimise import CsvSink
from passerelle.store import access, holdings, runs, settings
from passerelle.store.holdings import Holding
from passerelle.workspace import Workspace
from passerelle.workspace.files import sync_folder

LIFE_DAYS = 30  # the hub's policy where nobody set another
LONGEST_LIFE_DAYS = 90
MIN_REASON = 15  # characters
MAX_SHOWN = 200  # rows of one look on a terminal
SHOWN = 20  # of them, where no range is given
HEADER_BYTES = 64 * 1024
HOLDS = frozenset({"litigation", "legal_obligation"})


@dataclass(frozen=True, slots=True)
class Kept:
    """One quarantine that is present.

    ``expires`` is the first instant at which it must be gone; ``basis`` is ``hub_policy`` or the convention's own; ``held`` is
    the code of what keeps it beyond, None for most.
    """

    copy: Holding
    rows: int
    expires: datetime
    basis: str
    held: str | None

    def over(self, now: datetime) -> bool:
        """Whether its life is over."""
        return self.held is None and self.expires <= now

    def as_json(self, now: datetime) -> dict[str, Any]:
        """As one JSON object: ids, counts, dates."""
        since = datetime.fromisoformat(self.copy.created_at)
        return {
            "run": self.copy.run,
            "convention": self.copy.convention,
            "exchange": self.copy.exchange,
            "rows": self.rows,
            "since": self.copy.created_at,
            "age_days": (now - since).days,
            "expires": iso(self.expires),
            "basis": self.basis,
            "held": self.held,
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """One rejected row: its number in the file, its rules (column and rule), and the cells asked for."""

    row: int
    rules: tuple[tuple[str, str], ...]
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a look shows: rows of a run, and how many more it did not show."""

    run: str
    rows: tuple[Rejected, ...]
    more: int


def life(connection: Connection) -> int:
    """For how many days rejected rows are kept."""
    return settings.read(connection, settings.QUARANTINE_DAYS, LIFE_DAYS)


def set_life(workspace: Workspace, days: int) -> None:
    """Keep rejected rows for so many days from now on; told in the trail.

    Raises:
        UsageError: not from 1 to 90.
    """
    if not 1 <= days <= LONGEST_LIFE_DAYS:
        raise UsageError(f"expected from 1 to {LONGEST_LIFE_DAYS} days", fr=f"il faut de 1 à {LONGEST_LIFE_DAYS} jours")
    with workspace.database.begin() as connection:
        settings.write(connection, settings.QUARANTINE_DAYS, days)
        workspace.append(connection, "quarantine_life_set", {"days": days})


def kept(workspace: Workspace, connection: Connection, **where: str) -> list[Kept]:
    """The quarantines of ended runs that are present, oldest first."""
    ended = {run.id: run for run in runs.runs(connection) if run.ended_at is not None}
    copies = holdings.present(connection, kind="quarantine", **where)
    days = life(connection)
    rules: dict[tuple[str, str], _Rule] = {}
    found = []
    for copy in (copy for copy in copies if copy.run in ended):
        which = copy.convention, copy.exchange
        if which not in rules:
            rules[which] = _rule(workspace, connection, *which)
        found.append(_kept(rules[which], copy, days, ended[copy.run].counts.get("rejected", 0)))
    return found


def kept_with_rows(workspace: Workspace, connection: Connection) -> list[Kept]:
    """As ``kept``, without those of runs that rejected no row: there is nothing to read in them."""
    return [one for one in kept(workspace, connection) if one.rows]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a convention says today of the copies of one exchange: the end of their last day, on which ground; what holds them."""

    end: datetime | None
    basis: str
    held: str | None


def _rule(workspace: Workspace, connection: Connection, convention_id: str, exchange_id: str) -> _Rule:
    try:
        convention = workspace.convention(convention_id)
        history, now = workspace.history(connection, convention_id), workspace.now()
        exchange = exchange_of(convention, exchange_id)
    except PasserelleError:
        return _Rule(None, "hub_policy", "convention_unreadable")
    dataset = exchange.handling.contract if exchange and exchange.handling else None
    answers = [destruction_deadline(convention, history, now, one) for one in (None, exchange_id, dataset)]
    held = next((answer.reason for answer in answers if answer.reason in HOLDS), None)
    value = answers[0].value
    if value is None or isinstance(value, str | bool):
        return _Rule(None, "hub_policy", held)
    return _Rule(datetime.combine(value + timedelta(days=1), time.min, convention.zone), answers[0].basis, held)


def _kept(rule: _Rule, copy: Holding, days: int, rows: int) -> Kept:
    expires = datetime.fromisoformat(copy.created_at) + timedelta(days=days)
    if rule.end is not None and rule.end < expires:
        return Kept(copy, rows, rule.end, rule.basis, rule.held)
    return Kept(copy, rows, expires, "hub_policy", rule.held)


def look(
    workspace: Workspace, run: str, *, reason: str, by: str, rows: tuple[int, int] | None = None, whole: bool = False
) -> Glimpse:
    """Rejected rows of ``run`` for a person's eyes, whose look is on record once this returns.

    ``rows`` are the first and last number in the sender's file, by default the first twenty rejected ones; ``whole`` gives
    every column, not only those that a broken rule names.

    Raises:
        UsageError: the reason is too short, or no rejected row is in the range.
        RefusedError: there is no such quarantine, or its life is over.
    """
    with refusing(workspace, Look(by, "quarantine_read", run, reason=reason, run=run)):
        copy = _readable(workspace, run, reason).copy
    most = SHOWN if rows is None else MAX_SHOWN
    found: list[Rejected] = []
    count = 0
    for table in _tables(workspace, copy, rows):
        room = most - len(found)
        found += [_rejected(values, whole=whole) for values in table.slice(0, room).to_pylist()] if room else []
        count += table.num_rows
    _insist_on_some(count)
    _tell(workspace, copy, reason=reason, by=by, count=len(found))
    return Glimpse(run, tuple(found), count - len(found))


def hand_over(
    workspace: Workspace,
    run: str,
    out: Path,
    recipient: Recipient,
    *,
    reason: str,
    by: str,
    rows: tuple[int, int] | None = None,
) -> int:
    """Rejected rows of ``run``, whole, sealed to ``recipient`` in the file ``out``; how many. On record before it is written.

    Raises:
        UsageError: as ``look``.
        RefusedError: as ``look``.
    """
    with refusing(workspace, Look(by, "quarantine_read", run, reason=reason, run=run)):
        copy = _readable(workspace, run, reason).copy
    count = sum(int(table.num_rows) for table in _tables(workspace, copy, rows))
    _insist_on_some(count)
    _tell(workspace, copy, reason=reason, by=by, count=count, fingerprint=recipient.fingerprint)
    beside = out.with_name(f".{out.name}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with age_sink(file, [recipient]) as sink:
                sheet: CsvSink | None = None
                for table in _tables(workspace, copy, rows):
                    sheet = sheet or CsvSink(sink.write, table.column_names)
                    sheet.write(table)
            file.flush()
            os.fsync(descriptor)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(out.parent)
    return count


def _readable(workspace: Workspace, run: str, reason: str) -> Kept:
    """The quarantine of a run, when it may be read."""
    if len(" ".join(reason.split())) < MIN_REASON:
        raise UsageError(
            f"expected a reason of at least {MIN_REASON} characters: who will read the log must understand it",
            fr=f"il faut un motif d'au moins {MIN_REASON} caractères : qui lira le journal doit le comprendre",
        )
    with workspace.database.read() as connection:
        found = kept(workspace, connection, run=run)
    if not found or not found[0].rows:
        raise RefusedError(
            "no rejected rows are kept of this run",
            hint="passerelle quarantine list shows what is kept, and until when",
            fr="aucune ligne rejetée de ce traitement n'est conservée",
            hint_fr="passerelle quarantine list montre ce qui est conservé, et jusqu'à quand",
        )
    if found[0].over(workspace.now()):
        raise RefusedError(
            f"the life of this quarantine ended on {iso(found[0].expires)[:10]}: it is read no more",
            hint="passerelle quarantine expire --confirm destroys it; ask the sender for a corrected file",
            fr=f"la vie de cette quarantaine a pris fin le {iso(found[0].expires)[:10]} : elle ne se lit plus",
            hint_fr="passerelle quarantine expire --confirm la détruit ; demandez à l'émetteur un fichier corrigé",
        )
    return found[0]


def _insist_on_some(count: int) -> None:
    if not count:
        raise UsageError(
            "no rejected row is in that range",
            hint="the report gives row numbers: passerelle exchange report RUN",
            fr="aucune ligne rejetée n'est dans cet intervalle",
            hint_fr="le compte rendu donne les numéros de ligne : passerelle exchange report TRAITEMENT",
        )


def _tell(
    workspace: Workspace, copy: Holding, *, reason: str, by: str, count: int, fingerprint: str | None = None
) -> None:
    """The access log has who and why; the trail has the run, the count, and a keyed commitment of that line's words."""
    at = workspace.now()
    said = {"actor": by, "at": iso(at), "reason": reason, "run": copy.run}
    commitment = workspace.keyset(copy.convention).commit(canonical(said))
    with workspace.database.begin() as connection:
        access.log(
            connection, actor=by, action="quarantine_read", subject=copy.run, at=at, reason=reason,
            run=copy.run, count=count, convention=copy.convention, exchange=copy.exchange,
        )  # fmt: skip
        body = {
            "run": copy.run,
            "rows": count,
            "commitment": commitment,
            "fingerprint": fingerprint,
            "convention": copy.convention,
            "exchange": copy.exchange,
        }
        workspace.append(connection, "quarantine_read", body)
        workspace.ledger.checkpoint(connection, workspace.now())


def _tables(workspace: Workspace, copy: Holding, rows: tuple[int, int] | None) -> Iterator[pa.Table]:
    """The quarantined rows in a range of row numbers, as text, table by table; decrypted in memory only."""
    names = _names(workspace, copy)
    failure = ""
    with _opened(workspace, copy) as plain:
        try:
            for batch in _batches(plain, names):
                table = pa.Table.from_batches([batch])
                if rows is not None:
                    numbers = pc.cast(table["row"], pa.int64())
                    table = table.filter(pc.and_(pc.greater_equal(numbers, rows[0]), pc.less_equal(numbers, rows[1])))
                if table.num_rows:
                    yield table
        except pa.ArrowInvalid as error:  # its message holds values
            failure = type(error).__name__
    if failure:
        raise OurWayError(f"the quarantine is not as it was written ({failure})", where=copy.run)


def _batches(plain: AgeSource, names: list[str]) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv as arrow_csv

    text = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    reading = arrow_csv.ReadOptions(use_threads=False)
    yield from arrow_csv.open_csv(plain, read_options=reading, parse_options=parse, convert_options=text)


def _names(workspace: Workspace, copy: Holding) -> list[str]:
    with _opened(workspace, copy) as plain:
        head = plain.read(HEADER_BYTES)
    return next(csv.reader(io.StringIO(head.decode("utf-8", "ignore"), newline="")))


@contextmanager
def _opened(workspace: Workspace, copy: Holding) -> Iterator[AgeSource]:
    identity = workspace.keys.copy_key(copy.convention, copy.location).identity
    with workspace.path(copy.location).open("rb") as file, age_source(file, [identity]) as plain:
        yield plain


def _rejected(values: dict[str, str], *, whole: bool) -> Rejected:
    number, said = int(values.pop("row")), values.pop("rules")
    rules = tuple((column, rule) for column, _, rule in (one.rpartition(":") for one in said.split(" ")))
    named = {name for column, _ in rules for name in column.split("+")}
    cells = {name: value for name, value in values.items() if whole or name in named}
    return Rejected(number, rules, cells)
