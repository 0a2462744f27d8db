"""What each command begins with: its screen, its workspace, who acts, and the values and files that it is given."""

from __future__ import annotations

import getpass
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from passerelle.errors import UsageError
from portal.render import Screen, language

if TYPE_CHECKING:
    from passerelle.access import Look
    from passerelle.workspace import Workspace

FIRST_YEAR, LAST_YEAR = 1900, 2199  # as in a convention's file (docs/spec/convention.md)
MAX_DOCUMENT_BYTES = 64 << 20  # of a document read at once: events, evidence, a proof; data files stream instead

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who does this; by default the user of the machine.")]

Reason = Annotated[str, typer.Option("--reason", help="Why, for the access log; by default PASSERELLE_REASON.")]


def actor(named: str | None) -> str:
    """Who acts, as the access log names them: as given, else PASSERELLE_ACTOR, else the user of the machine."""
    return named or os.environ.get("PASSERELLE_ACTOR") or getpass.getuser()


def why(named: str) -> str:
    """Why they do it, for the access log: as given, else PASSERELLE_REASON."""
    return named or os.environ.get("PASSERELLE_REASON", "")


def screen(*, as_json: bool = False) -> Screen:
    """The screen of this command."""
    return Screen(language(), as_json=as_json)


def today() -> date:
    """The civil day in Paris: what a file is judged as of where no convention says where it is."""
    from passerelle.clock import SystemClock
    from portal.words import PARIS

    return SystemClock().now().astimezone(PARIS).date()


def regular(path: Path, what: str) -> Path:
    """``path`` when it is a file that can be read, and read again; its name is not repeated, for it may name a person.

    Raises:
        UsageError: it is not.
    """
    if os.path.isfile(path) and os.access(path, os.R_OK):  # noqa: PTH113 -- Path.is_file raises on a name too long
        return path
    raise _not_a_file(path, what)


def readable(path: Path, what: str) -> Path:
    """``path`` when it is a file or a pipe.

    Raises:
        UsageError: it is a folder, or nothing that can be read.
    """
    if os.access(path, os.R_OK) and not path.is_dir():
        return path
    raise _not_a_file(path, what)


def content(path: Path, what: str) -> bytes:
    """The bytes of a document: a file, a pipe, or /dev/stdin.

    Raises:
        UsageError: it cannot be read, or is longer than ``MAX_DOCUMENT_BYTES``.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
    except (OSError, ValueError):
        data = None
    if data is None:
        raise _not_a_file(path, what)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise UsageError(
            f"expected at most {MAX_DOCUMENT_BYTES >> 20} MiB for {what}, more came",
            fr=f"au plus {MAX_DOCUMENT_BYTES >> 20} Mio pour {what}",
        )
    return data


def _not_a_file(path: Path, what: str) -> UsageError:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        mode = 0
    found, fr = "none", "aucun n'est lisible à cet endroit"
    hint, hint_fr = "check the path and its rights", "vérifiez le chemin et ses droits"
    if stat.S_ISDIR(mode):
        found, fr = "a folder", "c'est un dossier"
    elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode):
        found, fr = "a pipe or a device", "c'est un tube ou un périphérique"
        hint, hint_fr = "give a file on disk: it is read twice", "donnez un fichier sur disque : il est lu deux fois"
    elif mode:
        found, fr = "one that cannot be read", "celui-ci est illisible"
    return UsageError(
        f"expected a file for {what}, found {found}",
        hint=hint,
        fr=f"il faut un fichier pour {what} : {fr}",
        hint_fr=hint_fr,
    )


def json_value(text: str | bytes, what: str, kind: type) -> Any:
    """``text`` as a JSON object (``kind`` dict) or list.

    Raises:
        UsageError: it is not JSON of that kind.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half a character (RFC 8259 section 8.2) cannot be stored
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, kind):
        return value
    noun, nom = ("object", "un objet") if kind is dict else ("list", "une liste")
    raise UsageError(f"{what}: expected a JSON {noun}", fr=f"{what} : il faut {nom} JSON")


def date_value(text: str, what: str, quoi: str | None = None) -> date:
    """``text`` as a date; what it is the date of, in English and in French.

    Raises:
        UsageError: it is not YYYY-MM-DD, or of a year that the rules are not meant for.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if FIRST_YEAR <= found.year <= LAST_YEAR:
        return found
    raise UsageError(
        f"{what}: expected a date such as 2026-11-21, from {FIRST_YEAR} to {LAST_YEAR}",
        fr=f"{quoi or what} : il faut une date comme 2026-11-21, de {FIRST_YEAR} à {LAST_YEAR}",
    )


def instant_value(text: str, what: str, zone: ZoneInfo) -> datetime:
    """``text`` as an instant; a date, or an instant without a zone, is of ``zone``.

    Raises:
        UsageError: it is neither, or of a year that the rules are not meant for.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 -- only its year is looked at
    if FIRST_YEAR <= found.year <= LAST_YEAR:
        return found if found.tzinfo else found.replace(tzinfo=zone)
    raise UsageError(
        f"{what}: expected a date or an ISO instant, from {FIRST_YEAR} to {LAST_YEAR}",
        hint="for example 2026-11-21T09:00:00+01:00",
        fr=f"{what} : il faut une date ou un instant ISO, de {FIRST_YEAR} à {LAST_YEAR}",
        hint_fr="par exemple 2026-11-21T09:00:00+01:00",
    )


def written(path: Path, data: bytes, what: str) -> None:
    """Write ``data`` to ``path``, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    from passerelle.workspace.files import write_whole

    try:
        write_whole(path.absolute(), data)
    except (OSError, ValueError):
        pass
    else:
        return
    raise _not_written(what)


def stream(path: Path, chunks: Iterable[bytes], what: str) -> None:
    """Write ``chunks`` to ``path`` as they come.

    Raises:
        UsageError: the place cannot be written.
    """
    try:
        file = path.open("wb")
    except (OSError, ValueError):
        file = None
    if file is None:
        raise _not_written(what)
    with file:
        file.writelines(chunks)


def _not_written(what: str) -> UsageError:
    return UsageError(
        f"{what}: the file cannot be written there",
        hint="check the folder, its rights and its room",
        fr=f"{what} : impossible d'écrire le fichier à cet endroit",
        hint_fr="vérifiez le dossier, ses droits et sa place",
    )


@contextmanager
def looked(
    workspace: Workspace, action: str, subject: str, *, by: str | None = None, reason: str = "", **about: Any
) -> Iterator[Look]:
    """Read inside; on leaving, the access log has who looked at what and why, and only then may it be shown.

    Raises:
        WorkspaceError: the log cannot be written: nothing may be shown.
    """
    from passerelle.access import Look, looking

    with looking(workspace, Look(actor(by), action, subject, why(reason), **about)) as look:
        yield look


def near(path: str) -> str:
    """``path`` as short as it can be typed: from the working directory when it lies below."""
    below = os.path.relpath(path)
    return path if below.startswith("..") else below


@contextmanager
def opened() -> Iterator[Workspace]:
    """The workspace that the environment names, open."""
    from passerelle.workspace import Settings, Workspace

    workspace = Workspace.open(Settings.read(os.environ))
    try:
        yield workspace
    finally:
        workspace.close()
