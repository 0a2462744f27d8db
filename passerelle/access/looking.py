"""Who looks is written down before anything is shown; who is refused, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from passerelle.access.batches import seal_when_due
from passerelle.errors import RefusedError, TrailError
from passerelle.store import Database
from passerelle.store import access as store
from passerelle.store.access import Outcome
from passerelle.trail import Entry, Ledger

NOT_AN_ID = "not-an-id"  # what someone typed where an id was expected may be a person's value: it is not kept


class House(Protocol):
    """What looking needs of a workspace."""

    @property
    def database(self) -> Database: ...
    @property
    def ledger(self) -> Ledger: ...
    def now(self) -> datetime: ...


@dataclass(slots=True)
class Look:
    """One read, as it will be written; what is only known once it was read is set in between."""

    actor: str
    action: str
    subject: str
    reason: str = ""
    partner: str | None = None
    convention: str | None = None
    exchange: str | None = None
    delivery: str | None = None
    run: str | None = None
    count: int | None = None


@contextmanager
def looking(house: House, look: Look) -> Iterator[Look]:
    """Read inside, show after: the line is written and committed on leaving, ``refused`` when the read was refused.

    A read that fails for another reason showed nothing and leaves no line.

    Raises:
        WorkspaceError: the line cannot be written; the caller has then shown nothing.
    """
    with refusing(house, look):
        yield look
    write(house, look, "allowed")


@contextmanager
def refusing(house: House, look: Look) -> Iterator[Look]:
    """Write the line only when the act inside is refused; the act writes its own in its own transaction."""
    refused: RefusedError | None = None
    try:
        yield look
    except RefusedError as error:
        refused = error
    if refused is not None:
        write(house, _harmless(look), "refused")
        raise refused


def write(house: House, look: Look, outcome: Outcome) -> None:
    """Write one line in a transaction of its own, and seal what is due.

    Raises:
        WorkspaceError: the database did not take it.
    """
    with house.database.begin() as connection:
        store.log(connection, **asdict(look), at=house.now(), outcome=outcome)
        seal_when_due(connection, house.ledger, house.now())


def _harmless(look: Look) -> Look:
    """``look`` without what was typed and is no id: a refused attempt is written whatever was typed."""
    ids = {name: getattr(look, name) for name in ("partner", "convention", "exchange", "delivery", "run")}
    kept: dict[str, Any] = {name: value if value is None else _id(value) for name, value in ids.items()}
    return replace(look, **kept, subject=_id(look.subject))


def _id(text: str) -> str:
    """``text`` when the trail would take it as a word (docs/spec/trail.md): such a word can hold no number of a person."""
    try:
        Entry("delivery_abandoned", "2026-01-01T00:00:00Z", {"delivery": "a", "reason": text})
    except TrailError:
        return NOT_AN_ID
    return text
