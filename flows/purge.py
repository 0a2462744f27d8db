"""The purge flow: destroys what conventions that have ended no longer allow to keep."""

from __future__ import annotations

from typing import Any

from flows.sealing import HOME, report, sealed_flow, sealed_task


@sealed_task("purge")
def purge_due(*, confirm: bool) -> dict[str, Any]:
    """Plan, and with ``confirm`` destroy, by the engine; a disputed deadline is never acted on."""
    from flows import assembly

    return assembly.purge_due(HOME.get(), confirm=confirm)


@sealed_flow("purge")
def purge(confirm: bool = False) -> dict[str, Any]:
    """A dry run unless confirmed; the deployment in prefect.yaml is the operator's standing confirmation."""
    outcome = purge_due(confirm=confirm)
    report("purge done" if confirm else "purge planned", outcome)
    return outcome
