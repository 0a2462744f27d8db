"""The file of a convention is what was accepted: the gate refuses a changed one until two people approved the change.

The files that the gateway ships are accepted when a workspace is made; any other at its first use. Going back to an earlier
file is a change too. What a file inherits from (its parent, its template) must be accepted as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from passerelle.convention import Convention, Decision, Request, Words
from passerelle.errors import RefusedError
from passerelle.store import conventions
from passerelle.store.partners import person
from passerelle.workspace import Workspace

REASON = "convention_change_not_approved"
SHOWN = 12  # characters of a hash, enough to compare by eye


@dataclass(frozen=True, slots=True)
class Standing:
    """The file of a convention: its hash, the accepted one, and who approved the change so far."""

    convention: str
    sha256: str
    accepted: str | None
    approvals: tuple[str, ...]

    @property
    def stands(self) -> bool:
        return self.sha256 == self.accepted

    def as_json(self) -> dict[str, Any]:
        return {
            "convention": self.convention,
            "sha256": self.sha256,
            "accepted_sha256": self.accepted,
            "accepted": self.stands,
            "approvals": len(self.approvals),
        }


def standing(workspace: Workspace, connection: Connection, convention_id: str) -> Standing:
    """How the file of a convention stands."""
    sha256 = workspace.convention(convention_id).sha256
    known = conventions.accepted(connection, convention_id)
    return Standing(convention_id, sha256, known, conventions.approvals(connection, convention_id, sha256))


def approve(workspace: Workspace, convention_id: str, *, by: str) -> Standing:
    """Approve the changed file of a convention; with the second approval it is what the gate goes by.

    Raises:
        UsageError: there is no such convention.
        RefusedError: the file is accepted already, or this person approved the change before.
    """
    with workspace.database.begin() as connection:
        before = standing(workspace, connection, convention_id)
        if before.accepted is None:
            _first_use(workspace, connection, workspace.convention(convention_id))
            return standing(workspace, connection, convention_id)
        if before.stands:
            raise RefusedError(
                f"the file of {convention_id} is accepted: nothing is to be approved",
                hint=f"passerelle convention show {convention_id}",
                fr=f"le fichier de {convention_id} est accepté : rien n'est à approuver",
            )
        if person(by) in before.approvals:
            raise RefusedError(
                "this person has approved the change already",
                hint="ask a second person to approve",
                fr="cette personne a déjà approuvé le changement",
                hint_fr="une seconde personne doit l'approuver",
            )
        now = workspace.now()
        people = conventions.approve(connection, convention_id, before.sha256, by=by, at=now)
        if len(people) >= conventions.APPROVALS_NEEDED:
            conventions.accept(connection, convention_id, before.sha256, at=now)
        body = {"convention": convention_id, "convention_sha256": before.sha256, "approvals": len(people)}
        workspace.append(connection, "convention_approved", body)
        workspace.ledger.checkpoint(connection, now)
        known = conventions.accepted(connection, convention_id)
    return Standing(convention_id, before.sha256, known, people)


def refused(workspace: Workspace, connection: Connection, text: Convention, request: Request) -> Decision | None:
    """The gate's refusal of a convention whose file, or a file that it inherits from, changed without approval; else None."""
    for convention_id, sha256 in ((text.id, text.sha256), *text.lineage):
        known = conventions.accepted(connection, convention_id)
        if known is None:
            _first_use(workspace, connection, workspace.convention(convention_id))
        elif known != sha256:
            return _refusal(text, request, Standing(convention_id, sha256, known, ()))
    return None


def pending(connection: Connection, text: Convention) -> bool:
    """Whether the file of a convention, or one that it inherits from, changed without approval."""
    files = ((text.id, text.sha256), *text.lineage)
    return any(conventions.accepted(connection, one) not in (None, sha256) for one, sha256 in files)


def _first_use(workspace: Workspace, connection: Connection, text: Convention) -> None:
    conventions.accept(connection, text.id, text.sha256, at=workspace.now())
    body = {"convention": text.id, "convention_sha256": text.sha256}
    workspace.append(connection, "convention_loaded", body)


def _refusal(text: Convention, request: Request, found: Standing) -> Decision:
    new, old = found.sha256[:SHOWN], (found.accepted or "")[:SHOWN]
    words = Words(
        f"le fichier de {found.convention} a changé (empreinte {new}…, acceptée : {old}…) : deux personnes doivent l'approuver",
        f"the file of {found.convention} changed (hash {new}…, accepted: {old}…): two people must approve it",
    )
    return Decision(
        "block", REASON, None, None, "hub_policy", words, "operator", text.id, text.sha256, request.exchange, request.at
    )
