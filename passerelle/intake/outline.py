"""The beginning of an XML document, looked at for a proposal: where its records are and what each holds, leniently."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal
from xml.parsers import expat

from passerelle.errors import IntakeError
from passerelle.intake.documents import Leaf, Sampled, flattened
from passerelle.intake.limits import MAX_DEPTH_ELEMENTS

_Path = tuple[str, ...]
_USUAL_STEPS: Final = 3
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
ENCODING: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
"""What an XML declaration says of the encoding."""


class _Outline:
    """Counts elements by path, and keeps what begins, ends and stands in them."""

    def __init__(self) -> None:
        self.counts: Counter[_Path] = Counter()
        self.spaces: Counter[str] = Counter()
        self.seen: list[tuple[Literal["start", "value", "end"], _Path, str]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self._inner = self._attributes = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH_ELEMENTS:
            raise IntakeError(f"more than {MAX_DEPTH_ELEMENTS} elements inside one another", where="input")
        space, _, bare = name.rpartition(" ")
        self.spaces[space] += 1
        self._open.append(bare)
        path = tuple(self._open)
        self.counts[path] += 1
        self.seen.append(("start", path, ""))
        said = {key: value for key, value in attributes.items() if not key.startswith(f"{_INSTANCE} ")}
        self.seen += [("value", (*path, f"@{key}"), value) for key, value in said.items()]
        self._text, self._inner, self._attributes = [], False, bool(said)

    def end(self, _: str) -> None:
        path, text = tuple(self._open), "".join(self._text)
        if not self._inner and (text.strip() or not self._attributes):
            self.seen.append(("value", path, text))
        self.seen.append(("end", path, ""))
        self._open.pop()
        self._text, self._inner = [], True

    def text(self, data: str) -> None:
        self._text.append(data)


def sampled_xml(text: str, limit: int) -> Sampled:
    """The elements that look like records: they repeat, or hold most.

    Raises:
        IntakeError: a document type declaration, or nested too deep.
    """
    outline = _Outline()
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = outline.start, outline.end
    parser.CharacterDataHandler = outline.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    warnings = []
    try:
        parser.Parse(text.encode(), False)
    except (expat.ExpatError, ValueError):
        warnings.append("the document is not well formed: what comes before its first fault is looked at")
    record = _record_path(outline.counts)
    records = []
    for leaves in _records(outline, record):
        records.append(leaves)
        if len(records) >= limit:
            break
    evidence = {
        "format": f"{sum(outline.counts.values())} elements; records are {len(record)} steps down, {outline.counts[record]} of them"
    }
    beside = _beside(outline.counts, record)
    named: dict[str, object] = {"path": "/".join(record)} | ({"beside": beside} if beside else {})
    spaces = sorted(outline.spaces)
    if len(spaces) > 1:
        warnings.append(f"elements of {len(spaces)} namespaces, where a dialect declares one or none")
    elif spaces and spaces[0]:
        named["namespace"] = spaces[0]
        evidence["namespace"] = f"{outline.spaces[spaces[0]]} elements in one namespace"
    return flattened("xml", evidence, records, named, warnings)


def _records(outline: _Outline, record: _Path) -> Iterator[dict[str, list[Leaf]]]:
    """Of each record that ended, its values by path; what repeats in it is a list."""
    leaves: dict[str, list[Leaf]] = {}
    several: set[_Path] = set()
    inside: dict[_Path, set[str]] = {}
    for what, path, text in outline.seen:
        if path[: len(record)] != record:
            continue
        below = path[len(record) :]
        if what == "start":
            if not below:
                leaves, several, inside = {}, set(), {}
            elif below[-1] in inside[below[:-1]]:
                several.add(below)
            else:
                inside[below[:-1]].add(below[-1])
            inside[below] = set()
        elif what == "value":
            leaves.setdefault("/".join(below), []).append((text, None))
        elif not below:
            yield {name: [(said, _listed(name, several)) for said, _ in found] for name, found in leaves.items()}


def _listed(name: str, several: set[_Path]) -> str | None:
    """The first path on the way to ``name`` of which a record has several."""
    parts = tuple(name.split("/"))
    found = next((parts[:count] for count in range(1, len(parts) + 1) if parts[:count] in several), None)
    return None if found is None else "/".join(found)


def _beside(counts: Mapping[_Path, int], record: _Path) -> list[str]:
    """The elements on the way to the records that hold none of them."""
    return [
        "/".join(path)
        for path in counts
        if 1 < len(path) <= len(record) and path != record[: len(path)] and path[:-1] == record[: len(path) - 1]
    ]


def _record_path(counts: Mapping[_Path, int]) -> _Path:
    """From the root, the child that holds most, until one that repeats, or that is as deep as records are and no wrapper."""
    below: dict[_Path, list[_Path]] = {}
    weights: Counter[_Path] = Counter()
    for path, count in counts.items():
        below.setdefault(path[:-1], []).append(path)
        for length in range(1, len(path) + 1):
            weights[path[:length]] += count
    path = next(iter(below.get((), [])), ())
    while path in below and (len(path) < 2 or counts[path] == 1):  # noqa: PLR2004 -- the root is no record
        children = below[path]
        if len(path) >= _USUAL_STEPS and not _wraps(children, below):
            break
        best = max(children, key=lambda one: weights[one])
        if len(path) > 1 and best not in below and counts[best] == 1:
            break
        path = best
    return path


def _wraps(children: Sequence[_Path], below: Mapping[_Path, list[_Path]]) -> bool:
    """Whether an element has one kind of child alone, which holds others."""
    return len(children) == 1 and children[0] in below


def _refuse_doctype(*_: object) -> None:
    raise IntakeError("expected XML without a document type declaration, came XML with one", where="input")
