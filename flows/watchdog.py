"""The watchdog: says what should have happened and did not. It reads the record, and depends on no other flow."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.sealing import HOME, report, sealed_flow, sealed_task


@sealed_task("watch")
def alerts() -> list[dict[str, Any]]:
    """What is late or missing, by the engine."""
    from flows import assembly

    return assembly.watch(HOME.get())


@sealed_flow("watchdog")
def watchdog() -> State[None]:
    """Fails when there is an alert, so that an automation on failed runs warns people."""
    found = alerts()
    for alert in found:
        report("alert", alert)
    if found:
        return Failed(message=f"{len(found)} alert(s): {', '.join(sorted({str(a['code']) for a in found}))}")
    return Completed(message="nothing is late")
