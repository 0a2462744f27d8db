"""What the portal keeps between two looks, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection

from passerelle.access import seal
from passerelle.clock import PretendedClock
from passerelle.store import access
from passerelle.workspace import Workspace
from portal.web.remembered import LATEST, LONGEST, Latest, Remembered
from tests.gateway import Gateway

NOW = "2025-05-12T10:00:00+02:00"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway.create(tmp_path, NOW)
    yield made
    made.workspace.close()


@pytest.fixture
def look(gateway: Gateway) -> Callable[[], int]:
    """How often the answer was worked out, the present look included."""
    kept, times = Remembered(), count(1)

    def work(_: Workspace, __: Connection) -> int:
        return next(times)

    def look() -> int:
        with gateway.workspace.database.read() as connection:
            return kept.of(gateway.workspace, connection, "work", work)

    return look


def test_what_was_worked_out_is_kept_while_people_only_look(gateway: Gateway, look: Callable[[], int]) -> None:
    """Lines of the access log and their roots in the trail change no answer."""
    workspace = gateway.workspace
    assert look() == 1
    with workspace.database.begin() as connection:
        access.log(connection, actor="anne", action="access_read", subject="access", at=workspace.now())
        assert seal(connection, workspace.ledger, workspace.now()) == 1
    assert look() == 1


def test_what_is_recorded_ends_it(gateway: Gateway, look: Callable[[], int]) -> None:
    """Any other entry of the trail has the answer worked out anew, once."""
    assert look() == 1
    gateway.record(("csp-ft-2024", "declared_unnecessary", {"on": "2025-05-12"}))
    assert (look(), look()) == (2, 2)


def test_ten_minutes_end_it(gateway: Gateway, look: Callable[[], int]) -> None:
    """What depends on the hour is never older than ten minutes; a clock that was set back keeps nothing."""
    workspace, began = gateway.workspace, gateway.workspace.now()
    assert look() == 1
    for later, expected in ((LONGEST - timedelta(seconds=1), 1), (LONGEST, 2), (timedelta(0), 3)):
        workspace.clock = PretendedClock(began + later)
        assert look() == expected


def test_who_asks_for_something_else_does_not_wait(gateway: Gateway) -> None:
    """While one answer is worked out, another is given; who asks for the first gets it, worked out once."""
    kept, begun, may_end, times = Remembered(), Event(), Event(), count(1)

    def long(_: Workspace, __: Connection) -> int:
        begun.set()
        assert may_end.wait(30)
        return next(times)

    def ask(name: str, work: Callable[[Workspace, Connection], int]) -> int:
        with gateway.workspace.database.read() as connection:
            return kept.of(gateway.workspace, connection, name, work)

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, "long", long) for _ in range(2)]
        assert begun.wait(30)
        assert ask("short", lambda *_: 7) == 7
        may_end.set()
        assert [one.result(30) for one in waiting] == [1, 1]


def test_a_text_that_changes_ends_it(gateway: Gateway, look: Callable[[], int]) -> None:
    """A convention file that was touched has the answer worked out anew."""
    assert look() == 1
    (gateway.workspace.home / "conventions" / "other.yaml").write_text("text: new\n", "utf-8")
    gateway.workspace.refresh()
    assert look() == 2


def test_the_latest_answers_of_an_open_list_are_kept() -> None:
    """A question asked again is answered as before; of many, the one that was asked longest ago is worked out anew."""
    kept, times = Latest(), count(1)

    def ask(question: int) -> int:
        return kept.of(question, lambda: next(times))

    first = [ask(question) for question in range(LATEST)]
    assert [ask(question) for question in range(LATEST)] == first
    assert ask(LATEST) not in first
    assert ask(1) == first[1]
    assert ask(0) not in first


def test_a_failure_is_no_answer() -> None:
    """A question that could not be answered is worked out at the next asking."""
    kept, nothing = Latest(), dict[str, int]()
    with pytest.raises(LookupError):
        kept.of("it", lambda: nothing["it"])
    assert kept.of("it", lambda: 7) == 7
