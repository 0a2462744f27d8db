"""The beginning of a workbook or of a document that nests, looked at for a proposal: paths and texts, leniently."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from passerelle.errors import IntakeError
from passerelle.intake import workbook
from passerelle.intake.archive import Opener
from passerelle.intake.limits import MAX_COLUMNS, MAX_DEPTH_ELEMENTS, MAX_JSON_DEPTH
from passerelle.intake.records import escaped


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some rows of a file and what they speak for."""

    settings: dict[str, Any]
    evidence: dict[str, str]
    names: Sequence[str] | None
    rows: list[list[str]]
    width: int
    warnings: list[str] = field(default_factory=list)
    whole: bool = True
    path: str = ""


def sampled_workbook(opener: Opener, limit: int) -> Sampled:
    """The sheet with the widest row near its top, which is taken for the header, and how many sheets there are."""
    counts, sheet, rows, whole = workbook.preview(opener, limit)
    near = [(number, cells) for number, cells in rows if number <= workbook.TITLE_ROWS]
    first, header = max(near, key=lambda row: sum(1 for cell in row[1] if cell), default=(1, []))
    body = [cells for number, cells in rows if number >= first and any(cells)]
    width = max((place for place, cell in enumerate(header, 1) if cell), default=0)
    texts = [[cell or "" for cell in cells[:width]] + [""] * (width - len(cells)) for cells in body]
    evidence = {
        "format": f"{counts} sheets; sheet {sheet} has the widest header, of {width} columns, in row {first}",
    }
    warnings = [f"{first - 1} rows before the header: declare them with lead"] if first > 1 else []
    if short := sum(sum(1 for cell in cells if cell) == 1 for cells in body[1:]) if width > 1 else 0:
        warnings.append(f"{short} rows have one value alone: notes after the rows are declared with trail")
    names = texts[0] if texts else None
    return Sampled({"format": "xlsx"}, evidence, names, texts[1:], width, warnings, whole=whole)


def sampled_lines(text: str, limit: int, *, whole: bool) -> Sampled | None:
    """JSON lines, when the first line is an object by itself."""
    lines = text.split("\n")
    if not whole:
        lines.pop()
    found: list[Any] = []
    for line in lines[:limit]:
        value = _value(line.strip())
        if line.strip() and not isinstance(value, dict):
            return None
        found += [value] if line.strip() else []
    if len(found) == 1 and any(_is_table(value) for value in found[0].values()):
        return None
    return _flattened({"format": "jsonl"}, {"format": f"{len(found)} objects, one a line"}, found)


def sampled_json(text: str, limit: int) -> Sampled:
    """An array of objects, at the top or one step below.

    Raises:
        IntakeError: no such array is found in what was looked at.
    """
    start = text.find("[") if text.lstrip().startswith("[") else -1
    if start < 0:
        whole = _value(text)
        arrays = {name: value for name, value in whole.items() if _is_table(value)} if isinstance(whole, dict) else {}
        if not arrays:
            raise IntakeError(
                "expected an array of objects, came other JSON", where="input", hint="declare its path by hand"
            )
        path = max(arrays, key=lambda name: len(arrays[name]))
        found = arrays[path][:limit]
        settings = {"format": "json", "steps_to_records": 1, "names_beside": len(whole) - 1}
        return _flattened(
            settings, {"format": f"{len(found)} objects in an array one step below the top"}, found, escaped(path)
        )
    found = list(_elements(text, start + 1, limit))
    return _flattened({"format": "json", "path": ""}, {"format": f"{len(found)} objects in an array at the top"}, found)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _elements(text: str, at: int, limit: int) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    for _ in range(limit):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _flattened(settings: dict[str, Any], evidence: dict[str, str], records: Sequence[Any], path: str = "") -> Sampled:
    flat = [dict(_leaves(record, "", 0)) for record in records if isinstance(record, dict)]
    names = list(dict.fromkeys(name for row in flat for name in row))[:MAX_COLUMNS]
    lists = sum("[]" in name for name in names)
    lacking = sum(any(name not in row for row in flat) for name in names)
    evidence |= {"optional": f"{lacking} of {len(names)} paths are not in every record"}
    warnings = [f"{lists} paths go through lists: multivalue, or rows"] if lists else []
    rows = [[row.get(name, "") for name in names] for row in flat]
    return Sampled(settings, evidence, names, rows, len(names), warnings, path=path)


def _leaves(node: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_JSON_DEPTH:
        return
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _leaves(child, f"{path}/{escaped(name)}".lstrip("/"), depth + 1)
    elif isinstance(node, list):
        for child in node:
            yield from _leaves(child, f"{path}[]", depth + 1)
    else:
        yield path, "" if node is None else str(node)


class _Outline:
    """Counts elements by path, and keeps the text of the leaves below the records."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.spaces: Counter[bool] = Counter()
        self.leaves: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH_ELEMENTS:
            raise IntakeError(f"more than {MAX_DEPTH_ELEMENTS} elements inside one another", where="input")
        self.spaces[" " in name] += 1
        self._open.append(name.rpartition(" ")[2])
        self.counts[tuple(self._open)] += 1
        self._text = []

    def end(self, _: str) -> None:
        self.leaves.append((tuple(self._open), "".join(self._text).strip()))
        self._open.pop()
        self._text = []

    def text(self, data: str) -> None:
        self._text.append(data)


_FEWEST_STEPS: Final = 2
_USUAL_STEPS: Final = 3


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
    try:
        parser.Parse(text.encode(), False)
    except (expat.ExpatError, ValueError):
        outline.leaves.append(((), ""))
    record = _record_path(outline.counts)
    rows: list[dict[str, str]] = [{}]
    for path, said in outline.leaves:
        if path == record and len(rows) <= limit:
            rows.append({})
        elif path[: len(record)] == record and len(path) > len(record) and said:
            rows[-1].setdefault("/".join(path[len(record) :]), said)
    evidence = {
        "format": f"{sum(outline.counts.values())} elements; records are {len(record)} steps down, {outline.counts[record]} of them"
    }
    settings = {"format": "xml", "steps_to_records": len(record), "in_a_namespace": outline.spaces[True] > 0}
    return _flattened(settings, evidence, rows[:-1], "/".join(record))


def _record_path(counts: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    """From the root, the child that holds most, until one that repeats or is as deep as records usually are."""
    path: tuple[str, ...] = next((one for one in counts if len(one) == 1), ())
    while len(path) < _USUAL_STEPS and (len(path) < _FEWEST_STEPS or counts[path] == 1):
        below = Counter(one[: len(path) + 1] for one in counts if len(one) > len(path) and one[: len(path)] == path)
        if not below:
            break
        path = max(below, key=lambda one: below[one])
    return path


def _refuse_doctype(*_: object) -> None:
    raise IntakeError("expected XML without a document type declaration, came XML with one", where="input")
