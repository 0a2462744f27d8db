"""Requests of persons and their clock: one month, rolled to a working day, two more where necessary (GDPR art. 12(3); D19)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from passerelle.access import Look, write_in
from passerelle.convention import Answer, Convention, Event
from passerelle.convention.dates import local_day
from passerelle.convention.due import rights
from passerelle.errors import RefusedError, UsageError
from passerelle.store import requests as store
from passerelle.store.requests import RIGHTS, RequestRow
from passerelle.workspace import Workspace

PARIS: Final = ZoneInfo("Europe/Paris")
ANSWERS: Final = ("granted", "partly", "refused", "no-data", "withdrawn", "identity-unproved")
EXTENSIONS: Final = ("complexity", "number")  # of requests: the two grounds of art. 12(3)
State = Literal["open", "late", "answered", "answered_late"]


@dataclass(frozen=True, slots=True)
class Route:
    """Whom a person writes to about one party's processing; ``dpo`` is ``not_stated`` where the text gives nobody."""

    convention: str
    party: str
    name: str
    dpo: str
    post: str | None
    article: str | None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Followed:
    """One request as it stands: its clock with the arithmetic, and how many days are left (negative: late)."""

    row: RequestRow
    state: State
    days_left: int | None
    clock: Answer
    routes: tuple[Route, ...]

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        told = {"request": self.row.id, **{name: value for name, value in asdict(self.row).items() if name != "id"}}
        return {
            **told, "state": self.state, "days_left": self.days_left, "clock": self.clock.as_json(),
            "routes": [one.as_json() for one in self.routes],
        }  # fmt: skip


