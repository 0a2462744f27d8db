"""One exchange under way: who, what, with which keys, and how far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.convention import Convention, Decision, Exchange
from passerelle.convention.dates import local_day
from passerelle.disclosure import Thresholds
from passerelle.handover.decide import Parties
from passerelle.handover.order import Order, Progress, Tools, sending_at
from passerelle.handover.tally import Tally
from passerelle.keys import KeySet
from passerelle.parcel import FreeTextNote
from passerelle.profile import Finding
from passerelle.store import holdings, runs, sendings
from passerelle.store.holdings import Holding
from passerelle.store.runs import Run
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase
from passerelle.workspace.told_copies import LASTING

PERSONAL = frozenset({"personal", "special_category"})


@dataclass(frozen=True, slots=True)
class Published:
    """A table about to leave, and the deliveries that it was judged beside."""

    table: pa.Table
    thresholds: Thresholds
    beside: frozenset[str]


@dataclass(slots=True)
class Job:
    """What the eight steps share; ``day`` is the one that rows are judged as of."""

    workspace: Workspace
    order: Order
    tools: Tools
    convention: Convention
    exchange: Exchange
    parties: Parties
    decision: Decision
    keys: KeySet
    run: str
    day: date
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    counts: dict[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    free_text: tuple[FreeTextNote, ...] = ()
    dialect: str = ""
    content: str = ""
    published: Published | None = None  # a table of outcomes, as it is about to leave
    unmet: tuple[Finding, ...] = ()  # checks of the whole file that failed, warnings among them
    closes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by recipient, the parcels to be superseded

    @property
    def personal(self) -> bool:
        """Whether the rows say anything of persons: then there are two locks, and the purge reaches every copy."""
        return is_personal(self.exchange)

    @property
    def contract(self) -> str:
        """The contract and its version, as the exactly-once key writes them."""
        return f"{self.tools.contract.id}@{self.tools.contract.version}"

    @property
    def named(self) -> dict[str, Any]:
        """What the trail calls the exchange."""
        return {"convention": self.order.convention, "exchange": self.order.exchange}

    def parcel_id(self, recipient: str) -> str:
        """The id of the one parcel for (convention, exchange, period, contract version, content, recipient).

        Each parcel is sent again once: the id of the new one follows from the earlier one's. After an erasure the same file
        gives another extract (GDPR art. 17): its parcel is the one that supersedes the first, once.
        Keyed, so that whoever holds a candidate file cannot test it against the trail.
        """
        o = self.order
        key = [o.convention, o.exchange, o.period, self.contract, self.content, recipient]
        if o.resends is not None:
            key = ["resends", o.resends]
        elif o.supersedes is not None and o.reason == "erasure":
            key += ["erasure", o.supersedes]
        return f"p-{self.keys.commit(canonical(key))[:24]}"

    def reach(self, step: int, rows: int = 0) -> None:
        """Tell that a step begins."""
        self.progress(step, rows)

    def note(self, step: int, kind: str, body: dict[str, Any]) -> None:
        """Write that a step is done, in the table of runs and in the trail at once."""
        with self.workspace.database.begin() as connection:
            runs.advance(connection, self.run, step, self.counts)
            self.workspace.append(connection, kind, {"run": self.run, **body})

    def register(self, kind: str, location: str) -> Path:
        """Register a copy that is about to be written, and make its folder."""
        with self.workspace.database.begin() as connection:
            holdings.register(
                connection,
                convention=self.order.convention,
                exchange=self.order.exchange,
                run=self.run,
                kind=kind,
                location=location,
                personal=self.personal,
                at=self.workspace.now(),
            )
        path = self.workspace.path(location)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path


def is_personal(exchange: Exchange) -> bool:
    """Whether an exchange is about persons, by its data class or by the persons it names."""
    return exchange.data_class in PERSONAL or exchange.persons != "none"


def open_run(workspace: Workspace, order: Order, sender: str, contract: str) -> Run:
    """Open the run of an order."""
    new = Run(
        f"r-{uuid4().hex[:16]}", order.convention, order.exchange, order.period, sender, contract, "running", 1, {}, None,
        started_at=iso(workspace.now()), ended_at=None,
    )  # fmt: skip
    with workspace.database.begin() as connection:
        runs.start(connection, new)
        if (sending := sending_at(workspace, order.source)) is not None:
            sendings.taken(connection, sending, new.id)
    return new


def day_of(run: Run, convention: Convention) -> date:
    """The civil day on which a run began, where the convention is."""
    return local_day(datetime.fromisoformat(run.started_at), convention.zone)


def erase_copy(workspace: Workspace, copy: Holding, by: Callable[[Path], None] = erase) -> None:
    """Remove the file of a registered copy, and what bore a temporary name until it was whole."""
    path = workspace.path(copy.location)
    by(path)
    for name in (f"{path.name}.part", f".{path.name}.part"):
        erase(path.with_name(name))


def close_run(
    workspace: Workspace,
    run: str,
    state: str,
    reason: str | None,
    *,
    keep: frozenset[str],
    told: tuple[str, dict[str, Any]] | None = None,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Close a run: its copies but the kinds in ``keep`` are removed first, so that a killed closing is done again.

    The second lock's key is kept for parcels that were delivered only. ``told`` is the kind and body of the entry that the
    trail keeps of the end; a delivered run needs none, its deliveries are told.
    """
    with workspace.database.read() as connection:
        copies = [copy for copy in holdings.present(connection, run=run) if copy.ours]
        handed = {release_location(one.id) for one in runs.deliveries(connection, run=run, state="delivered")}
    gone = [c for c in copies if c.kind not in keep or (c.kind == "release" and c.location not in handed)]
    for copy in gone:
        erase_copy(workspace, copy)
    for half in (workspace.home / "reports").glob(f".*.{run}.*part"):
        erase(half)
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [copy.id for copy in gone], at=workspace.now())
        for path in (workspace.path(copy.location) for copy in copies if copy not in gone):
            if path.exists():
                holdings.weigh(connection, workspace.location(path), path.stat().st_size)
        if runs.end(connection, run, state, at=workspace.now(), reason=reason, counts=counts) and told:
            kept = {"copies": lasting(copy for copy in copies if copy not in gone)} if told[0] == "run_failed" else {}
            workspace.append(connection, told[0], {"run": run, **told[1], **kept})


def lasting(copies: Iterable[Holding]) -> dict[str, int] | None:
    """How many copies of each kind a run keeps beside its parcels, as the trail tells it; None where it keeps none."""
    return dict(Counter(copy.kind for copy in copies if copy.kind in LASTING)) or None


def staged_at(parcel: str) -> str:
    """Where a parcel is made."""
    return f"staging/{parcel}.tar"


def release_location(parcel: str) -> str:
    """Where the second lock's key of a parcel is kept, wrapped under the convention's key set."""
    return f"releases/{parcel}.key"
