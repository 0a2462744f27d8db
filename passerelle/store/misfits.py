"""Stored values that are not of their column's type, named by table, row and column; never by what they hold.

SQLite keeps in a column whatever it was given, also by who changes the file behind the gateway's back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, cast, func, null, select, type_coerce
from sqlalchemy.types import NullType

from passerelle.trail.entry import is_of

INSTANTS = frozenset({"not_before", "not_after"})  # and whatever ends in _at
PARSED = frozenset({("convention_event", "payload"), ("purge", "plan")})  # JSON that is read with its row
KEYS = ("word", "ref", "fingerprint")  # the types of an id: what else stands in its place may be anything
_NUMBER = re.compile("[0-9]{1,8}")
STORED = {str: "text", int: "integer", bool: "integer", bytes: "blob"}


def misfit(connection: Connection, tables: Iterable[Table]) -> str | None:
    """The first value of these tables that is not of its column's type; None where each one is."""
    return next((fault for table in tables for fault in _faults(connection, table)), None)


def _faults(connection: Connection, table: Table) -> Iterator[str]:
    loose = connection.dialect.name == "sqlite"
    columns = list(table.c)
    shown = [part for column in columns for part in _read(column, loose=loose)]
    for row in connection.execute(select(*shown)):
        values = [_Value(column, *row[at * 2 : at * 2 + 2]) for at, column in enumerate(columns)]
        for one in values:
            if not one.fits:
                key = "/".join(other.key for other in values if other.column.primary_key)
                yield f"table {table.name}, row {key}: the column {one.column.name} holds a value that is not of its type"


def _read(column: Column[Any], *, loose: bool) -> tuple[Any, Any]:
    """How SQLite stores a value, and its bytes, which no driver refuses; other databases have types of their own."""
    if not loose:
        return null().label(None), type_coerce(column, NullType())
    return func.typeof(column), cast(column, LargeBinary)


class _Value:
    """One value, and how it is stored (None: as the column's type says)."""

    def __init__(self, column: Column[Any], stored: str | None, value: Any) -> None:
        self.column, self.stored, self.value = column, stored, value

    @property
    def text(self) -> str | None:
        """The value as text; None where it is none."""
        try:
            return self.value.decode() if isinstance(self.value, bytes) else str(self.value)
        except UnicodeDecodeError:
            return None

    @property
    def key(self) -> str:
        """The value where it is an id or a number, as a key is."""
        text = self.text or ""
        return text if _NUMBER.fullmatch(text) or any(is_of(name, text) for name in KEYS) else "?"

    @property
    def fits(self) -> bool:
        if self.value is None:
            return bool(self.column.nullable)
        kind = self.column.type.python_type
        if self.stored is not None and self.stored != STORED[kind]:
            return False
        return kind is not str or (self.text is not None and self._reads(self.text))

    def _reads(self, text: str) -> bool:
        name = self.column.name
        try:
            if name.endswith("_at") or name in INSTANTS:
                datetime.fromisoformat(text)
            if (self.column.table.name, name) in PARSED:
                return isinstance(json.loads(text), dict)
        except ValueError:
            return False
        return True
