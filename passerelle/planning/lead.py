"""How long before a day people are reminded of it: the hub's own rule, in one short place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from passerelle.convention.blocks import Period
from passerelle.convention.dates import DAY, WorkingCalendar, en, fr, holidays_version
from passerelle.convention.values import Words

LONGEST = 30  # days: how far beyond its last day a plan looks for reminders
_CADENCES = {"month": 7, "quarter": 14, "semester": 30, "year": 30}  # days
SHORT_DELAY = 15  # days; below, the last working day before


@dataclass(frozen=True, slots=True)
class Lead:
    """So many days before; none means the last working day before."""

    days: int | None = None

    def day(self, due: date, calendar: WorkingCalendar) -> date:
        return calendar.on_or_before(due - DAY) if self.days is None else due - self.days * DAY

    def arithmetic(self, due: date, calendar: WorkingCalendar) -> Words:
        day = self.day(due, calendar)
        if self.days is None:
            tables = f"({calendar.name}, {holidays_version()})"
            return Words(
                f"échéance du {fr(due)} ; jour ouvré précédent : {fr(day)} {tables}",
                f"due on {en(due)}; working day before: {en(day)} {tables}",
            )
        return Words(
            f"échéance du {fr(due)} - {self.days} jours = {fr(day)}", f"due on {en(due)} - {self.days} days = {en(day)}"
        )


def lead_of_cadence(per: str) -> Lead | None:
    """For what comes back every month or more seldom; nobody is reminded every day."""
    days = _CADENCES.get(per)
    return None if days is None else Lead(days)


def lead_of_delay(within: Period) -> Lead | None:
    """For an answer owed after an event: the working day before, a week before a long delay, nothing for hours."""
    if within.hours is not None:
        return None
    months = within.total_months
    short = months is None and (within.working_days is not None or within.count < SHORT_DELAY)
    return Lead() if short else Lead(_CADENCES["month"])
