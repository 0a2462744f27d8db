"""Conditions between the columns of one row that several contracts need, each with its own words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from contracts.rules import Relation

if TYPE_CHECKING:
    import polars as pl


def _required_when(column: str, when: str, values: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    return ~pl.col(when).is_in(values) | pl.col(column).is_not_null()


def _absent_unless(column: str, when: str, values: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    return pl.col(when).is_in(values) | pl.col(column).is_null()


def _number(name: str) -> pl.Expr:
    """The number, null where it is secret."""
    import polars as pl

    return pl.col(name).cast(pl.Float64, strict=False)


def _at_most(column: str, other: str) -> pl.Expr:
    return _number(column) <= _number(other)


def _not_before(column: str, other: str) -> pl.Expr:
    import polars as pl

    return pl.col(column) >= pl.col(other)


def _is_yes(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column)


def _total(column: str, parts: tuple[str, ...]) -> pl.Expr:
    """Null, so nothing to judge, when a part is missing or secret."""
    expected = _number(parts[0])
    for part in parts[1:]:
        expected = expected + _number(part)
    return _number(column) == expected


def _test(test: Callable[..., pl.Expr], *given: object) -> Callable[[], pl.Expr]:
    return partial(test, *given)


def required_when(rule: str, column: str, when: str, values: tuple[str, ...], *, fr: str, en: str) -> Relation:
    """``column`` is required where ``when`` has one of ``values``."""
    return Relation(rule, column, _test(_required_when, column, when, values), fr, en)


def absent_unless(rule: str, column: str, when: str, values: tuple[str, ...], *, fr: str, en: str) -> Relation:
    """``column`` is empty unless ``when`` has one of ``values``."""
    return Relation(rule, column, _test(_absent_unless, column, when, values), fr, en)


def at_most(column: str, other: str) -> Relation:
    """The number of ``column`` is at most that of ``other``, where both are published."""
    fr, en = f"au plus la valeur de {other}", f"at most the value of {other}"
    return Relation(f"at_most_{other}", column, _test(_at_most, column, other), fr, en)


def not_before(column: str, other: str) -> Relation:
    """The date of ``column`` is that of ``other`` or later."""
    fr, en = f"jamais avant {other}", f"never before {other}"
    return Relation(f"not_before_{other}", column, _test(_not_before, column, other), fr, en)


def is_yes(rule: str, column: str, fr: str, en: str) -> Relation:
    """The answer is yes; a missing answer is the column's ``required`` to judge."""
    return Relation(rule, column, _test(_is_yes, column), fr, en)


def total(column: str, parts: tuple[str, ...]) -> Relation:
    """The number of ``column`` is the sum of ``parts``, where all are published."""
    words = " + ".join(parts)
    return Relation("total", column, _test(_total, column, parts), f"égal à {words}", f"equal to {words}")
