"""From a file to a ``Convention``: strictly, and with every fault at its line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from passerelle.convention.consistency import inconsistencies
from passerelle.convention.faults import from_validation
from passerelle.convention.inheriting import MAX_GENERATIONS, Instance, blank_of, child, filled
from passerelle.convention.model import Convention
from passerelle.convention.reading import Fault, Tree, read
from passerelle.errors import ConventionFileError

_ID = r"[a-z0-9-]{1,64}"  # no path, no name that a folder could take amiss
MAX_BYTES = 262_144  # 256 KiB: the longest of the first five files is a tenth of it


Relatives = Callable[[str], Convention | None]
Model = TypeVar("Model", bound=BaseModel)


def load(
    path: Path, family: Mapping[str, Path] | None = None, loaded: dict[str, Convention] | None = None
) -> Convention:
    """Load one convention file; its parent or template is the file of that id in ``family``, else the one beside it.

    ``loaded`` keeps what was loaded on the way, by id, so that a template is read once for all its instances.

    Raises:
        ConventionFileError: the file, or one that it rests on, cannot be read or breaks the format; ``faults`` has every
            ``file:line: message``.
    """
    return _load(path, family, {} if loaded is None else loaded, ())


def _load(
    path: Path, family: Mapping[str, Path] | None, loaded: dict[str, Convention], below: tuple[str, ...]
) -> Convention:
    def relative(wanted: str) -> Convention | None:
        place = path.with_name(f"{wanted}.yaml") if family is None else family.get(wanted)
        if place is None or wanted in below or len(below) >= MAX_GENERATIONS or not place.is_file():
            return None
        if wanted not in loaded:
            loaded[wanted] = _load(place, family, loaded, (*below, path.stem))
        return loaded[wanted] if loaded[wanted].id == wanted else None

    return parse(_content(path), path.name, relative)


def _content(path: Path) -> bytes:
    name = path.name
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        fault = Fault(1, "a file that can be read", type(error).__name__)
        raise _refused(name, [fault]) from None
    if len(content) > MAX_BYTES:
        raise _refused(name, [Fault(1, f"at most {MAX_BYTES} bytes (256 KiB)", "a longer file")])
    return content


def load_folder(path: Path) -> dict[str, Convention]:
    """Load every ``*.yaml`` of a folder, by id; all the faults of all the files are reported together.

    Raises:
        ConventionFileError: a file breaks the format, two files have one id, or the folder has no convention.
    """
    found: dict[str, Convention] = {}
    loaded: dict[str, Convention] = {}
    faults: list[str] = []
    for file in sorted(path.glob("*.yaml")):
        try:
            convention = load(file, loaded=loaded)
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


def parse(content: bytes, name: str, relatives: Relatives | None = None) -> Convention:
    """Read the bytes of a convention file; ``name`` is what messages call it, ``relatives`` gives what it rests on, by id.

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
    whole = _completed(tree, relatives, faults)
    convention = None if whole is None else _validated(Convention, whole[0], tree, faults)
    if convention is not None:
        faults.extend(
            Fault(tree.lines.get(place, 1), expected, got, None, place)
            for place, expected, got in inconsistencies(convention)
        )
    if whole is None or convention is None or faults:
        raise _refused(name, faults)
    relative = whole[1]
    convention._sha256 = hashlib.sha256(content).hexdigest()  # noqa: SLF001 - the loader is the only writer of it
    if relative is not None:
        convention._lineage = ((relative.id, relative.sha256), *relative.lineage)  # noqa: SLF001 - as above
    return convention


def _completed(tree: Tree, relatives: Relatives | None, faults: list[Fault]) -> tuple[Any, Convention | None] | None:
    """The data of a whole convention, and what they rest on; None, with its fault, when that is missing or does not fit."""
    data = tree.data
    key = next((one for one in ("template", "parent") if isinstance(data, dict) and one in data), None)
    if key is None:
        return data, None
    instance = _validated(Instance, data, tree, faults) if key == "template" else None
    if key == "template" and instance is None:
        return None
    wanted = data[key]
    named = isinstance(wanted, str) and re.fullmatch(_ID, wanted) is not None
    relative = relatives(wanted) if relatives is not None and named else None
    if relative is None:
        expected = f"the id of another convention file, at most {MAX_GENERATIONS} generations up"
        faults.append(Fault(tree.lines.get((key,), 1), expected, "one that is not there", None, (key,)))
        return None
    if instance is None:
        return child(data, relative), relative
    blank = blank_of(relative)
    if blank is None:
        faults.append(Fault(tree.lines.get((key,), 1), "a template with one blank party", "another text", None, (key,)))
        return None
    return filled(instance, relative, blank), relative


def _validated(model: type[Model], data: Any, tree: Tree, faults: list[Fault]) -> Model | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        if tree.data is not None or not faults:
            faults.extend(from_validation(error, tree))
    return None


def _refused(name: str, faults: list[Fault]) -> ConventionFileError:
    lines = tuple(fault.at(name) for fault in sorted(faults, key=lambda fault: fault.line))
    return ConventionFileError(_summary(lines), faults=lines, hint="docs/spec/convention.md describes the format")


def _summary(faults: tuple[str, ...] | list[str]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}"
