"""Holds as the DPO keeps them: placed with a reason, an owner and a review date, lifted, listed; each is an event on record (D15).

A hold on a person keeps keyed tags (docs/spec, person index), never the identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from passerelle.convention import Convention, Event, dates, holds
from passerelle.convention.dates import local_day
from passerelle.convention.holds import Hold, HoldKind
from passerelle.convention.periods import period_of
from passerelle.errors import RefusedError, UsageError
from passerelle.handover.recording import record_event
from passerelle.persons.objecting import insist_on_keys
from passerelle.persons.tags import identifier_tag, kinds_of
from passerelle.store import events
from passerelle.store.holdings import Holding
from passerelle.workspace import Workspace
from retention.looks import SCOPE as ACCESS_LOG
from retention.scope import Scope, rulings

LIFTING = {
    "hold_placed": "hold_lifted",
    "litigation_opened": "litigation_closed",
    "legal_obligation_recorded": "legal_obligation_ended",
}
STATES = ("active", "review_overdue", "lifted")


@dataclass(frozen=True, slots=True)
class Asked:
    """A hold that somebody asks for; nothing named: the whole convention. ``person`` is an identifier, kept nowhere."""

    kind: HoldKind
    reason: str
    owner: str
    review: date
    names: tuple[str, ...] = ()
    period: str | None = None
    person: str | None = field(default=None, repr=False)
    person_kind: str | None = None
    since: date | None = None
    evidence_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One hold on record, as it stands today; ``copies`` are those of ours that it keeps, none once it is lifted."""

    id: str
    convention: str
    kind: HoldKind
    scope: tuple[str, ...]
    period: str | None
    person: bool
    since: date | None
    until: date | None
    lifted_on: date | None
    review: date | None
    reason: str | None
    owner: str | None
    evidence_sha256: str | None
    state: str
    copies: int
    reviewed_on: date | None = None

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        dates = {name: getattr(self, name) for name in ("since", "until", "lifted_on", "review", "reviewed_on")}
        return {
            "id": self.id,
            "convention": self.convention,
            "kind": self.kind,
            "state": self.state,
            "scope": {"names": list(self.scope), "period": self.period, "person": self.person},
            **{name: None if day is None else day.isoformat() for name, day in dates.items()},
            "reason": self.reason,
            "owner": self.owner,
            "evidence_sha256": self.evidence_sha256,
            "copies": self.copies,
        }


def place(workspace: Workspace, convention_id: str, asked: Asked, *, by: str) -> Standing:
    """Place a hold: from here on no purge takes what it names; the rest goes on its day.

    Raises:
        UsageError: it names what the convention does not have, or lacks its reason, owner, or a review to come.
        RefusedError: the convention's data were destroyed.
    """
    convention = workspace.convention(convention_id)
    today = local_day(workspace.now(), convention.zone)
    _insist(asked, today)
    insist_on_keys(workspace, convention_id)
    names = tuple(_named(convention, one) for one in asked.names)
    payload: dict[str, Any] = {
        "id": f"h-{uuid4().hex[:8]}",
        "kind": asked.kind,
        "on": (asked.since or today).isoformat(),
        "reason": asked.reason.strip(),
        "owner": asked.owner.strip(),
        "review": asked.review.isoformat(),
    }
    if names:
        payload["scope"] = sorted(set(names))
    if asked.period is not None:
        payload["period"] = asked.period
    if asked.person is not None:
        payload["persons"] = _tags(workspace, convention_id, asked.person, asked.person_kind)
    record_event(workspace, convention_id, "hold_placed", payload, by=by, evidence_sha256=asked.evidence_sha256)
    return one_of(workspace, payload["id"])


def lift(
    workspace: Workspace,
    hold_id: str,
    *,
    reason: str,
    by: str,
    on: date | None = None,
    evidence_sha256: str | None = None,
) -> Standing:
    """Lift a hold: what it kept beyond its day is due at once, and goes with the next purge, the same day.

    Raises:
        UsageError: no such hold, no reason, or a day before the hold or to come.
        RefusedError: it was lifted already.
    """
    found = _lasting(workspace, hold_id, reason)
    today = local_day(workspace.now(), workspace.convention(found.convention).zone)
    day = on or today
    if day > today or (found.since is not None and day < found.since):
        raise UsageError(
            "expected the day of the lifting between the hold's first day and today",
            fr="il faut un jour de levée entre le premier jour de la suspension et aujourd'hui",
        )
    with workspace.database.read() as connection:
        kind, payload = _lifting(connection, found, day)
    payload["reason"] = reason.strip()
    record_event(workspace, found.convention, kind, payload, by=by, evidence_sha256=evidence_sha256)
    return one_of(workspace, hold_id)


