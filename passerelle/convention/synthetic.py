"""Questions that rest on no convention: plain calendar arithmetic, and the GDPR's own delays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from passerelle.convention import dates, due, lineage, record
from passerelle.convention.dates import DAY, FRANCE, PARIS
from passerelle.convention.event import Event, day_of, known
from passerelle.convention.term import Window, window
from passerelle.errors import UsageError

MAX_NUMBER = 1200  # years, months or days: dates stay within the calendar
TWO_MONTHS = 2  # the hub's default for every convention (D11)
Args = Mapping[str, Any]


def answer(events: tuple[Event, ...], question: str, as_of: datetime | None, args: Args) -> Any:
    """Answer a question about bare dates.

    Raises:
        UsageError: the question needs a convention, or a date that is not given.
    """
    if question == "due":
        value = due.rights(known(events, as_of), PARIS).value
        return (
            {"instant" if isinstance(value, datetime) else "date": value.isoformat()}
            if isinstance(value, date)
            else None
        )
    if question in ("purge_plan", "purge_state"):
        return (lineage.purge_plan if question == "purge_plan" else lineage.purge_state)(known(events, as_of))
    if question == "can_run" and as_of is not None:
        block = record.clock_behind(None, events, as_of, None)
        return {"decision": "allow"} if block is None else {"decision": "block", "reason": block.reason}
    if question == "optout_window":
        found = window(_last_day(args), _number(args, "notice_months"))
        return {"safe": found.safe.isoformat(), "last_valid": found.last_valid.isoformat()}
    if question == "optout_timely":
        return _timely(known(events, as_of), window(_last_day(args), _number(args, "notice_months")))
    if question == "optout_deadline":
        return window(_last_day(args), _number(args, "notice_months")).safe.isoformat()
    if question == "last_day_in_force":
        return _last_day(args).isoformat()
    if question == "in_force" and as_of is not None:
        day = dates.local_day(as_of, PARIS)
        return "yes" if _day(args, "start") <= day <= _last_day(args) else "no"
    if question in ("destruction_deadline", "internal_purge_target"):
        deadline = dates.add_months(_last_day(args), TWO_MONTHS)
        return (deadline if question == "destruction_deadline" else FRANCE.on_or_before(deadline)).isoformat()
    raise UsageError("expected a question about dates alone, got one that needs a convention")


def add(args: Args) -> dict[str, str]:
    """``from`` plus years and months (one step from the anchor, D3), then days."""
    months = 12 * _number(args, "years", 0) + _number(args, "months", 0)
    return {"date": (dates.add_months(_day(args, "from"), months) + _number(args, "days", 0) * DAY).isoformat()}


def _timely(events: tuple[Event, ...], found: Window) -> str | None:
    """Whether the first denunciation received is in time (D7); None without one."""
    received = (event.day("received_on", "on", zone=PARIS) for event in events if event.type == "denounced")
    day = min((day for day in received if day is not None), default=None)
    if day is None:
        return None
    if day > found.last_valid:
        return "late"
    return "timely" if day <= found.safe else "disputed"


def _last_day(args: Args) -> date:
    """The stated end, or the last day of a duration from ``start`` (D4)."""
    for name in ("ended_on", "last_day", "end_on", "end"):
        if name in args:
            return _day(args, name)
    return dates.last_day(_day(args, "start"), 12 * _number(args, "years", 0) + _number(args, "months", 0))


def _day(args: Args, name: str) -> date:
    return day_of(args.get(name), name, "the arguments")


def _number(args: Args, name: str, default: int | None = None) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_NUMBER:
        raise UsageError(f"expected a whole number in '{name}' of the arguments, got something else")
    return value
