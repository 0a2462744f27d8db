"""The README's tour and its page for partners are run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


def _script(readme: str) -> str:
    """The commands of both sections, in order; a line marked `# refused` must end with status 1."""
    sections = readme[readme.index("## A tour in five minutes") : readme.index("## In production")]
    lines = "\n".join(re.findall(r"^```sh\n(.*?)^```", sections, re.MULTILINE | re.DOTALL)).splitlines()
    assert sum(line.endswith("# refused") for line in lines) == 2
    checked = [f"{line}\nif [ $? != 1 ]; then exit 9; fi" if line.endswith("# refused") else line for line in lines]
    return "".join(f"{'set +e' if 'exit 9' in line else 'set -e'}\n{line}\n" for line in checked)


@pytest.fixture(scope="module")
def toured(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which the README was followed, and what was printed."""
    folder = tmp_path_factory.mktemp("tour")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = _script((root / "README.md").read_text("utf-8"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return folder / "build" / "tour", done


def test_the_tour_can_be_followed(toured: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Each command of the README ends as it says."""
    folder, done = toured
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    assert 'Good "passerelle-manifest" signature' in done.stdout
    assert done.stderr.count("hint: ") >= 1
    assert (folder / "received" / "extract.csv").read_bytes() == (folder / "opened" / "extract.csv").read_bytes()


def test_the_tour_leaves_the_trail_whole(toured: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The tour ends with a trail that holds and a parcel of a thousand rows."""
    folder, done = toured
    assert "The trail is whole" in done.stdout
    assert (folder / "received" / "extract.csv").read_text("utf-8").count("\n") == 1001
