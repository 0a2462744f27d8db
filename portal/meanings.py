"""What the columns of exchanges mean, from their data contracts: for letters, registers and the scope of a breach."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.registry import contract
from passerelle.contract import Column
from passerelle.persons import Answer
from passerelle.persons.received import text_of
from passerelle.workspace import Workspace


def columns_of(dataset: str) -> Sequence[Column]:
    """The columns of a data contract."""
    return contract(dataset).columns


def meanings(workspace: Workspace, answer: Answer) -> dict[str, Sequence[Column]]:
    """The columns of each exchange that an answer speaks of, by ``convention/exchange``."""
    found = {}
    for name, exchange in {(one.convention, one.exchange) for one in answer.deliveries}:
        text = text_of(workspace, name)
        known = text.exchange(exchange) if text else None
        if known is not None and known.handling is not None:
            found[f"{name}/{exchange}"] = columns_of(known.handling.contract)
    return found
