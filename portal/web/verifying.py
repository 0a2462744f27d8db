"""The trail's verification that a page asks for: one at a time, on a thread that ends with the portal; its result is for who asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, Thread

from passerelle.boundary import sealed
from passerelle.errors import PasserelleError
from passerelle.trail.fsck import Report, check
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables

Work = Callable[[], None]


@dataclass(slots=True)
class Verification:
    """One verification: how many of ``entries`` are verified; once it is ``over``, what held ``at`` that instant, or the fault."""

    who: str
    entries: int
    verified: int = 0
    over: bool = False
    at: datetime | None = None
    report: Report | None = None
    tables: Mapping[str, int] = field(default_factory=dict)
    fault: PasserelleError | None = None

    def run(self, workspace: Workspace) -> None:
        """Verify; whatever happens, it ends."""
        try:
            sealed(self._verify)(workspace)
        except PasserelleError as fault:
            self.fault = fault
        finally:
            self.over = True

    def _verify(self, workspace: Workspace) -> None:
        self.at = workspace.now()
        with workspace.database.read() as connection:
            report = check(connection, workspace.ledger.verifier_key, verified=self._count)
            self.tables = verify_tables(workspace.ledger, connection)
        self.report = report

    def _count(self, verified: int) -> None:
        self.verified = verified


def aside(work: Work) -> None:
    """Do ``work`` on a thread that holds no process back from ending."""
    Thread(target=work, name="verification", daemon=True).start()


class Verifications:
    """Kept in memory, the last one of each account: a portal that starts again knows of none, and none is left half done."""

    def __init__(self, start: Callable[[Work], None] = aside) -> None:
        self._start = start
        self._last: dict[str, Verification] = {}
        self._lock = Lock()

    def begin(self, workspace: Workspace, who: str) -> bool:
        """Begin one for the account ``who``, or leave to it the one that runs; False while another account's runs."""
        with self._lock:
            running = [one.who for one in self._last.values() if not one.over]
            if running:
                return who in running
            with workspace.database.read() as connection:
                begun = Verification(who, workspace.ledger.size(connection))
            self._start(lambda: begun.run(workspace))
            self._last[who] = begun
        return True

    def of(self, who: str) -> Verification | None:
        """The last one that the account asked for."""
        return self._last.get(who)
