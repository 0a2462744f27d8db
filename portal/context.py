"""What each command begins with: its screen, its workspace, who acts."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.errors import UsageError
from portal.render import Screen, language

if TYPE_CHECKING:
    from passerelle.workspace import Workspace

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who does this; by default the user of the machine.")]


def actor(named: str | None) -> str:
    """Who acts, as the access log names them: as given, else PASSERELLE_ACTOR, else the user of the machine."""
    return named or os.environ.get("PASSERELLE_ACTOR") or getpass.getuser()


def screen(*, as_json: bool = False) -> Screen:
    """The screen of this command."""
    return Screen(language(), as_json=as_json)


def existing(path: Path, what: str) -> Path:
    """``path`` when it is a file; the name is not repeated, for it may name a person.

    Raises:
        UsageError: it is not.
    """
    if not path.is_file():
        raise UsageError(f"expected a file for {what}, found none", hint="check the path")
    return path


@contextmanager
def opened() -> Iterator[Workspace]:
    """The workspace that the environment names, open."""
    from passerelle.workspace import Settings, Workspace

    workspace = Workspace.open(Settings.read(os.environ))
    try:
        yield workspace
    finally:
        workspace.close()
