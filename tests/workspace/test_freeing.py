"""Names of removed files go at once, whatever they stand for, and no file stays open behind."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.workspace.freeing import THREADS, Freeing

FDS = Path("/proc/self/fd")


def settled() -> None:
    """Wait until the blocks are given back."""
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join()


def held_in(folder: Path) -> list[str]:
    """The files of ``folder`` that this process has open."""
    return [name for fd in FDS.iterdir() if fd.is_symlink() and (name := os.readlink(fd)).startswith(str(folder))]  # noqa: PTH115 - the name of a file that is gone is no path


@pytest.fixture
def few_open() -> Iterator[None]:
    """A process that may open few files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(FDS.iterdir())) + 40, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_open")
def test_more_files_than_may_be_open(tmp_path: Path) -> None:
    """A thousand files go though a process may open only some, and none of them stays open."""
    names = [tmp_path / str(number) for number in range(1_000)]
    for name in names:
        name.write_bytes(bytes(10_000))
    with Freeing() as freeing:
        for name in names:
            freeing.erase(name)
            assert not name.exists()
    settled()
    assert held_in(tmp_path) == []


def test_the_name_goes_before_the_blocks(tmp_path: Path) -> None:
    """When a name is gone its file is still open, until all is done: then it is closed behind."""
    path = tmp_path / "large"
    path.write_bytes(bytes(1_000_000))
    with Freeing() as freeing:
        freeing.erase(path)
        assert not path.exists()
        assert held_in(tmp_path) == [f"{path} (deleted)"]
    settled()
    assert held_in(tmp_path) == []


def test_what_is_no_plain_file(tmp_path: Path) -> None:
    """A link goes and what it leads to stays; a pipe nobody writes to goes without waiting; what is gone already is fine."""
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("stays")
    link.symlink_to(target)
    os.mkfifo(pipe)
    with Freeing() as freeing:
        for path in (link, pipe, tmp_path / "absent", target / "below"):
            freeing.erase(path)
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_removed(tmp_path: Path) -> None:
    """What unlink refuses is told to the caller, stays, and is not left open."""
    (tmp_path / "folder").mkdir()
    with Freeing() as freeing, pytest.raises(OSError, match="folder"):
        freeing.erase(tmp_path / "folder")
    settled()
    assert (tmp_path / "folder").is_dir()
    assert held_in(tmp_path) == []
