"""The golden list: every column, kind of file and table of Prefect, whether it can lead to a person, and how long it is kept.

``golden.json`` is the list; a test fails on what is missing in it and on what no longer exists (house rule 29). ``person`` is
``none``, ``indirect`` (through a key, a count or an account) or ``direct``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

PERSON = ("none", "indirect", "direct")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table: what leads from it to a person."""

    name: str
    person: str


@dataclass(frozen=True, slots=True)
class TableKept:
    """One table of the database. ``purged_by`` is the column that names the convention in what a purge takes out of it.

    ``cleared`` are the columns that a purge empties; none, and a ``purged_by``: whole rows go.
    """

    name: str
    said: Mapping[str, str]
    keep: str
    gone_by: str | None
    columns: tuple[Column, ...]
    purged_by: str | None
    cleared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file in a workspace; ``goes`` says whether the purge of its convention removes it."""

    kind: str
    pattern: re.Pattern[str]
    person: str
    said: Mapping[str, str]
    keep: str
    gone_by: str | None
    goes: bool


@dataclass(frozen=True, slots=True)
class PrefectTable:
    """One table of Prefect's own database; ``runs`` says whether it keeps something of single runs."""

    name: str
    person: str
    said: Mapping[str, str]
    keep: str
    runs: bool


@dataclass(frozen=True, slots=True)
class Golden:
    """The list; ``keeping`` has the periods in words, in French and English."""

    keeping: Mapping[str, Mapping[str, str]]
    tables: tuple[TableKept, ...]
    files: tuple[FileKind, ...]
    prefect: tuple[PrefectTable, ...]

    def as_json(self) -> dict[str, Any]:
        """As one JSON object: the list as it is kept."""
        return _raw()


def _raw() -> dict[str, Any]:
    text = resources.files(__package__ or "retention").joinpath("golden.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def golden() -> Golden:
    """The list, read once."""
    raw = _raw()
    return Golden(
        raw["keeping"],
        tuple(_table(name, row) for name, row in raw["tables"].items()),
        tuple(_file(row) for row in raw["files"]),
        tuple(
            PrefectTable(name, row["person"], _said(row), row["keep"], row["runs"])
            for name, row in raw["prefect"].items()
        ),
    )


def _said(row: Mapping[str, Any]) -> Mapping[str, str]:
    return {"fr": row["fr"], "en": row["en"]}


def _table(name: str, row: Mapping[str, Any]) -> TableKept:
    purged = row.get("purged", {})
    columns = tuple(Column(column, person) for column, person in row["columns"].items())
    cleared = tuple(purged.get("cleared", ()))
    return TableKept(name, _said(row), row["keep"], row["gone_by"], columns, purged.get("by"), cleared)


def _file(row: Mapping[str, Any]) -> FileKind:
    pattern = re.compile(row["pattern"])
    return FileKind(row["kind"], pattern, row["person"], _said(row), row["keep"], row["gone_by"], row["goes"])


@dataclass(frozen=True, slots=True)
class Classified:
    """A file of a workspace and what its name says it belongs to."""

    kind: FileKind
    convention: str | None
    run: str | None
    parcel: str | None


def classify(relative: str) -> Classified | None:
    """The kind of the file at ``relative``, a path inside a workspace with ``/``; None when the list knows no such file."""
    for kind in golden().files:
        found = kind.pattern.fullmatch(relative)
        if found is not None:
            names = found.groupdict()
            run = names.get("run") or (f"r-{names['reply']}" if names.get("reply") else None)
            return Classified(kind, names.get("convention"), run, names.get("parcel"))
    return None
