"""What each command begins with: its screen, its workspace, who acts, and the values and files that it is given."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import UsageError
from portal.render import Screen, language

if TYPE_CHECKING:
    from passerelle.workspace import Workspace

MAX_DOCUMENT_BYTES = 64 << 20  # of a document read at once: events, evidence, a proof; data files stream instead

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who does this; by default the user of the machine.")]


def actor(named: str | None) -> str:
    """Who acts, as the access log names them: as given, else PASSERELLE_ACTOR, else the user of the machine."""
    return named or os.environ.get("PASSERELLE_ACTOR") or getpass.getuser()


def screen(*, as_json: bool = False) -> Screen:
    """The screen of this command."""
    return Screen(language(), as_json=as_json)


def regular(path: Path, what: str) -> Path:
    """``path`` when it is a file that can be read, and read again; its name is not repeated, for it may name a person.

    Raises:
        UsageError: it is not.
    """
    if path.is_file() and os.access(path, os.R_OK):
        return path
    raise UsageError(
        f"expected a file for {what}, found {_found(path)}",
        hint="give the path of a file on disk: it is read twice" if path.is_fifo() else "check the path",
        fr=f"il faut un fichier pour {what}",
        hint_fr="donnez le chemin d'un fichier sur disque : il est lu deux fois" if path.is_fifo() else "vérifiez le chemin",
    )  # fmt: skip


def content(path: Path, what: str) -> bytes:
    """The bytes of a document: a file, a pipe, or /dev/stdin.

    Raises:
        UsageError: it cannot be read, or is longer than ``MAX_DOCUMENT_BYTES``.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
    except OSError:
        data = None
    if data is None:
        raise UsageError(
            f"expected a file for {what}, found {_found(path)}",
            hint="check the path",
            fr=f"il faut un fichier pour {what}",
            hint_fr="vérifiez le chemin",
        )
    if len(data) > MAX_DOCUMENT_BYTES:
        raise UsageError(
            f"expected at most {MAX_DOCUMENT_BYTES >> 20} MiB for {what}, more came",
            fr=f"au plus {MAX_DOCUMENT_BYTES >> 20} Mio pour {what}",
        )
    return data


def _found(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    if not path.exists():
        return "none"
    return "one that cannot be read" if path.is_file() else "something else"


def json_value(text: str | bytes, what: str, kind: type) -> Any:
    """``text`` as a JSON object (``kind`` dict) or list.

    Raises:
        UsageError: it is not JSON of that kind.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, kind):
        return value
    noun, nom = ("object", "un objet") if kind is dict else ("list", "une liste")
    raise UsageError(f"{what}: expected a JSON {noun}", fr=f"{what} : il faut {nom} JSON")


def date_value(text: str, what: str) -> date:
    """``text`` as a date.

    Raises:
        UsageError: it is not YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{what}: expected a date such as 2026-11-21", fr=f"{what} : il faut une date comme 2026-11-21")


def written(path: Path, data: bytes, what: str) -> None:
    """Write ``data`` to ``path``, whole or not at all.

    Raises:
        UsageError: the place cannot be written.
    """
    from passerelle.workspace.files import write_whole

    try:
        write_whole(path.absolute(), data)
    except OSError:
        pass
    else:
        return
    raise UsageError(
        f"{what}: the file cannot be written there",
        hint="check the folder, its rights and its room",
        fr=f"{what} : impossible d'écrire le fichier à cet endroit",
        hint_fr="vérifiez le dossier, ses droits et sa place",
    )


@contextmanager
def opened() -> Iterator[Workspace]:
    """The workspace that the environment names, open."""
    from passerelle.workspace import Settings, Workspace

    workspace = Workspace.open(Settings.read(os.environ))
    try:
        yield workspace
    finally:
        workspace.close()
