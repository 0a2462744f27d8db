"""A data contract: one version of one dataset, its columns, its rules, and how senders write it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.rules import Note, Rule
from passerelle.contract import Batch, Column, Dialect, Failure, Judgement, Kind, PersonClass, Rows
from passerelle.errors import ContractError, OurWayError

if TYPE_CHECKING:
    import pandas as pd
    from pandera.polars import DataFrameSchema


@dataclass(frozen=True, eq=False)
class DataContract:
    """Implements ``passerelle.contract.Contract`` on pandera's polars backend.

    ``unique`` lists keys that name one row in the whole file; the engine judges them across batches (``validate`` does for a
    single frame). ``notes`` are said of accepted rows. ``meanings`` tells, by dialect and column, what a sender's column means
    where that is not what the contract means by it (French, English). ``served_until`` is the
    last day of the notice period of a version that a later one replaced; no text sets it, so its basis is ``hub_policy``. A special category of data (GDPR art. 9) cannot be a column: no convention here gives a ground for it.

    Raises:
        OurWayError: at construction, when a rule, a key or a dialect names a column that is not there, when a column is a
            special category, or when there is no column, no rule or no dialect.
    """

    id: str
    version: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    unique: tuple[tuple[str, ...], ...]
    dialects: tuple[Dialect, ...]
    notes: tuple[Note, ...] = ()
    meanings: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    served_until: date | None = None
    _names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = frozenset(column.name for column in self.columns)
        object.__setattr__(self, "_names", names)
        if not (self.columns and self.rules and self.dialects):
            raise OurWayError(f"contract {self.id} lacks columns, rules or dialects")
        if len(names) != len(self.columns):
            raise OurWayError(f"contract {self.id} names a column twice")
        for column in self.columns:
            if column.person is PersonClass.SPECIAL:
                raise OurWayError(f"contract {self.id} has a special category of data in column {column.name}")
        if self.meanings.keys() - {dialect.id for dialect in self.dialects}:
            raise OurWayError(f"contract {self.id} gives meanings for a dialect that it does not have")
        self._known("a meaning", (name for said in self.meanings.values() for name in said))
        self._known("a rule", (rule.column for rule in self.rules))
        self._known("a note", (note.column for note in self.notes))
        self._known("a key", (name for key in self.unique for name in key))
        for dialect in self.dialects:
            self._known(f"dialect {dialect.id}", (name for name in dialect.columns.values() if name is not None))

    def _known(self, what: str, named: Iterable[str]) -> None:
        if unknown := sorted(set(named) - self._names):
            raise OurWayError(f"contract {self.id}: {what} names {', '.join(unknown)}, which it does not have")

    @property
    def reference(self) -> str:
        """The dataset and its version, as in ``job_offers@1.1.0``: what the registry finds it by."""
        return f"{self.id}@{self.version}"

    def column(self, name: str) -> Column:
        """The column called ``name``.

        Raises:
            KeyError: there is none.
        """
        return {column.name: column for column in self.columns}[name]

    def dialect(self, id: str) -> Dialect:  # noqa: A002  (the word of the command line)
        """The dialect called ``id``.

        Raises:
            KeyError: there is none.
        """
        return {dialect.id: dialect for dialect in self.dialects}[id]

    def schema(self, day: date) -> DataFrameSchema:
        """The pandera schema (polars backend) of a typed batch, as of ``day``."""
        from contracts.schema import schema

        return schema(self, day)

    def judge(self, batch: Batch, dialect: Dialect, day: date) -> Judgement:
        """Judge every row of ``batch`` as of ``day``: repairs and typing as ``dialect`` declares, then the contract's rules.

        Raises:
            OurWayError: the batch has columns that the contract does not name.
        """
        import polars as pl

        from contracts.reading import read
        from contracts.schema import failures

        reading = read(batch.rows, self.columns, dialect)
        frame = cast("pl.DataFrame", pl.from_arrow(reading.table, rechunk=False))
        found = (*reading.failures, *failures(self, frame, day))
        return _noted(self.notes, _judgement(reading.table, _told_once(found), reading.repairs))

    def compared(self, batch: Batch, dialect: Dialect, names: Sequence[str]) -> pa.Table:
        """The columns ``names`` of ``batch`` as keys are compared, after the repairs that ``dialect`` declares."""
        from contracts.reading import compared

        return compared(batch.rows, tuple(self.column(name) for name in names), dialect)

    def validate(self, frame: pd.DataFrame, day: date) -> pd.DataFrame:
        """Judge a whole pandas frame as of ``day`` and give it back typed, for notebooks.

        Text columns are read with ISO dates and a decimal point; other columns are taken for what they are.

        Raises:
            ContractError: rows break the contract; counts by rule and column, never a value.
        """
        from contracts.notebook import validate

        return validate(self, frame, day)


def _told_once(found: tuple[Failure, ...]) -> tuple[Failure, ...]:
    """A value that could not be typed is null for the rules that follow: do not call it missing as well."""
    untyped = {failure.column: failure.rows for failure in found if failure.rule in _TYPING}
    kept = []
    for failure in found:
        rows = failure.rows
        if failure.rule == "required" and failure.column in untyped:
            rows = np.setdiff1d(rows, untyped[failure.column], assume_unique=True)
        if rows.size:
            kept.append(Failure(failure.rule, failure.column, rows))
    return tuple(kept)


_TYPING = frozenset(
    {"list", Kind.DATE.value, Kind.INTEGER.value, Kind.DECIMAL.value, Kind.BOOLEAN.value, Kind.COUNT.value}
)


def _judgement(table: pa.Table, found: tuple[Failure, ...], repairs: Mapping[str, int]) -> Judgement:
    everyone: Rows = np.arange(table.num_rows, dtype=np.int64)
    if not found:
        return Judgement(table, everyone, np.zeros(0, dtype=np.int64), (), repairs)
    rejected = np.zeros(table.num_rows, dtype=np.bool_)
    for failure in found:
        rejected[failure.rows] = True
    return Judgement(table.filter(pa.array(~rejected)), everyone[~rejected], everyone[rejected], found, repairs)


def _noted(notes: tuple[Note, ...], judgement: Judgement) -> Judgement:
    said = []
    for note in notes:
        spoken = pc.fill_null(pc.less_equal(judgement.accepted[note.column], note.at_most), False)
        rows = judgement.accepted_rows[spoken.to_numpy()]
        if rows.size:
            said.append(Failure(note.id, note.column, rows))
    return replace(judgement, notes=tuple(said)) if said else judgement


def summary(failures: Iterable[Failure]) -> str:
    """``rule on column n`` for each failure, most frequent first."""
    counts = sorted(((failure.rows.size, failure.rule, failure.column) for failure in failures), reverse=True)
    return ", ".join(f"{rule} on {column} {count}" for count, rule, column in counts)


def refuse(contract: DataContract, read: int, rejected: int, failures: Iterable[Failure]) -> ContractError:
    """The error that says how many rows break ``contract``, by rule and column."""
    return ContractError(
        f"{rejected} of {read} rows break {contract.id} {contract.version}: {summary(failures)}",
        where=contract.id,
        hint=f"the rules are on the page of the contract, docs/contracts/{contract.id}.md",
    )
