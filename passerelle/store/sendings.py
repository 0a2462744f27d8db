"""Sendings: files that senders laid through the portal, each until its exchange has taken it in. No value of them is here.

What became of one is told by its latest run: a run that delivered it, had it already or refused it for what it is ends it;
after any other it waits for the next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from passerelle.store.tables import metadata, run

State = Literal["waiting", "running", "delivered", "duplicate", "refused"]
THEIR_FAULTS = frozenset(
    {"IntakeError", "ContractError"}
)  # the file itself was refused: the next run would refuse it too

sending = Table(
    "sending",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("convention", String(80), nullable=False),
    Column("exchange", String(80), nullable=False),
    Column("period", String(40), nullable=False),
    Column("party", String(80), nullable=False),
    Column("commitment", String(64), nullable=False),  # of the content, keyed by its convention
    Column("bytes", BigInteger, nullable=False),
    Column("checked", Text, nullable=False),  # JSON: counts, rules, row numbers, as the contract's check gives them
    Column("received_at", String(20), nullable=False),
    Column("run", String(40), ForeignKey("run.id")),  # the latest that took it
    Index("ix_sending_party", "party", "received_at", "id"),
    Index("ix_sending_convention", "convention", "exchange"),
)


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending and what became of it; ``reason`` is why its run ended otherwise than delivered."""

    id: str
    convention: str
    exchange: str
    period: str
    party: str
    commitment: str
    bytes: int
    checked: Mapping[str, Any]
    received_at: str
    run: str | None
    state: State
    reason: str | None

    @property
    def over(self) -> bool:
        """Whether nothing more is done with it."""
        return self.state in {"delivered", "duplicate", "refused"}


def location_of(one: Sending) -> str:
    """Where the file of a sending waits, in the workspace."""
    return f"inbox/{one.convention}/{one.exchange}/{one.period}/{one.id}.age"


def add(connection: Connection, new: Sending) -> None:
    """Keep a sending that has arrived."""
    values = {name: getattr(new, name) for name in sending.c.keys()}  # noqa: SIM118 - columns, not rows
    connection.execute(insert(sending).values(**{**values, "checked": json.dumps(dict(new.checked))}))


def taken(connection: Connection, which: str, by: str) -> None:
    """Note the run that takes a sending, in the transaction that opens it."""
    connection.execute(update(sending).where(sending.c.id == which).values(run=by))


def drop(connection: Connection, which: str) -> None:
    """Forget a sending that waited and went."""
    connection.execute(delete(sending).where(sending.c.id == which))


def find(connection: Connection, which: str) -> Sending | None:
    """The sending of that id, or None."""
    row = connection.execute(_query().where(sending.c.id == which)).one_or_none()
    return None if row is None else _sending(row)


def of(connection: Connection, party: str, *, limit: int, after: str | None = None) -> list[Sending]:
    """A party's sendings, the latest first; with ``after``, those before the sending of that id."""
    query = _query().where(sending.c.party == party)
    if after is not None and (last := find(connection, after)) is not None:
        earlier = (sending.c.received_at == last.received_at) & (sending.c.id < last.id)
        query = query.where((sending.c.received_at < last.received_at) | earlier)
    ordered = query.order_by(sending.c.received_at.desc(), sending.c.id.desc()).limit(limit)
    return [_sending(row) for row in connection.execute(ordered)]


def of_content(connection: Connection, like: Sending) -> list[Sending]:
    """The sendings of the same content by the same party for the same exchange and period, oldest first."""
    query = _query()
    for name in ("party", "convention", "exchange", "period", "commitment"):
        query = query.where(sending.c[name] == getattr(like, name))
    return [_sending(row) for row in connection.execute(query.order_by(sending.c.received_at, sending.c.id))]


def waiting(connection: Connection, **where: str) -> list[Sending]:
    """The sendings that are not over, whose columns equal ``where``, oldest first."""
    query = _query()
    for name, value in where.items():
        query = query.where(sending.c[name] == value)
    found = (_sending(row) for row in connection.execute(query.order_by(sending.c.received_at, sending.c.id)))
    return [one for one in found if not one.over]


def _query() -> Select[Any]:
    joined = sending.outerjoin(run, run.c.id == sending.c.run)
    return select(sending, run.c.state, run.c.reason).select_from(joined)


def _sending(row: Row[Any]) -> Sending:
    values = {name: getattr(row, name) for name in sending.c.keys()}  # noqa: SIM118 - columns, not rows
    return Sending(
        **{**values, "checked": json.loads(row.checked)}, state=_state(row.state, row.reason), reason=row.reason
    )


def _state(ended: str | None, reason: str | None) -> State:
    if ended in {"delivered", "duplicate", "running"}:
        return ended  # type: ignore[return-value]  # narrowed by the set
    return "refused" if ended == "refused" and reason in THEIR_FAULTS else "waiting"