def open_request(
    workspace: Workspace,
    right: str,
    *,
    by: str,
    received_on: date | None = None,
    convention: str | None = None,
    party: str | None = None,
    reason: str = "",
) -> Followed:
    """Put a request on the register, on the day that it came; the person is not named.

    Raises:
        UsageError: an unknown right, convention or party, or a day to come.
    """
    one_of("right", "droit", right, RIGHTS)
    text = None if convention is None else workspace.convention(convention)
    if party is not None:
        _insist_party(text, party)
    now = workspace.now()
    today = local_day(now, text.zone if text else PARIS)
    received = received_on or today
    if received > today:
        raise UsageError("expected a day that is not to come", fr="cette date est à venir")
    due = _clock(received, text)
    row = RequestRow(
        store.new_id("q"), right, convention, party, received.isoformat(), _day(due), now.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    with workspace.database.begin() as connection:
        store.keep_request(connection, row)
        body = {
            "request": row.id, "right": right, "received_on": row.received_on, "due": row.due, "convention": convention,
            "party": party,
        }  # fmt: skip
        workspace.append(connection, "person_request_opened", body)
        workspace.ledger.checkpoint(connection, now)
        _log(connection, workspace, by, row, reason)
    return follow(workspace, row)


def extend_request(workspace: Workspace, request: str, why: str, *, by: str, reason: str = "") -> Followed:
    """Take two further months, and say why (art. 12(3)): within the first month, once.

    Raises:
        UsageError: no such request, or another ground than complexity or number.
        RefusedError: it was answered, extended before, or its month is over.
    """
    one_of("ground", "motif", why, EXTENSIONS)
    with workspace.database.begin() as connection:
        row = _open_one(connection, request)
        shown = follow(workspace, row)
        if row.extended_for is not None or shown.state == "late":
            raise RefusedError(
                "a request is extended once, before its first month is over",
                hint="answer it now: the person may complain to the authority (GDPR art. 77)",
                fr="une demande se prolonge une fois, avant la fin du premier mois",
                hint_fr="répondez sans attendre : la personne peut saisir la CNIL (RGPD, art. 77)",
            )
        due = _day(_clock(date.fromisoformat(row.received_on), _text(workspace, row), extended=True))
        store.extend_request(connection, request, due, why)
        workspace.append(connection, "person_request_extended", {"request": request, "due": due, "reason": why})
        workspace.ledger.checkpoint(connection, workspace.now())
        _log(connection, workspace, by, row, reason)
        return follow(workspace, store.requests(connection, id=request)[0])


def answer_request(workspace: Workspace, request: str, answer: str, *, by: str, reason: str = "") -> Followed:
    """Note that a request was answered, and how.

    Raises:
        UsageError: no such request or answer.
        RefusedError: it was answered before.
    """
    one_of("answer", "réponse", answer, ANSWERS)
    now = workspace.now()
    with workspace.database.begin() as connection:
        row = _open_one(connection, request)
        late = follow(workspace, row).state == "late"
        store.close_request(connection, request, answer, at=now)
        workspace.append(connection, "person_request_answered", {"request": request, "answer": answer, "late": late})
        workspace.ledger.checkpoint(connection, now)
        _log(connection, workspace, by, row, reason)
        return follow(workspace, store.requests(connection, id=request)[0])


def followed(workspace: Workspace, connection: Connection, *, convention: str | None = None) -> list[Followed]:
    """Every request, the first to answer first."""
    rows = store.requests(connection, **({} if convention is None else {"convention": convention}))
    shown = [follow(workspace, row) for row in rows]
    return sorted(shown, key=lambda one: (one.row.answered_at is not None, one.row.due, one.row.id))


def follow(workspace: Workspace, row: RequestRow) -> Followed:
    """One request as it stands today."""
    text = _text(workspace, row)
    zone = text.zone if text else PARIS
    due = date.fromisoformat(row.due)
    clock = _clock(date.fromisoformat(row.received_on), text, extended=row.extended_for is not None)
    left = (due - local_day(workspace.now(), zone)).days
    if row.answered_at is not None:
        answered = workspace_day(row.answered_at, zone)
        state: State = "answered_late" if answered > due else "answered"
        return Followed(row, state, None, clock, routes(text, row.party))
    return Followed(row, "late" if left < 0 else "open", left, clock, routes(text, row.party))


def workspace_day(instant: str, zone: ZoneInfo) -> date:
    """The civil day of an instant of the tables."""
    from datetime import datetime

    return local_day(datetime.fromisoformat(instant), zone)


def routes(text: Convention | None, party: str | None = None) -> tuple[Route, ...]:
    """The data protection officers that the text gives: of one party, or of all."""
    found = []
    for one in text.parties if text else ():
        if party in {None, one.id}:
            stated = one.dpo if not isinstance(one.dpo, str) else None
            post = None if stated is None or stated.post == "not_stated" else stated.post
            article = stated.article if stated else None
            found.append(Route(text.id if text else "", one.id, one.name, stated.email if stated else "not_stated", post, article))  # fmt: skip
    return tuple(found)


def one_of(what: str, quoi: str, value: str, known: tuple[str, ...]) -> str:
    """``value`` when it is on the list.

    Raises:
        UsageError: it is not.
    """
    if value in known:
        return value
    words = ", ".join(known)
    raise UsageError(f"unknown {what}, expected one of {words}", fr=f"{quoi} : il faut l'un des mots {words}")


def _clock(received: date, text: Convention | None, *, extended: bool = False) -> Answer:
    payload: dict[str, Any] = {"received_on": received.isoformat(), **({"extended": True} if extended else {})}
    return rights((Event("rights_request", payload),), text.zone if text else PARIS)


def _day(clock: Answer) -> str:
    assert isinstance(clock.value, date)  # noqa: S101 - the delay of a request is a day
    return clock.value.isoformat()


def _text(workspace: Workspace, row: RequestRow) -> Convention | None:
    return None if row.convention is None else workspace.convention(row.convention)


def _insist_party(text: Convention | None, party: str) -> None:
    if text is None or all(one.id != party for one in text.parties):
        raise UsageError(
            "expected a party of the convention",
            hint="--convention names it; passerelle convention show lists its parties",
            fr="il faut une partie de la convention",
            hint_fr="--convention la désigne ; passerelle convention show donne ses parties",
        )


def _open_one(connection: Connection, request: str) -> RequestRow:
    found = store.requests(connection, id=request)
    if not found:
        raise UsageError(
            "no request of that number",
            hint="passerelle person request list",
            fr="aucune demande de ce numéro",
            hint_fr="passerelle person request list",
        )
    if found[0].answered_at is not None:
        raise RefusedError("this request was answered", fr="cette demande a reçu sa réponse")
    return found[0]


def _log(connection: Connection, workspace: Workspace, by: str, row: RequestRow, reason: str) -> None:
    look = Look(by, "person_request", row.id, reason, convention=row.convention)
    write_in(connection, workspace, look)
