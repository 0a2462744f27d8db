"""The register of holdings, held against what the trail tells of each copy: none forgotten, moved, made up or marked as gone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, select, true

from passerelle.store.holdings import WAITING
from passerelle.store.tables import holding

_KEPT = frozenset({"convention", "exchange", "run", "parcel", "locks", "copies"})  # what is compared of an entry
LASTING = frozenset({"raw", "quarantine", "figures", "index"})  # of a run, beside its parcels: told with its end
TWO_LOCKS = 2

_NAMED = {
    "delivery_intent": ("intents", "delivery"),
    "delivered": ("delivered", "delivery"),
    "intake": ("taken_in", "run"),
    "run_failed": ("failed", "run"),
    "verdicts_returned": ("verdicts", "parcel"),
    "supersession_told": ("closed", "parcel"),
    "quarantine_expired": ("expired", "run"),
    "sending_received": ("sent", "sending"),
    "sending_destroyed": ("unsent", "sending"),
}
_ID = "[a-z0-9][a-z0-9._-]*"
_PLACES = {
    "raw": "holdings/{convention}/{run}/raw.age",
    "quarantine": "holdings/{convention}/{run}/quarantine.csv.age",
    "figures": "holdings/{convention}/{run}/figures.arrow.age",
    "index": "index/{convention}/{run}.tags",
}
_FORMS = {
    "staging": re.compile(rf"staging/{_ID}\.tar"),
    "release": re.compile(rf"releases/{_ID}\.key"),
    WAITING: re.compile(rf"inbox/{_ID}/{_ID}/[^/]+/{_ID}\.age"),
}


class Copy(NamedTuple):
    """What is compared of a copy."""

    run: str
    kind: str
    location: str
    convention: str
    exchange: str
    ours: bool
    destroyed_at: str | None

    @property
    def parcel(self) -> str:
        """The parcel that it is, or whose second lock it opens."""
        name = self.location.rpartition("/")[2]
        return name.rpartition(".")[0] or name

    @property
    def fits(self) -> bool:
        """Whether it lies where its kind lies: what a purge removes elsewhere is somebody else's, and the copy stays."""
        if self.kind in _PLACES:
            return self.location == _PLACES[self.kind].format(convention=self.convention, run=self.run)
        if self.kind in _FORMS:
            return _FORMS[self.kind].fullmatch(self.location) is not None
        path, _, name = self.location.rpartition("/")
        beside = self.ours and ".." in path.split("/")
        return name.endswith(".tar") and name != ".tar" and not beside and self.ours != self.location.startswith("/")


class _Expected(NamedTuple):
    """A copy that the trail tells of: ``explained`` where it tells of that one's destruction too."""

    kind: str
    own: str
    convention: str | None
    exchange: str | None
    found: Sequence[Copy]
    explained: bool = False

    @property
    def what(self) -> str:
        """The copy in words."""
        return f"{_WORDS[self.kind]} {self.own}"


