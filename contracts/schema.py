"""A contract's rules as a pandera schema, and what pandera found as failures without values.

pandera's own report (``failure_cases``) holds the failing values, so it is never made: each check keeps no failure case
(``n_failure_cases=0``), and rows are read from the checks' boolean outputs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandera.polars as pap
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import ValidationDepth, config_context
from pandera.constants import CHECK_OUTPUT_KEY
from pandera.errors import SchemaError, SchemaErrors

from contracts.backend import JudgedColumn, JudgedFrame
from contracts.identifiers import SCHEMES, valid
from contracts.rules import BETWEEN, Between, Happened, Identifier, Length, OneOf, Pattern, Relation, Rule, whole
from passerelle.contract import Column, Failure, Kind
from passerelle.errors import OurWayError

if TYPE_CHECKING:
    from contracts.base import DataContract

POLARS: dict[Kind, Any] = {
    Kind.TEXT: pl.String,
    Kind.CODE: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.DECIMAL: pl.Float64,
    Kind.DATE: pl.Date,
    Kind.BOOLEAN: pl.Boolean,
    Kind.COUNT: pl.String,
}


def full_match(data: PolarsData, *, pattern: str) -> pl.LazyFrame:
    """Values match ``pattern``, which ``whole`` has written."""
    return data.lazyframe.select(pl.col(data.key).str.contains(pattern))


def identifies(data: PolarsData, *, scheme: str) -> pl.LazyFrame:
    """Values are identifiers of ``scheme``, form and key."""
    column = data.lazyframe.select(data.key).collect().to_series()
    good = pl.Series(data.key, valid(scheme, column.to_arrow()))
    return pl.LazyFrame({data.key: good}).select(pl.col(data.key) | pl.lit(column.is_null()))


def characters(data: PolarsData, *, low: int, high: int) -> pl.LazyFrame:
    """Texts have from ``low`` to ``high`` characters."""
    return data.lazyframe.select(pl.col(data.key).str.len_chars().is_between(low, high))


def relation(data: PolarsData, *, expression: pl.Expr) -> pl.LazyFrame:
    """The condition holds between the columns of the row."""
    return data.lazyframe.select(expression.alias(data.key))


def _each(rule: Rule) -> pl.Expr:
    """Every value of a list keeps ``rule``; a scheme with a key has no vectorised judgement inside a list."""
    value = pl.element()
    match rule:
        case OneOf(values=values):
            kept = value.is_in(list(values))
        case Length(low=low, high=high):
            kept = value.str.len_chars().is_between(low, high)
        case _:
            raise OurWayError(f"rule {rule.id} cannot judge each value of {rule.column}")
    return pl.col(rule.column).str.split(BETWEEN).list.eval(kept).list.all()


def _check(rule: Rule, day: date, *, many: bool) -> pap.Check:
    says: dict[str, Any] = {"error": rule.id, "n_failure_cases": 0}
    match rule:
        case Identifier(scheme=scheme) if SCHEMES[scheme].key is None and not SCHEMES[scheme].refused:
            return pap.Check(full_match, pattern=whole(SCHEMES[scheme].pattern, many=many), **says)
        case Pattern(pattern=pattern):
            return pap.Check(full_match, pattern=whole(pattern, many=many), **says)
        case Relation(test=test):
            return pap.Check(relation, expression=test(), **says)
        case _ if many:
            return pap.Check(relation, expression=_each(rule), **says)
        case Identifier(scheme=scheme):
            return pap.Check(identifies, scheme=scheme, **says)
        case Length(low=low, high=high):
            return pap.Check(characters, low=low, high=high, **says)
        case OneOf(values=values):
            return pap.Check.isin(list(values), **says)
        case Between(low=low, high=high):
            return pap.Check.in_range(low, high, **says)
        case Happened():
            return pap.Check.less_than_or_equal_to(day, **says)


def _column(column: Column, rules: tuple[Rule, ...], day: date) -> JudgedColumn:
    return JudgedColumn(
        POLARS[column.kind],
        checks=[_check(rule, day, many=column.many) for rule in rules if rule.column == column.name],
        nullable=not column.required,
        description=column.en,
        metadata={"fr": column.fr, "en": column.en, "person": column.person.value, "identifier": column.identifier},
    )


@functools.lru_cache(maxsize=512)
def schema(contract: DataContract, day: date) -> JudgedFrame:
    """The pandera schema of ``contract`` (polars backend), which judges a typed batch as of ``day``."""
    return JudgedFrame(
        {column.name: _column(column, contract.rules, day) for column in contract.columns},
        name=f"{contract.id}@{contract.version}",
        strict=True,
        ordered=True,
    )


def _failure(error: SchemaError) -> Failure:
    check = "required" if error.check == "not_nullable" else getattr(error.check, "error", None)
    if check is None or error.check_output is None:
        raise OurWayError(f"a contract's schema cannot be applied: {error.reason_code.name} on {error.schema.name}")
    broken = ~error.check_output[CHECK_OUTPUT_KEY].to_numpy()
    return Failure(str(check), str(error.schema.name), np.flatnonzero(broken).astype(np.int64))


def failures(contract: DataContract, frame: pl.DataFrame, day: date) -> Iterator[Failure]:
    """What breaks the contract's rules in a typed batch as of ``day``, rule by rule.

    Validation is switched on here whatever the process's pandera settings say: an environment variable must not open the gate.

    Raises:
        OurWayError: the schema itself does not fit the frame, or a check could not run.
    """
    found: list[SchemaError] = []
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            schema(contract, day).validate(frame, lazy=True)
        except SchemaErrors as errors:
            found = errors.schema_errors
    return (_failure(error) for error in found)
