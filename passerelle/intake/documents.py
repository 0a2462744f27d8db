"""The beginning of a workbook or of a JSON document, looked at for a proposal: paths and texts, leniently."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from passerelle.errors import IntakeError
from passerelle.intake import workbook
from passerelle.intake.archive import Opener
from passerelle.intake.limits import MAX_COLUMNS, MAX_JSON_DEPTH
from passerelle.intake.records import escaped

Leaf = tuple[str, str | None]
"""A value of a record, and the path of the first list on the way to it."""
MARKS: Final = (";", "|", ",")
_NEVER: Final = "\u241f"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some rows of a file and what they speak for.

    ``named`` are settings that hold words of the file. ``lists`` has, for each path of which a record has several values, the
    mark that none of them holds and the path where they part. ``days`` are the columns (from 1) of days as numbers.
    """

    settings: dict[str, Any]
    evidence: dict[str, str]
    names: Sequence[str] | None
    rows: list[list[str]]
    width: int
    warnings: list[str] = field(default_factory=list)
    whole: bool = True
    named: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, tuple[str, str]] = field(default_factory=dict)
    days: tuple[int, ...] = ()


def sampled_workbook(opener: Opener, limit: int) -> Sampled:
    """The sheet with the widest row near its top, which is taken for the header, and how many sheets there are."""
    seen = workbook.preview(opener, limit)
    near = [(number, cells) for number, cells in seen.rows if number <= workbook.TITLE_ROWS]
    first, header = max(near, key=lambda row: sum(1 for cell in row[1] if cell), default=(1, []))
    body = [(number, cells) for number, cells in seen.rows if number >= first and any(cells)]
    width = max((place for place, cell in enumerate(header, 1) if cell), default=0)
    settings: dict[str, Any] = {"format": "xlsx"}
    evidence = {
        "format": f"{seen.sheets} sheets, {seen.hidden} of them hidden; sheet {seen.sheet} has the widest header, of {width} columns, in row {first}",
    }
    warnings = []
    if first > 1:
        settings["lead"] = [".*"] * (first - 1)
        warnings.append(f"{first - 1} rows before the header: lead takes any text, say what they are")
    closing = _closing(body, width) if seen.whole else 0
    if closing:
        settings["trail"] = [".*"] * (body[-1][0] - body[-closing - 1][0])
        warnings.append(f"{closing} rows after the table: trail takes any text, say what they are")
        body = body[:-closing]
    texts = [[cell or "" for cell in cells[:width]] + [""] * (width - len(cells)) for _, cells in body]
    if short := sum(sum(1 for cell in cells if cell) == 1 for cells in texts[1:]) if width > 1 else 0:
        warnings.append(f"{short} rows have one value alone: notes after the rows are declared with trail")
    if seen.whole and any(after - before > 1 for (before, _), (after, _) in itertools.pairwise(body)):
        warnings.append("blank rows in the table: they are refused")
    days = tuple(column for column in seen.days if column <= width)
    if days:
        settings["serial_epoch"] = seen.epoch
        evidence["serial_dates"] = f"columns {', '.join(map(str, days))}: days as numbers, counted from {seen.epoch}"
    if any(seen.timed.get(column) for column in days):
        warnings.append(
            f"{sum(seen.timed.values())} dates have a time of day: serial_dates turns whole days only, the others are refused as dates"
        )
    named = {"sheet": seen.name} if seen.alike > 1 else {}
    names = texts[0] if texts else None
    return Sampled(settings, evidence, names, texts[1:], width, warnings, whole=seen.whole, named=named, days=days)


def _closing(body: Sequence[tuple[int, Sequence[str | None]]], width: int) -> int:
    """How many rows at the end have one value alone, where no other row has."""
    alone = [sum(1 for cell in cells if cell) == 1 for _, cells in body[1:]]
    count = 0
    while count < len(alone) and alone[-1 - count]:
        count += 1
    return count if width > 1 and count < len(alone) and sum(alone) == count else 0


def sampled_lines(text: str, limit: int, *, whole: bool) -> Sampled | None:
    """JSON lines, when the first line is an object by itself."""
    lines = text.splitlines() if "\n" not in text else text.split("\n")
    if not whole:
        lines.pop()
    found: list[Any] = []
    for line in lines[:limit]:
        value = _value(line.strip())
        if line.strip() and not isinstance(value, dict):
            return None
        found += [value] if line.strip() else []
    if not found or (len(found) == 1 and _tables(text, 1)[0]):
        return None
    begin = next(number for number, line in enumerate(lines) if line.strip())
    blank = sum(not line.strip() for line in lines[begin:-1])
    sampled = flattened(
        "jsonl", {"format": f"{len(found)} objects, one a line"}, [_leaves_of(one) for one in found], {}
    )
    if begin:
        sampled.settings["lead"] = [".*"] * begin
    if blank:
        sampled.settings["blank_lines"] = True
        sampled.evidence["blank_lines"] = f"{blank} blank lines"
    return sampled


