"""Lines are found by who looked, of whom, under what, when; page by page, by an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, func, insert, select
from sqlalchemy.dialects import sqlite

from passerelle.access import Line, Search, every, page
from passerelle.access.searching import query
from passerelle.clock import iso
from passerelle.errors import UsageError
from passerelle.store.access_tables import SEARCHED, access
from passerelle.store.deliveries import opened
from tests.access.conftest import NOW, House

WORDS = {
    "actor": ("ann", "bob"),
    "action": ("release_key", "trail_read"),
    "outcome": ("allowed", "refused"),
    "partner": ("p", None),
    "convention": ("c", None),
    "delivery": ("d", None),
}
LINES = 200


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """A connection to a log of lines that are all different in what they say, several to the same second."""
    house = House.at(f"sqlite:///{tmp_path_factory.mktemp('search') / 'passerelle.db'}")
    house.database.create()
    rows = []
    for number in range(LINES):
        told = {name: values[(number >> place) & 1] for place, (name, values) in enumerate(WORDS.items())}
        at = (NOW + timedelta(seconds=number // 3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.append({**told, "at": at, "subject": f"s-{number}", "reason": "", "salt": bytes(16)})
    with house.database.begin() as connection:
        connection.execute(insert(access), rows)
    return house.database.engine.connect()


searches = st.builds(
    Search,
    since=st.none() | st.integers(0, 70).map(lambda second: NOW + timedelta(seconds=second)),
    until=st.none() | st.integers(0, 70).map(lambda second: NOW + timedelta(seconds=second)),
    **{name: st.sampled_from([None, *(value for value in values if value)]) for name, values in WORDS.items()},
)


@settings(max_examples=60)
@given(search=searches, limit=st.integers(1, 60))
def test_pages_put_together_are_all_that_answers(lines: Connection, search: Search, limit: int) -> None:
    """Page before page, every line that answers is given once, in the order of writing, and no other."""
    found: list[Line] = []
    before = None
    while got := page(lines, search, limit=limit, before=before):
        found[:0] = got
        before = got[0].id
    expected = [
        line
        for line, _ in every(lines, Search())
        if all(getattr(search, name) in {None, getattr(line, name)} for name in SEARCHED)
        and (search.since is None or line.at >= search.since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        and (search.until is None or line.at < search.until.strftime("%Y-%m-%dT%H:%M:%SZ"))
    ]
    assert found == expected == [line for line, _ in every(lines, search)]


@pytest.mark.parametrize("name", SEARCHED)
def test_an_index_answers_each_search(lines: Connection, name: str) -> None:
    """No search reads the whole log or sorts it."""
    terms: dict[str, Any] = {name: "a", "since": NOW}
    found = query(Search(**terms)).order_by(access.c.at.desc(), access.c.id.desc()).limit(10)
    sql = str(found.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    plan = [row[3] for row in lines.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan == [f"SEARCH access USING INDEX ix_access_{name} ({name}=? AND at>?)"]


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"actor": "nobody", "partner": "p"}, "actor"),
        ({"actor": "ann", "partner": "nobody"}, "partner"),
        ({"actor": "ann", "outcome": "allowed", "delivery": "none", "since": NOW}, "delivery"),
    ],
)
def test_the_rarest_condition_has_its_index(lines: Connection, asked: dict[str, Any], index: str) -> None:
    """Of several conditions, the one that the fewest lines fulfil leads the search, whatever the others are."""
    with capturing(lines) as told:
        assert page(lines, Search(**asked), limit=10) == []
    (*_, (statement, values)) = told
    (plan,) = [row[3] for row in lines.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan.startswith(f"SEARCH access USING INDEX ix_access_{index} ({index}=?")


@pytest.mark.parametrize("first", ["actor", "partner", "convention"])
def test_the_index_that_leads_has_the_other_conditions(lines: Connection, first: str) -> None:
    """A line that another condition rules out is never read: the index knows."""
    columns = [row[2] for row in lines.exec_driver_sql(f"PRAGMA index_info(ix_access_{first})")]
    assert columns[:3] == [first, "at", "id"]
    assert {*SEARCHED} - {*columns} == {"delivery"}
    others: dict[str, Any] = dict.fromkeys(columns[3:], "none")
    leading: dict[str, Any] = {first: "a"}
    counted = select(func.count()).select_from(
        query(replace(Search(**others), **leading), first).with_only_columns(access.c.id).subquery()
    )
    sql = str(counted.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    plan = [row[3] for row in lines.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan == [f"SEARCH access USING COVERING INDEX ix_access_{first} ({first}=?)"]


def test_keys_handed_over_have_an_index_of_their_own(lines: Connection) -> None:
    """When a parcel's key was first handed over is found without reading who else looked at the parcel."""
    with capturing(lines) as told:
        assert opened(lines, ["d", "none"]) == {"d": iso(NOW)}
    ((statement, values),) = told
    plan = [row[3] for row in lines.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert plan[0] == "SEARCH access USING INDEX ix_access_released (<expr>=?)"


@contextmanager
def capturing(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile, with their values."""
    told: list[tuple[str, Any]] = []

    def heard(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        told.append((statement, values))

    event.listen(connection, "before_cursor_execute", heard)
    yield told
    event.remove(connection, "before_cursor_execute", heard)


def test_a_search_by_time_alone_has_its_index(lines: Connection) -> None:
    """The latest lines, or those since an instant, are read along the index of time."""
    for search, how in ((Search(), "SCAN access USING INDEX ix_access_at"), (Search(since=NOW), "SEARCH access USING INDEX ix_access_at (at>?)")):  # fmt: skip
        found = query(search).order_by(access.c.at.desc(), access.c.id.desc()).limit(10)
        sql = str(found.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        assert [row[3] for row in lines.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")] == [how]


def test_a_page_before_a_line_that_is_gone_is_refused(lines: Connection) -> None:
    """Who pages from a line that expired is told so."""
    with pytest.raises(UsageError):
        page(lines, Search(), limit=10, before=10**6)


def test_each_database_pages_alike(each: House) -> None:
    """The same on PostgreSQL: the latest page, the one before, and a search."""
    each.write(*(f"p-{number}" for number in range(7)), convention="c")
    with each.database.read() as connection:
        last = page(connection, Search(convention="c"), limit=3)
        first = page(connection, Search(convention="c"), limit=9, before=last[0].id)
        assert [line.subject for line in [*first, *last]] == [f"p-{number}" for number in range(7)]
        assert [line for line, _ in every(connection, Search(actor="agent"))] == [*first, *last]
        assert page(connection, Search(actor="other"), limit=9) == []
