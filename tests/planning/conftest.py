"""The five conventions and what may be known of them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from passerelle.convention import Convention, Event, load_folder
from passerelle.planning import Delivery, Item, Known, plan

CSP, PACA, FACE, GEIQ, OCE = (
    "csp-ft-2024", "paca-pe-2016", "face-pe-2014", "geiq-amilaura-2024", "oce-ge-charter",
)  # fmt: skip
SIGNED = {"e": "signed", "on": "2016-03-31"}
SIGNED_OCE = {"e": "signed", "on": "2025-02-03"}


@pytest.fixture(scope="session")
def conventions(root: Path) -> dict[str, Convention]:
    """The conventions that the project ships, by id."""
    return load_folder(root / "conventions")


def known(convention: Convention, *rows: dict[str, Any], deliveries: tuple[Delivery, ...] = ()) -> Known:
    """What is known of a convention: events in the writing of the register, and deliveries."""
    return Known(convention, tuple(Event.from_json(row) for row in rows), deliveries)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def planned(what: Known, start: str, end: str, now: str) -> list[Item]:
    """The plan from one day to another at an instant."""
    return plan(what, date.fromisoformat(start), date.fromisoformat(end), at(now))


def lines(items: list[Item], *kinds: str) -> list[tuple[str, str | None, str | None, str]]:
    """Date, subject, period and state of the items of some kinds."""
    return [(one.day.isoformat(), one.subject, one.period, one.state) for one in items if one.kind in kinds]
