"""The command line as people type it: text scripts with what is typed, what comes, and the files they need.

    # a sentence on what follows            env NAME=value      set for the rest of the script
    $ passerelle init                       what is typed; other programs than passerelle are run as they are
    > The workspace is ready.               a line of stdout; a command without such lines may print anything
    > ...                                   any lines
    2> hint: passerelle init                a line of stderr; without such lines it must be empty
    exit 1                                  the exit status; 0 when not said
    -- events.json --                       from here on, a file of that name

``<fingerprint>`` stands for a word: what it matched first, wherever it comes again. ``<*>`` stands for anything.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portal.cli import run

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))
PLACE = re.compile(r"<(\*|[a-z]+)>")


@dataclass
class Typed:
    """One command of a script and what it must give."""

    line: int
    words: str
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    status: int = 0


def _read(script: str, folder: Path) -> Iterator[Typed | tuple[str, str]]:
    """The commands and settings of a script; its files are written into ``folder``."""
    body, *files = re.split(r"^-- (\S+) --\n", script, flags=re.MULTILINE)
    for name, content in zip(files[::2], files[1::2], strict=True):
        (folder / name).write_text(content, "utf-8")
    typed: Typed | None = None
    for number, line in enumerate(body.splitlines(), 1):
        kind, _, rest = line.partition(" ")
        if kind in {"$", "env"} and typed is not None:
            yield typed
            typed = None
        if kind == "$":
            typed = Typed(number, rest)
        elif kind == "env":
            name, _, value = rest.partition("=")
            yield name, value
        elif kind in {">", "2>", "exit"}:
            assert typed is not None, f"line {number}: nothing was typed before"
            _expect(typed, kind, rest)
        else:
            assert kind in {"#", ""}, f"line {number}: unknown sign"
    if typed is not None:
        yield typed


def _expect(typed: Typed, kind: str, rest: str) -> None:
    if kind == "exit":
        typed.status = int(rest)
    else:
        (typed.out if kind == ">" else typed.err).append(rest)


def _run(words: list[str]) -> tuple[int, str, str]:
    """The exit status of a command and what it printed; passerelle runs in this process."""
    if words[0] != "passerelle":
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, ""
    said, told = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(stream, "utf-8", newline="") for stream in (said, told))
    with redirect_stdout(out), redirect_stderr(err):
        status = run(words[1:])
    for stream in (out, err):
        stream.flush()
    return status, said.getvalue().decode(), told.getvalue().decode()


def _pattern(expected: list[str], names: dict[str, str]) -> str:
    """A regular expression for all the lines; a name that is known stands for its value."""
    parts = []
    for line in expected:
        if line == "...":
            parts.append(r"(?:[^\n]*\n)*?")
            continue
        pieces = PLACE.split(line)
        parts.append("".join(_piece(text, names) if odd else re.escape(text) for odd, text in _marked(pieces)) + "\n")
    return "".join(parts)


def _marked(pieces: list[str]) -> Iterator[tuple[bool, str]]:
    return ((bool(index % 2), piece) for index, piece in enumerate(pieces))


def _piece(name: str, names: dict[str, str]) -> str:
    if name == "*":
        return r"[^\n]*"
    if name not in names:
        names[name] = rf"(?P={name})"  # the first time it is caught, the others it is compared
        return rf"(?P<{name}>\S+)"
    return names[name]


def _compare(expected: list[str], given: str, names: dict[str, str], where: str) -> None:
    plain = given.replace("\u00a0", " ").replace("\u202f", " ")
    known = {name: re.escape(value) for name, value in names.items()}
    found = re.fullmatch(_pattern(expected, known), plain)
    assert found is not None, f"{where}: expected\n{chr(10).join(expected)}\n\ncame\n{plain}"
    names.update(found.groupdict())


def test_there_are_scripts() -> None:
    """The folder of scripts is found, and has some."""
    assert len(SCRIPTS) >= 5


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_is_typed_gives_what_is_written(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the script ends as it says, prints what it says on stdout, and nothing unsaid on stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSERELLE_HOME", "ws")
    monkeypatch.setenv("PASSERELLE_LANG", "en")
    monkeypatch.setenv("PASSERELLE_ACTOR", "tester")
    names: dict[str, str] = {}
    for step in _read(script.read_text("utf-8"), tmp_path):
        if isinstance(step, tuple):
            monkeypatch.setenv(*step)
            continue
        words = shlex.split(PLACE.sub(lambda match: names[match[1]], step.words))
        status, out, err = _run(words)
        where = f"{script.name}:{step.line} {step.words}"
        assert status == step.status, f"{where}: ended with {status}\n{out}{err}"
        if step.out:
            _compare(step.out, out, names, where)
        _compare(step.err, err, names, where)
    assert os.environ["PASSERELLE_HOME"]
