"""How a flow is made here: nothing but ids and counts can reach Prefect.

What Prefect 3.8 would store otherwise (docs/decisions/0003-prefect-is-a-thin-shell.md): the text of every exception; the
pickle of an exception that leaves a flow, although results are not persisted; parameters, whole. Hence one serializer that
refuses, the engine's exception boundary under every flow and task, no cache, and parameters that are order ids.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

from prefect import Flow, Task, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.serializers import Serializer
from pydantic import Field

from passerelle.boundary import sealed
from passerelle.errors import OurWayError

P = ParamSpec("P")
R = TypeVar("R")

# Opaque on purpose: a pattern that no name, e-mail address or path fits.
OrderId = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]

# The workspace of the process; None means PASSERELLE_HOME. Not a parameter, because parameters are stored.
HOME: ContextVar[str | None] = ContextVar("HOME", default=None)

# The members of an engine's outcome that are logged: ids, codes, dates and counts.
LOGGED = frozenset(
    {
        "accepted", "certificates", "code", "convention", "due", "duplicates", "exchange", "holdings", "obligation",
        "order_id", "period", "read", "reason", "rejected", "run", "state",
    }
)  # fmt: skip


class Refuse(Serializer):
    """The result serializer of every flow and task: nothing is ever written to result storage."""

    type: Literal["refuse"] = "refuse"

    def dumps(self, obj: Any) -> bytes:  # noqa: ARG002 -- the interface of Prefect
        raise OurWayError("results are never persisted", where="flows")

    def loads(self, blob: bytes) -> Any:  # noqa: ARG002 -- the interface of Prefect
        raise OurWayError("results are never persisted", where="flows")


def sealed_flow(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """A flow that passes no value of a person to Prefect; ``run_name`` may hold ids only."""

    def decorate(function: Callable[P, R]) -> Flow[P, R]:
        guarded = sealed(function)
        # Prefect resolves annotations in the module of the function it is given: hand them over resolved.
        guarded.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]  # inspect reads it
        return flow(name=name, flow_run_name=run_name, persist_result=False, result_serializer=Refuse())(guarded)

    return decorate


def sealed_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task that passes no value of a person to Prefect.

    How often it is tried again is a setting of the deployment (PREFECT_TASKS_DEFAULT_RETRIES); what may be, is here.
    """

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        return task(
            name=name,
            persist_result=False,
            result_serializer=Refuse(),
            cache_policy=NO_CACHE,
            retry_condition_fn=our_way,
        )(sealed(function))

    return decorate


def our_way(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether to try again: only what the gateway itself lacked, never a refusal nor a sender's fault.

    The engine's steps are idempotent and the delivery commits exactly once, so that trying again is safe at every step.
    """
    error = state.data
    return isinstance(getattr(error, "result", error), OurWayError)


def report(title: str, outcome: Mapping[str, Any]) -> None:
    """Log the members of ``outcome`` and of its counts that are in ``LOGGED``; the others stay in the engine."""
    members = {**outcome, **outcome.get("counts", {})}
    shown = " ".join(f"{name}={members[name]}" for name in sorted(LOGGED & members.keys()))
    get_run_logger().info("%s %s", title, shown)
