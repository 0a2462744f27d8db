"""How what a sender sends drifts over its periods: plots of aggregates, those of the checks' own page."""

from __future__ import annotations

import json
from collections.abc import Sequence

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from checks.plot import PERIODS, bars
from checks.suite import earlier
from passerelle.profile import Profile
from passerelle.store import run_search
from passerelle.workspace import Workspace
from portal.render import Text, number, share
from portal.web.visit import AbsentError, Visit
from portal.web.ways import ENGINEER, Way

COLUMNS = 12  # plotted at most: those whose share of empty values moved most


def drift(visit: Visit) -> Response:
    """The plots of one exchange: rows read, share rejected, empty values of the columns where that moved."""
    with visit.workspace.database.read() as connection:
        known = visit.remembered(connection, _profiled)
        chosen = visit.asked("exchange") or next(iter(known), "")
        if chosen and chosen not in known:
            raise AbsentError
        every = visit.remembered(connection, _periods, *known[chosen]) if chosen else []
        shown = _shown([period for period, _ in every], visit.asked("before"))
        bodies = run_search.bodies(connection, [run for _, run in every[shown]])
    with visit.workspace.database.begin() as connection:
        convention, exchange = known[chosen][:2] if chosen else (None, None)
        visit.log(connection, "deliveries_read", "profiles", convention=convention, exchange=exchange)
    profiles = [Profile.from_json(json.loads(body)) for body in bodies]
    return visit.page(
        "engineer/drift.html.jinja", choices=[(one, one) for one in known], chosen=chosen, periods=len(every),
        plots=plots(visit, profiles) if profiles else [], before=every[shown.start][0] if shown.start else None,
        latest=shown.stop == len(every),
    )  # fmt: skip


def _profiled(_: Workspace, connection: Connection) -> dict[str, tuple[str, str, str]]:
    return {
        f"{convention}/{exchange} {contract}": (convention, exchange, contract)
        for convention, exchange, contract in run_search.profiled(connection)
    }


def _periods(_: Workspace, connection: Connection, *exchange: str) -> list[tuple[str, str]]:
    return run_search.periods(connection, *exchange)


def _shown(periods: Sequence[str], before: str) -> slice:
    """The last periods that a plot has room for, or the last of those before the period ``before``."""
    if before and before not in periods[1:]:
        raise AbsentError
    end = periods.index(before) if before else len(periods)
    return slice(max(end - PERIODS - 1, 0), end)


def plots(visit: Visit, profiles: Sequence[Profile]) -> list[tuple[Text, Markup]]:
    """Each plot with its title; the last profile of each period, the latest one apart."""
    last = profiles[-1]
    before = earlier(last, profiles)
    titles = (Text("Lignes lues", "Rows read"), Text("Part de lignes rejetées", "Share of rows rejected"))
    drawn = [
        (titles[0], bars(last, before, _in(visit, titles[0]), lambda one: one.read, lambda value: number(value, visit.lang))),
        (titles[1], bars(last, before, _in(visit, titles[1]), lambda one: one.rejected_share, lambda value: share(value, visit.lang))),
    ]  # fmt: skip
    for name in moved([*before, last]):
        title = Text(f"Part de valeurs vides, {name}", f"Share of empty values, {name}")
        drawn.append((title, bars(last, before, _in(visit, title), lambda one, name=name: empty(one, name), lambda value: share(value, visit.lang))))  # type: ignore[misc]  # fmt: skip
    return drawn


def moved(profiles: Sequence[Profile]) -> list[str]:
    """The columns whose share of empty values is not the same in each period, those that moved most first."""
    spans = {}
    for column in profiles[-1].columns:
        shares = [empty(one, column.name) for one in profiles]
        if (span := max(shares) - min(shares)) > 0:
            spans[column.name] = span
    return sorted(spans, key=lambda name: (-spans[name], name))[:COLUMNS]


def empty(profile: Profile, name: str) -> float:
    """The share of empty values of a column; 0 where the profile has no such column."""
    return next((profile.share(column.nulls) for column in profile.columns if column.name == name), 0.0)


def _in(visit: Visit, title: Text) -> str:
    return str(getattr(title, visit.lang))


WAYS = (Way("drift", "/drift", drift, ENGINEER, logs="deliveries_read", navigates=("Dérive", "Drift")),)
