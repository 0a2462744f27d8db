"""The watchdog: says what should have happened and did not. It reads the record, and depends on no other flow."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Completed, Failed

from flows.sealing import HOME, report, sealed_flow, sealed_task

EVENT = "passerelle.alert"  # what an automation may wait for: docs/operations.md


@sealed_task("watch")
def alerts() -> list[dict[str, Any]]:
    """What is late or missing, by the engine."""
    from flows import assembly

    return assembly.watch(HOME.get())


@sealed_flow("watchdog")
def watchdog() -> State[None]:
    """Fails while an alert stands of which nobody took note, so that an automation on failed runs warns people."""
    found = alerts()
    for alert in found:
        report("alert", alert)
    standing = [alert for alert in found if alert["acknowledged_at"] is None]
    for alert in standing:
        emit_event(EVENT, {"prefect.resource.id": f"passerelle.alert.{alert['id']}"}, payload={"code": alert["code"]})
    if standing:
        return Failed(message=f"{len(standing)} alert(s): {', '.join(sorted({str(a['code']) for a in standing}))}")
    return Completed(message="nothing is late")
