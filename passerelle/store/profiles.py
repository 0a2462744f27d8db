"""Profiles of runs: kept, and found again for the file that is held against them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, select

from passerelle.clock import iso
from passerelle.store.run_search import bodies
from passerelle.store.runs import Run
from passerelle.store.tables import profile, run

SAME = 12  # periods named whose file measured the same


def keep(connection: Connection, of: Run, body: str, verdict: str, *, at: datetime) -> None:
    """Keep the profile of a run and the verdict on it."""
    connection.execute(
        insert(profile).values(
            run=of.id,
            convention=of.convention,
            exchange=of.exchange,
            period=of.period,
            contract=of.contract,
            body=body,
            content=content(body),
            verdict=verdict,
            at=iso(at),
        )
    )


def content(body: str) -> str:
    """The digest of what the file itself makes of its profile: not its period, nor the editions that the gateway has on file."""
    value = json.loads(body)
    columns = [{name: one for name, one in column.items() if name != "listing"} for column in value["columns"]]
    said = json.dumps([value["read"], value["rules"], columns], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def held_against(connection: Connection, of: Run, body: str, nearest: int) -> list[str]:
    """The profiles that the one of ``of``, ``body``, is held against, oldest first.

    They are the last of each of the ``nearest`` periods before its own (where there are fewer, of those after it too), and of
    the latest periods whose file measured the same, however long ago.
    """
    before = _periods(connection, of, profile.c.period < of.period, nearest)
    after = _periods(connection, of, profile.c.period > of.period, nearest - len(before), first=True)
    same = _periods(connection, of, and_(profile.c.content == content(body), profile.c.period != of.period), SAME)
    last = {
        row.period: row.run
        for row in connection.execute(
            _delivered(select(profile.c.period, profile.c.run), of)
            .where(profile.c.period.in_({*before, *after, *same}))
            .order_by(profile.c.at, profile.c.run)
        )
    }
    return bodies(connection, list(last.values()))


def _periods(
    connection: Connection, of: Run, which: ColumnElement[bool], limit: int, *, first: bool = False
) -> Sequence[str]:
    """At most ``limit`` of those periods: the last ones, or the first."""
    order = profile.c.period if first else profile.c.period.desc()
    query = _delivered(select(profile.c.period).distinct(), of).where(which)
    return connection.scalars(query.order_by(order).limit(limit)).all()


def _delivered(query: Select[Any], of: Run) -> Select[Any]:
    """The profiles of delivered runs of the exchange of ``of``, under its contract."""
    of_exchange = (profile.c.convention == of.convention, profile.c.exchange == of.exchange)
    return (
        query.join(run, run.c.id == profile.c.run)
        .where(*of_exchange, profile.c.contract == of.contract)
        .where(run.c.state == "delivered")
    )
