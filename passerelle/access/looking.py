"""Who looks is written down before anything is shown; who is refused, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from passerelle.access.batches import seal_when_due
from passerelle.errors import RefusedError
from passerelle.store import Database
from passerelle.store import access as store
from passerelle.store.access import Outcome
from passerelle.trail import Ledger
from passerelle.trail.entry import is_of

NOT_AN_ID = "not-an-id"  # what someone typed where an id was expected may be a person's value: it is not kept
LONGEST_ID = 80  # characters, as the columns have


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
    write(house, harmless(look), "allowed")


@contextmanager
def refusing(house: House, look: Look) -> Iterator[Look]:
    """Write the line only when the act inside is refused; the act writes its own in its own transaction."""
    refused: RefusedError | None = None
    try:
        yield look
    except RefusedError as error:
        refused = error
    if refused is not None:
        write(house, harmless(look), "refused")
        raise refused


def write(house: House, look: Look, outcome: Outcome) -> None:
    """Write one line in a transaction of its own, and seal what is due.

    Raises:
        WorkspaceError: the database did not take it.
    """
    with house.database.begin() as connection:
        write_in(connection, house, look, outcome)


def write_in(connection: Connection, house: House, look: Look, outcome: Outcome = "allowed") -> None:
    """Write one line in the transaction of the act that it tells, and seal what is due."""
    store.log(connection, **asdict(look), at=house.now(), outcome=outcome)
    seal_when_due(connection, house.ledger, house.now())


def harmless(look: Look) -> Look:
    """``look`` without what was typed and is no id, which might be a person's: an attempt is written whatever was typed."""
    ids = {name: getattr(look, name) for name in ("partner", "convention", "exchange", "delivery", "run")}
    kept: dict[str, Any] = {name: value if value is None else _id(value) for name, value in ids.items()}
    return replace(look, **kept, subject=_id(look.subject))


def _id(text: str) -> str:
    """``text`` when the trail would take it (docs/spec/trail.md): what it takes can hold no name and no number of a person."""
    known = any(is_of(name, text) for name in ("word", "ref", "fingerprint"))
    return text if known and len(text) <= LONGEST_ID else NOT_AN_ID
