"""Entries and the head on their way into the database, by the fastest road that each driver has, in the caller's transaction."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from passerelle.trail.tables import trail_entry, trail_head

Row = tuple[int, str, bytes, bytes]  # index, kind, leaf hash, body: the columns of trail_entry in their order
Head = tuple[int, bytes, str]  # size, frontier, at

_COLUMNS = '"index", kind, leaf_hash, body'
_SQLITE = f"INSERT INTO trail_entry ({_COLUMNS}) VALUES (?, ?, ?, ?)"  # noqa: S608 - constants
_COPY = f"COPY trail_entry ({_COLUMNS}) FROM STDIN (FORMAT binary)"
_GENERAL = insert(trail_entry)
_GROW = (  # one entry and the head in one round trip
    f"WITH entry AS (INSERT INTO trail_entry ({_COLUMNS}) VALUES (%s, %s, %s, %s)) "  # noqa: S608 - constants
    "UPDATE trail_head SET size = %s, frontier = %s, at = %s WHERE size = %s"
)
# SQLite takes these from its driver: what SQLAlchemy does around a statement costs as much as the statement.
_SQLITE_HEAD = "SELECT size, frontier, at FROM trail_head"
_PSYCOPG_HEAD = f"{_SQLITE_HEAD} FOR UPDATE"
_HEADS = {"pysqlite": _SQLITE_HEAD, "psycopg": _PSYCOPG_HEAD}  # by driver
_SQLITE_STORE = "UPDATE trail_head SET size = ?, frontier = ?, at = ? WHERE size = ?"
_HEAD = select(trail_head.c.size, trail_head.c.frontier, trail_head.c.at).with_for_update()
_STORE = (
    update(trail_head)
    .where(trail_head.c.size == bindparam("old_size"))
    .values(size=bindparam("new_size"), frontier=bindparam("new_frontier"), at=bindparam("new_at"))
)
# PostgreSQL documentation, COPY, "Binary Format": signature, flags and header extension; a tuple is its number of fields,
# then each field after its length; the number -1 ends it.
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_INDEX = struct.Struct("!hiq").pack  # number of fields, length, index
FIELDS = len(trail_entry.columns)
INDEX_BYTES = 8
_LENGTH = struct.Struct("!i").pack


def extend(connection: Connection, pieces: Iterable[Sequence[Row]]) -> None:
    """Write new rows, some at a time; the head was locked before, so that the transaction has begun.

    SQLite takes them as they are; PostgreSQL (psycopg) takes all by one COPY, at three times the pace of statements and while
    the next ones are made; any other driver takes them one by one.
    """
    if connection.dialect.driver == "psycopg":
        _copy(connection, pieces)
        return
    for rows in pieces:
        if connection.dialect.name == "sqlite":
            with _as_sqlalchemy_says(connection, _SQLITE):
                connection.connection.cursor().executemany(_SQLITE, rows)
        else:
            names = [column.name for column in trail_entry.columns]
            connection.execute(_GENERAL, [dict(zip(names, row, strict=True)) for row in rows])


def _copy(connection: Connection, pieces: Iterable[Sequence[Row]]) -> None:
    driver: Any = connection.connection.driver_connection
    stopped: list[Exception] = []
    with _as_sqlalchemy_says(connection, _COPY), driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEADER)
        for rows in _until_stopped(pieces, stopped):
            copy.write(b"".join(_tuples(rows)))
        copy.write(_TRAILER)
    if stopped:
        raise stopped[0]


def _until_stopped(pieces: Iterable[Sequence[Row]], stopped: list[Exception]) -> Iterator[Sequence[Row]]:
    """An error on the way is kept until the COPY has ended: psycopg would send its text to the server, which logs it."""
    try:
        yield from pieces
    except Exception as error:
        stopped.append(error)


@contextmanager
def _as_sqlalchemy_says(connection: Connection, statement: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy does, without what was to be written."""
    dbapi = connection.dialect.loaded_dbapi
    try:
        yield
    except dbapi.Error as error:
        raise DBAPIError.instance(statement, None, error, dbapi.Error, hide_parameters=True) from error


def _tuples(rows: Sequence[Row]) -> Iterator[bytes]:
    for index, kind, leaf_hash, body in rows:
        word = kind.encode()
        yield _INDEX(FIELDS, INDEX_BYTES, index)
        yield _LENGTH(len(word)) + word + _LENGTH(len(leaf_hash)) + leaf_hash + _LENGTH(len(body)) + body


def lock_head(connection: Connection) -> Head | None:
    """The head, locked until the caller commits; None where it is missing. On SQLite the transaction holds the lock already."""
    statement = _HEADS.get(connection.dialect.driver)
    if statement is None or not connection.in_transaction():  # SQLAlchemy begins what nobody has begun
        row = connection.execute(_HEAD).one_or_none()
        return None if row is None else (row[0], row[1], row[2])
    with _as_sqlalchemy_says(connection, statement):
        cursor = connection.connection.cursor()
        cursor.execute(statement)
        found: Head | None = cursor.fetchone()
        cursor.close()
        return found


def grow(connection: Connection, row: Row, head: Head) -> bool:
    """Write one new row and the head that it gives; False when the head is no longer of the size before."""
    if connection.dialect.name == "sqlite":
        with _as_sqlalchemy_says(connection, _SQLITE):
            cursor = connection.connection.cursor()
            cursor.execute(_SQLITE, row)
            cursor.execute(_SQLITE_STORE, (*head, row[0]))
            return cursor.rowcount == 1
    if connection.dialect.driver != "psycopg":
        extend(connection, [[row]])
        return store_head(connection, row[0], head)
    driver: Any = connection.connection.driver_connection
    with _as_sqlalchemy_says(connection, _GROW):
        return bool(driver.execute(_GROW, (*row, *head, row[0])).rowcount == 1)


def store_head(connection: Connection, old_size: int, head: Head) -> bool:
    """Write the head back; False when it is no longer of ``old_size``."""
    size, frontier, at = head
    if connection.dialect.name == "sqlite":
        with _as_sqlalchemy_says(connection, _SQLITE_STORE):
            cursor = connection.connection.cursor()
            cursor.execute(_SQLITE_STORE, (size, frontier, at, old_size))
            return cursor.rowcount == 1
    values = {"old_size": old_size, "new_size": size, "new_frontier": frontier, "new_at": at}
    return connection.execute(_STORE, values).rowcount == 1
