"""Replies to senders, held against what the trail tells of their verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, select

from passerelle.store.replies import reply

PARTS = {"parcel": "parcel", "manifest_sha256": "manifest_sha256", "sender": "recipient", "convention": "convention", "exchange": "exchange"}  # fmt: skip


class _Verdicts(NamedTuple):
    entry: int
    body: Mapping[str, Any]
    state: str


@dataclass(slots=True)
class RepliesTold:
    """What the trail tells of verdicts, by run, folded in its order."""

    KINDS: ClassVar[Mapping[str, str]] = {
        "verdicts_intent": "intent", "verdicts_returned": "returned", "verdicts_abandoned": "told",
    }  # fmt: skip
    verdicts: dict[str, _Verdicts] = field(default_factory=dict)

    def take(self, index: int, kind: str, body: Mapping[str, Any]) -> None:
        """Add one entry of ``KINDS``."""
        state, before = self.KINDS[kind], self.verdicts.get(body["run"])
        if state == "intent":
            self.verdicts[body["run"]] = _Verdicts(index, body, state)
        elif before is not None:
            self.verdicts[body["run"]] = before._replace(state=state)


def faults(connection: Connection, told: RepliesTold) -> Iterator[str]:
    """A reply taken out or changed would hand the verdicts of a file back twice, to another, or not at all."""
    query = select(reply.c.run, reply.c.state, reply.c.entry, reply.c.sequence, *(reply.c[part] for part in PARTS))
    rows = {row["run"]: row for row in connection.execute(query).mappings()}
    for run, (entry, body, state) in told.verdicts.items():
        row = rows.pop(run, None)
        if row is None:
            yield f"reply on run {run} recorded in the trail is missing"
        elif wrong := [part for part, name in PARTS.items() if body.get(name) not in {None, row[part]}]:
            yield f"reply on run {run} says another {wrong[0]} than the trail"
        elif (row["entry"], row["sequence"]) != (entry, None if state == "told" else body["sequence"]):
            yield f"reply on run {run} says another entry or number than the trail"
        elif row["state"] != state:
            yield f"reply on run {run} is {row['state']} in the tables, and the trail tells otherwise"
    for run, row in rows.items():
        if row["state"] in {"intent", "returned"} or row["entry"] is not None:
            yield f"reply on run {run} is not recorded in the trail"
