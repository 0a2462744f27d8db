"""Finding runs: by convention, exchange, state; by pages, the latest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, tuple_

from passerelle.store.runs import Run
from passerelle.store.tables import profile, run

_COLUMNS = [run.c[name] for name in Run.__slots__]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None: whatever."""

    convention: str | None = None
    exchange: str | None = None
    state: str | None = None


def profiled(connection: Connection) -> list[tuple[str, str, str]]:
    """Convention, exchange and contract of the delivered runs whose profiles are kept, the latest first."""
    query = (
        select(profile.c.convention, profile.c.exchange, profile.c.contract)
        .join(run, run.c.id == profile.c.run)
        .where(run.c.state == "delivered")
        .group_by(profile.c.convention, profile.c.exchange, profile.c.contract)
        .order_by(func.max(profile.c.at).desc(), profile.c.convention, profile.c.exchange, profile.c.contract)
    )
    return [(row.convention, row.exchange, row.contract) for row in connection.execute(query)]


def periods(connection: Connection, convention: str, exchange: str, contract: str) -> list[tuple[str, str]]:
    """Each period of ``exchange`` under ``contract`` with the run whose profile is its last; in order, but that of the latest run ends it."""
    query = (
        select(profile.c.period, profile.c.run)
        .join(run, run.c.id == profile.c.run)
        .where(profile.c.convention == convention, profile.c.exchange == exchange, profile.c.contract == contract)
        .where(run.c.state == "delivered")
        .order_by(profile.c.at, profile.c.run)
    )
    found = connection.execute(query).tuples().all()
    latest = dict(found)
    last = [found[-1]] if found else []
    return [(period, latest[period]) for period in sorted(latest.keys() - dict(last))] + last


def bodies(connection: Connection, chosen: Sequence[str]) -> list[str]:
    """The profiles of the runs ``chosen`` that are kept, in that order."""
    query = select(profile.c.run, profile.c.body).where(profile.c.run.in_(chosen))
    found = dict(connection.execute(query).tuples().all())
    return [found[each] for each in chosen if each in found]


def page(connection: Connection, search: Search, *, limit: int, after: str | None = None) -> list[Run]:
    """The latest ``limit`` runs, latest first; with ``after``, of those that started before that run. An unknown run: none."""
    query = select(*_COLUMNS).order_by(run.c.started_at.desc(), run.c.id.desc()).limit(limit)
    for name in ("convention", "exchange", "state"):
        if (value := getattr(search, name)) is not None:
            query = query.where(run.c[name] == value)
    if after is not None:
        started = connection.scalar(select(run.c.started_at).where(run.c.id == after))
        query = query.where(tuple_(run.c.started_at, run.c.id) < tuple_(literal(started or ""), literal(after)))
    return [
        Run(**{**dict(zip(Run.__slots__, row, strict=True)), "counts": json.loads(row.counts)})
        for row in connection.execute(query)
    ]
