"""How long a convention lasts, and what ends it: the blocks ``term``, ``termination`` and ``amendments``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from passerelle.convention.blocks import (
    BackwardPeriod,
    Block,
    CivilPeriod,
    DatedPeriod,
    Day,
    EventName,
    Grounded,
    Identifier,
    OrNotStated,
    Positive,
    Text,
    broken,
)

Form = Literal["registered_letter_ar", "email", "any", "not_stated"]


class Start(Grounded):
    """When the convention takes effect (D2)."""

    rule: Literal["on_signature", "on_date", "not_stated"]
    day: Day | None = None

    @model_validator(mode="after")
    def _date_when_ruled(self) -> Start:
        if (self.rule == "on_date") != (self.day is not None):
            raise broken("a day if the rule is on_date, and only then", f"the rule {self.rule}")
        return self


class OptOut(Grounded):
    """How a party prevents the tacit renewal (D7)."""

    at_least: BackwardPeriod
    counts: Literal["receipt", "sending"]
    other_reading: Literal["receipt", "sending"] | None = None
    form: Form


class NoRenewal(Grounded):
    kind: Literal["none", "not_stated"]


class TacitRenewal(Grounded):
    kind: Literal["tacit"]
    period: CivilPeriod
    max_times: OrNotStated[Positive]
    opt_out: OptOut


class ExpressRenewal(Grounded):
    """Renewed by a decision recorded before the end; ``based_on`` is what the decision must name (D17)."""

    kind: Literal["express"]
    period: CivilPeriod
    based_on: OrNotStated[Identifier]


Renewal = Annotated[NoRenewal | TacitRenewal | ExpressRenewal, Field(discriminator="kind")]
LastDay = Literal["eve_of_anniversary", "anniversary_inclusive"]


class FixedEnd(Grounded):
    """Until a date that the text gives, inclusive to 24:00 (D5)."""

    kind: Literal["fixed_end"]
    starts: Start
    last_day: Day
    renewal: Renewal


class FixedDuration(Grounded):
    """For a duration; ``last_day`` is the rule that blocks, ``other_reading`` the one a party may defend (D4)."""

    kind: Literal["fixed_duration"]
    starts: Start
    duration: CivilPeriod
    last_day: LastDay
    other_reading: LastDay | None = None
    renewal: Renewal


class NoFixedTerm(Grounded):
    """Open-ended by the text, or a text that does not say when it ends."""

    kind: Literal["open_ended", "not_stated"]
    starts: Start
    renewal: NoRenewal


Term = Annotated[FixedEnd | FixedDuration | NoFixedTerm, Field(discriminator="kind")]


class LetterDate(Block):
    """At the letter's date, but not before ``not_before`` from receipt; that day is the first day out (D8)."""

    rule: Literal["letter_date"]
    not_before: DatedPeriod


class EndOfNotice(Block):
    """At the end of a notice; its last day is the last day in (D9)."""

    rule: Literal["end_of_notice"]
    notice: DatedPeriod
    counted_from: Literal["sending", "receipt"]


class AtOnce(Block):
    """At the instant of receipt; the whole day when only the date is known (D10b)."""

    rule: Literal["at_once"]


class Termination(Grounded):
    """One way to end the convention before its term."""

    id: Identifier
    events: Annotated[tuple[EventName, ...], Field(min_length=1)]
    form: Form
    effect: Annotated[LetterDate | EndOfNotice | AtOnce, Field(discriminator="rule")]
    reasons_from: Identifier | None = None


class Approval(Block):
    party: Identifier
    body: Text


class Amendments(Grounded):
    """What makes an amendment complete; it counts only if complete before the end (D17)."""

    form: Text
    approvals: tuple[Approval, ...] = ()
