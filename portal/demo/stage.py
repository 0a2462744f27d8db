"""What the steps of the demo share: the folder, the pretended clock, the partners' keys, the parcels that left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.samples import sample
from passerelle.keys import Identity
from passerelle.workspace import Settings, Workspace
from portal.render import Lang


class Stage:
    """The demo's folder: ``workspace/``, and ``partners/PARTY/`` with each partner's key and parcels."""

    def __init__(self, home: Path, lang: Lang) -> None:
        self.home = home
        self.lang = lang
        self.identities: dict[str, Identity] = {}
        self.parcels: dict[str, Mapping[str, Any]] = {}  # the last delivery to each party

    def at(self, instant: str) -> None:
        """Set the pretended clock; the first time, make the workspace."""
        os.environ["PASSERELLE_NOW"] = instant
        settings = Settings.read(os.environ)
        if not settings.home.exists():
            Workspace.create(settings, rehearsal=True).close()

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """The workspace at the pretended instant, open."""
        workspace = Workspace.open(Settings.read(os.environ))
        try:
            yield workspace
        finally:
            workspace.close()

    def partner(self, party: str) -> Path:
        """The folder of a partner."""
        return self.home / "partners" / party

    @contextmanager
    def sent(self, which: str, period: str, dataset: str, rows: int, bad_rate: float) -> Iterator[Path]:
        """A sender's generated file in the inbox; whatever came of it, nothing plain is left of it afterwards."""
        inbox = self.home / "workspace" / "inbox"
        folder = inbox / which / period
        folder.mkdir(parents=True, mode=0o700)
        try:
            source = folder / "sample.csv"
            with source.open("wb") as file:
                file.writelines(sample(dataset, rows, bad_rate, seed=rows))
            yield source
        finally:
            shutil.rmtree(inbox / which.partition("/")[0])
