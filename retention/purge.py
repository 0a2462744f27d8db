"""Make a convention's data go: idempotent stages, their state in the database, the certificate last.

Keys go first: from then on every copy is shut, wherever it is, and what follows frees places and clears names. What cannot be
removed stops nothing else: it is noted, told by every status, tried again by every run, and there is no certificate until it
is gone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.errors import OurWayError, RefusedError, WorkspaceError
from passerelle.handover.job import erase_copy
from passerelle.handover.recover import recover
from passerelle.handover.witnesses import insist_on_witnesses
from passerelle.keys import CERTIFICATE_NAMESPACE
from passerelle.parcel import sign
from passerelle.store import holdings, objections, purge_left, purges, replies, runs
from passerelle.store.holdings import Holding
from passerelle.store.purge_left import Stuck
from passerelle.store.purges import Purge
from passerelle.trail.tables import count_of_kind
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from passerelle.workspace.files import erase
from retention.approving import insist_on_approval
from retention.certificate import certificate
from retention.clock import insist_on_clock
from retention.places import PrefectLeft, left_of
from retention.plan import Plan, plan, plan_sha256
from retention.scope import Scope, destroy_keys

BATCH = 500  # copies told in one trail entry
CLEARED = frozenset({"report", "prefect", "database"})  # what the stage of rows may leave behind

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prefect:
    """How Prefect is made to forget a convention's orders, and how many records of theirs a server still has, by table."""

    erase: Callable[[Workspace, str], Mapping[str, int]]
    left: PrefectLeft


def _quiet(_stage: str) -> None:
    """Report to nobody."""


def purge(
    workspace: Workspace,
    convention_id: str,
    told: Told = _quiet,
    *,
    scope: Scope | None = None,
    prefect: Prefect | None = None,
    by: str = "",
) -> Purge:
    """Destroy what is held under a convention, or in a part of it; what a hold keeps stays, and its keys with it.

        1. Plan, ask for the plan's approval, and write the plan down.
        2. Destroy the convention's keys, or the keys of these copies.
        3. Remove every copy of the plan, and what waits in the inbox.
        4. Remove what the tables and Prefect kept of its runs, and clear the database's files.
        5. Rotate the root key, so that a restored backup opens nothing of it.
        6. Try once more what could not be removed, and read every place again.
        7. Write the certificate, last.

    Raises:
        RefusedError: the deadline has not come, or a reading is disputed, or nothing is held.
        OurWayError: something could not be destroyed; all the rest was, and the purge resumes when run again.
    """
    with ExitStack() as locks:
        locks.enter_context(workspace.lock(f"{convention_id}.purge"))
        for exchange in workspace.convention(convention_id).exchanges:
            locks.enter_context(workspace.lock(f"{convention_id}.{exchange.id}"))  # no exchange begins meanwhile
        _end_open_runs(workspace, convention_id)
        one = _Purging(workspace, _open(workspace, scope or Scope(convention_id), by), prefect)
        for stage, act in (
            ("keys", one.destroy_keys),
            ("files", one.remove_copies),
            ("rows", one.clear_tables),
            ("rotated", one.rotate_root),
        ):
            told(stage)
            if not one.current.reached(stage):
                act()
                one.current = _one(workspace, one.current.id)
        told("done")
        return one.certify()


def _end_open_runs(workspace: Workspace, convention_id: str) -> None:
    """Finish or remove what interrupted runs left: no intent may wait for keys that are about to go."""
    with workspace.database.read() as connection:
        open_runs = runs.runs(connection, convention=convention_id, state="running")
    for exchange in sorted({run.exchange for run in open_runs}):
        recover(workspace, convention_id, exchange)


def _one(workspace: Workspace, purge_id: str) -> Purge:
    with workspace.database.read() as connection:
        return purges.purges(connection, id=purge_id)[0]


