"""What is not as usual in the access log stands out, with who and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flows import assembly
from passerelle.access import Look
from passerelle.access.alerting import Limits, alerts
from passerelle.access.looking import write
from passerelle.store import partners
from tests.gateway import Gateway

if TYPE_CHECKING:
    from pathlib import Path

    from tests.access.conftest import House

LIMITS = Limits(taken=3, persons=2, refused=2)


def found(house: House) -> list[tuple[str, str | None, int]]:
    with house.database.read() as connection:
        return [(one.code, one.actor or one.partner, one.count) for one in alerts(connection, house.now(), LIMITS)]


def test_each_kind_stands_out_from_its_limit_on(house: House) -> None:
    """One below a limit is as usual; from the limit on, within a day, it is told."""
    house.write("a", "b", actor="ann").write("x", actor="bob", action="person_received")
    house.write("r", actor="eve", outcome="refused").write(*"12345", actor="ann", action="trail_read")
    assert found(house) == []
    house.write("c", actor="ann").write("y", actor="bob", action="person_received").write(
        "r", actor="eve", outcome="refused"
    )
    assert found(house) == [("many_taken", "ann", 3), ("many_persons", "bob", 2), ("many_refused", "eve", 2)]
    assert found(house.wait(days=2)) == []


@pytest.mark.parametrize(("hours", "odd"), [(0, False), (11, True), (20, True), (5 * 24, True), (7 * 24, False)])
def test_odd_hours_are_those_of_paris(house: House, hours: int, odd: bool) -> None:
    """A key taken at 10:30 on a Monday is as usual; at 21:30, at 6:30 or on a Saturday it is not."""
    house.wait(hours=hours).write("p-1")
    assert ([code for code, *_ in found(house)] == ["odd_hours"]) is odd


def test_a_new_key_is_told(house: House) -> None:
    """A key enrolled within the day is told with its partner."""
    with house.database.begin() as connection:
        partners.add(connection, "mtfp", "mtfp", None, at=house.now())
        facts: dict[str, Any] = {"kind": "age", "recipient": "age1x", "fingerprint": "SHA256:" + "A" * 43}
        partners.enrol(connection, "mtfp", by="clerk", at=house.now(), **facts)
    assert found(house) == [("new_key", "mtfp", 1)]


def test_a_new_token_is_told(house: House) -> None:
    """A token for programs made within the day is told with whose it is, though it was ended since."""
    house.write("t-1", actor="claire", action="token_made").write("t-1", actor="claire", action="token_ended")
    assert found(house) == [("new_token", "claire", 1)]
    assert found(house.wait(days=2)) == []


def test_the_watchdog_seals_and_tells_codes_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog seals what stands open, and tells what is unusual as a code and a count."""
    gateway = Gateway.create(tmp_path, "2025-05-04T10:00:00+02:00")  # a Sunday
    write(gateway.workspace, Look("agent", "release_key", "p-1"), "allowed")
    gateway.workspace.close()
    monkeypatch.setenv("PASSERELLE_NOW", "2025-05-04T10:30:00+02:00")
    assert ("access_odd_hours", 1) in [(one["code"], one.get("count")) for one in assembly.watch(str(gateway.home))]
    assert [one["count"] for one in gateway.reopened().entries("access_batch")] == [1]
    monkeypatch.setenv("PASSERELLE_NOW", "2025-05-04T11:30:00+02:00")
    assert not [one for one in assembly.watch(str(gateway.home)) if one["code"].startswith("access")]
