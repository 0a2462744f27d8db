"""The blocks that recur in a convention file: grounds, periods, moments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError


class Block(BaseModel):
    """A block of a convention file: no unknown key, no converted type, no change after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=False)


NotStated = Literal["not_stated"]
Basis = Literal["stated", "interpreted", "hub_policy"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
EventName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*$", max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Positive = Annotated[int, Field(ge=1, le=1200)]  # of any unit: a century of months

FIRST_YEAR, LAST_YEAR = 1900, 2199  # of a date in a file or an event: arithmetic on it stays within the calendar

T = TypeVar("T")


def _stated_or_not(value: Any) -> str:
    return "not_stated" if isinstance(value, str) and value == "not_stated" else "stated"


OrNotStated = Annotated[
    Annotated[T, Tag("stated")] | Annotated[NotStated, Tag("not_stated")],
    Discriminator(_stated_or_not),
]


def broken(expected: str, got: str) -> PydanticCustomError:
    """A rule of the format that types cannot say: becomes ``expected …, got …`` at the line of the block."""
    return PydanticCustomError("rule", "{expected}|{got}", {"expected": expected, "got": got})


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise broken(f"a year from {FIRST_YEAR} to {LAST_YEAR}", "another")
    return day


Day = Annotated[date, AfterValidator(_in_range)]


class Bilingual(Block):
    """A title or a sentence in the two languages of the hub."""

    fr: Text
    en: Text


class Clause(Block):
    """Where the text says it: the article, and a few key words of it in its own language."""

    ref: Text
    words: Text | None = None


class Grounded(Block):
    """A block that carries a rule: what it rests on, and where."""

    basis: Basis
    clause: OrNotStated[Clause]

    @model_validator(mode="after")
    def _article_behind_the_text(self) -> Grounded:
        if self.basis != "hub_policy" and self.clause == "not_stated":
            raise broken(f"a clause, since the basis is {self.basis}", "not_stated")
        return self

    @property
    def article(self) -> str | None:
        """The reference of the clause, or None when the text is silent."""
        return None if isinstance(self.clause, str) else self.clause.ref


UNITS = ("years", "months", "days", "working_days", "hours")


class Period(Block):
    """A length of time in exactly one unit; months and years are civil (D3), hours are elapsed (D13)."""

    years: Annotated[int, Field(ge=1, le=100)] | None = None
    months: Positive | None = None
    days: Positive | None = None
    working_days: Positive | None = None
    hours: Positive | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Period:
        given = [unit for unit in UNITS if getattr(self, unit) is not None]
        if len(given) != 1:
            raise broken(f"one of {', '.join(UNITS)}", f"{len(given)} of them")
        return self

    @property
    def unit(self) -> str:
        return next(unit for unit in UNITS if getattr(self, unit) is not None)

    @property
    def count(self) -> int:
        return int(getattr(self, self.unit))

    @property
    def civil_months(self) -> int:
        """The period in months; the model lets only civil periods be durations of a term."""
        months = self.total_months
        if months is None:
            raise ValueError(f"a period in {self.unit} is not civil")
        return months

    @property
    def total_months(self) -> int | None:
        """The period in months when it is civil (years or months), else None."""
        if self.years is not None:
            return 12 * self.years
        return self.months


def _civil(period: Period) -> Period:
    if period.total_months is None:
        raise broken("a period in years or months", f"one in {period.unit}")
    return period


def _dated(period: Period) -> Period:
    if period.hours is not None:
        raise broken("a period that leads from a date to a date", "one in hours")
    return period


def _backward(period: Period) -> Period:
    if period.hours is not None or period.working_days is not None:
        raise broken("a period in years, months or days", f"one in {period.unit}")
    return period


CivilPeriod = Annotated[Period, AfterValidator(_civil)]
DatedPeriod = Annotated[Period, AfterValidator(_dated)]
BackwardPeriod = Annotated[Period, AfterValidator(_backward)]


class AfterEvent(Grounded):
    """``within`` after an event of the register; the day of the event does not count (D12, D13, D13b)."""

    kind: Literal["after_event"]
    event: EventName
    within: Period


class AfterPeriod(Grounded):
    """``within`` after the close of the calendar period that the data cover."""

    kind: Literal["after_period"]
    within: DatedPeriod


class BeforeEnd(Grounded):
    """``by`` before the last day of the term, counted backwards, clipped, without roll (D3, D6)."""

    kind: Literal["before_end"]
    by: BackwardPeriod


class AfterSignature(Grounded):
    """``within`` after the signature (D3)."""

    kind: Literal["after_signature"]
    within: DatedPeriod


class OnDate(Grounded):
    """On or before a date that the text gives, inclusive (D5)."""

    kind: Literal["on_date"]
    day: Day


Moment = Annotated[AfterEvent | AfterPeriod | BeforeEnd | AfterSignature | OnDate, Field(discriminator="kind")]
