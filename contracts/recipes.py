"""How a column of a sample is made: each recipe gives whole columns of text from a random source and the rows' numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from contracts import fiction
from contracts.fiction import chosen, day, french_dates, written

if TYPE_CHECKING:
    from contracts.fiction import Ints

Recipe = Callable[[np.random.Generator, "Ints"], pl.Series]
"""Random source, row numbers from 0."""
Recipes = Mapping[str, Recipe]

_LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_EMPLOYERS = 500
_FIRST_BASIN, _BASINS = 9301, 400


def serial(prefix: str = "", width: int = 6, first: int = 1) -> Recipe:
    """The row's number: never twice the same."""
    return lambda _, row: prefix + written(row + first, width)


def pick(*words: str) -> Recipe:
    """One of ``words``, at random."""
    return lambda rng, row: chosen(words, rng.integers(0, len(words), len(row)))


def turn(*words: str, every: int = 1) -> Recipe:
    """``words`` one after the other, each for ``every`` rows: columns that take turns agree with each other."""
    return lambda _, row: chosen(words, row // every % len(words))


def number(low: int, high: int) -> Recipe:
    """A whole number from ``low`` to ``high``."""
    return lambda rng, row: written(rng.integers(low, high + 1, len(row)))


def decimal(low: int, high: int) -> Recipe:
    """A number from ``low`` to ``high`` with one decimal, after a comma."""

    def made(rng: np.random.Generator, row: Ints) -> pl.Series:
        return written(rng.integers(low, high, len(row))) + "," + written(rng.integers(0, 10, len(row)))

    return made


def days(year: int, month: int, count: int) -> Recipe:
    """A day from the first of that month on, among ``count``."""
    return lambda rng, row: french_dates(day(year, month, 1) + rng.integers(0, count, len(row)))


def counter(every: int, first: int, modulus: int, width: int = 0, prefix: str = "") -> Recipe:
    """A number that grows by one every ``every`` rows: the outer part of a key."""
    return lambda _, row: prefix + written(first + row // every % modulus, width)


def month(every: int) -> Recipe:
    """A month, YYYY-MM, the next one every ``every`` rows, from January 2000 to December 2099."""

    def made(_: np.random.Generator, row: Ints) -> pl.Series:
        which = row // every
        return written(2000 + which // 12 % 100) + "-" + written(1 + which % 12, 2)

    return made


def basin() -> Recipe:
    """An employment basin, the next one at each row; it comes back after 400 rows."""
    return counter(1, _FIRST_BASIN, _BASINS, 4)


def fap(every: int = _BASINS) -> Recipe:
    """A FAP code, the next one every ``every`` rows."""

    def made(_: np.random.Generator, row: Ints) -> pl.Series:
        which = row // every
        tail = written(which // 260 % 100, 2)
        return (
            chosen(_LETTERS, which // 10 % 26)
            + written(which % 10)
            + chosen(_LETTERS, 25 - which // 26_000 % 26)
            + tail
        )

    return made


def rome(every: int = _BASINS) -> Recipe:
    """A ROME code, the next one every ``every`` rows."""

    def made(_: np.random.Generator, row: Ints) -> pl.Series:
        which = row // every
        return chosen(_LETTERS[:14], which % 14) + written(which // 14 % 10_000, 4)

    return made


@functools.cache
def _employers() -> tuple[str, ...]:
    return fiction.sirets(np.random.default_rng(0), _EMPLOYERS)


def siret() -> Recipe:
    """The SIRET of one of 500 employers that do not exist."""
    return lambda rng, row: chosen(_employers(), rng.integers(0, _EMPLOYERS, len(row)))


def uai() -> Recipe:
    """A UAI number with its key; it comes back after ten million rows."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"

    def made(_: np.random.Generator, row: Ints) -> pl.Series:
        numbers = (row + 1) % 10_000_000
        return written(numbers, 7) + chosen(tuple(letters), numbers % len(letters))

    return made


def mission_locale() -> Recipe:
    """The identifier of a Mission Locale, the next one at each row; it comes back after seven million rows."""
    return lambda _, row: written(10_000 + row // 100 % 70_000, 5) + "S" + written(row % 100, 2)


def mail() -> Recipe:
    """An address of nobody, different at each row."""

    def made(rng: np.random.Generator, row: Ints) -> pl.Series:
        first, last = (rng.integers(0, len(names), len(row)) for names in (fiction.FIRST, fiction.LAST))
        return fiction.mails(first, last, row)

    return made


def phone() -> Recipe:
    """A number of the range kept for fiction."""
    return lambda rng, row: fiction.phones(rng, len(row))


MAINLAND = (*(f"{number:02d}" for number in (*range(1, 20), *range(21, 96))), "2A", "2B")
"""The 96 departments of mainland France."""

LAST_NAME = pick(*fiction.LAST)
FIRST_NAME = pick(*fiction.FIRST)
COMMUNE = pick(*fiction.COMMUNES)
DEPARTMENT = pick(*fiction.DEPARTMENTS)
ROME = pick(*fiction.ROMES)
FORMACODE = pick(*(code for _, code, _ in fiction.COURSES))
COURSE = pick(*(label for label, _, _ in fiction.COURSES))
CERTIFICATION = pick("", "RNCP35830", "RNCP38430", "RNCP35309")
COMPANY = pick("Ateliers du Chêne", "Boulangerie du Lavoir", "Transports Mésange", "Menuiserie Vallée")
MISSION_LOCALE = pick("13201S00", "38185S01", "69381S00", "2A004S00")
NOTHING = pick("")
