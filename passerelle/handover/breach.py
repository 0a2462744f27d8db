"""The scope of a breach (GDPR art. 33, 34): what left, to whom, of how many persons, and what of it can still be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from passerelle.contract import Column, PersonClass
from passerelle.convention.due import rights
from passerelle.errors import UsageError
from passerelle.handover.keyreport import gists, sealed_to, second_locks
from passerelle.parcel import Gist
from passerelle.receipt.recording import reconcile
from passerelle.store import holdings, partners, runs
from passerelle.store.runs import Sent
from passerelle.workspace import Workspace

ColumnsOf = Callable[[str], Sequence[Column]]


@dataclass(frozen=True, slots=True)
class Touched:
    """One delivery in the scope. ``second_lock`` as in the report on a key: none, held, handed or destroyed."""

    parcel: str
    convention: str
    exchange: str
    period: str
    recipient: str
    delivered_at: str
    rows: int
    personal: bool
    second_lock: str
    opened_at: str | None
    receipted_at: str | None
    superseded_by: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a breach may have touched. ``persons_at_most`` is the smaller of the rows and of the distinct tags in the index."""

    deliveries: tuple[Touched, ...]
    columns: Mapping[str, tuple[str, ...]]
    persons_at_most: int
    unindexed: int

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"deliveries": [asdict(one) for one in self.deliveries], **self.figures()}

    def figures(self) -> dict[str, Any]:
        """What is said of the deliveries together."""
        return {
            "counts": {
                "deliveries": len(self.deliveries),
                "rows": sum(one.rows for one in self.deliveries),
                "persons_at_most": self.persons_at_most,
                "deliveries_without_index": self.unindexed,
            },
            "recipients": sorted({one.recipient for one in self.deliveries}),
            "conventions": sorted({one.convention for one in self.deliveries}),
            "columns": {name: list(found) for name, found in self.columns.items()},
            "still_openable": sum(one.second_lock in {"none", "handed"} for one in self.deliveries),
        }


