"""The one exception boundary: what leaves it says nothing of a person.

Foreign exceptions (pandera, Great Expectations, drivers, the interpreter itself) hold values in their messages, their
arguments and the frames they keep. ``sealed`` lets the project's own errors through and replaces every other by
``SealedError``, which names the kind of fault and where it was raised, and keeps no reference to the original.
"""

from __future__ import annotations

import errno
import functools
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import ParamSpec, TypeVar

from passerelle.errors import OurWayError, PasserelleError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
P = ParamSpec("P")
R = TypeVar("R")


class SealedError(OurWayError):
    """An unforeseen fault, stripped of every value: its type and the lines it passed through."""


def _full() -> OurWayError:
    return OurWayError(
        "the disk is full, or a limit on the size of files is reached: what was begun is not whole",
        hint="make room in the workspace, then run the command again: it goes on from here",
        fr="le disque est plein, ou une limite de taille de fichier est atteinte : ce qui a été commencé n'est pas entier",
        hint_fr="libérez de la place dans l'espace de travail, puis recommencez : la commande reprendra où elle en était",
    )


def _trace(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{PurePath(f.filename).name}:{f.lineno}" for f in reversed(frames))


def sealed(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap ``function`` so that only the project's own errors, interruption and cancellation leave it.

    The new exception is raised outside the ``except`` block, so that it has no ``__context__`` to carry the old one.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        own: PasserelleError | None = None
        try:
            return function(*args, **kwargs)
        except PasserelleError as error:
            own = error.with_traceback(None)
            own.__cause__ = own.__context__ = None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                own = _full()
            message = f"unforeseen {type(error).__name__} at {_trace(error)}"
        if own is not None:
            raise own
        raise SealedError(message, hint="report this line to the maintainers; it holds no personal data")

    return guarded
