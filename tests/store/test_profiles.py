"""What a file is held against: the nearest periods, and those that measured the same, found without reading the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import text

from checks.judge import judge
from checks.suite import Limits, Suite
from passerelle.profile import NEAREST, Profile, RuleCount
from passerelle.store import Database, profiles, runs
from passerelle.store.runs import Run

AT = datetime(2026, 1, 1, tzinfo=UTC)
SUITE = Suite(Limits(0.5))


@pytest.fixture
def database() -> Iterator[Database]:
    """Empty tables."""
    made = Database("sqlite://")
    made.create()
    yield made
    made.close()


def measured(period: str, read: int) -> Profile:
    """A profile of which the rows read are all that tells it from another."""
    return Profile(period, read, read, 0, (RuleCount("unique", "id", 0),), ())


def delivered(number: int, period: str, *, exchange: str = "one", state: str = "delivered") -> Run:
    """A run that ended."""
    return Run(f"r-{number:04}", "c", exchange, period, "s", "d@1", state, 8, {}, None, "2026-01-01T00:00:00Z", None)


def keep(database: Database, *kept: tuple[Run, Profile]) -> list[Profile]:
    """Keep profiles, one a second; those of the exchange that is asked about."""
    with database.begin() as connection:
        for number, (run, profile) in enumerate(kept):
            runs.start(connection, run)
            body = json.dumps(profile.as_json(), sort_keys=True)
            profiles.keep(connection, run, body, "{}", at=AT + timedelta(seconds=number))
    return [profile for run, profile in kept if run.exchange == "one" and run.state == "delivered"]


def found(database: Database, profile: Profile) -> list[Profile]:
    """What ``profile`` is held against."""
    body = json.dumps(profile.as_json(), sort_keys=True)
    with database.read() as connection:
        known = profiles.held_against(connection, delivered(9999, profile.period), body, NEAREST)
    return [Profile.from_json(json.loads(one)) for one in known]


@pytest.mark.parametrize("seed", range(6))
def test_the_verdict_is_that_of_the_whole_history(database: Database, seed: int) -> None:
    """Whatever was delivered, in whatever order, what is read gives the same verdict as all of it."""
    random = Random(seed)  # noqa: S311 - a history made up
    periods = [f"{year}-{month:02}" for year in range(2019, 2025) for month in range(1, 13)]
    some = [random.choice(periods[: 10 + 12 * seed]) for _ in range(90)]
    kept = [
        (
            delivered(number, period, exchange=random.choice(["one", "one", "two"]), state=random.choice(["delivered", "refused"])),
            measured(period, random.choice([number + 100, 7, 8])),
        )
        for number, period in enumerate(some)
    ]  # fmt: skip
    history = keep(database, *kept)
    for period in ("2018-01", "2021-06", "2025-01"):
        now = measured(period, 100 + seed)
        assert judge(now, found(database, now), SUITE) == judge(now, history, SUITE)


def test_an_old_file_sent_again_is_found_however_old(database: Database) -> None:
    """What measures the same as a file of long ago is read beside the nearest periods, and counts in no median."""
    years = [str(year) for year in range(1950, 2026)]
    keep(database, *((delivered(number, year), measured(year, number or 5)) for number, year in enumerate(years)))
    now = measured("2026", 5)
    held = found(database, now)
    assert [one.period for one in held][:2] == ["1950", "1955"]
    assert len(held) == NEAREST + 2
    findings = {one.id: one for one in judge(now, held, SUITE).findings}
    assert "1950, 1955" in findings["not-sent-before"].en
    assert findings["history"].en.startswith(f"{NEAREST} earlier periods")


def test_a_period_is_its_last_delivery(database: Database) -> None:
    """Of a period that was delivered twice the later file counts, and of the asked one's own period none."""
    keep(
        database,
        (delivered(1, "2024"), measured("2024", 1)), (delivered(2, "2024"), measured("2024", 2)),
        (delivered(3, "2025"), measured("2025", 3)), (delivered(4, "2023", state="refused"), measured("2023", 4)),
    )  # fmt: skip
    assert [(one.period, one.read) for one in found(database, measured("2025", 9))] == [("2024", 2)]


def test_an_index_answers(database: Database) -> None:
    """Neither the nearest periods nor those that measured the same are looked for among all profiles."""
    keep(database, (delivered(1, "2024"), measured("2024", 1)))
    where = "convention = 'c' and exchange = 'one' and contract = 'd@1'"
    for query in (
        f"select distinct period from profile where {where} and period < '2025' order by period desc limit 24",  # noqa: S608 - words of this test
        f"select distinct period from profile where content = 'x' and {where} and period <> '2' order by period desc limit 24",  # noqa: S608 - words of this test
    ):
        with database.read() as connection:
            plan = " ".join(row.detail for row in connection.execute(text(f"explain query plan {query}")))
        assert plan.startswith("SEARCH profile USING COVERING INDEX ix_profile_")
        assert "TEMP B-TREE" not in plan
