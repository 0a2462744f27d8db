"""A bundle as one archive, read once: made in a folder of the workspace that is gone before the first byte is handed over."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from passerelle.access import Look
from passerelle.workspace import Workspace
from portal.bundle.page import pages
from retention.bundle import Options, write_bundle


def archived(workspace: Workspace, which: str, look: Look, options: Options) -> BinaryIO:
    """The bundle of ``which`` as an open ZIP archive without a name: closing it is all that is left to do.

    Raises:
        UsageError: no such convention.
        TrailError: the trail does not hold.
    """
    text = workspace.convention(which)
    with TemporaryDirectory(dir=workspace.home / "staging", prefix="bundle-") as folder:
        out, archive = Path(folder) / text.id, Path(folder) / "bundle.zip"
        write_bundle(workspace, text.id, out, look=look, pages=pages, options=options, told=lambda _: None)
        with ZipFile(archive, "w", ZIP_DEFLATED) as made:
            for path in sorted(out.rglob("*")):
                if path.is_file():
                    made.write(path, Path(text.id) / path.relative_to(out))
        return archive.open("rb")
