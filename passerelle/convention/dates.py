"""Civil dates: months from an anchor (D3), working days (D12), French dates (D1). No clock, no zone but the one given."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from passerelle.convention.blocks import Period
from passerelle.convention.model import Convention

FR_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
EN_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


@lru_cache(maxsize=16_384)
def add_months(anchor: date, months: int) -> date:
    """``anchor`` plus ``months`` (or minus), from quantième to quantième, clipped to the last day of the month (D3)."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def last_day(anchor: date, months: int, *, inclusive: bool = False) -> date:
    """The last day of a duration of ``months`` from ``anchor``: the eve of the anniversary, or the clipped day itself (D4).

    With ``inclusive``, the anniversary: the reading of those who count from quantième to quantième.
    """
    anniversary = add_months(anchor, months)
    return anniversary if inclusive or anniversary.day != anchor.day else anniversary - DAY


class WorkingCalendar(NamedTuple):
    """A country's public holidays and a working week."""

    country: str
    subdivision: str | None
    week: frozenset[int]

    @property
    def name(self) -> str:
        return self.country if self.subdivision is None else f"{self.country}-{self.subdivision}"

    def is_open(self, day: date) -> bool:
        return day.weekday() in self.week and day not in _holidays(self.country, self.subdivision, day.year)

    def add(self, day: date, count: int) -> date:
        """The ``count``-th working day after ``day``, which itself does not count (D12)."""
        while count:
            day += DAY
            count -= self.is_open(day)
        return day

    def on_or_before(self, day: date) -> date:
        while not self.is_open(day):
            day -= DAY
        return day

    def on_or_after(self, day: date) -> date:
        while not self.is_open(day):
            day += DAY
        return day


PARIS = ZoneInfo("Europe/Paris")
FRANCE = WorkingCalendar("FR", None, frozenset(range(5)))


def calendar_of(convention: Convention | None) -> WorkingCalendar:
    """The calendar of a convention; France, Monday to Friday, when there is none."""
    if convention is None:
        return FRANCE
    days = convention.working_days
    subdivision = None if days.subdivision == "not_stated" else days.subdivision
    return WorkingCalendar(days.country, subdivision, frozenset(_WEEK.index(day) for day in days.week))


@lru_cache(maxsize=1024)
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    from holidays import country_holidays

    return frozenset(country_holidays(country, subdiv=subdivision, years=year))


@lru_cache(maxsize=1)
def holidays_version() -> str:
    """The version of the holiday tables, written beside every date counted with them."""
    from importlib.metadata import version

    return f"holidays {version('holidays')}"


def shift(anchor: date, period: Period, calendar: WorkingCalendar, sign: int = 1) -> date:
    """``anchor`` plus (or, with sign -1, minus) a period that is not in hours."""
    months = period.total_months
    if months is not None:
        return add_months(anchor, sign * months)
    if period.days is not None:
        return anchor + sign * period.days * DAY
    if period.working_days is not None and sign > 0:
        return calendar.add(anchor, period.working_days)
    raise ValueError(f"a period in {period.unit} has no date from a date")


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The civil date of an instant in the convention's zone (D1)."""
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """00:00 of ``day`` in the zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def after_hours(instant: datetime, hours: int, zone: ZoneInfo) -> datetime:
    """``hours`` of elapsed time after ``instant`` (D13), shown in the zone."""
    return (instant.astimezone(UTC) + timedelta(hours=hours)).astimezone(zone)


_NUMERIC = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_WORDS = re.compile(r"([0-9]{1,2})(?:er)?\s+([a-zéèûôA-ZÉÈÛÔ]+)\.?\s+([0-9]{4})")
_MONTH_NUMBERS = {name: number for names in (FR_MONTHS, EN_MONTHS) for number, name in enumerate(names, 1)}
_MONTH_NUMBERS |= {"fevrier": 2, "aout": 8, "decembre": 12}
_MONTH_NUMBERS = {name.lower(): number for name, number in _MONTH_NUMBERS.items()}


def parse_date(text: str) -> date | None:
    """The date that a French text prints: day first (D1), in figures or in words; None when it is not one date."""
    found = {day for day in (_from_match(text, pattern) for pattern in (_ISO, _NUMERIC, _WORDS)) if day is not None}
    return found.pop() if len(found) == 1 else None


def _from_match(text: str, pattern: re.Pattern[str]) -> date | None:
    match = pattern.search(text)
    if match is None or len(pattern.findall(text)) > 1:
        return None
    first, second, third = match.groups()
    year, month, day = (first, second, third) if pattern is _ISO else (third, second, first)
    number = _MONTH_NUMBERS.get(month.lower(), 0) if pattern is _WORDS else int(month)
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None


def fr(day: date) -> str:
    """A date as a French administration writes it."""
    return f"{'1er' if day.day == 1 else day.day} {FR_MONTHS[day.month - 1]} {day.year}"


def en(day: date) -> str:
    return f"{day.day} {EN_MONTHS[day.month - 1]} {day.year}"


_FR_UNITS = {"years": "an", "months": "mois", "days": "jour", "working_days": "jour ouvré", "hours": "heure"}
_EN_UNITS = {"years": "year", "months": "month", "days": "day", "working_days": "working day", "hours": "hour"}


def fr_months(months: int) -> str:
    """A number of months as people say it: in years when it is whole years."""
    years, rest = divmod(months, 12)
    return f"{months} mois" if rest else f"{years} an{'s' if years > 1 else ''}"


def en_months(months: int) -> str:
    years, rest = divmod(months, 12)
    number, unit = (months, "month") if rest else (years, "year")
    return f"{number} {unit}{'s' if number > 1 else ''}"


def fr_period(period: Period) -> str:
    unit = _FR_UNITS[period.unit]
    if period.count > 1 and unit != "mois":
        unit = "jours ouvrés" if unit == "jour ouvré" else f"{unit}s"
    return f"{period.count} {unit}"


def en_period(period: Period) -> str:
    return f"{period.count} {_EN_UNITS[period.unit]}{'s' if period.count > 1 else ''}"
