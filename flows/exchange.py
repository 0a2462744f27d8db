"""The exchange flow: carries out one order. The order's id stands for convention, exchange, period, file and sender."""

from __future__ import annotations

from typing import Any

from flows.sealing import HOME, OrderId, report, sealed_flow, sealed_task


@sealed_task("carry-out")
def carry_out(order_id: str) -> dict[str, Any]:
    """The eight steps, by the engine."""
    from flows import assembly

    return assembly.run_order(HOME.get(), order_id)


@sealed_flow("exchange", run_name="exchange-{order_id}")
def exchange(order_id: OrderId) -> dict[str, Any]:
    """One exchange. The engine delivers exactly once, however often the flow is tried again."""
    outcome = carry_out(order_id)
    report("exchange done", outcome)
    return outcome
