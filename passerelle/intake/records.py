"""Records that nest (JSON, XML) as flat rows of text: only what the dialect declares, once each unless it says otherwise.

A record is a tree: objects are dicts, repeated things lists, leaves text or None. A dialect's column is a path in it, names
joined by ``/`` (RFC 6901's reference tokens: ``~1`` stands for a slash in a name, ``~0`` for a tilde). ``TEXT`` is the key of
an element's own text beside its attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Dialect
from passerelle.errors import IntakeError, UsageError
from passerelle.intake.chunks import Parsed
from passerelle.intake.limits import BATCH_BYTES, BATCH_ROWS, MAX_RECORD_ROWS, MAX_RECORD_TEXT, MAX_RECORD_VALUES, MIB

TEXT: Final = None
Tree = Any
Values = dict[str, list[str | None]]
Row = list[str | None]


class Misfit(Exception):  # noqa: N818 -- never leaves the package
    """A record is not what the dialect declares; the message holds no word of the file."""


def tokens(path: str) -> list[str]:
    """The names in a path, escapes undone."""
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")] if path else []


def escaped(name: str) -> str:
    """A name as a path has it."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


class Plan:
    """How the records of one dialect become rows.

    Raises:
        UsageError: the dialect's paths cannot be carried out.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._columns = dict(dialect.columns)
        self.targets = {path: target for path, target in self._columns.items() if target is not None}
        self.paths = list(self.targets)
        self._inner = {above for path in self._columns for above in _above(path)}
        self._levels = [*_above(dialect.rows), dialect.rows] if dialect.rows else []
        self._inner |= set(self._levels)
        self._optional = set(dialect.optional)
        self._blank = dialect.format == "xml"
        marks = {path: dialect.multivalue[name] for path, name in self.targets.items() if name in dialect.multivalue}
        self._marks = marks
        self._plural = set(marks) | {above for path in marks for above in _above(path)}
        self._flat = not self._inner and not marks and set(self._columns) == set(map(escaped, self._columns))
        self._check()

    def _check(self) -> None:
        unknown = self._optional - set(self._columns) - self._inner
        strange = set(self._dialect.multivalue) - set(self._columns.values())
        dropped = {path for path, target in self._columns.items() if target is None}
        if unknown or strange or dropped & self._inner or not all(self._marks.values()):
            raise UsageError(f"dialect {self._dialect.id}: its paths contradict one another")

    def header(self, tree: Tree) -> list[str | None]:
        """What a first record is recognised by: the declared columns that it has or may lack, then one for each other."""
        known = {escaped(name) for name in tree if name is not None} if isinstance(tree, dict) else set()
        tops = {path.split("/")[0] for path in self._columns}
        lacked = {path for path in self._columns if path.split("/")[0] not in known and not self._may_lack(path)}
        return [None if path in lacked else path for path in self._columns] + [None for _ in known - tops]

    def _may_lack(self, path: str) -> bool:
        return self._columns[path] is None or not self._optional.isdisjoint([path, *_above(path)])

    def rows(self, tree: Tree) -> Iterator[Row]:
        """The rows of one record, the columns in the order of ``paths``.

        Raises:
            Misfit: something that is not declared, or something declared that is missing or repeated.
        """
        if not isinstance(tree, dict):
            raise Misfit("a record that is no object")
        if self._flat and tree.keys() <= self._columns.keys() and (row := self._whole(tree)):
            yield row
            return
        self._count = size = 0
        for values in self._unnested(tree, "", {}, 0):
            row = self._row(values)
            size += text_length(row)
            if size > MAX_RECORD_TEXT:
                raise Misfit(f"a record whose rows are more than {MAX_RECORD_TEXT // MIB} Mi characters")
            yield row

    def _whole(self, tree: Mapping[str | None, Tree]) -> Row | None:
        """The row of a record that is flat and lacks nothing, at once; None: look closer."""
        row = [tree.get(path, tree) for path in self.paths]
        if all(cell is None or (isinstance(cell, str) and "\0" not in cell) for cell in row):
            return row
        return None

    def _unnested(self, node: Tree, path: str, above: Values, level: int) -> Iterator[Values]:
        values = {name: list(found) for name, found in above.items()}
        below = self._levels[level] if level < len(self._levels) else None
        self._walk(node, path, values, below)
        if below is None:
            yield values
            return
        children = self._children(node, path, below)
        for count, child in enumerate(children):
            if count >= MAX_RECORD_ROWS:
                raise Misfit(f"a record of more than {MAX_RECORD_ROWS} rows")
            yield from self._unnested(child, below, values, level + 1)
        if not children and below in self._optional:
            yield values | {name: [None] for name in self._columns if name.startswith(below + "/")}

    def _children(self, node: Tree, path: str, below: str) -> list[Tree]:
        name = tokens(below[len(path) + 1 if path else 0 :])[0]
        child = node.get(name) if isinstance(node, dict) else None
        if child is None and below not in self._optional:
            raise Misfit(f"no {below}")
        if child is None:
            return []
        return child if isinstance(child, list) else [child]

    def _walk(self, node: Tree, path: str, values: Values, skipped: str | None) -> None:
        if path and self._columns.get(path, "") is None:
            return
        if isinstance(node, dict):
            self._object(node, path, values, skipped)
        elif isinstance(node, list):
            self._list(node, path, values, skipped)
        elif path in self._columns:
            self._put(values, path, node)
        elif self._blank and path in self._inner and not node.strip():
            return
        elif node is None and path in self._inner:
            for below in self._columns:
                if below.startswith(path + "/"):
                    self._put(values, below, None)
        else:
            raise Misfit(
                f"a value where the dialect declares more below {path}" if path in self._inner else _UNDECLARED
            )

    def _object(self, node: Mapping[str | None, Tree], path: str, values: Values, skipped: str | None) -> None:
        if path and path not in self._inner and TEXT not in node:
            raise Misfit(
                f"more below {path}, where the dialect declares a value" if path in self._columns else _UNDECLARED
            )
        for name, child in node.items():
            if name is TEXT:
                if path in self._columns:
                    self._put(values, path, child)
                elif child:
                    raise Misfit(_UNDECLARED)
                continue
            below = f"{path}/{escaped(name)}" if path else escaped(name)
            if below != skipped:
                self._walk(child, below, values, None)

    def _list(self, node: Sequence[Tree], path: str, values: Values, skipped: str | None) -> None:
        if path not in self._plural:
            raise Misfit(f"several values for {path}" if path in self._columns or path in self._inner else _UNDECLARED)
        if path in self._columns:
            values.setdefault(path, [])
        for child in node:
            if child is None or isinstance(child, list):
                raise Misfit(f"no single value in the list {path}")
            self._walk(child, path, values, skipped)

    def _put(self, values: Values, path: str, value: str | None) -> None:
        self._count += 1
        if self._count > MAX_RECORD_VALUES:
            raise Misfit(f"a record of more than {MAX_RECORD_VALUES} values")
        if value is not None and "\0" in value:
            raise Misfit("a NUL character")
        values.setdefault(path, []).append(value)

    def _row(self, values: Values) -> Row:
        return [self._cell(path, values.get(path)) for path in self.paths]

    def _cell(self, path: str, found: list[str | None] | None) -> str | None:
        if found is None:
            if self._may_lack(path):
                return None
            raise Misfit(f"no {path}")
        mark = self._marks.get(path)
        if len(found) == 1 and (mark is None or found[0] is None):
            return found[0]
        if mark is None:
            raise Misfit(f"several values for {path}")
        items = [item for item in found if item is not None]
        if any(mark in item for item in items):
            raise Misfit(f"a value of {path} that holds the mark between values")
        return mark.join(items) if items else None


_UNDECLARED: Final = "something that the dialect does not declare"


def gathered(
    records: Iterable[tuple[Tree, str]], plan: Plan, dialect: Dialect, wanted: Sequence[str]
) -> Iterator[Parsed]:
    """Rows of ``records`` (each with its place in the file) in tables of at most some ``BATCH_ROWS``.

    Raises:
        IntakeError: a record is not what the dialect declares.
    """
    rows: list[Row] = []
    size = 0
    for row in _flat(records, plan, dialect):
        rows.append(row)
        size += text_length(row)
        if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield Parsed(table(rows, plan, dialect, wanted), 0)
            rows, size = [], 0
    if rows:
        yield Parsed(table(rows, plan, dialect, wanted), 0)


def _flat(records: Iterable[tuple[Tree, str]], plan: Plan, dialect: Dialect) -> Iterator[Row]:
    for tree, place in records:
        try:
            yield from plan.rows(tree)
            fault = ""
        except Misfit as misfit:
            fault = str(misfit)
        if fault:
            raise IntakeError(f"{fault} (dialect {dialect.id})", where=place)


def text_length(row: Row) -> int:
    """Characters in a row."""
    return sum(len(cell) for cell in row if cell is not None)


def table(rows: list[Row], plan: Plan, dialect: Dialect, wanted: Sequence[str]) -> pa.Table:
    """Text columns called ``wanted``, null where the dialect says so."""
    marks = pa.array(list(dialect.nulls), pa.string())
    place = {target: number for number, target in enumerate(plan.targets.values())}
    columns = {}
    for name in list(wanted) or list(place)[:1]:
        column = pa.array([row[place[name]] for row in rows], pa.string())
        columns[name] = pc.if_else(pc.is_in(column, value_set=marks), pa.scalar(None, pa.string()), column)
    return pa.table(columns).select(list(wanted))


def first_header(find: Callable[[], Iterator[tuple[Tree, str]]], plan: Plan, dialect: Dialect) -> list[str | None]:
    """What the first record is recognised by; a document without record is recognised by its shape alone."""
    for tree, _ in find():
        return plan.header(tree)
    return list(dialect.columns)
