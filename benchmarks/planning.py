"""Measure the planner: many conventions planned for sixty days, and five years of the shipped ones rehearsed day by day.

    python benchmarks/planning.py [CONVENTIONS]        default: 5000, of ten exchanges each

One process, no database: the planner is pure. The conventions are made from a shipped one, signed on 900 different days; half of
their exchanges are monthly, three quarterly, two yearly.
"""

from __future__ import annotations

import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from passerelle.convention import Convention, Event, load_folder
from passerelle.planning import Known, plan, rehearse

ROOT = Path(__file__).resolve().parent.parent
EXCHANGES, DAYS = 10, 60
PLANNED_IN, REHEARSED_IN = 5.0, 20.0  # seconds
NOW = datetime(2026, 9, 1, 6, tzinfo=ZoneInfo("Europe/Paris"))
EVERY = ("month",) * 5 + ("quarter",) * 3 + ("year",) * 2
LIVES = {
    "csp-ft-2024": (date(2024, 1, 1), ()),
    "face-pe-2014": (date(2014, 1, 1), ()),
    "geiq-amilaura-2024": (date(2024, 6, 1), ()),
    "oce-ge-charter": (date(2024, 6, 1), (Event("signed", {"on": "2025-02-03"}),)),
    "paca-pe-2016": (date(2016, 1, 1), (Event("signed", {"on": "2016-03-31"}),)),
}


def made(base: Convention, number: int) -> Known:
    """A convention of ten exchanges, monthly, quarterly and yearly, signed on a day of its own, with some of its life on record."""
    signed = date(2024, 1, 1) + timedelta(days=number % 900)
    exchange = next(one for one in base.exchanges if one.id == "communication-material")
    trigger = exchange.trigger.model_copy(update={"kind": "on_schedule", "event": None})
    exchanges = tuple(
        exchange.model_copy(update={"id": f"exchange-{index}", "trigger": trigger.model_copy(update={"every": every})})
        for index, every in enumerate(EVERY)
    )
    parts = {
        "id": f"convention-{number}",
        "exchanges": exchanges,
        "signature": base.signature.model_copy(update={"signed_on": signed}),
    }
    convention = base.model_copy(update=parts)
    convention.model_post_init(None)
    held = Event("meeting_held", {"id": "clep", "on": (signed + timedelta(days=90)).isoformat()})
    return Known(convention, (held,))


def planned(base: Convention, count: int) -> None:
    """Plan every convention for sixty days, with the gate's answer for what is due."""
    known = [made(base, number) for number in range(count)]
    start = NOW.date()
    began, items, answered = time.perf_counter(), 0, 0
    for one in known:
        found = plan(one, start, start + timedelta(days=DAYS), NOW)
        items += len(found)
        answered += sum(item.gate is not None for item in found)
    seconds = time.perf_counter() - began
    print(f"\n{count:,} conventions × {EXCHANGES} exchanges planned for {DAYS} days")
    print(
        f"  {seconds:8.2f} s   {items:>9,} items, {answered:,} with the gate's answer   (aim: under {PLANNED_IN:.0f} s)"
    )


def rehearsed(conventions: dict[str, Convention]) -> None:
    """Play five years of each shipped convention, every day."""
    began, changes = time.perf_counter(), 0
    for name, (start, events) in LIVES.items():
        changes += sum(1 for _ in rehearse(conventions[name], events, start, start.replace(year=start.year + 5)))
    seconds = time.perf_counter() - began
    print(f"\n{len(LIVES)} conventions rehearsed for five years, day by day")
    print(f"  {seconds:8.2f} s   {changes:>9,} changes   (aim: under {REHEARSED_IN:.0f} s)")


def main() -> None:
    """Run both."""
    conventions = load_folder(ROOT / "conventions")
    planned(conventions["csp-ft-2024"], int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    rehearsed(conventions)


if __name__ == "__main__":
    main()
