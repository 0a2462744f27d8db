"""Periods as the register writes them: a day, a month, a quarter, a half-year, a year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from passerelle.convention.dates import DAY, add_months

_FORMS = (
    (re.compile(r"([0-9]{4})"), 12),
    (re.compile(r"([0-9]{4})-Q([1-4])"), 3),
    (re.compile(r"([0-9]{4})-S([12])"), 6),
    (re.compile(r"([0-9]{4})-([0-9]{2})"), 1),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, both ends included, and how the register writes them."""

    label: str
    first: date
    last: date


def period_of(text: str | int | None) -> Span | None:
    """The days of "2017", "2017-Q2", "2017-S1", "2017-02" or "2017-02-03"; None for any other writing."""
    label = str(text)
    for form, months in _FORMS:
        match = form.fullmatch(label)
        if match is not None:
            return _span(label, [int(group) for group in match.groups()], months)
    try:
        day = date.fromisoformat(label) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", label) else None
    except ValueError:
        return None
    return None if day is None else Span(label, day, day)


def _span(label: str, numbers: list[int], months: int) -> Span | None:
    month = (numbers[1] - 1) * months + 1 if len(numbers) > 1 else 1
    if not (1 <= month <= 12 and 1 <= numbers[0] < 9999):  # noqa: PLR2004 - months of a year, years of a date
        return None
    first = date(numbers[0], month, 1)
    return Span(label, first, add_months(first, months) - DAY)


@lru_cache(maxsize=16_384)
def calendar_span(day: date, months: int) -> Span:
    """The civil month (1), quarter (3), half-year (6) or year (12) that ``day`` falls in."""
    number = (day.month - 1) // months
    first = date(day.year, number * months + 1, 1)
    suffix = {12: "", 6: f"-S{number + 1}", 3: f"-Q{number + 1}", 1: f"-{first.month:02d}"}[months]
    return Span(f"{day.year}{suffix}", first, add_months(first, months) - DAY)
