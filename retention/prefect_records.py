"""What Prefect's database still has of some orders: found by their ids, in any column of any table."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from passerelle.errors import OurWayError

ORDER = re.compile(r"(?<![0-9a-f])[0-9a-f]{16,64}(?![0-9a-f])")
OWNED = ("task_run", "log", "artifact", "artifact_collection", "flow_run_input", "flow_run_state")


def found_in_file(database: Path, orders: frozenset[str]) -> Mapping[str, int]:
    """How many rows of each table name one of ``orders``, or belong to a run that is not there any more.

    Raises:
        OurWayError: the file is there and cannot be read: nothing can be said of it.
    """
    if not database.exists():
        return {}
    failure = ""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=60)) as connection:
            return _found(connection, orders)
    except sqlite3.Error as error:
        failure = type(error).__name__
    raise OurWayError(
        f"Prefect's own database cannot be read ({failure}): what it keeps is not known",
        where="prefect",
        hint="end the other processes that use the workspace, then run the command again",
        fr=f"la base de Prefect ne peut pas être lue ({failure}) : on ne sait pas ce qu'elle garde",
        hint_fr="arrêtez les autres processus qui utilisent l'espace de travail, puis recommencez",
    )


def _found(connection: sqlite3.Connection, orders: frozenset[str]) -> dict[str, int]:
    names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    counts = {}
    for name in names:
        rows = connection.execute(f'select * from "{name}"')  # noqa: S608 -- a name of the schema itself
        named = sum(any(_names(value, orders) for value in row) for row in rows)
        if name in OWNED and "flow_run" in names:
            alone = f'select count(*) from "{name}" where flow_run_id is not null and flow_run_id not in (select id from flow_run)'  # noqa: S608 -- likewise
            named += connection.execute(alone).fetchone()[0]
        if named:
            counts[name] = named
    return counts


def _names(value: object, orders: frozenset[str]) -> bool:
    return isinstance(value, str) and not orders.isdisjoint(ORDER.findall(value))
