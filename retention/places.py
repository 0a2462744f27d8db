"""Every place read again after a purge, by another way than the one that deletes: the disk is walked, the tables are searched.

Nothing here trusts the register of holdings: whose a file is, is told by its name, by the trail and by the tables of runs. What
is looked for stands in the golden list (``retention/golden.json``).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, or_, select

from passerelle.store import flow_orders, partners
from passerelle.store.tables import metadata
from passerelle.trail.entry import KINDS
from passerelle.trail.tables import metadata as trail_metadata
from passerelle.workspace import Workspace
from retention.golden import Classified, TableKept, classify, golden
from retention.prefect_records import found_in_file

COPIES = (
    "holdings",
    "index",
    "inbox",
    "outbox",
    "releases",
    "reports",
    "staging",
)  # a file unknown here may hold anything
WORDS = re.compile(r"[./]+")
EMPTY = (b"", "", "{}")
MAX_IDS = 100  # told of one place

PrefectLeft = Callable[[frozenset[str]], Mapping[str, int]]  # by orders: how many records a server has, by table


@dataclass(frozen=True, slots=True)
class Left:
    """What is still there: ``place`` (``disk``, ``table``, ``prefect``, ``partner``, ``temporary``), kind, count, and ids.

    ``ids`` are those of runs and parcels, at most ``MAX_IDS``: no name of a file, which may name a person.
    """

    place: str
    kind: str
    count: int
    ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {"place": self.place, "kind": self.kind, "count": self.count, "ids": list(self.ids)}


@dataclass(slots=True)
class _Names:
    """The ids of what ought to be gone, and those of what lives on."""

    convention: str
    whole: bool
    ours: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def owns(self, path: str, found: Classified | None) -> bool:
        """Whether a file is of what ought to be gone; so is one of a run that nobody knows."""
        words = set(WORDS.split(path))
        if words & self.ours or (self.whole and self.convention in words):
            return True
        if found is None or not found.kind.goes or not self.whole:
            return False
        named = {name for name in (found.run, found.parcel) if name}
        return bool(named) and not named & self.others


def left_of(
    workspace: Workspace,
    convention: str,
    *,
    runs: frozenset[str] | None = None,
    exchanges: Sequence[str | None] = (None,),
    prefect: PrefectLeft | None = None,
) -> tuple[Left, ...]:
    """What is left of a convention, or of some of its runs, in every place; empty when the certificate may be written.

    Args:
        workspace: the gateway.
        convention: whose copies ought to be gone.
        runs: the runs of a partial purge; by default all of the convention's, and what goes with the whole convention.
        exchanges: those whose orders Prefect ought to have forgotten; None stands for all of them.
        prefect: counts what a Prefect server other than the embedded one still has.
    """
    with workspace.database.read() as connection:
        names = _names(workspace, connection, convention, runs)
        orders = frozenset[str]().union(*(flow_orders.orders_of(connection, convention, one) for one in exchanges))
        left = [*_in_tables(connection, convention, runs)]
        folders = [Path(one.folder) for one in partners.partners(connection) if one.folder]
    left += _on_disk(workspace.home, names)
    left += _half_handed(folders, names)
    left += _temporary(names)
    if orders:
        left += [
            Left("prefect", table, count)
            for source in (lambda ids: found_in_file(workspace.home / "prefect" / "prefect.db", ids), prefect)
            if source is not None
            for table, count in sorted(source(orders).items())
            if count
        ]
    return tuple(left)


def _names(workspace: Workspace, connection: Connection, convention: str, runs: frozenset[str] | None) -> _Names:
    """Ids by what the trail and the tables of runs tell, both: one of them may have been cut."""
    names = _Names(convention, runs is None)
    kinds = frozenset(
        kind for kind, about in KINDS.items() if "convention" in about.types and {"run", "parcel"} & about.types.keys()
    )
    told = [dict(found.entry.body) for found in workspace.ledger.of_kinds(connection, kinds)]
    for name in ("run", "delivery", "reply", "holding"):
        table = metadata.tables[name]
        query = select(*(table.c[column] for column in ("id", "run", "convention", "parcel") if column in table.c))
        for row in connection.execute(query).mappings():
            known = dict(row)
            if name in {"run", "delivery"}:
                known["run" if name == "run" else "parcel"] = known["id"]
            known.pop("id", None)
            told.append(known)
    for one in told:
        ids = {one[name] for name in ("run", "parcel") if one.get(name)}
        theirs = one.get("convention") == convention and (runs is None or one.get("run") in runs)
        (names.ours if theirs else names.others).update(ids)
    names.others -= names.ours
    return names


def _on_disk(home: Path, names: _Names) -> Iterator[Left]:
    """Every file of the workspace whose name leads to what ought to be gone, and every file that no list knows."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in _files(home):
        relative = path.relative_to(home).as_posix()
        known = classify(relative)
        if known is not None and not known.kind.goes:
            continue
        if known is None and relative.partition("/")[0] in COPIES and not set(WORDS.split(relative)) & names.others:
            found["unlisted"].append("")
        elif names.owns(relative, known):
            kind = known.kind.kind if known else "unlisted"
            found[kind].append((known.parcel or known.run or "") if known else "")
    for kind, ids in sorted(found.items()):
        yield Left("disk", kind, len(ids), tuple(sorted(filter(None, ids)))[:MAX_IDS])


def _files(folder: Path) -> Iterator[Path]:
    for where, _, files in os.walk(folder):
        yield from (Path(where) / name for name in files)


def _half_handed(folders: list[Path], names: _Names) -> Iterator[Left]:
    """Parcels half written in a partner's folder: they never were the partner's."""
    halves = [path.name for folder in folders if folder.is_dir() for path in folder.glob(".*.part")]
    ids = sorted({word for name in halves for word in WORDS.split(name) if word in names.ours})
    if ids:
        yield Left("partner", "half-parcel", len(ids), tuple(ids[:MAX_IDS]))


def _temporary(names: _Names) -> Iterator[Left]:
    """Files of ours in the machine's temporary folder that bear an id of what ought to be gone."""
    count = sum(
        names.owns(path.name, None)
        for folder in Path(tempfile.gettempdir()).glob("passerelle-*")
        for path in _files(folder)
    )
    if count:
        yield Left("temporary", "file", count)


def _in_tables(connection: Connection, convention: str, runs: frozenset[str] | None) -> Iterator[Left]:
    """Rows that a purge takes out, or whose columns it empties, and that are not gone or not empty."""
    for kept in golden().tables:
        table = _table(kept.name)
        if table is None or kept.purged_by is None or (runs is not None and "run" not in table.c):
            continue
        query = select(func.count()).select_from(table).where(table.c[kept.purged_by] == convention)
        if kept.cleared:
            query = query.where(or_(*(_filled(table, name) for name in kept.cleared)))
        if runs is not None:
            query = query.where(table.c.run.in_(sorted(runs)))
        count = connection.scalar(query) or 0
        if count:
            yield Left("table", kept.name, int(count))


def _filled(table: Table, name: str) -> Any:
    column = table.c[name]
    empty = [value for value in EMPTY if isinstance(value, column.type.python_type)]
    return column.is_not(None) & column.not_in(empty)


def _table(name: str) -> Table | None:
    every: tuple[MetaData, ...] = (metadata, trail_metadata)
    return next((one.tables[name] for one in every if name in one.tables), None)


__all__ = ["Left", "PrefectLeft", "TableKept", "left_of"]
