"""One exchange, with a copy kept of whatever is closed, removed or replaced: also of files that have no name or live a moment.

Run as a program: ``python watched.py HOME INSTANT WHICH PERIOD SOURCE COPIES [fault]``. With ``fault``, the contract raises
an exception of its own in the midst of the rows, full of what the rows say, as a library would.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa

from contracts.registry import contract
from flows.assembly import tools_for
from passerelle.contract import Batch, Column, Contract, Dialect, Judgement
from passerelle.handover.decide import exchange_of
from passerelle.handover.exchange import run_exchange
from passerelle.handover.order import Order
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.settings import instant

ENDS = {"close", "__exit__", "truncate"}


class Copies:
    """Keeps what would be gone when the exchange is over."""

    def __init__(self, folder: Path, *, without: Path) -> None:
        self._folder = folder
        self._without = str(without)
        self._busy = threading.local()
        self._number = len(list(folder.iterdir()))

    def watch(self) -> None:
        """Begin, in every thread."""
        sys.addaudithook(self._audited)
        if sys.version_info >= (3, 12):
            threading.setprofile_all_threads(self._profiled)
        else:
            threading.setprofile(self._profiled)
        sys.setprofile(self._profiled)

    def _profiled(self, _frame: FrameType, event: str, function: Any) -> None:
        if event != "c_call" or getattr(function, "__name__", "") not in ENDS or getattr(self._busy, "now", False):
            return
        file = getattr(function, "__self__", None)
        if (
            not isinstance(file, io.FileIO | io.BufferedWriter | io.BufferedRandom)
            or file.closed
            or not file.writable()
        ):
            return
        self._busy.now = True
        file.flush()
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            self._keep(Path(f"/proc/self/fd/{file.fileno()}"))
        self._busy.now = False

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in {"os.remove", "os.rename", "os.truncate"} or getattr(self._busy, "now", False):
            return
        for path in arguments[:2]:
            if isinstance(path, str | os.PathLike) and os.path.isfile(path) and not str(path).startswith(self._without):  # noqa: PTH113 - Path's own calls would be audited again
                self._busy.now = True
                self._keep(Path(path))
                self._busy.now = False

    def _keep(self, path: Path) -> None:
        self._number += 1
        (self._folder / f"{self._number:05d}").write_bytes(path.read_bytes())


@dataclass(frozen=True)
class Faulty:
    """A contract that fails as no contract should: with an exception that repeats a whole row."""

    real: Contract

    @property
    def id(self) -> str:
        return self.real.id

    @property
    def version(self) -> str:
        return self.real.version

    @property
    def title(self) -> Mapping[str, str]:
        return self.real.title

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.real.columns

    @property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        return self.real.unique

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        return self.real.dialects

    def compared(self, batch: Batch, dialect: Dialect, names: Sequence[str]) -> pa.Table:
        return self.real.compared(batch, dialect, names)

    def judge(self, batch: Batch, dialect: Dialect, day: date) -> Judgement:  # noqa: ARG002 -- the form of a contract
        """Raise, always."""
        rows = batch.rows.to_pylist()
        try:
            return {}[rows[0]["last_name"]]
        except KeyError as error:
            error.add_note(f"in {dialect.id}: {rows[0]}")
            raise ValueError(f"could not convert {rows[:10]}", rows) from error


def main() -> None:
    """Run the exchange; whatever it raises is printed by the interpreter."""
    home, now, which, period, source, copies, *fault = sys.argv[1:]
    convention, _, exchange_id = which.partition("/")
    workspace = Workspace.open(Settings(Path(home), None, instant(now, "now")))
    exchange = exchange_of(workspace.convention(convention), exchange_id)
    assert exchange is not None
    assert exchange.handling is not None
    tools = tools_for(exchange)
    if fault:
        tools = replace(tools, contract=Faulty(contract(exchange.handling.contract)), versions=())
    Copies(Path(copies), without=Path(copies)).watch()
    run_exchange(workspace, Order(convention, exchange_id, period, Path(source)), tools)
    workspace.close()


if __name__ == "__main__":
    main()
