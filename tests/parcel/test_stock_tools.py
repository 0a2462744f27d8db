"""A parcel is opened and checked with tar, age and ssh-keygen alone, as its notice says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parcel.conftest import CSV, Maker

SHELL_LINES = re.compile(r"^    ((?:ssh-keygen|age|sha256sum) .*)$", re.MULTILINE)


def run(command: str, folder: Path) -> str:
    """What ``command`` prints, run by the shell in ``folder``."""
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


@pytest.fixture(autouse=True)
def _tools() -> None:
    for tool in ("age", "tar", "ssh-keygen", "sha256sum"):
        assert shutil.which(tool), f"{tool} is needed"


@pytest.mark.parametrize("locks", [1, 2])
@pytest.mark.parametrize(
    ("notice", "key", "release"),
    [("LISEZMOI.txt", "ma-cle.txt", "cle-du-colis.txt"), ("README.txt", "my-key.txt", "parcel-key.txt")],
)
def test_the_commands_of_the_notice_work(  # noqa: PLR0917 - pytest passes by name
    make: Maker, tmp_path: Path, locks: int, notice: str, key: str, release: str
) -> None:
    """Each notice's own commands verify the signature, open every lock and give the digests that it announces."""
    made = make(locks=locks)
    folder = tmp_path / "partner"
    folder.mkdir()
    run(f"tar -xf {made.path}", folder)
    (folder / "allowed_signers").write_text(made.allowed_signers)
    (folder / key).write_text(made.recipient.secret + "\n")
    if made.release:
        (folder / release).write_text(made.release.secret + "\n")
    text = (folder / notice).read_text()
    outputs = [run(line, folder) for line in SHELL_LINES.findall(text)]
    assert outputs[0].startswith('Good "passerelle-manifest" signature for passerelle')
    assert outputs[1].split()[0] == made.sealed.cipher_sha256
    assert outputs[3].split()[0] == made.sealed.plain_sha256
    assert made.sealed.cipher_sha256 in text
    assert made.sealed.plain_sha256 in text
    assert (folder / "extract.csv").read_bytes() == CSV


def test_tar_lists_the_members_in_order(make: Maker, tmp_path: Path) -> None:
    """Stock tar lists the six members in the order of the format, each of the manifest's instant and without owner."""
    listing = run(f"TZ=UTC tar --full-time -tvf {make().path}", tmp_path).splitlines()
    assert [line.split()[-1] for line in listing] == [
        "extract.csv.age", "manifest.json", "manifest.json.sig", "manifest.tlog-proof", "LISEZMOI.txt", "README.txt",
    ]  # fmt: skip
    assert all("2026-03-01 09:30:00" in line and line.startswith("-rw-r--r-- 0/0") for line in listing)
