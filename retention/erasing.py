"""Erasing one person (GDPR art. 17): out of every later extract at once, copies destroyed, recipients told (art. 19).

A hold keeps the copies that it names; it does not put the person back into extracts.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from contracts.registry import contract
from passerelle.canonical import canonical
from passerelle.convention import Convention
from passerelle.errors import RefusedError, UsageError
from passerelle.handover.erased import ERASED, WITH_ROWS
from passerelle.handover.job import erase_copy
from passerelle.persons import bearing, kinds_of, received, record_objection
from passerelle.persons.notifying import notify
from passerelle.persons.objecting import insist_on_keys
from passerelle.persons.received import Answer, Received
from passerelle.store import holdings, runs
from passerelle.store.holdings import Holding
from passerelle.store.requests import NoticeRow
from passerelle.workspace import Workspace
from passerelle.workspace.agreement import verify_tables
from retention.scope import Scope, destroy_keys, rulings


@dataclass(frozen=True, slots=True)
class Suspended:
    """Copies that a hold keeps: nothing of theirs is destroyed until it is lifted."""

    convention: str
    exchange: str
    copies: int
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a person did under one convention, and what is left to do.

    ``parcels`` stand with their recipients: each is told by its notice, and superseded by an extract without the person
    (``passerelle exchange run … --supersedes``). ``not_recognised`` are exchanges whose files lack that kind of identifier.
    """

    convention: str
    objections: tuple[str, ...]
    recognised: tuple[str, ...]
    not_recognised: tuple[str, ...]
    destroyed: dict[str, int]
    suspended: tuple[Suspended, ...]
    notices: tuple[NoticeRow, ...]
    parcels: tuple[Received, ...]

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "convention": self.convention,
            "erasures": list(self.objections),
            "recognised_in": list(self.recognised),
            "not_recognised_in": list(self.not_recognised),
            "destroyed": [{"kind": kind, "count": count} for kind, count in sorted(self.destroyed.items())],
            "suspended": [
                {"convention": one.convention, "exchange": one.exchange, "copies": one.copies, "why": {"fr": one.fr, "en": one.en}}
                for one in self.suspended
            ],
            "notices": [{"notice": one.id, "recipient": one.recipient, "delivery": one.delivery} for one in self.notices],
            "to_supersede": [
                {"parcel": one.delivery, "exchange": one.exchange, "period": one.period, "recipient": one.recipient}
                for one in self.parcels
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing a person would do under one convention: ``copies`` of ours that go, those that a hold keeps, whom to tell."""

    convention: str
    recognised: tuple[str, ...]
    not_recognised: tuple[str, ...]
    copies: tuple[Holding, ...]
    suspended: tuple[Suspended, ...]
    deliveries: tuple[Received, ...]

    def as_json(self) -> dict[str, Any]:
        """As one JSON object: ids only."""
        return {
            "convention": self.convention,
            "recognised_in": list(self.recognised),
            "copies": sorted(copy.id for copy in self.copies),
            "suspended": [[one.exchange, one.copies] for one in self.suspended],
            "deliveries": sorted(one.delivery for one in self.deliveries),
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is to be erased, by whose hand, and why; kept in memory only."""

    identifier: str = field(repr=False)
    kinds: tuple[str, ...]
    by: str
    reason: str


def erase_person(
    workspace: Workspace,
    identifier: str,
    *,
    by: str,
    reason: str,
    kind: str | None = None,
    convention: str | None = None,
    planned: str | None = None,
) -> list[Erasure]:
    """Erase a person under one convention, or under every one that may have them; once more finishes what was interrupted.

    With ``planned``, the number of a preview, nothing is done unless it would do what that preview shows.

        1. Find which deliveries concern the person.
        2. Record the erasure: from here on no extract has the person.
        3. Destroy our copies of the runs concerned, but those that a hold keeps.
        4. Open a notice for each recipient.

    Raises:
        UsageError: no identifier of a person, no such convention, no reason, or no file that could have this kind of identifier.
        TablesDisagreeError: the register is not what the trail tells: copies might be passed by.
        RefusedError: it is not what was previewed, or the convention's data were destroyed.
    """
    if not reason.strip():
        raise UsageError(
            "an erasure needs its reason",
            hint="--reason: which ground of GDPR art. 17(1), the request's number; no value of the person",
            fr="un effacement demande son motif",
            hint_fr="--reason : quel motif de l'article 17 § 1, le numéro de la demande ; aucune valeur de la personne",
        )
    names, kinds = _where(workspace, identifier, kind, convention)
    if planned is not None and planned != preview_id([_preview(workspace, name, identifier, kinds) for name in names]):
        raise RefusedError(
            "this is not what was previewed: another person, or something changed since; nothing was done",
            hint="passerelle person erase --plan shows what would be destroyed now",
            fr="ce n'est pas ce que montrait l'aperçu : une autre personne, ou la situation a changé ; rien n'a été fait",
            hint_fr="passerelle person erase --plan montre ce qui serait détruit à présent",
        )
    asked = _Asked(identifier, kinds, by, reason)
    return [_erase(workspace, name, asked) for name in names]


def preview_erasure(
    workspace: Workspace, identifier: str, *, kind: str | None = None, convention: str | None = None
) -> list[Preview]:
    """What erasing a person would do, under one convention or every one that may have them; nothing is done.

    Raises:
        UsageError: as ``erase_person``.
        TablesDisagreeError: the register is not what the trail tells.
    """
    names, kinds = _where(workspace, identifier, kind, convention)
    return [_preview(workspace, name, identifier, kinds) for name in names]


def preview_id(found: Sequence[Preview]) -> str:
    """The number of a preview, which an erasure may be held to."""
    return f"erasure-{preview_sha256(found)[:16]}"


def preview_sha256(found: Sequence[Preview]) -> str:
    """The hash of what previews show: another person, or another state of the gateway, gives another."""
    return hashlib.sha256(canonical([one.as_json() for one in found])).hexdigest()


def _where(
    workspace: Workspace, identifier: str, kind: str | None, convention: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """The conventions that may have the person, and the kinds that the identifier may be of."""
    kinds = kinds_of(identifier, kind)
    with workspace.database.read() as connection:
        verify_tables(workspace.ledger, connection)
    if convention is not None:
        name = workspace.convention(convention).id
        insist_on_keys(workspace, name)
        return [name], kinds
    names = [name for name in workspace.convention_ids() if _may(workspace, name, kinds)]
    if not names:
        raise UsageError(
            "no exchange of any convention in use recognises this kind of identifier",
            hint="give another identifier of the person",
            fr="aucun échange d'aucune convention en usage ne reconnaît ce type d'identifiant",
            hint_fr="donnez un autre identifiant de la personne",
        )
    return names, kinds


def _may(workspace: Workspace, name: str, kinds: Sequence[str]) -> bool:
    """Whether files under a convention may bear the identifier: it was used, and not purged."""
    if not workspace.keys.knows(name) or name in workspace.keys.destroyed():
        return False
    return any(_bearing(workspace.convention(name), kind)[0] for kind in kinds)


def _bearing(text: Convention, kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    where = bearing(text, kind, None, lambda name: contract(name).columns)
    return where.recognised, where.not_recognised


def _preview(workspace: Workspace, name: str, identifier: str, kinds: Sequence[str]) -> Preview:
    text = workspace.convention(name)
    useful, recognised, missed = _recognised(text, kinds)
    with workspace.database.read() as connection:
        concerned = _concerned(
            [received(workspace, connection, identifier, kind=kind, convention=name) for kind in useful]
        )
        gone, suspended = _ruled(workspace, connection, text, concerned)
    standing = tuple(one for one in concerned if one.superseded_by is None)
    return Preview(name, recognised, missed, tuple(gone), suspended, standing)


def _recognised(text: Convention, kinds: Sequence[str]) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """The kinds that its files may have, where a person is recognised by them, and where not."""
    useful = [kind for kind in kinds if _bearing(text, kind)[0]] or list(kinds[:1])
    found = [_bearing(text, kind) for kind in useful]
    yes = {name for recognised, _ in found for name in recognised}
    no = {name for _, missed in found for name in missed}
    return useful, tuple(sorted(yes)), tuple(sorted(no - yes))


def _erase(workspace: Workspace, name: str, asked: _Asked) -> Erasure:
    text, identifier = workspace.convention(name), asked.identifier
    answers, objections = [], []
    useful, recognised, missed = _recognised(text, asked.kinds)
    for kind in useful:
        with workspace.database.read() as connection:
            answers.append(received(workspace, connection, identifier, kind=kind, convention=name))  # 1
        made = record_objection(
            workspace, name, kind, identifier, by=asked.by, ground="erasure", reason=asked.reason
        )  # 2
        objections.append(made.id)
    concerned = _concerned(answers)
    destroyed, suspended = _destroy(workspace, text, concerned, objections[0])  # 3
    with workspace.database.begin() as connection:
        told = notify(workspace, connection, "erasure", objections[0], concerned)  # 4
        workspace.ledger.checkpoint(connection, workspace.now())
    standing = tuple(one for one in concerned if one.superseded_by is None and not one.purged)
    return Erasure(name, tuple(objections), recognised, missed, destroyed, suspended, tuple(told), standing)


def _concerned(answers: Sequence[Answer]) -> list[Received]:
    found = {one.delivery: one for answer in answers for one in answer.deliveries}
    return list(found.values())


def _destroy(
    workspace: Workspace, text: Convention, concerned: Sequence[Received], cause: str
) -> tuple[dict[str, int], tuple[Suspended, ...]]:
    """Destroy the raw copies and quarantines of the runs concerned, whole: what is sealed is not edited."""
    with workspace.lock(f"{text.id}.purge"):
        with workspace.database.read() as connection:
            gone, suspended = _ruled(workspace, connection, text, concerned)
        destroy_keys(workspace, text.id, gone)
        for copy in gone:
            erase_copy(workspace, copy)
        kinds = Counter(copy.kind for copy in gone)
        if gone:
            _tell(workspace, text.id, cause, gone, kinds)
    return dict(kinds), suspended


def _ruled(
    workspace: Workspace, connection: Connection, text: Convention, concerned: Sequence[Received]
) -> tuple[list[Holding], tuple[Suspended, ...]]:
    """Of the copies with rows of the runs concerned, or of files that bore erased persons: those that may go, those that a hold keeps."""
    bore = {one.id for one in runs.runs(connection, convention=text.id) if one.counts.get(ERASED)}
    concerning = bore | {one.run for one in concerned}
    found = [
        one
        for one in rulings(workspace, connection, Scope(text.id))
        if one.copy.kind in WITH_ROWS and one.copy.run in concerning
    ]
    kept = Counter((one.copy.exchange, one.hold.words.fr, one.hold.words.en) for one in found if one.hold is not None)
    suspended = tuple(Suspended(text.id, name, count, fr, en) for (name, fr, en), count in sorted(kept.items()))
    return [one.copy for one in found if one.hold is None], suspended


def _tell(workspace: Workspace, convention: str, cause: str, gone: Sequence[Holding], kinds: Counter[str]) -> None:
    with workspace.database.begin() as connection:
        holdings.destroyed(connection, [one.id for one in gone], at=workspace.now())
        body = {"convention": convention, "purge": cause, "holdings": len(gone), "by_kind": dict(kinds)}
        workspace.append(connection, "holding_destroyed", body)
