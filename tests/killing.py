"""Exchanges and purges in a process that dies at a chosen point, as in a power cut: no cleanup, no goodbye.

``Mortals`` starts one process that has everything imported; each task runs in a fork of it, which kills itself with SIGKILL.
The product has no hook for this: what is counted is what the interpreter tells of any program, files opened to be written,
renamed and removed (audit events) and functions entered or left (profile events), what SQLAlchemy tells of any engine
(commits), and the progress that an exchange reports.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, event

ROOT = Path(__file__).resolve().parent.parent
BLOCK_BYTES = 4096
SENT_BYTES = 1000  # what arrives at once
FULL = os.environ.get("PASSERELLE_CRASH_MATRIX") == "full"
SAME = (
    {"fsync"} if FULL else set()
)  # what a process that is killed leaves is the same before and after: only power cuts differ
WRITES = SAME | {"write", "flush", "rename", "replace", "unlink", "remove", "rmdir", "mkdir", "truncate", "ftruncate"}  # fmt: skip
IN_MEMORY = (io.BytesIO, io.StringIO)
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.copyfile"}


@dataclass(frozen=True)
class Task:
    """An exchange (``which``, ``period``, ``source``), a file that a party sends through the portal (``sent_by``, too), a parcel
    sent again (``resends``), a purge (``which`` alone) or a new workspace, and where it dies.

    ``write``: before the n-th of all writes, counted from 1: a file opened to be written, written, synced, renamed, removed, a
    folder made or removed, a transaction committed, a database's files cleared. What stands after the n-th is what stands
    before the next one. ``after``: so many milliseconds after it began, wherever it is then, inside a driver too.
    ``change``: before the n-th change of the disk or right after the n-th commit, both counted together from 1.
    ``step`` and ``call``: at the n-th report of that step. ``function`` and ``when``: as it is entered ("call") or left
    ("return"), the n-th time. ``full``: it does not die there, the disk fills up: no file grows any more. ``warm``: it is carried out unwatched in the process that
    others are forked from, so that they find everything loaded. None of them: it lives, and the answer has the number of changes and of reports by step.
    """

    home: str
    instant: str
    which: str = ""
    period: str | None = None
    source: str | None = None
    supersedes: str | None = None
    sent_by: str | None = None
    resends: str | None = None
    database: str | None = None
    write: int | None = None
    after: float | None = None
    change: int | None = None
    step: int | None = None
    function: str | None = None
    when: str = "call"
    nth: int = 1
    full: bool = False
    warm: bool = False


@dataclass(frozen=True)
class Death:
    """How a task ended: ``killed`` or not; when not, its exit status, its error, and what was counted."""

    killed: bool
    status: int
    changes: int = 0
    reports: dict[str, int] | None = None


class Mortals:
    """The process that others are forked from. Use as a context manager.

    ``environment`` is added to its own; what it says of errors goes to ``errors``.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, errors: Path | None = None) -> None:
        self._environment = {**os.environ, **(environment or {})}
        self._errors = errors

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.killing"]
        with self._errors.open("ab") if self._errors else nullcontext() as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=self._environment
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate(timeout=30)

    def run(self, task: Task) -> Death:
        """Carry out ``task`` in a process of its own, to its end or its death."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)).encode() + b"\n")
        self._process.stdin.flush()
        return Death(**json.loads(self._process.stdout.readline()))


class Fate:
    """Counts, and kills at the chosen point."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.changes = 0
        self.calls = 0
        self.writes = 0
        self.reports: dict[str, int] = {}
        self._places = (str(Path(task.home).parent), "partners")

    def watch(self) -> None:
        """Begin to count; there is no end to it in this process."""
        sys.addaudithook(self._audited)
        event.listen(Engine, "commit", self._committing)
        if self.task.function:
            sys.setprofile(self._profiled)
        elif self.task.write is not None:
            event.listen(Engine, "before_cursor_execute", self._executing)
            sys.setprofile(self._counted)  # it makes all else several times as slow
            threading.setprofile(self._counted)
        if self.task.after is not None:
            signal.setitimer(
                signal.ITIMER_REAL, self.task.after / 1000
            )  # SIGALRM, unhandled, ends it at once as SIGKILL does

    def progress(self, step: int, _rows: int) -> None:
        """What an exchange reports to."""
        seen = self.reports[str(step)] = self.reports.get(str(step), 0) + 1
        if (self.task.step, self.task.nth) == (step, seen):
            self._end()

    def _end(self) -> None:
        _fill() if self.task.full else _die()

    def _changed(self) -> None:
        self.changes += 1
        if self.changes == self.task.change:
            self._end()

    def _audited(self, kind: str, arguments: tuple[Any, ...]) -> None:
        if kind == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif kind in CHANGES:
            path = arguments[0]
        else:
            return
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if str(name).startswith(self._places[0]) and not str(name).endswith("lock"):
            self._changed()
            if kind == "open":
                self._writing()

    def _committing(self, connection: Connection) -> None:
        if self.changes + 1 == self.task.change:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.commit()
        self._changed()

    def _counted(self, frame: FrameType, kind: str, function: Any) -> None:
        if kind == "c_call":
            name = function.__name__
            if name in WRITES:
                of = function.__self__
                buffered = isinstance(of, IN_MEMORY) or (
                    name == "write" and isinstance(of, io.BufferedWriter) and not FULL
                )
                if isinstance(of, ModuleType | io.IOBase) and not buffered:
                    self._writing()
            elif name == "execute" and isinstance(function.__self__, sqlite3.Connection):
                self._writing()  # what clears the files of SQLite
        elif kind == "call" and frame.f_code.co_name == "do_commit":
            self._writing()

    def _executing(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("VACUUM"):
            self._writing()

    def _writing(self) -> None:
        self.writes += 1
        if self.writes == self.task.write:
            _die()

    def _profiled(self, frame: FrameType, kind: str, _argument: Any) -> None:
        if kind == self.task.when and frame.f_code.co_name == self.task.function:
            self.calls += 1
            if self.calls == self.task.nth:
                self._end()


def _fill() -> None:
    """The next block of any file is refused, as on a disk without room."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BLOCK_BYTES, resource.RLIM_INFINITY))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _carry_out(task: Task) -> Fate:
    from flows import assembly
    from passerelle.handover.order import Order
    from passerelle.handover.resend import resend
    from passerelle.workspace import Settings, Workspace
    from passerelle.workspace.settings import instant
    from portal.sending import lay
    from retention.purge import purge

    settings = Settings(Path(task.home), task.database, instant(task.instant, "instant"))
    fate = Fate(task)
    work: Callable[[], object]
    if not task.which:
        fate.watch()
        Workspace.create(settings, rehearsal=True)
        return fate
    workspace = Workspace.open(settings)
    if task.resends is not None:
        work = lambda: resend(workspace, task.resends or "", "lost", assembly.tools_for, actor="test")  # noqa: E731 - one of three verbs
    elif task.source is None:
        work = lambda: purge(workspace, task.which, prefect=assembly.PREFECT)  # noqa: E731 - one of two verbs, named by its result
    elif task.sent_by is not None:
        convention, _, exchange = task.which.partition("/")
        content = Path(task.source).read_bytes()
        blocks = (content[at : at + SENT_BYTES] for at in range(0, len(content), SENT_BYTES))
        use = (convention, exchange, task.period or "")
        work = lambda: lay(workspace, task.sent_by or "", use, blocks, actor="test")  # noqa: E731 - one of four verbs
    else:
        convention, _, exchange = task.which.partition("/")
        reason = "corrected" if task.supersedes else None
        order = Order(
            convention, exchange, task.period or "", Path(task.source), supersedes=task.supersedes, reason=reason
        )
        work = lambda: assembly.run(workspace, order, fate.progress)  # noqa: E731 - one of two verbs, named by its result
    if not task.warm:
        fate.watch()
    work()
    sys.setprofile(None)
    workspace.close()
    return fate


def _fork(task: Task) -> Death:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fate = _carry_out(task)
            os.write(writing, json.dumps({"changes": fate.changes, "reports": fate.reports}).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as answer:
        told = json.loads(answer.read() or b"{}")
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGKILL, signal.SIGALRM}
    return Death(killed, 0 if killed else os.waitstatus_to_exitcode(status), **told)


def main() -> None:
    """Read tasks, one JSON object a line; answer each with its death."""
    from checks.judge import judge
    from checks.suite import Limits, Suite
    from contracts.registry import contract
    from flows import assembly
    from passerelle.handover.resend import resend
    from passerelle.profile import ProfileBuilder
    from portal.sending import lay
    from retention.purge import purge

    assert callable(purge)
    assert callable(lay)
    assert callable(resend)
    assert callable(assembly.run)  # they are imported once, before all forks
    # What takes seconds the first time is done once, before all forks; it starts no thread.
    judge(ProfileBuilder(contract("studies_bmo").columns).finish("2019"), [], Suite(Limits(0.0)))
    for line in sys.stdin:
        task = Task(**json.loads(line))
        if task.warm:
            _carry_out(task)
        sys.stdout.write(json.dumps(asdict(Death(killed=False, status=0) if task.warm else _fork(task))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
