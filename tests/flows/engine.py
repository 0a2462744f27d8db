"""A small engine for the flows: orders that succeed, are refused, or break in the worst way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from passerelle.errors import GateRefusedError, WorkspaceError

PLANNED = "ab" * 16
REFUSED = "bad0" * 4
LOCKED = "10c4" * 4
BROKEN = "dead" * 4


def _canaries() -> list[str]:
    return Path(os.environ["CANARIES"]).read_text("utf-8").splitlines()


def run_order(home: str | None, order_id: str) -> dict[str, Any]:
    """Succeed, or fail as the order says."""
    if order_id == REFUSED:
        raise GateRefusedError("the convention is not in force", reason="not_in_force", article="9")
    if order_id == LOCKED:
        raise WorkspaceError("the database is locked")
    if order_id == BROKEN:
        planted = _canaries()
        try:
            dict[str, str]()[planted[0]]
        except KeyError as error:
            raise ValueError(f"could not convert {planted}", {"row": planted}) from error
    return {
        "order_id": order_id,
        "run": "r-1",
        "home": home,
        "state": "delivered",
        "counts": {"read": 3},
        "secret": _canaries()[0],
    }


def daily_plan(home: str | None) -> list[dict[str, Any]]:
    """One order is due."""
    assert home is None
    return [{"order_id": PLANNED, "idempotency_key": f"2024-03-04.{PLANNED}", "convention": "csp-ft-2024"}]


def purge_due(home: str | None, *, confirm: bool) -> dict[str, Any]:
    """Nothing is due."""
    assert home is None
    return {"due": 0, "holdings": 0, "certificates": "", "confirmed": confirm}


def watch(home: str | None) -> list[dict[str, Any]]:
    """One certificate is missing."""
    assert home is None
    return [
        {
            "id": "al-1",
            "code": "purge_overdue",
            "convention": "csp-ft-2024",
            "due": "2024-05-31",
            "acknowledged_at": None,
        }
    ]
