"""The daily plan: starts one exchange run for each order that is due today."""

from __future__ import annotations

from typing import Any

from prefect.deployments import run_deployment

from flows.sealing import HOME, report, sealed_flow, sealed_task

EXCHANGE = "exchange/exchange"


@sealed_task("plan")
def due_orders() -> list[dict[str, Any]]:
    """The orders that are due, by the engine."""
    from flows import assembly

    return assembly.daily_plan(HOME.get())


@sealed_flow("daily-plan")
def daily_plan() -> int:
    """Start what is due; the idempotency key makes a second plan of the same day start nothing more."""
    orders = due_orders()
    for order in orders:
        run_deployment(
            EXCHANGE,
            parameters={"order_id": order["order_id"]},
            idempotency_key=order["idempotency_key"],
            timeout=0,
            as_subflow=False,
        )
        report("exchange started", order)
    return len(orders)