def sampled_json(text: str, limit: int) -> Sampled:
    """The longest array of objects that stands in no other.

    Raises:
        IntakeError: no such array is found in what was looked at.
    """
    tables, names = _tables(text, limit)
    if not tables:
        raise IntakeError(
            "expected an array of objects, came other JSON", where="input", hint="declare its path by hand"
        )
    best = max(tables, key=lambda table: table.size)
    steps = best.path.split("/") if best.path else []
    above = ["/".join(steps[:count]) for count in range(len(steps) + 1)]
    beside = [name for node in above[:-1] for name in names.get(node, []) if name not in above]
    evidence = {"format": f"{len(best.records)} objects in an array, {len(steps)} steps below the top"}
    if beside:
        evidence["beside"] = f"{len(beside)} names beside the records"
    named = {"path": best.path} | ({"beside": beside} if beside else {})
    return flattened("json", evidence, [_leaves_of(one) for one in best.records], named)


@dataclass(slots=True)
class _Table:
    """An array of objects: where it is, some of them, and how many characters it has."""

    path: str
    records: list[dict[str, Any]]
    size: int = 0


def _tables(text: str, limit: int) -> tuple[list[_Table], dict[str, list[str]]]:
    """The arrays of objects that stand in no other, and the names in each object on the way: as far as the text can be read."""
    search = _Search(text, limit)
    try:
        search.node(0, "", 0)
    except (ValueError, IndexError, RecursionError):
        return search.tables, search.names
    return search.tables, search.names


class _Search:
    """Walks down the objects of a JSON text that may be cut, and stops with a ValueError or IndexError where it is."""

    def __init__(self, text: str, limit: int) -> None:
        self._text, self._limit = text, limit
        self._decode = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str).raw_decode
        self.tables: list[_Table] = []
        self.names: dict[str, list[str]] = {}

    def node(self, at: int, path: str, depth: int) -> int:
        """Look at the value at ``at``, and say where it ends."""
        at = self._next(at)
        mark = self._text[at]
        if mark == "{" and depth < MAX_JSON_DEPTH:
            return self._object(at, path, depth)
        if mark == "[" and self._text[self._next(at + 1)] == "{":
            return self._array(at, path)
        return int(self._decode(self._text, at)[1])

    def _object(self, at: int, path: str, depth: int) -> int:
        names = self.names.setdefault(path, [])
        at = self._next(at + 1)
        while self._text[at] != "}":
            name, at = self._decode(self._text, at)
            below = f"{path}/{escaped(str(name))}".lstrip("/")
            names.append(below)
            at = self._next(self.node(self._next(at) + 1, below, depth + 1))
            at = self._next(at + 1) if self._text[at] == "," else at
        return at + 1

    def _array(self, at: int, path: str) -> int:
        table = _Table(path, [])
        self.tables.append(table)
        start, at = at, self._next(at + 1)
        while self._text[at] != "]":
            record, at = self._decode(self._text, at)
            if len(table.records) < self._limit and isinstance(record, dict):
                table.records.append(record)
            table.size = at - start
            at = self._next(at)
            at = self._next(at + 1) if self._text[at] == "," else at
        return at + 1

    def _next(self, at: int) -> int:
        while self._text[at] in " \t\r\n":
            at += 1
        return at


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def _leaves_of(record: Mapping[str, Any]) -> dict[str, list[Leaf]]:
    found: dict[str, list[Leaf]] = {}
    for path, said, listed in _leaves(record, "", None, 0):
        found.setdefault(path, []).append((said, listed))
    return found


def _leaves(node: Any, path: str, listed: str | None, depth: int) -> Iterator[tuple[str, str, str | None]]:
    if depth > MAX_JSON_DEPTH:
        return
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _leaves(child, f"{path}/{escaped(name)}".lstrip("/"), listed, depth + 1)
    elif isinstance(node, list):
        for child in node or [None]:
            yield from _leaves(child, path, listed or path, depth + 1)
    else:
        yield path, _said(node), listed


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def flattened(
    format: str,  # noqa: A002  (the setting's name)
    evidence: dict[str, str],
    records: Sequence[Mapping[str, Sequence[Leaf]]],
    named: dict[str, Any],
    warnings: Sequence[str] = (),
) -> Sampled:
    """Records as rows of their first values, with the paths that some lack and those that have several values."""
    names = [name for name in dict.fromkeys(name for row in records for name in row) if name]
    said = {name for row in records for name, leaves in row.items() if any(text.strip() for text, _ in leaves)}
    above = {
        name[:at] for name in names for at, mark in enumerate(name) if mark == "/" and "/@" not in name[at : at + 2]
    }
    names = [name for name in names if name not in above or name in said][:MAX_COLUMNS]
    optional = [name for name in names if any(name not in row for row in records)]
    lists = {
        name: (_mark(name, records), place)
        for name in names
        if (place := next((at for row in records for _, at in row.get(name, ()) if at is not None), None)) is not None
    }
    evidence |= {"optional": f"{len(optional)} of {len(names)} paths are not in every record"}
    told = [*warnings, f"{len(lists)} paths go through lists: multivalue, or rows"] if lists else list(warnings)
    rows = [[row[name][0][0] if name in row else "" for name in names] for row in records]
    named |= {"optional": optional} if optional else {}
    return Sampled({"format": format}, evidence, names, rows, len(names), told, named=named, lists=lists)


def _mark(name: str, records: Sequence[Mapping[str, Sequence[Leaf]]]) -> str:
    """The first mark that no value holds."""
    text = "".join(said for row in records for said, _ in row.get(name, ()))
    return next((mark for mark in MARKS if mark not in text), _NEVER)