def _open(workspace: Workspace, scope: Scope, by: str) -> Purge:
    with workspace.database.begin() as connection:
        insist_on_clock(workspace, connection)
        known = purges.purges(connection, convention=scope.convention)
        if known and known[-1].state != "done":
            return _resumed(workspace, connection, known[-1], by)
        verify_tables(workspace.ledger, connection)
        planned = plan(workspace, connection, scope.convention, scope)
        _insist(planned)
        if not planned.copies:
            raise _nothing_held(scope.convention)
        insist_on_approval(workspace, connection, planned, by)
        insist_on_witnesses(workspace, connection, scope.convention)
        purge_id = f"{scope.convention}.{len(known) + 1}"
        purges.open_purge(connection, purge_id, scope.convention, _written(planned), at=workspace.now())
        workspace.append(connection, "purge_started", _told_of(planned, purge_id))
    return _one(workspace, purge_id)


def _resumed(workspace: Workspace, connection: Connection, current: Purge, by: str) -> Purge:
    """A purge that was interrupted; while nothing of it is gone it is planned anew: a hold may have come (D15)."""
    if current.state != "started" or _shut(workspace, connection, current):
        return current
    planned = plan(workspace, connection, current.convention, Scope(**current.plan["scope"]))
    _insist(planned)
    if not planned.copies:
        raise _nothing_held(current.convention)
    if _written(planned) == current.plan:
        return current
    insist_on_approval(workspace, connection, planned, by)
    purges.replan(connection, current.id, _written(planned))
    workspace.append(connection, "purge_planned", _told_of(planned, current.id))
    return purges.purges(connection, id=current.id)[0]


def _shut(workspace: Workspace, connection: Connection, current: Purge) -> bool:
    """Whether the keys of a purge are gone already."""
    if current.plan["whole"]:
        return current.convention in workspace.keys.destroyed()
    names = {copy.location for copy in _planned(connection, current)}
    return not names & workspace.keys.copy_keys(current.convention)


def _planned(connection: Connection, current: Purge) -> list[Holding]:
    """The copies of a purge's plan, those that are gone too."""
    ids = frozenset(current.plan["ids"])
    return [copy for copy in holdings.all_of(connection, current.convention) if copy.id in ids]


def _written(planned: Plan) -> dict[str, Any]:
    """The plan as it is kept: with the numbers of its copies."""
    return {**planned.as_json(), "ids": [copy.id for copy in planned.copies]}


def _told_of(planned: Plan, purge_id: str) -> dict[str, Any]:
    return {
        "convention": planned.convention,
        "purge": purge_id,
        "plan_sha256": plan_sha256(planned),
        "holdings": len(planned.copies),
        "reason": planned.reason,
    }


def _insist(planned: Plan) -> None:
    if not planned.allowed:
        raise RefusedError(
            f"the purge of {planned.convention} may not run: {planned.reason} ({planned.deadline.arithmetic.en})",
            hint="passerelle purge plan shows the deadline and its arithmetic",
            fr=f"la destruction de {planned.convention} ne peut pas avoir lieu : {planned.reason} "
            f"({planned.deadline.arithmetic.fr})",
            hint_fr="passerelle purge plan donne l'échéance et son calcul",
        )


def _nothing_held(convention_id: str) -> RefusedError:
    return RefusedError(
        f"nothing is held under {convention_id}",
        hint="passerelle purge plan",
        fr=f"rien n'est détenu au titre de {convention_id}",
    )


def _waiting(workspace: Workspace, convention: str) -> list[Path]:
    """Files that senders laid in the inbox of a convention and that were never taken in."""
    return [path for path in (workspace.home / "inbox" / convention).rglob("*") if not path.is_dir()]


