"""The deployments of prefect.yaml, on a real server with a real worker."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.canary import sweep
from tests.flows.conftest import CANARIES, House, wait_for
from tests.flows.engine import BROKEN, LOCKED, PLANNED, REFUSED

pytestmark = pytest.mark.slow

PARIS = ZoneInfo("Europe/Paris")
SCHEDULES = {"daily-plan": "0 6 * * *", "purge": "30 4 * * *", "watchdog": "15 * * * *"}


def _of(house: House, name: str, **more: Any) -> dict[str, Any]:
    return {"deployments": {"id": {"any_": [house.api.deployment(name)["id"]]}}, **more}


def test_deploying_asks_nothing(house: House) -> None:
    """All the deployments are made without a terminal, each with its schedule in Europe/Paris, its pool and its limit."""
    assert house.deployed.returncode == 0, house.deployed.stdout
    for name in (*SCHEDULES, "exchange"):
        found = house.api.deployment(name)
        schedules = [(one["schedule"]["cron"], one["schedule"]["timezone"]) for one in found["schedules"]]
        assert schedules == ([(SCHEDULES[name], "Europe/Paris")] if name in SCHEDULES else [])
        assert found["work_pool_name"] == "passerelle"
        assert found["global_concurrency_limit"]["limit"] == 1
        queued = "ENQUEUE" if name == "exchange" else "CANCEL_NEW"
        assert found["concurrency_options"]["collision_strategy"] == queued
        assert found["tags"] == ["passerelle"]
        assert found["parameters"] == {}


def test_no_deployment_takes_data(house: House) -> None:
    """The only parameters that exist are an order id of a strict pattern, which is enforced, and a yes or no."""
    properties = {}
    for name in (*SCHEDULES, "exchange"):
        found = house.api.deployment(name)
        assert found["enforce_parameter_schema"]
        properties[name] = found["parameter_openapi_schema"]["properties"]
    assert properties["daily-plan"] == properties["watchdog"] == {}
    assert properties["purge"]["confirm"]["type"] == "boolean"
    assert properties["exchange"]["order_id"]["pattern"] == "^[0-9a-f]{16,64}$"


def test_each_schedule_makes_runs(house: House) -> None:
    """The scheduler makes runs for every schedule, at its hour in Paris."""
    for name in SCHEDULES:
        runs = wait_for(
            f"scheduled run of {name}",
            lambda name=name: [  # type: ignore[misc]  # bound now
                run
                for run in house.api.runs(**_of(house, name))
                if run["auto_scheduled"] and run["state"]["type"] == "SCHEDULED"
            ],
        )
        minute, hour = SCHEDULES[name].split()[:2]
        starts = [datetime.fromisoformat(run["expected_start_time"]).astimezone(PARIS) for run in runs]
        assert any(start.minute == int(minute) and hour in {"*", str(start.hour)} for start in starts)
    purges = [run for run in house.api.runs(**_of(house, "purge")) if run["auto_scheduled"]]
    assert {run["parameters"]["confirm"] for run in purges} == {True}


def test_a_scheduled_run_completes_and_starts_what_is_due(house: House) -> None:
    """A run that the scheduler made is carried out by the worker, and the exchange that it starts ends, once."""
    deployment = house.api.deployment("daily-plan")["id"]
    every_few_seconds = [{"active": True, "schedule": {"interval": 15}}]
    (added,) = house.api.post(f"deployments/{deployment}/schedules", every_few_seconds)
    completed = {"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}

    def scheduled() -> list[dict[str, Any]]:
        runs = house.api.runs(**_of(house, "daily-plan", **completed))
        return [run for run in runs if run["auto_scheduled"]]

    wait_for("two scheduled plans", lambda: len(scheduled()) >= 2)
    gone = f"deployments/{deployment}/schedules/{added['id']}"
    wait_for("schedule gone", lambda: house.api.ask("DELETE", gone)[0] in {204, 404})
    by_plan = {"idempotency_key": {"any_": [f"2024-03-04.{PLANNED}"]}}
    (run,) = wait_for(
        "exchange", lambda: house.api.runs(**_of(house, "exchange", flow_runs={**by_plan, **completed["flow_runs"]}))
    )
    assert run["name"] == f"exchange-{PLANNED}"
    assert run["parameters"] == {"order_id": PLANNED}
    assert len(house.api.runs(**_of(house, "exchange", flow_runs=by_plan))) == 1


def test_a_purge_says_what_it_did(house: House) -> None:
    """The purge flow completes, with or without confirmation."""
    for confirm in (False, True):
        assert house.api.start("purge", confirm=confirm)["state"]["type"] == "COMPLETED"


def test_the_watchdog_fails_on_an_alert(house: House) -> None:
    """A missing certificate makes the watchdog's run fail with the alert's code, which an automation can see."""
    state = house.api.start("watchdog")["state"]
    assert (state["type"], state["message"]) == ("FAILED", "1 alert(s): purge_overdue")


@pytest.mark.parametrize(
    ("order", "message", "tries"),
    [
        (REFUSED, "GateRefusedError: the convention is not in force", 1),
        (LOCKED, "WorkspaceError: the database is locked", 3),
        (BROKEN, "SealedError: unforeseen ValueError at assembly.py:", 3),
    ],
)
def test_only_what_the_gateway_lacked_is_tried_again(house: House, order: str, message: str, tries: int) -> None:
    """A refusal fails at once; a fault of the gateway is tried twice more; the state says why and holds no value."""
    run = house.api.start("exchange", order_id=order)
    assert run["state"]["type"] == "FAILED"
    assert message in run["state"]["message"]
    (task,) = wait_for(
        "task run",
        lambda: [
            one
            for one in house.api.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
            if one["state"]["type"] == "FAILED"
        ],
    )
    assert task["run_count"] == tries


def test_no_byte_of_prefect_holds_a_value(house: House) -> None:
    """After a fault full of values, and a value offered as an order id, no file of server or worker holds any of them."""
    house.api.start("exchange", order_id=BROKEN)
    path = f"deployments/{house.api.deployment('exchange')['id']}/create_flow_run"
    for value in CANARIES.values():
        assert house.api.ask("POST", path, {"parameters": {"order_id": value[:15]}})[0] in {409, 422}
    run = house.prefect("deployment", "run", "exchange/exchange", "-p", f"order_id={CANARIES['name']}")
    assert run.returncode != 0
    folder = house.folder
    written = [folder / "server", folder / "worker", folder / "home", folder / "server.log", folder / "worker.log"]
    assert sweep([path for path in written if path.is_file() or any(path.rglob("*"))], CANARIES) == []
    assert "SealedError" in (folder / "worker.log").read_text("utf-8")


def test_nothing_is_written_to_result_storage(house: House) -> None:
    """Neither a result nor the pickle of an exception is stored, although a flow ended with each."""
    house.api.start("exchange", order_id=REFUSED)
    house.api.start("purge", confirm=False)
    for name in ("server", "worker"):
        storage = house.folder / name / "storage"
        assert not storage.exists() or list(storage.iterdir()) == []


def test_logs_hold_ids_and_counts(house: House) -> None:
    """What a flow logs of an outcome is its ids and counts; a member that is not on the list is not logged."""
    run = house.api.start("exchange", order_id="cd" * 16)
    lines = wait_for(
        "log line",
        lambda: [
            line["message"]
            for line in house.api.post("logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
            if line["message"].startswith("exchange done")
        ],
    )
    assert lines == [f"exchange done order_id={'cd' * 16} read=3 run=r-1 state=delivered"]


def test_the_server_is_closed_and_silent(house: House) -> None:
    """With the settings of the operations page a stranger is refused, nothing is reported, and old runs are removed."""
    stranger = type(house.api)(house.api.port)
    assert stranger.ask("GET", "admin/settings")[0] == 401
    password_only = type(house.api)(house.api.port, {"Authorization": house.api.headers["Authorization"]})
    assert password_only.ask("POST", "flow_runs/filter", {})[0] == 403
    shown = house.api.get("admin/settings")["server"]
    assert shown["analytics_enabled"] is False
    assert set(shown["services"]["db_vacuum"]["enabled"]) == {"events", "flow_runs"}
    assert _seconds(shown["services"]["db_vacuum"]["retention_period"]) == 30 * 24 * 3600
    assert _seconds(shown["events"]["retention_period"]) == 7 * 24 * 3600


def _seconds(period: Any) -> float:
    return float(period) if isinstance(period, int | float) else {"P30D": 2592000.0, "P7D": 604800.0}[period]


def test_stored_parameters_are_ids(house: House) -> None:
    """In the server's database, every parameter of every run is an order id or a yes or no."""
    house.api.start("exchange", order_id="ef" * 16)
    with closing(sqlite3.connect(house.folder / "server" / "prefect.db")) as database:
        stored = [json.loads(row[0]) for row in database.execute("select parameters from flow_run")]
    assert {"order_id": "ef" * 16} in stored
    values = {key: value for parameters in stored for key, value in parameters.items()}
    assert values.keys() <= {"order_id", "confirm"}
