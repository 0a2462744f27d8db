"""Finding lines: by who looked, partner, convention, delivery, action, outcome, time; by pages, the latest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from passerelle.clock import iso
from passerelle.errors import UsageError
from passerelle.store.access_tables import SEARCHED, access

PAGE = 1000  # lines that an export reads at once
COUNTED = 20_000  # lines, at most, that are counted to choose an index


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None: whatever. ``since`` is included, ``until`` excluded."""

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    partner: str | None = None
    convention: str | None = None
    delivery: str | None = None
    action: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``id`` is its order of writing, ``number`` its place in the sealed log (None: not sealed yet)."""

    id: int
    number: int | None
    at: str
    actor: str
    action: str
    subject: str
    reason: str
    partner: str | None
    convention: str | None
    exchange: str | None
    delivery: str | None
    run: str | None
    count: int | None
    outcome: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_COLUMNS = [access.c[name] for name in Line.__slots__]
_written = tuple_(access.c.at, access.c.id)


def page(connection: Connection, search: Search, *, limit: int, before: int | None = None) -> list[Line]:
    """The latest ``limit`` lines, oldest first; with ``before``, the latest of those before the line of that id.

    Raises:
        UsageError: there is no line of that id any more.
    """
    found = query(search, _rarest(connection, search)).order_by(access.c.at.desc(), access.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(_written < _place(connection, before))
    return [Line(*row) for row in connection.execute(found)][::-1]


def every(connection: Connection, search: Search) -> Iterator[tuple[Line, str]]:
    """All lines, each with its salt in hexadecimal (empty: it has none any more), oldest first, a page at a time."""
    found = query(search, _rarest(connection, search)).add_columns(type_coerce(access.c.salt, NullType()))
    found = found.order_by(access.c.at, access.c.id).limit(PAGE)
    rows = connection.execute(found).all()
    while rows:
        for *row, salt in rows:
            yield Line(*row), salt.hex() if isinstance(salt, bytes) else ""
        last = Line(*rows[-1][:-1])
        rows = connection.execute(found.where(_written > tuple_(literal(last.at), literal(last.id)))).all()


def query(search: Search, first: str | None = None) -> Select[Any]:
    """The lines that ``search`` asks for; an index answers each of its conditions (docs/spec/access-log.md).

    With ``first`` the index of that one answers, and the lines that it finds are held against the others.
    """
    found = select(*_COLUMNS)
    for name in _asked(search):
        column = access.c[name] if first in {None, name} else access.c[name].concat("")  # no index has this
        found = found.where(column == getattr(search, name))
    return _within(found, search)


def _asked(search: Search) -> list[str]:
    return [name for name in SEARCHED if getattr(search, name) is not None]


def _rarest(connection: Connection, search: Search) -> str | None:
    """Which condition the fewest lines fulfil; None where there is no choice, or the database knows better (PostgreSQL).

    Counted, up to ``COUNTED``, at each search: SQLite has no statistics unless it is told to make some.
    """

    def lines(name: str) -> int:
        some = _within(select(access.c.id).where(access.c[name] == getattr(search, name)), search).limit(COUNTED)
        return connection.scalar(select(func.count()).select_from(some.subquery())) or 0

    asked = _asked(search)
    return min(asked, key=lines) if len(asked) > 1 and connection.dialect.name == "sqlite" else None


def _within(found: Select[Any], search: Search) -> Select[Any]:
    if search.since is not None:
        found = found.where(access.c.at >= iso(search.since))
    if search.until is not None:
        found = found.where(access.c.at < iso(search.until))
    return found


def _place(connection: Connection, line: int) -> ColumnElement[Any]:
    at = connection.scalar(select(access.c.at).where(access.c.id == line))
    if at is None:
        raise UsageError(
            "no line of that id",
            hint="lines leave the access log after 12 months; begin again without --before",
            fr="aucune ligne de ce numéro",
            hint_fr="les lignes quittent le journal des accès après 12 mois ; recommencez sans --before",
        )
    return tuple_(literal(at), literal(line))
