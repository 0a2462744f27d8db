"""Finding runs: by convention, exchange, state; by pages, the latest first."""

from __future__ import annotations

import json
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
