"""What a purge is about: a convention, or a part of it; and of each copy in it, whether it may go now, and what keeps it.

A hold keeps the copies that it names and no others: the rest of the convention goes on its day (D15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Answer, Convention, Event, Words, destruction_deadline, holds, purge_allowed
from passerelle.convention.dates import local_day
from passerelle.convention.holds import Hold, What, meet
from passerelle.convention.periods import period_of
from passerelle.errors import UsageError
from passerelle.keys import ORDERS
from passerelle.shard import holds as has_tag
from passerelle.store import holdings, runs
from passerelle.store.holdings import WAITING, Holding
from passerelle.workspace import Workspace

OUTLIVES = "index"  # the person index outlives the purge, so that article 15 can still be answered (C-553/07)


@dataclass(frozen=True, slots=True)
class Scope:
    """A convention, or the part of it that is named; what is not named is not limited. ``convention`` alone is the whole."""

    convention: str
    exchange: str | None = None
    dataset: str | None = None
    period: str | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole convention."""
        return (self.exchange, self.dataset, self.period) == (None, None, None)

    def as_json(self) -> dict[str, str]:
        """As one JSON object; what is not named is left out."""
        named = {name: getattr(self, name) for name in ("convention", "exchange", "dataset", "period")}
        return {name: value for name, value in named.items() if value is not None}

    def has(self, what: What) -> bool:
        """Whether it has copies of that exchange, dataset and period."""
        named = all(one is None or one in what.names for one in (self.exchange, self.dataset))
        return named and (self.period is None or (what.period is not None and meet(self.period, what.period)))


@dataclass(frozen=True, slots=True)
class Ruling:
    """One copy in a scope: what the rules say of it today, and the hold that keeps it. It may stand for ``count`` alike."""

    copy: Holding
    what: What = field(repr=False)
    answer: Answer = field(repr=False)
    deadline: Answer = field(repr=False)
    hold: Hold | None = None
    count: int = 1

    @property
    def may_go(self) -> bool:
        """Whether it may be destroyed now."""
        return self.answer.status == "yes" and self.hold is None

    @property
    def reason(self) -> str:
        """Why it may go, or may not."""
        return self.hold.kind if self.hold is not None else self.answer.reason or self.answer.status


def scope_of(
    convention: Convention, *, exchange: str | None = None, dataset: str | None = None, period: str | None = None
) -> Scope:
    """The scope that somebody typed, once its words are known to be the convention's.

    Raises:
        UsageError: no such exchange or dataset, or a period that is none: nothing would be found, in silence.
    """
    exchanges = {one.id for one in convention.exchanges}
    datasets = {one.handling.contract for one in convention.exchanges if one.handling is not None}
    _insist(exchange, exchanges, "exchange", "échange")
    _insist(dataset, datasets | exchanges, "dataset", "jeu de données")
    if period is not None and period_of(period) is None:
        raise UsageError(
            "expected a period such as 2025, 2025-S1, 2025-Q2, 2025-05 or 2025-05-12",
            fr="il faut une période comme 2025, 2025-S1, 2025-Q2, 2025-05 ou 2025-05-12",
        )
    return Scope(convention.id, exchange, dataset, period)


def _insist(named: str | None, known: set[str], what: str, quoi: str) -> None:
    if named is not None and named not in known:
        said = ", ".join(sorted(known))
        raise UsageError(f"unknown {what}; expected one of {said}", fr=f"{quoi} inconnu ; ceux qui existent : {said}")


def copies_in(workspace: Workspace, connection: Connection, scope: Scope) -> list[Holding]:
    """Our copies in a scope that are present, but the person index."""
    return [copy for copy, _ in _described(workspace, connection, scope)]


def rulings(workspace: Workspace, connection: Connection, scope: Scope, more: tuple[Event, ...] = ()) -> list[Ruling]:
    """Of each of our copies in a scope: whether it may go now, and what keeps it; as if ``more`` were on record too."""
    convention = workspace.convention(scope.convention)
    history, now = (*workspace.history(connection, convention.id), *more), workspace.now()
    judge = _Judge(convention, history, now)
    return [
        Ruling(copy, what, *judge.of(what)) for copy, what in _described(workspace, connection, scope, judge.persons)
    ]


def ruled(workspace: Workspace, connection: Connection, scope: Scope) -> list[Ruling]:
    """As ``rulings``; where none of a whole convention may go, one that stands for all of an exchange and a kind.

    Only where no hold names a period or a person: then nothing tells the copies of an exchange apart.
    """
    convention = workspace.convention(scope.convention)
    judge = _Judge(convention, workspace.history(connection, convention.id), workspace.now())
    if not scope.whole or judge.tells_apart:
        return rulings(workspace, connection, scope)
    datasets = _datasets(convention)
    found = []
    for copy, count in holdings.firsts(connection, convention.id, but=OUTLIVES):
        what = What(_names(copy.exchange, datasets))
        found.append(Ruling(copy, what, *judge.of(what), count))
    return rulings(workspace, connection, scope) if any(one.may_go for one in found) else found


