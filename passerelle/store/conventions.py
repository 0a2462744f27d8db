"""The files of conventions that were accepted, and the approvals of the next one. Append-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from passerelle.clock import iso
from passerelle.store.partners import person
from passerelle.store.tables import approval, convention_file

APPROVALS_NEEDED = 2


@dataclass(frozen=True, slots=True)
class Accepted:
    """One file that the gate went by, and who let it take the place of the one before; ``last``: it does so now."""

    convention: str
    sha256: str
    accepted_at: str
    approvals: tuple[tuple[str, str], ...]
    first: bool
    last: bool


def history(connection: Connection) -> list[Accepted]:
    """Every file that was accepted, oldest first, with who approved it and when."""
    given: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(select(approval).order_by(approval.c.at, approval.c.actor)):
        given.setdefault(row.subject, []).append((row.actor, row.at))
    rows = connection.execute(select(convention_file).order_by(convention_file.c.number)).all()
    last = {row.convention: row.number for row in rows}
    before: dict[str, int] = {}
    found = []
    for row in rows:
        people = tuple(given.get(f"{before.get(row.convention, 0)}:{row.sha256}", ()))
        first, stands = row.convention not in before, last[row.convention] == row.number
        found.append(Accepted(row.convention, row.sha256, row.accepted_at, people, first, stands))
        before[row.convention] = row.number
    return found


def accepted(connection: Connection, convention: str) -> str | None:
    """The SHA-256 of the file that the gate goes by; None before the convention's first use."""
    row = _last(connection, convention)
    return None if row is None else row.sha256


def accept(connection: Connection, convention: str, sha256: str, *, at: datetime) -> None:
    """From now on, the gate goes by this file."""
    connection.execute(insert(convention_file).values(convention=convention, sha256=sha256, accepted_at=iso(at)))


def approvals(connection: Connection, convention: str, sha256: str) -> tuple[str, ...]:
    """Who approved that this file follows the one accepted; an approval of an earlier change does not count again."""
    query = select(approval.c.actor).where(approval.c.subject == _subject(connection, convention, sha256))
    return tuple(connection.scalars(query.order_by(approval.c.at, approval.c.actor)))


def approve(connection: Connection, convention: str, sha256: str, *, by: str, at: datetime) -> tuple[str, ...]:
    """Note one approval; everyone who approved the change so far."""
    subject = _subject(connection, convention, sha256)
    by = person(by)
    connection.execute(insert(approval).values(subject=subject, actor=by, at=iso(at)))
    return approvals(connection, convention, sha256)


def _last(connection: Connection, convention: str) -> Row[tuple[int, str, str, str]] | None:
    query = select(convention_file).where(convention_file.c.convention == convention)
    return connection.execute(query.order_by(convention_file.c.number.desc()).limit(1)).one_or_none()


def _subject(connection: Connection, convention: str, sha256: str) -> str:
    """A change: from the last accepted file, by its number, to the one with this hash."""
    row = _last(connection, convention)
    return f"{0 if row is None else row.number}:{sha256}"
