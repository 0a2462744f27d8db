"""Recipients told of an erasure, a rectification or a restriction, each tracked to its answer (GDPR art. 19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from passerelle.access import Look, write_in
from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.persons.received import Received, named, received, text_of
from passerelle.persons.requesting import Route, one_of, routes
from passerelle.store import partners
from passerelle.store import requests as store
from passerelle.store.requests import Ground, NoticeRow
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables

ANSWERS: Final = ("done", "impossible", "disproportionate", "refused")  # the two exceptions of art. 19 among them
CORRECTED: Final[tuple[Ground, ...]] = ("rectification", "restriction")  # an erasure is told by retention.erasing
LATE_DAYS: Final = 30  # until a notice without an answer is late; a rule of the hub, art. 19 sets no day


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as it stands, with the officer whom it goes to; ``late`` after ``LATE_DAYS`` without an answer."""

    row: NoticeRow
    recipient_name: str
    late: bool
    route: Route | None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        row = {"notice": self.row.id, **{name: value for name, value in asdict(self.row).items() if name != "id"}}
        told = {"recipient_name": self.recipient_name, "late": self.late}
        return {**row, **told, "dpo": self.route.dpo if self.route else "not_stated"}


def notify(
    workspace: Workspace, connection: Connection, ground: Ground, cause: str, deliveries: Sequence[Received]
) -> list[NoticeRow]:
    """Open a notice for each recipient of each delivery that stands, in the caller's transaction; those made by this very call."""
    made = []
    for one in deliveries:
        if one.superseded_by is not None:
            continue  # its recipient was told to destroy it, by a signed notice
        row = NoticeRow(
            store.new_id("n"), ground, cause, one.delivery, one.convention, one.exchange, one.recipient,
            iso(workspace.now()),
        )  # fmt: skip
        if store.keep_notice(connection, row):
            body = {
                "notice": row.id, "delivery": row.delivery, "recipient": row.recipient, "ground": ground, "cause": cause,
                "convention": row.convention, "exchange": row.exchange,
            }  # fmt: skip
            workspace.append(connection, "recipient_notified", body)
            made.append(row)
    return made


def notify_recipients(
    workspace: Workspace, request: str, identifier: str, *, by: str, reason: str = "", kind: str | None = None
) -> list[Notice]:
    """Open a notice of a rectification or restriction for each recipient of data on the person; the request's, those of before too.

    What is to be corrected, and of whom, is told to the recipient's officer by another channel: no notice holds it.

    Raises:
        UsageError: no such request, or one for another right; no identifier of a person.
        TablesDisagreeError: the register is not what the trail tells: recipients might be passed by.
    """
    with workspace.database.begin() as connection:
        found = store.requests(connection, id=request)
        ground: Ground | None = next((one for one in CORRECTED if found and found[0].right == one), None)
        if ground is None:
            raise UsageError(
                "expected the number of a request for rectification or restriction",
                hint="passerelle person request open rectification; an erasure opens its own notices",
                fr="il faut le numéro d'une demande de rectification ou de limitation",
                hint_fr="passerelle person request open rectification ; un effacement ouvre ses propres avis",
            )
        verify_tables(workspace.ledger, connection)
        answer = received(workspace, connection, identifier, kind=kind, convention=found[0].convention)
        if notify(workspace, connection, ground, request, answer.deliveries):
            workspace.ledger.checkpoint(connection, workspace.now())
        write_in(
            connection, workspace, Look(by, "person_request", request, reason, convention=found[0].convention, count=1)
        )
        return notices(workspace, connection, cause=request)


def answer_notice(workspace: Workspace, notice: str, answer: str, *, by: str, reason: str = "") -> Notice:
    """Note what a recipient answered.

    Raises:
        UsageError: no such notice or answer.
        RefusedError: it was answered before.
    """
    one_of("answer", "réponse", answer, ANSWERS)
    now = workspace.now()
    with workspace.database.begin() as connection:
        found = store.notices(connection, id=notice)
        if not found:
            raise UsageError(
                "no notice of that number",
                hint="passerelle person notices",
                fr="aucun avis de ce numéro",
                hint_fr="passerelle person notices",
            )
        row = found[0]
        if row.answered_at is not None:
            raise RefusedError("this notice was answered", fr="cet avis a reçu sa réponse")
        store.close_notice(connection, notice, answer, at=now)
        body = {
            "notice": notice, "delivery": row.delivery, "recipient": row.recipient, "answer": answer,
            "convention": row.convention, "exchange": row.exchange,
        }  # fmt: skip
        workspace.append(connection, "recipient_answered", body)
        workspace.ledger.checkpoint(connection, now)
        look = Look(by, "person_request", notice, reason, partner=row.recipient, convention=row.convention, exchange=row.exchange, delivery=row.delivery)  # fmt: skip
        write_in(connection, workspace, look)
        return _shown(workspace, connection, store.notices(connection, id=notice)[0])


def notices(workspace: Workspace, connection: Connection, **where: str) -> list[Notice]:
    """Every notice, those without an answer first."""
    found = [_shown(workspace, connection, row) for row in store.notices(connection, **where)]
    return sorted(found, key=lambda one: (one.row.answered_at is not None, one.row.made_at, one.row.id))


def _shown(workspace: Workspace, connection: Connection, row: NoticeRow) -> Notice:
    text = text_of(workspace, row.convention)
    names = {one.id: one.name for one in partners.partners(connection)}
    way = next(iter(routes(text, row.recipient)), None)
    age = workspace.now() - datetime.fromisoformat(row.made_at)
    return Notice(row, named(text, row.recipient, names), row.answered_at is None and age.days >= LATE_DAYS, way)