@dataclass(slots=True)
class _Purging:
    """One purge under way: each stage may be done again, and notes what it could not take away."""

    workspace: Workspace
    current: Purge
    prefect: Prefect | None

    @property
    def whole(self) -> bool:
        """Whether nothing of the convention stays."""
        return bool(self.current.plan["whole"])

    def destroy_keys(self) -> None:
        """The convention's keys where all of it goes; else the keys of the copies that go, the others wrapped anew."""
        if self.whole:
            self.workspace.keys.destroy(self.current.convention)
        else:
            with self.workspace.database.read() as connection:
                copies = _planned(connection, self.current)
            destroy_keys(self.workspace, self.current.convention, copies)
        with self.workspace.database.begin() as connection:
            purges.stage(connection, self.current.id, "keys")
            if self.whole:
                body = {"convention": self.current.convention, "purge": self.current.id}
                self.workspace.append(connection, "keys_destroyed", body)

    def remove_copies(self) -> None:
        stuck = self._erase()
        with self.workspace.database.begin() as connection:
            self._note(connection, stuck)
            purges.stage(connection, self.current.id, "files")

    def _erase(self) -> list[Stuck]:
        """Remove what the register says is there, and what waits in the inbox; what does not go."""
        convention = self.current.convention
        waiting = sum(not _gone(path) for path in _waiting(self.workspace, convention)) if self.whole else 0
        stuck = [Stuck("inbox", "", waiting)] if waiting else []
        with self.workspace.database.read() as connection:
            copies = [copy for copy in _planned(connection, self.current) if copy.destroyed_at is None]
        for start in range(0, len(copies), BATCH):
            batch = copies[start : start + BATCH]
            removed = {copy.id: self._removed(copy) for copy in batch}
            stuck += [Stuck(copy.kind, f"h-{copy.id}", 1) for copy in batch if not removed[copy.id]]
            if any(removed.values()):
                self._tell([copy for copy in batch if removed[copy.id]])
        return stuck

    def _removed(self, copy: Holding) -> bool:
        try:
            erase_copy(self.workspace, copy)
        except OSError:
            return False
        return True

    def _tell(self, gone: list[Holding]) -> None:
        body = {
            "convention": self.current.convention,
            "purge": self.current.id,
            "holdings": len(gone),
            "bytes": sum(copy.bytes or 0 for copy in gone),
            "by_kind": dict(Counter(copy.kind for copy in gone)),
        }
        with self.workspace.database.begin() as connection:
            holdings.destroyed(connection, [copy.id for copy in gone], at=self.workspace.now())
            self.workspace.append(connection, "holding_destroyed", body)

    def clear_tables(self) -> None:
        with self.workspace.database.begin() as connection:
            if self.whole:
                runs.clear(connection, self.current.convention)
                replies.clear(connection, self.current.convention)
                objections.clear(connection, self.current.convention)
            else:
                purges.clear_runs(connection, self._runs(connection))
        stuck = self._clear()
        with self.workspace.database.begin() as connection:
            before = [one for one in purge_left.stuck(connection, self.current.id) if one.kind not in CLEARED]
            self._note(connection, [*before, *stuck])
            purges.stage(connection, self.current.id, "rows")

    def _runs(self, connection: Connection) -> frozenset[str]:
        """The runs of a part of a convention; all copies of a run go together."""
        return frozenset(copy.run for copy in _planned(connection, self.current))

    def _clear(self) -> list[Stuck]:
        """Remove what reports, Prefect and the database's files still have; what does not go."""
        counts = Counter[str]()
        names = [f"{self.current.convention}.*", f".{self.current.convention}.*"]
        if not self.whole:
            with self.workspace.database.read() as connection:
                names = [f"*.{run}.*" for run in self._runs(connection)]
        for name in names:
            counts["report"] += sum(not _gone(report) for report in (self.workspace.home / "reports").glob(name))
        try:
            if self.prefect is not None and self.whole:
                self.prefect.erase(self.workspace, self.current.convention)
        except OurWayError:
            counts["prefect"] = 1
        try:
            self.workspace.database.scrub()
        except WorkspaceError:
            counts["database"] = 1
        return [Stuck(kind, "", count) for kind, count in counts.items() if count]

    def rotate_root(self) -> None:
        """Rotate, unless a purge that was killed did and could not tell: the trail counts every generation."""
        keys = self.workspace.keys
        with self.workspace.database.read() as connection:
            told = count_of_kind(connection, "root_rotated")
        generation = keys.generation if keys.generation > told + 1 else keys.rotate_root()
        with self.workspace.database.begin() as connection:
            purges.stage(connection, self.current.id, "rotated")
            self.workspace.append(connection, "root_rotated", {"generation": generation, "purge": self.current.id})

    def certify(self) -> Purge:
        """Try again what is left, read every place again by another way, and only then write the certificate."""
        self._try_again()
        self._read_again()
        workspace, current = self.workspace, self.current
        with workspace.database.begin() as connection:
            register = holdings.all_of(connection, current.convention)
            body = canonical(certificate(workspace, connection, current, register))
            signature = sign(body, workspace.keys.signing_key, namespace=CERTIFICATE_NAMESPACE)
            purges.certify(connection, current.id, body.decode(), signature.decode(), at=workspace.now())
            entry = {
                "convention": current.convention,
                "purge": current.id,
                "certificate_sha256": hashlib.sha256(body).hexdigest(),
            }
            workspace.append(connection, "purge_certificate", entry)
            workspace.ledger.checkpoint(connection, workspace.now())
        return _one(workspace, current.id)

    def _try_again(self) -> None:
        with self.workspace.database.read() as connection:
            known = purge_left.stuck(connection, self.current.id)
        if not known:
            return
        stuck = self._erase()
        if any(one.kind in CLEARED for one in known):
            stuck += self._clear()
        with self.workspace.database.begin() as connection:
            self._note(connection, stuck)
        if stuck:
            raise _is_stuck(self.current.convention, stuck)

    def _note(self, connection: Connection, stuck: list[Stuck]) -> None:
        if purge_left.replace(connection, self.current.id, stuck, at=self.workspace.now()) and stuck:
            body = {
                "convention": self.current.convention,
                "purge": self.current.id,
                "left": sum(one.count for one in stuck),
            }
            self.workspace.append(connection, "purge_stuck", body)

    def _read_again(self) -> None:
        """Nothing of the convention may be left anywhere, and its keys may not open."""
        with self.workspace.database.read() as connection:
            gone = None if self.whole else self._runs(connection)
            shut = _shut(self.workspace, connection, self.current)
        prefect = None if self.prefect is None else self.prefect.left
        found = left_of(self.workspace, self.current.convention, runs=gone, prefect=prefect)
        if found:
            count, kinds = sum(one.count for one in found), ", ".join(sorted({one.kind for one in found}))
            raise OurWayError(
                f"{count} copies are still there after the purge ({kinds})",
                hint="run the purge again; passerelle purge status says what is left",
                fr=f"{count} copies sont encore là après la destruction ({kinds})",
                hint_fr="relancez la destruction ; passerelle purge status dit ce qui reste",
            )
        if not shut:
            raise OurWayError("the convention's keys still open after the purge", hint="run the purge again")


def _gone(path: Path) -> bool:
    try:
        erase(path)
    except OSError:
        return False
    return True


def _is_stuck(convention: str, stuck: list[Stuck]) -> OurWayError:
    count = sum(one.count for one in stuck)
    kinds = ", ".join(sorted({one.kind for one in stuck}))
    return OurWayError(
        f"{count} files of {convention} could not be removed; their keys are destroyed ({kinds})",
        hint="make the workspace's folders writable, then run the purge again; passerelle purge status lists what is left",
        fr=f"{count} fichiers de {convention} n'ont pas pu être supprimés ; leurs clés sont détruites ({kinds})",
        hint_fr="rendez les dossiers de l'espace de travail modifiables, puis relancez la destruction ; "
        "passerelle purge status donne ce qui reste",
    )