def review(
    workspace: Workspace, hold_id: str, *, reason: str, following: date, by: str, evidence_sha256: str | None = None
) -> Standing:
    """Say that a hold was looked at again and stays, why, and when the ``following`` look is due.

    Raises:
        UsageError: no such hold, no reason, or a following review that is not to come.
        RefusedError: it was lifted.
    """
    found = _lasting(workspace, hold_id, reason)
    today = local_day(workspace.now(), workspace.convention(found.convention).zone)
    _insist_to_come(following, today)
    payload = {"id": hold_id, "on": today.isoformat(), "reason": reason.strip(), "review": following.isoformat()}
    record_event(workspace, found.convention, "hold_reviewed", payload, by=by, evidence_sha256=evidence_sha256)
    return one_of(workspace, hold_id)


def _lasting(workspace: Workspace, hold_id: str, reason: str) -> Standing:
    """The hold of that id, when it lasts and there is a reason to do something to it."""
    found = one_of(workspace, hold_id)
    if found.state == "lifted":
        raise RefusedError(
            f"hold {hold_id} was lifted on {found.lifted_on}",
            hint="passerelle hold list",
            fr=f"la suspension {hold_id} a été levée le {_written(found.lifted_on)}",
            hint_fr="passerelle hold list",
        )
    if not reason.strip():
        raise _lacking("reason", "motif")
    return found


def _written(day: date | None) -> str:
    return "–" if day is None else dates.fr(day)


def _lifting(connection: Connection, found: Standing, day: date) -> tuple[str, dict[str, Any]]:
    """The event that lifts a hold on ``day``: its kind, and what it says."""
    row = next(row for row in _rows(connection, found.convention) if _id(row) == found.id)
    payload: dict[str, Any] = {"id": found.id, "on": day.isoformat()}
    if row.payload.get("id") is None and found.scope:
        payload["scope"] = list(found.scope)  # a hold without an id is lifted by what it names
    return LIFTING[row.type], payload


def one_of(workspace: Workspace, hold_id: str) -> Standing:
    """The hold of that id.

    Raises:
        UsageError: there is none.
    """
    with workspace.database.read() as connection:
        found = next((one for one in standing(workspace, connection) if one.id == hold_id), None)
    if found is None:
        raise UsageError(
            "no hold of that id",
            hint="passerelle hold list",
            fr="aucune suspension de ce numéro",
            hint_fr="passerelle hold list",
        )
    return found


def standing(workspace: Workspace, connection: Connection, convention_id: str | None = None) -> list[Standing]:
    """Every hold on record, those past their review first, those lifted last."""
    names = [convention_id] if convention_id is not None else events.conventions(connection)
    found = [one for name in names for one in _of(workspace, connection, name)]
    order = {"review_overdue": 0, "active": 1, "lifted": 2}
    return sorted(found, key=lambda one: (order[one.state], one.convention, one.since or date.min, one.id))


def overdue(workspace: Workspace, connection: Connection) -> list[Standing]:
    """The holds whose day of review is past: someone has to say whether they still keep what they keep."""
    return [one for one in standing(workspace, connection) if one.state == "review_overdue"]


