"""How a process that runs one command starts and ends: what it never uses is not loaded, and what stays is not looked for.

pandera imports pandas and hypothesis when it finds them, whichever frames it judges; pyarrow imports pandas at the first value
that it is handed. Both do without. And of the objects that imports make, nearly all live as long as the process: looking for
garbage among them, while they are made and once more at the end, is a quarter of the time that a small file takes.
"""

from __future__ import annotations

import atexit
import gc
import sys
from typing import Final

UNUSED: Final = {"contract": frozenset({"hypothesis", "pandas"})}
"""By command: the packages that none of its subcommands uses, hidden though they are installed."""
LASTING: Final = frozenset({"serve"})
"""Commands whose process stays: there, garbage is looked for, though not seventy times for one page that tells of every delivery."""
_THRESHOLDS: Final = (100_000, 50, 100)
_STAYING: Final = (5_000, 20, 20)


class _Hidden:
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Raises ModuleNotFoundError for what is hidden, in the interpreter's words; leaves the rest to it."""
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def start(arguments: list[str]) -> None:
    """Prepare this process for the one command that ``arguments`` name; it lasts until the process ends."""
    command = arguments[0] if arguments else ""
    if names := UNUSED.get(command):
        sys.meta_path.insert(0, _Hidden(names))
    if command not in LASTING:
        gc.set_threshold(*_THRESHOLDS)
        atexit.register(gc.freeze)
    else:
        gc.set_threshold(*_STAYING)
