"""No trace, no transfer: also when the disk is full, or the database goes away between intent and outcome."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import create_engine

from passerelle.errors import OurWayError
from tests.gateway import CSP_FILED, POOLS, Gateway, assert_no_orphans, assert_sequences_without_gap, pools, trail_holds
from tests.killing import Mortals, Task

pytestmark = pytest.mark.slow
PERIOD, NOW = "2025-05", "2025-05-12T06:00:00+02:00"


def entering(function: str, act: Callable[[], None]) -> Callable[[FrameType, str, Any], None]:
    """A profile that does ``act`` the first time ``function`` is entered."""
    done: list[bool] = []

    def profile(frame: FrameType, kind: str, _argument: Any) -> None:
        if kind == "call" and frame.f_code.co_name == function and not done:
            done.append(True)
            act()

    return profile


def run_until(gateway: Gateway, source: Path, function: str, act: Callable[[], None]) -> BaseException | None:
    """Run the exchange, and do ``act`` as ``function`` is entered; the error that came of it."""
    sys.setprofile(entering(function, act))
    try:
        gateway.run(POOLS, PERIOD, source)
    except OurWayError as error:
        return error
    finally:
        sys.setprofile(None)
    return None


def expect_one_delivery(gateway: Gateway, source: Path) -> None:
    """Run again: the parcel that the trail tells of is there, once, and nothing else is."""
    outcome = gateway.run(POOLS, PERIOD, source)
    assert [one.recipient for one in outcome.deliveries] == ["mtfp"]
    assert len(gateway.entries("delivered")) == len(gateway.parcels("mtfp")) == 1
    assert_no_orphans(gateway)
    assert_sequences_without_gap(gateway)
    trail_holds(gateway.workspace)


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortals]:
    """The process that others are forked from; what they say of errors is kept apart."""
    with Mortals(errors=tmp_path_factory.mktemp("said") / "errors") as process:
        yield process


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path, Path]:
    """A gateway about to deliver, what it is about to deliver, and a copy of it as it was before."""
    folder = tmp_path_factory.mktemp("stage")
    gateway = pools(folder / "gateway")
    source = gateway.write(POOLS, 100)
    return gateway, source, gateway.saved(folder / "saved")


@pytest.mark.parametrize("function", ["take_in", "sealing", "_intend", "complete", "arrive", "close_run"])
def test_a_full_disk(mortals: Mortals, stage: tuple[Gateway, Path, Path], function: str) -> None:
    """A disk that fills up at any stage lets nothing leave without its entry; with room again the exchange delivers once."""
    gateway, source, saved = stage
    gateway = gateway.restored(saved)
    gateway.workspace.close()
    task = Task(str(gateway.home), NOW, POOLS, PERIOD, str(source), function=function, full=True)
    assert mortals.run(task).status == 1, "the exchange did not meet the full disk"
    gateway = gateway.reopened()
    trail_holds(gateway.workspace)
    told = {entry["parcel"] for entry in gateway.entries("delivery_intent")}
    assert {parcel.stem for parcel in gateway.parcels("mtfp")} <= told
    expect_one_delivery(gateway, source)
    gateway.workspace.close()


@pytest.fixture
def remote(postgres: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway on PostgreSQL, in a database of its own."""
    server = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("drop database if exists gone with (force)")
        connection.exec_driver_sql("create database gone")
    url = server.url.set(database="gone").render_as_string(hide_password=False)
    made = Gateway.create(tmp_path / "gateway", "2025-05-06T10:00:00+02:00", url)
    yield made.record(*CSP_FILED).partner("mtfp").move_to("2025-05-12T06:00:00+02:00")
    made.workspace.close()
    with server.connect() as connection:
        connection.exec_driver_sql("drop database gone with (force)")
    server.dispose()


@pytest.mark.parametrize("function", ["_intend", "complete", "arrive", "close_run"])
def test_a_database_that_goes_away(remote: Gateway, postgres: str, function: str) -> None:
    """A database lost before the intent lets nothing leave; lost after it, the outcome is written once it is back."""
    source = remote.write(POOLS, 100)
    server = create_engine(postgres, isolation_level="AUTOCOMMIT")

    def lose() -> None:
        """Close every connection, and refuse new ones."""
        with server.connect() as connection:
            connection.exec_driver_sql("alter database gone allow_connections false")
            connection.exec_driver_sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gone'")

    error = run_until(remote, source, function, lose)
    assert isinstance(error, OurWayError)
    left = {parcel.stem for parcel in remote.parcels("mtfp")}
    with server.connect() as connection:
        connection.exec_driver_sql("alter database gone allow_connections true")
    server.dispose()
    again = remote.reopened()
    trail_holds(again.workspace)
    assert left <= {entry["parcel"] for entry in again.entries("delivery_intent")}
    assert (function == "_intend") <= (left == set())
    expect_one_delivery(again, source)
    again.workspace.close()