def _of(workspace: Workspace, connection: Connection, name: str) -> Iterable[Standing]:
    convention = workspace.convention(name)
    today = local_day(workspace.now(), convention.zone)
    rows = _rows(connection, name)
    if not rows:
        return
    known = {hold.placed: hold for hold in holds.all_of(workspace.history(connection, name), convention.zone)}
    copies = rulings(workspace, connection, Scope(name))
    looks = {
        _text(row.payload.get("id")): row.payload
        for row in events.history(connection, name)
        if row.type == "hold_reviewed"
    }
    for row in rows:
        look = looks.get(_id(row), {})
        hold = known[Event(row.type, row.payload, row.recorded_at)]
        ends = hold.lifted(holds.What(hold.scope))
        lifted = ends if ends is not None and ends <= today else None
        review = _date(look.get("review")) or _date(row.payload.get("review"))
        state = "lifted" if lifted else "review_overdue" if review is not None and review < today else "active"
        yield Standing(
            id=_id(row),
            convention=name,
            kind=hold.kind,
            scope=tuple(sorted(hold.scope)),
            period=hold.period,
            person=bool(hold.persons),
            since=None if hold.since == date.min else hold.since,
            until=hold.until,
            lifted_on=lifted,
            review=review,
            reason=_text(row.payload.get("reason")),
            owner=_text(row.payload.get("owner")),
            evidence_sha256=row.evidence_sha256,
            state=state,
            copies=_kept(hold, copies, today),
            reviewed_on=_date(look.get("on")),
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """Copies of ours that a hold keeps, of one exchange and kind; ``going`` are those that are due at once when it is lifted."""

    exchange: str
    kind: str
    copies: int
    bytes: int
    going: int


def kept(workspace: Workspace, connection: Connection, found: Standing) -> list[Kept]:
    """What a hold keeps today, and what of it would go with the next purge if it were lifted today."""
    if found.state == "lifted":
        return []
    convention = workspace.convention(found.convention)
    today = local_day(workspace.now(), convention.zone)
    row = next(row for row in _rows(connection, found.convention) if _id(row) == found.id)
    known = holds.all_of(workspace.history(connection, found.convention), convention.zone)
    hold = next(one for one in known if one.placed == Event(row.type, row.payload, row.recorded_at))
    kind, payload = _lifting(connection, found, today)
    lifted = Event(kind, payload, workspace.now())
    after = {one.copy.id: one.may_go for one in rulings(workspace, connection, Scope(found.convention), (lifted,))}
    groups: dict[tuple[str, str], list[Holding]] = {}
    for one in rulings(workspace, connection, Scope(found.convention)):
        if hold.covers(one.what) and hold.lasts(one.what, today):
            groups.setdefault((one.copy.exchange, one.copy.kind), []).append(one.copy)
    return [
        Kept(exchange, kind, len(own), sum(copy.bytes or 0 for copy in own), sum(after[copy.id] for copy in own))
        for (exchange, kind), own in sorted(groups.items())
    ]


def _kept(hold: Hold, copies: Sequence[Any], today: date) -> int:
    return sum(hold.covers(one.what) and hold.lasts(one.what, today) for one in copies)


def _rows(connection: Connection, name: str) -> list[events.Recorded]:
    return [row for row in events.history(connection, name) if row.type in LIFTING]


def _id(row: events.Recorded) -> str:
    """A hold recorded as an event without an id goes by the number of its event."""
    return _text(row.payload.get("id")) or f"e-{row.id}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _insist(asked: Asked, today: date) -> None:
    if not asked.reason.strip():
        raise _lacking("reason", "motif")
    if not asked.owner.strip():
        raise _lacking("owner", "responsable")
    _insist_to_come(asked.review, today)
    if asked.since is not None and asked.since > today:
        raise UsageError(
            "expected a hold that begins today or before: one to come keeps nothing meanwhile",
            fr="il faut une suspension qui commence aujourd'hui ou avant : à venir, elle ne retient rien d'ici là",
        )
    if asked.period is not None and period_of(asked.period) is None:
        raise UsageError(
            "expected a period such as 2025, 2025-S1, 2025-Q2, 2025-05 or 2025-05-12",
            fr="il faut une période comme 2025, 2025-S1, 2025-Q2, 2025-05 ou 2025-05-12",
        )


def _insist_to_come(review: date, today: date) -> None:
    if review <= today:
        raise UsageError(
            "expected a review to come: a hold that nobody looks at again keeps data for ever",
            fr="il faut une date de réexamen à venir : sans réexamen, une suspension conserve des données sans fin",
        )


def _lacking(what: str, quoi: str) -> UsageError:
    return UsageError(f"a hold needs its {what}", fr=f"une suspension demande son {quoi}")


def _named(convention: Convention, name: str) -> str:
    """An exchange or a dataset of the convention, or the access log, whichever hyphens and capitals were typed."""
    known = {one.id for one in convention.exchanges} | {ACCESS_LOG}
    known |= {one.handling.contract for one in convention.exchanges if one.handling is not None}
    if name in known:
        return name
    alike = {_plain(one): one for one in sorted(known)}
    if (found := alike.get(_plain(name))) is not None:
        return found
    said = ", ".join(sorted(known))
    raise UsageError(
        f"unknown exchange or dataset: a hold on it would keep nothing; expected one of {said}",
        fr=f"échange ou jeu de données inconnu : la suspension ne retiendrait rien ; ceux qui existent : {said}",
    )


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _tags(workspace: Workspace, convention_id: str, person: str, kind: str | None) -> list[str]:
    """The keyed tags of a person, one for each kind of identifier that it may be."""
    schemes = kinds_of(person, kind)
    if not workspace.keys.knows(convention_id):
        raise RefusedError(
            f"nothing was ever exchanged under {convention_id}: there is nothing of anybody to keep",
            fr=f"aucun échange n'a eu lieu au titre de {convention_id} : il n'y a rien à retenir de quiconque",
        )
    key = workspace.keys.index_key(convention_id)
    return [identifier_tag(key, scheme, person).hex() for scheme in schemes]