def kept_by_holds(workspace: Workspace, connection: Connection, conventions: Iterable[str]) -> dict[str, Words]:
    """Why holds keep the copies of each run, by run: what a letter to a person says of them."""
    known = set(workspace.convention_ids()) & set(conventions)
    every = (one for name in sorted(known) for one in rulings(workspace, connection, Scope(name)))
    return {one.copy.run: one.hold.words for one in every if one.hold is not None}


def held(found: Iterable[Ruling]) -> list[dict[str, Any]]:
    """What holds keep, by hold: its id, kind, and how many copies of each kind; for a plan and a certificate."""
    kept: dict[tuple[str, str, str], Counter[str]] = {}
    for one in found:
        if one.hold is not None:
            key = (one.hold.id or "", one.hold.kind, one.copy.exchange)
            kept.setdefault(key, Counter())[one.copy.kind] += one.count
    return [
        {"hold": hold or None, "kind": kind, "exchange": exchange, "copies": dict(sorted(count.items()))}
        for (hold, kind, exchange), count in sorted(kept.items())
    ]


class _Judge:
    """Answers once for all copies of which no hold and no declaration can tell the difference."""

    def __init__(self, convention: Convention, history: tuple[Event, ...], now: datetime) -> None:
        self._asked = (convention, history, now)
        self._holds, self._day = holds.all_of(history, convention.zone), local_day(now, convention.zone)
        self._by_period = any(one.period is not None for one in self._holds)
        self._known: dict[What, tuple[Answer, Answer, Hold | None]] = {}
        self.persons = frozenset(tag for one in self._holds for tag in one.persons)
        self.tells_apart = self._by_period or bool(self.persons)

    def of(self, what: What) -> tuple[Answer, Answer, Hold | None]:
        """Whether it may be purged, its deadline, and the hold that keeps it."""
        named = what if self._by_period else What(what.names, None, what.persons)
        if named not in self._known:
            convention, history, now = self._asked
            self._known[named] = (
                purge_allowed(convention, history, now, named),
                destruction_deadline(convention, history, now, named),
                holds.keeping(self._holds, named, self._day),
            )
        return self._known[named]


def _described(
    workspace: Workspace, connection: Connection, scope: Scope, persons: frozenset[str] = frozenset()
) -> list[tuple[Holding, What]]:
    """Our copies in a scope, each with what a hold may name of it; ``persons`` are the tags that are looked for."""
    convention = workspace.convention(scope.convention)
    datasets = _datasets(convention)
    periods = runs.periods(connection, convention.id)
    shards = {one.run: one for one in holdings.all_of(connection, convention.id, kind=OUTLIVES)} if persons else {}
    known: dict[tuple[str, str], What] = {}
    found = []
    for copy in holdings.present(connection, convention=convention.id, ours=True):
        if copy.kind == OUTLIVES:
            continue
        key = (copy.exchange, copy.run)
        if key not in known:
            names = _names(copy.exchange, datasets)
            known[key] = (
                What(
                    names, PurePosixPath(copy.location).parent.name, persons
                )  # whose a file is that nobody read is not known
                if copy.kind == WAITING
                else What(names, periods.get(copy.run), _persons(workspace, shards.get(copy.run), persons))
            )
        if scope.whole or scope.has(known[key]):
            found.append((copy, known[key]))
    return found


def _datasets(convention: Convention) -> dict[str, str]:
    """The dataset of each exchange that carries rows."""
    return {one.id: one.handling.contract for one in convention.exchanges if one.handling is not None}


def _names(exchange: str, datasets: Mapping[str, str]) -> frozenset[str]:
    return frozenset({exchange, datasets.get(exchange, exchange)})


def _persons(workspace: Workspace, shard: Holding | None, tags: frozenset[str]) -> frozenset[str]:
    """Which of ``tags`` the index of a run has: none where its files have no identifier, all where the index is gone."""
    if not tags or shard is None:
        return frozenset()
    path = workspace.path(shard.location)
    if not path.exists():
        return tags  # a hold rather keeps too much
    return frozenset(tag for tag in tags if has_tag(path, bytes.fromhex(tag)))


def destroy_keys(workspace: Workspace, convention_id: str, copies: Sequence[Holding]) -> int:
    """Destroy the keys of ``copies`` for ever, and wrap what is left under a new key; how many went. May be repeated.

    With them go the keys of copies that are gone already, and of the orders of their exchanges that none waits for. It takes
    as long as the convention has copies, whatever they hold.
    """
    known = workspace.keys.copy_keys(convention_id)  # before the register: what comes meanwhile is not among them
    with workspace.database.read() as connection:
        present = {copy.location for copy in holdings.present(connection, convention=convention_id)}
        waiting = runs.ordered(connection, convention_id)
    orders = {f"{ORDERS}{exchange}" for exchange in {copy.exchange for copy in copies} - waiting}
    stale = {name for name in known - present if not name.startswith(ORDERS)}
    return workspace.keys.forget(convention_id, frozenset({copy.location for copy in copies} | orders | stale))
