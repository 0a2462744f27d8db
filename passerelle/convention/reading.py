"""Strict YAML: a plain tree of text, numbers, dates, mappings and lists, with the line of every key, and no surprise.

Works on the parser's events, so that an anchor, a tag, a key given twice or a key that YAML 1.1 turns into a boolean is seen
before anything is built from it. Nothing here knows what a convention is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

Place = tuple[str | int, ...]

MAX_DEPTH = 12  # levels of nesting
MAX_NODES = 20_000  # keys, items and values in one file
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"'[^' ][^']*[^' ]'")  # quoted in a message of the parser, other than a sign of YAML's own
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML has it: ten times as fast
_BOOLEAN_HINT = "on, off, yes and no are booleans in YAML 1.1: put quotes around the word"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the line, what was expected there and what kind of thing came (never its value)."""

    line: int
    expected: str
    got: str
    hint: str | None = None
    place: Place = ()

    def at(self, file: str) -> str:
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{file}:{self.line}: expected {self.expected}, got {self.got}{hint}"


@dataclass(slots=True)
class Tree:
    """What a file says: its data, the line of every place in them, and the faults of its writing."""

    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class _StopReadingError(Exception):
    """A limit was reached: what follows is not read."""


def read(text: str) -> Tree:
    """Read one YAML document; every fault of the writing is in ``faults``, and what could be read is in ``data``."""
    reader = _Reader(text)
    try:
        reader.document()
    except _StopReadingError:
        pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = _NAME.sub("a name", error.problem or "something else")
        reader.tree.faults.append(Fault(reader.line(mark) if mark else 1, "well-formed YAML", problem))
    except yaml.YAMLError:
        reader.tree.faults.append(Fault(1, "text without control characters", "a character that YAML does not allow"))
    return reader.tree


class _Reader:
    def __init__(self, text: str) -> None:
        self.tree = Tree()
        self._loader: Any = None
        self._text = text
        self._last = max(1, len(text.splitlines()))
        self._nodes = 0

    def document(self) -> None:
        self._loader = _LOADER(self._text)
        self._next()
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            self._fault(start, (), "one document", "an empty file")
            return
        if start.version or start.tags:
            self._fault(start, (), "no directive", "a % directive")
        self.tree.data = self._value((), self._next(), 0)
        self._next()
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._fault(after, (), "one document", "a second one", "one file holds one convention")

    def line(self, mark: Any) -> int:
        """The line of a mark, from 1; the last one for what stands past the end."""
        return min(int(mark.line) + 1, self._last)

    def _next(self) -> Any:
        return self._loader.get_event()

    def _fault(self, event: Any, place: Place, expected: str, got: str, hint: str | None = None) -> None:
        self.tree.faults.append(Fault(self.line(event.start_mark), expected, got, hint, place))

    def _value(self, place: Place, event: Any, depth: int) -> Any:
        self._nodes += 1
        self.tree.lines.setdefault(place, event.start_mark.line + 1)
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"at most {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"at most {MAX_NODES} values"
            self._fault(event, place, limit, "more")
            raise _StopReadingError
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, place, "the value itself", "an alias (*)", "write the value again")
            return None
        if event.anchor:
            self._fault(event, place, "no anchor", "an anchor (&)", "write the value where it is needed")
        if event.tag is not None:
            self._fault(event, place, "no explicit tag", "a tag (!)", "types follow from the format, not from the file")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place, depth)
        return self._scalar(place, event)

    def _sequence(self, place: Place, depth: int) -> tuple[Any, ...]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value((*place, len(items)), event, depth + 1))
        return tuple(items)

    def _mapping(self, place: Place, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(place, event, depth)
            below = (*place, key) if key is not None else (*place, "?")
            if key is not None and key in entries:
                self._fault(event, place, "each key once", f"the key {shown(key)} a second time")
            self.tree.lines.setdefault(below, event.start_mark.line + 1)
            value = self._value(below, self._next(), depth + 1)
            if key is not None:
                entries.setdefault(key, value)
        return entries

    def _key(self, place: Place, event: Any, depth: int) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self._value((*place, "?"), event, depth + 1)
            self._fault(event, place, "a key that is text", "a list, a mapping or an alias")
            return None
        if event.anchor or event.tag is not None:
            self._fault(event, place, "a plain key", "an anchor or a tag")
        kind = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if kind != "tag:yaml.org,2002:str":
            name = kind.rsplit(":", 1)[-1]
            hint = _BOOLEAN_HINT if name == "bool" else None
            self._fault(event, place, "a key that is text", f"a key that YAML reads as {name}", hint)
            return None
        return str(event.value)

    def _scalar(self, place: Place, event: Any) -> Any:
        text = str(event.value)
        kind = self._loader.resolve(yaml.ScalarNode, text, event.implicit).rsplit(":", 1)[-1]
        if event.tag is not None or kind == "str":
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in ("true", "yes", "on")
        if kind == "int" and _INTEGER.fullmatch(text):
            return int(text)
        if kind == "float" and _DECIMAL.fullmatch(text):
            return float(text)
        if kind == "timestamp" and _DAY.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                self._fault(event, place, "a day that exists", "a date that does not")
                return None
        self._fault(
            event, place, "text, a whole number, a decimal or a date", f"a {kind} in another writing", "quote it"
        )
        return None


def shown(key: str) -> str:
    """The key as a message may show it: only if it looks like a key of the format."""
    return f"'{key}'" if re.fullmatch(r"[a-z][a-z0-9_]{0,40}", key) else "(not a name of the format)"
