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

from sqlalchemy import Connection

from passerelle.canonical import canonical
from passerelle.errors import OurWayError, WorkspaceError
from passerelle.handover.job import erase_copy
from passerelle.keys import CERTIFICATE_NAMESPACE
from passerelle.parcel import sign
from passerelle.store import holdings, objections, purge_left, purges, replies, runs
from passerelle.store.holdings import Holding
from passerelle.store.purge_left import Stuck
from passerelle.store.purges import Purge
from passerelle.trail.tables import count_of_kind
from passerelle.workspace import Workspace
from passerelle.workspace.files import erase
from passerelle.workspace.freeing import Freeing
from retention import attestations
from retention.certificate import certificate
from retention.opening import end_open_runs, open_purge, planned_copies, purge_of, shut
from retention.parts import ended_exchanges, waiting
from retention.places import Left, PrefectLeft, left_of
from retention.scope import Scope, destroy_keys

BATCH = 500  # copies told in one trail entry
CLEARED = frozenset({"report", "prefect", "database"})  # what the stage of rows may leave behind

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prefect:
    """How Prefect is made to forget the orders of a convention or of one exchange; how many records a server still has, by table."""

    erase: Callable[[Workspace, str, str | None], Mapping[str, int]]
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
        2. Ask the recipients of what goes to destroy it too, and to attest it.
        3. Destroy the convention's keys, or the keys of these copies.
        4. Remove every copy of the plan, and what waits in the inbox.
        5. Remove what the tables and Prefect kept of its runs, and clear the database's files.
        6. Rotate the root key, so that a restored backup opens nothing of it.
        7. Try once more what could not be removed, and read every place again.
        8. Write the certificate, last.

    Raises:
        RefusedError: the deadline has not come, or a reading is disputed, or nothing is held.
        OurWayError: something could not be destroyed; all the rest was, and the purge resumes when run again.
    """
    with ExitStack() as locks:
        locks.enter_context(workspace.lock(f"{convention_id}.purge"))
        for exchange in workspace.convention(convention_id).exchanges:
            locks.enter_context(workspace.lock(f"{convention_id}.{exchange.id}"))  # no exchange begins meanwhile
        end_open_runs(workspace, convention_id)
        freeing = locks.enter_context(Freeing())
        one = _Purging(workspace, open_purge(workspace, scope or Scope(convention_id), by), prefect, freeing)
        if not one.current.reached("keys"):
            told("notify")
            one.notify()
        for stage, act in (
            ("keys", one.destroy_keys),
            ("files", one.remove_copies),
            ("rows", one.clear_tables),
            ("rotated", one.rotate_root),
        ):
            told(stage)
            if not one.current.reached(stage):
                act()
                one.current = purge_of(workspace, one.current.id)
        told("done")
        return one.certify()


@dataclass(slots=True)
class _Purging:
    """One purge under way: each stage may be done again, and notes what it could not take away."""

    workspace: Workspace
    current: Purge
    prefect: Prefect | None
    freeing: Freeing

    @property
    def whole(self) -> bool:
        """Whether nothing of the convention stays."""
        return bool(self.current.plan["whole"])

    def notify(self) -> None:
        """Ask the recipients of what goes; a folder that does not take a notice stops nothing, the watchdog tells of it."""
        with self.workspace.database.begin() as connection:
            attestations.ask_for_purge(
                self.workspace, connection, self.current, None if self.whole else self._runs(connection)
            )
        attestations.write_notices(self.workspace)

    def destroy_keys(self) -> None:
        """The convention's keys where all of it goes; else the keys of the copies that go, the others wrapped anew."""
        if self.whole:
            self.workspace.keys.destroy(self.current.convention)
        else:
            with self.workspace.database.read() as connection:
                copies = planned_copies(connection, self.current)
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
        with self.workspace.database.read() as connection:
            copies = [copy for copy in planned_copies(connection, self.current) if copy.destroyed_at is None]
            laid = waiting(self.workspace, connection, self.current)
        left = sum(not _gone(path, self.freeing.erase) for path in laid)
        stuck = [Stuck("inbox", "", left)] if left else []
        for start in range(0, len(copies), BATCH):
            gone: list[Holding] = []
            for copy in copies[start : start + BATCH]:
                if self._removed(copy):
                    gone.append(copy)
                else:
                    stuck.append(Stuck(copy.kind, f"h-{copy.id}", 1))
            if gone:
                self._tell(gone)
        return stuck

    def _removed(self, copy: Holding) -> bool:
        try:
            erase_copy(self.workspace, copy, self.freeing.erase)
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
        return frozenset(copy.run for copy in planned_copies(connection, self.current))

    def _ended(self) -> tuple[str | None, ...]:
        """The exchanges that Prefect forgets; None stands for all of them."""
        if self.whole:
            return (None,)
        with self.workspace.database.read() as connection:
            return tuple(sorted(ended_exchanges(connection, self.current)))

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
            if self.prefect is not None:
                for exchange in self._ended():
                    self.prefect.erase(self.workspace, self.current.convention, exchange)
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
        return purge_of(workspace, current.id)

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
            closed = shut(self.workspace, connection, self.current)
            laid = waiting(self.workspace, connection, self.current)
        prefect = None if self.prefect is None else self.prefect.left
        found = left_of(self.workspace, self.current.convention, runs=gone, exchanges=self._ended(), prefect=prefect)
        if laid and not self.whole:
            found += (Left("disk", "inbox", len(laid)),)
        if found:
            count, kinds = sum(one.count for one in found), ", ".join(sorted({one.kind for one in found}))
            raise OurWayError(
                f"{count} copies are still there after the purge ({kinds})",
                hint="run the purge again; passerelle purge status says what is left",
                fr=f"{count} copies sont encore là après la destruction ({kinds})",
                hint_fr="relancez la destruction ; passerelle purge status dit ce qui reste",
            )
        if not closed:
            raise OurWayError("the convention's keys still open after the purge", hint="run the purge again")


def _gone(path: Path, by: Callable[[Path], None] = erase) -> bool:
    try:
        by(path)
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