def scope(
    workspace: Workspace,
    connection: Connection,
    columns_of: ColumnsOf,
    *,
    key: str | None = None,
    partner: str | None = None,
    convention: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Scope:
    """The deliveries that a lost key, a partner or a span of time touches; all that is given must agree.

    Raises:
        UsageError: nothing is given, or no such key, partner or convention.
    """
    if key is None and partner is None and convention is None and since is None:
        raise UsageError(
            "expected what the breach touched",
            hint="--key FINGERPRINT, --partner PARTY, --convention ID, --since and --until",
            fr="il faut dire ce que la violation a touché",
            hint_fr="--key EMPREINTE, --partner PARTIE, --convention ID, --since et --until",
        )
    if partner is not None and partners.find(connection, partner) is None:
        raise UsageError("unknown partner", hint="passerelle partner list", fr="partenaire inconnu", hint_fr="passerelle partner list")  # fmt: skip
    if convention is not None:
        workspace.convention(convention)
    asked = {"recipient": partner, "convention": convention}
    given = {name: value for name, value in asked.items() if value is not None}
    kept = [one for one in runs.sent(connection, state="delivered", **given) if _between(one, since, until)]
    manifests = gists(connection, kept)
    if key is not None:
        kept = sealed_to(connection, partners.key_by(connection, key), kept, manifests)
    personal = {pair: _personal(workspace, *pair) for pair in {(one.convention, one.exchange) for one in kept}}
    persons, unindexed = _persons(
        workspace, connection, [one for one in kept if personal[one.convention, one.exchange]]
    )
    return Scope(
        _touched(workspace, connection, kept, manifests, personal),
        _columns(workspace, kept, manifests, columns_of),
        persons,
        unindexed,
    )


def _between(one: Sent, since: datetime | None, until: datetime | None) -> bool:
    at = datetime.fromisoformat(one.delivered_at or one.intent_at)
    return (since is None or at >= since) and (until is None or at < until)


def _personal(workspace: Workspace, convention: str, exchange: str) -> bool:
    known = workspace.convention(convention).exchange(exchange)
    return known is None or known.persons != "none"


def _touched(
    workspace: Workspace,
    connection: Connection,
    kept: Sequence[Sent],
    manifests: Mapping[str, Gist],
    personal: Mapping[tuple[str, str], bool],
) -> tuple[Touched, ...]:
    standing = {one.parcel: one for one in reconcile(workspace, connection)} if kept else {}
    seconds = second_locks(workspace, connection, kept, manifests, standing)
    return tuple(
        Touched(
            one.id, one.convention, one.exchange, one.period, one.recipient, one.delivered_at or "", one.rows,
            personal[one.convention, one.exchange], seconds[one.id], standing[one.id].opened_at, standing[one.id].receipted_at,
            standing[one.id].superseded_by,
        )
        for one in kept
    )  # fmt: skip


def _columns(
    workspace: Workspace, kept: Sequence[Sent], manifests: Mapping[str, Gist], columns_of: ColumnsOf
) -> dict[str, tuple[str, ...]]:
    """The columns that left, by how much they say of a person."""
    found: dict[str, set[str]] = {one.value: set() for one in PersonClass if one is not PersonClass.NONE}
    for convention, exchange in {(one.convention, one.exchange) for one in kept}:
        known = workspace.convention(convention).exchange(exchange)
        if known is None or known.handling is None:
            continue
        own = [one.id for one in kept if (one.convention, one.exchange) == (convention, exchange)]
        left = _left(own, manifests, known.handling.columns)
        for column in columns_of(known.handling.contract):
            if column.name in left and column.person is not PersonClass.NONE:
                found[column.person.value].add(column.name)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def _left(own: Sequence[str], manifests: Mapping[str, Gist], allowed: Sequence[str]) -> set[str]:
    """What the manifests say that left; what the convention allows where a purge took a manifest."""
    every = frozenset(allowed)
    return set().union(*{manifests[one].columns if one in manifests else every for one in own})


def _persons(workspace: Workspace, connection: Connection, personal: Sequence[Sent]) -> tuple[int, int]:
    """How many persons at most, and how many deliveries have no index to count them by."""
    by_run = {one.run: one.rows for one in personal}
    shards = {run: location for run, location in holdings.places(connection, "index") if run in by_run}
    tags: list[Any] = []
    counted = rows = 0
    for run, number in by_run.items():
        path = workspace.path(shards[run]) if run in shards else None
        if path is not None and path.exists():
            tags.append(np.fromfile(path, ">u8"))
            counted += number
        else:
            rows += number
    distinct = len(np.unique(np.concatenate(tags))) if tags else 0
    missing = sum(one.run not in shards for one in personal)
    return min(distinct, counted) + rows, missing


def breaches(workspace: Workspace, connection: Connection) -> list[dict[str, Any]]:
    """The breaches on record, each with its clock of 72 elapsed hours, the last known first."""
    found = []
    for name in workspace.convention_ids():
        zone = workspace.convention(name).zone
        history = workspace.history(connection, name)
        done = {one.says("id") for one in history if one.type == "obligation_done"}
        for event in history:
            at = event.instant("at", "received_at")
            if event.type != "breach_known" or at is None:
                continue
            clock = rights((event,), zone)
            due = clock.value
            assert isinstance(due, datetime)  # noqa: S101 - the clock of a breach is an instant
            left = (due - workspace.now()).total_seconds() / 3600
            notified = event.says("id") is not None and event.says("id") in done
            state = "notified" if notified else "late" if left < 0 else "open"
            found.append({"convention": name, "breach": event.says("id"), "known_at": at.isoformat(), "due": due.isoformat(), "hours_left": None if notified else round(left, 1), "state": state, "article": clock.article})  # fmt: skip
    return sorted(found, key=lambda one: str(one["known_at"]), reverse=True)
