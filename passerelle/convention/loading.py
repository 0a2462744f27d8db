"""From a file to a ``Convention``: strictly, and with every fault at its line."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from passerelle.convention.consistency import inconsistencies
from passerelle.convention.faults import from_validation
from passerelle.convention.model import Convention
from passerelle.convention.reading import Fault, read
from passerelle.errors import ConventionFileError

MAX_BYTES = 262_144  # 256 KiB: the longest of the first five files is a tenth of it


def load(path: Path) -> Convention:
    """Load one convention file.

    Raises:
        ConventionFileError: the file cannot be read, or breaks the format; ``faults`` has every ``file:line: message``.
    """
    name = path.name
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        fault = Fault(1, "a file that can be read", type(error).__name__)
        raise _refused(name, [fault]) from None
    if len(content) > MAX_BYTES:
        raise _refused(name, [Fault(1, f"at most {MAX_BYTES} bytes (256 KiB)", "a longer file")])
    return parse(content, name)


def load_folder(path: Path) -> dict[str, Convention]:
    """Load every ``*.yaml`` of a folder, by id; all the faults of all the files are reported together.

    Raises:
        ConventionFileError: a file breaks the format, two files have one id, or the folder has no convention.
    """
    found: dict[str, Convention] = {}
    faults: list[str] = []
    for file in sorted(path.glob("*.yaml")):
        try:
            convention = load(file)
        except ConventionFileError as error:
            faults.extend(error.faults)
            continue
        if convention.id in found:
            faults.append(Fault(1, "an id of its own", "the id of another file").at(file.name))
        found[convention.id] = convention
    if not found and not faults:
        faults.append(Fault(1, "at least one .yaml file", "none").at(path.name))
    if faults:
        raise ConventionFileError(_summary(faults), faults=tuple(faults))
    return found


def parse(content: bytes, name: str) -> Convention:
    """Read the bytes of a convention file; ``name`` is what messages call it.

    Raises:
        ConventionFileError: the bytes break the format.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(name, [Fault(line, "UTF-8", "bytes that are not")]) from None
    tree = read(text)
    faults = list(tree.faults)
    convention = None
    try:
        convention = Convention.model_validate(tree.data)
    except ValidationError as error:
        if tree.data is not None or not faults:
            faults.extend(from_validation(error, tree))
    if convention is not None:
        faults.extend(
            Fault(tree.lines.get(place, 1), expected, got, None, place)
            for place, expected, got in inconsistencies(convention)
        )
    if convention is None or faults:
        raise _refused(name, faults)
    convention._sha256 = hashlib.sha256(content).hexdigest()  # noqa: SLF001 - the loader is the only writer of it
    return convention


def _refused(name: str, faults: list[Fault]) -> ConventionFileError:
    lines = tuple(fault.at(name) for fault in sorted(faults, key=lambda fault: fault.line))
    return ConventionFileError(_summary(lines), faults=lines, hint="docs/spec/convention.md describes the format")


def _summary(faults: tuple[str, ...] | list[str]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}"
