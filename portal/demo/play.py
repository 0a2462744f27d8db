"""Plays the story in a folder of its own, and says what to look at next."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flows.embedded import prefect_server
from passerelle.errors import UsageError
from portal.context import near
from portal.demo.stage import Stage
from portal.demo.story import CSP, STORY
from portal.render import Screen, Text, Timeline, Tone, day

MARKER = "demo.txt"  # a folder without it is somebody else's
LONGEST_NAME = 14  # characters, of those who act in the story
OF_A_SHELL = ("PASSERELLE_HOME", "PASSERELLE_DATABASE_URL", "PASSERELLE_NOW", "PREFECT_API_URL", "PREFECT_HOME")
COMMANDS = (f"purge certificate {CSP}", "trail show", f"convention show {CSP}", "exchange list", "access log")
PORTAL = ("account add ada --role dpo", "serve")


def play(home: Path, screen: Screen) -> None:
    """Play the whole story in ``home``, and leave the workspace to look into; the environment is as before afterwards.

    Raises:
        UsageError: ``home`` holds something else than an earlier demo.
        PasserelleError: a step did not go as the story tells.
    """
    _cleared(home)
    began = time.monotonic()
    screen.heading(Text("La vie de deux conventions, à l'heure d'une horloge simulée", "The life of two conventions, on a pretended clock"))  # fmt: skip
    with _environment(home / "workspace"), _server(home, screen):
        stage = Stage(home, screen.lang)
        timeline = Timeline(screen, len(STORY), LONGEST_NAME)
        for step in STORY:
            stage.at(step.at)
            with timeline.step(datetime.fromisoformat(step.at).date(), step.who, step.what) as ended:
                step.act(stage, ended)
    _closing(home, screen, time.monotonic() - began)


def _cleared(home: Path) -> None:
    if home.exists() and not (home / MARKER).exists():
        raise UsageError(
            "expected an empty place for the demo, found something there",
            hint="passerelle demo --home FOLDER",
            fr="il faut une place vide pour la démonstration, celle-ci est occupée",
            hint_fr="passerelle demo --home DOSSIER",
        )
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARKER).write_text("Une démonstration de Passerelle / A demo of Passerelle.\n", "utf-8")


@contextmanager
def _environment(workspace: Path) -> Iterator[None]:
    """The demo's workspace and nothing of the shell's: neither its database, nor its clock, nor its Prefect server."""
    before = {name: os.environ.pop(name, None) for name in OF_A_SHELL}
    os.environ["PASSERELLE_HOME"] = str(workspace)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _server(home: Path, screen: Screen) -> Iterator[None]:
    server = prefect_server(home / "prefect")
    with screen.progress(Text("Démarrage du serveur de flux…", "Starting the flow server…")):
        server.__enter__()
    try:
        yield
    finally:
        server.__exit__(None, None, None)


def _closing(home: Path, screen: Screen, seconds: float) -> None:
    ran = Path(sys.argv[0]).absolute()
    command = str(ran) if ran.name == "passerelle" else ".venv/bin/passerelle"
    screen.heading(Text("À regarder ensuite", "To look at next"))
    here = f"PASSERELLE_HOME={near(str(home / 'workspace'))} {near(command)}"
    for which in COMMANDS:
        screen.say(f"  {here} {which}")
    today = datetime.now().astimezone().date()
    played = Text(
        f"Démonstration jouée en {seconds:.0f} s, le {day(today, 'fr')}.",
        f"Demo played in {seconds:.0f} s, on {day(today, 'en')}.",
    )
    screen.say()
    screen.say(played, Tone.FAINT)
    screen.heading(Text("Dans le navigateur", "In the browser"))
    screen.say(Text("Un compte pour vous, et son code d'activation ; puis le portail, où la page /activate l'ouvre :", "An account for you, and its activation code; then the portal, where the page /activate opens it:"))  # fmt: skip
    for which in PORTAL:
        screen.say(f"  {here} {which}")