@dataclass(slots=True)
class CopiesTold:
    """What the trail tells of copies, folded in its order."""

    KINDS: ClassVar[frozenset[str]] = frozenset({*_NAMED, "delivery_abandoned", "holding_destroyed", "keys_destroyed"})
    intents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    delivered: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by delivery
    taken_in: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by run
    failed: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # runs that kept copies all the same
    verdicts: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # by their parcel
    closed: dict[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # superseded parcels whose second lock is destroyed
    expired: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # runs whose quarantine is over
    sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # files received through the portal
    unsent: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # those destroyed since
    destroying: set[str] = field(default_factory=set)  # conventions of which copies were destroyed
    gone: Counter[tuple[str, str]] = field(default_factory=Counter)  # copies destroyed, by convention and kind
    untyped: Counter[str] = field(default_factory=Counter)  # by convention, where no kind is told

    def take(self, kind: str, body: Mapping[str, Any]) -> None:
        """Add one entry of ``KINDS``."""
        if kind in _NAMED:
            part, name = _NAMED[kind]
            getattr(self, part)[body[name]] = {key: body[key] for key in _KEPT & body.keys()}
        elif kind == "delivery_abandoned":
            self.intents.pop(body["delivery"], None)
        else:
            self._destruction(body)

    def _destruction(self, body: Mapping[str, Any]) -> None:
        convention = body["convention"]
        self.destroying.add(convention)
        by_kind = body.get("by_kind")
        if by_kind is None:
            self.untyped[convention] += body.get("holdings", 0)
            return
        for kind, count in by_kind.items():
            self.gone[convention, kind] += count


def compared(connection: Connection) -> list[Copy]:
    """The register, oldest first."""
    # true as a query takes it: what is neither true nor false would be shown, and never purged
    columns = [holding.c[name].is_(true()) if name == "ours" else holding.c[name] for name in Copy._fields]
    query = select(*columns).order_by(holding.c.id)
    return [Copy._make(row) for row in connection.execute(query).all()]


def faults(copies: Sequence[Copy], told: CopiesTold) -> Iterator[str]:
    """Rows of the register are never deleted: they are marked as destroyed, and the trail tells of each destruction."""
    wanting: Counter[tuple[str, str]] = Counter()
    for one in _expected(copies, told):
        if len(one.found) == 1 and one.found[0].destroyed_at is None and _same(one.found[0], one):
            continue  # as nearly all are
        present = [copy for copy in one.found if copy.destroyed_at is None]
        said = present or one.found
        if not said:
            yield f"holding: the {one.what} recorded in the trail is missing"
        elif not any(_same(copy, one) for copy in said):
            yield f"holding: the {one.what} is of another convention or exchange in the trail"
        elif not present and not one.explained:
            if said[0].convention in told.destroying:
                wanting[said[0].convention, one.kind] += 1
            else:
                yield f"holding: the {one.what} is marked as destroyed, and the trail tells of no destruction"
    yield from _too_many(wanting, told)
    for copy in copies:
        if copy.destroyed_at is None and (fault := _untold(copy, told)):
            yield fault


def _same(copy: Copy, one: _Expected) -> bool:
    return one.convention in {None, copy.convention} and one.exchange in {None, copy.exchange}


def _too_many(wanting: Counter[tuple[str, str]], told: CopiesTold) -> Iterator[str]:
    """A destruction that is told explains as many rows as it says, of the kinds it says, and no more."""
    left = Counter(told.untyped)
    for (convention, kind), count in sorted(wanting.items()):
        more = count - told.gone[convention, kind]
        if more > left[convention]:
            yield (
                f"holding: {count} copies of {convention} ({kind}) are marked as destroyed, "
                f"and the trail tells of {count - more + left[convention]}"
            )
        left[convention] -= min(max(more, 0), left[convention])


def _untold(copy: Copy, told: CopiesTold) -> str | None:
    """What is wrong with a row that says that a copy is there."""
    if not copy.fits or copy.ours == copy.location.startswith("/"):
        return f"holding: a {copy.kind} of {copy.run} is said to lie where none lies"
    if copy.kind == "parcel" and copy.parcel not in told.delivered:
        return f"holding: the parcel {copy.parcel} is not recorded in the trail"
    if copy.kind == "verdicts" and copy.parcel not in told.verdicts:
        return f"holding: the verdicts {copy.parcel} are not recorded in the trail"
    if copy.kind == "release" and copy.parcel in told.closed:
        return f"holding: the second lock of {copy.parcel} is destroyed in the trail, and not in the tables"
    if copy.kind == "quarantine" and copy.run in told.expired:
        return f"holding: the quarantine of run {copy.run} is destroyed in the trail, and not in the tables"
    return None


def _expected(copies: Sequence[Copy], told: CopiesTold) -> Iterator[_Expected]:
    found: dict[str, dict[str, list[Copy]]] = {kind: {} for kind in _WORDS}
    for copy in copies:
        own = copy.run if copy.kind in LASTING or copy.kind == WAITING else copy.parcel
        found.setdefault(copy.kind, {}).setdefault(own, []).append(copy)

    def copy_of(kind: str, own: str, body: Mapping[str, Any], *, explained: bool = False) -> _Expected:
        return _Expected(kind, own, body.get("convention"), body.get("exchange"), found[kind].get(own, ()), explained)

    for name, body in told.delivered.items():
        intent = {**told.intents.get(name, {}), **body}
        yield copy_of("parcel", body.get("parcel", name), intent)
        if intent.get("locks") == TWO_LOCKS:
            yield copy_of("release", name, intent, explained=name in told.closed)
    for run, ended in _ended(told):
        for kind in sorted(LASTING & ended["copies"].keys()):
            yield copy_of(kind, run, ended, explained=kind == "quarantine" and run in told.expired)
    for name, body in told.verdicts.items():
        yield copy_of("verdicts", name, body)
    for name, body in told.sent.items():
        purged = name in told.unsent or body["convention"] in told.destroying
        yield copy_of(WAITING, name, body, explained=purged)


_WORDS = {
    "raw": "raw copy of run", "quarantine": "quarantine of run", "figures": "figures of run", "index": "person index of run",
    "parcel": "parcel", "release": "second lock of", "verdicts": "verdicts", WAITING: "file",
}  # fmt: skip


def _ended(told: CopiesTold) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The runs that delivered, or kept something when they failed, with the kinds of copies that the trail tells of each."""
    runs: dict[str, dict[str, Any]] = {run: dict(body) for run, body in told.failed.items() if "copies" in body}
    for name, body in told.delivered.items():
        if "run" in body:
            intent = told.intents.get(name, {})
            raw = {"raw": 1} if body["run"] in told.taken_in else {}
            runs[body["run"]] = {**body, "copies": {**raw, **intent.get("copies", {})}}
    yield from runs.items()
