"""A partner's keys enrolled, approved, ended, revoked: each act with its entry in the trail, for the command line and the portal."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Connection

from passerelle.errors import UsageError
from passerelle.keys import parse_recipient
from passerelle.store import partners
from passerelle.store.partners import PartnerKey
from passerelle.workspace.workspace import Workspace

CHANNELS = ("phone", "video", "meeting", "letter", "signed-mail")
WHOLE = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def enrol(
    workspace: Workspace,
    party: str,
    recipient: str,
    *,
    by: str,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> PartnerKey:
    """Enrol a public key for ``party``; the same again changes nothing. Two other people approve it before anything is sealed to it.

    Raises:
        UsageError: no such partner, or no public key.
        RefusedError: the key is another partner's.
    """
    parsed, at = parse_recipient(recipient), workspace.now()
    with workspace.database.begin() as connection:
        fresh = partners.enrol(
            connection, party, kind=parsed.kind, recipient=parsed.text, fingerprint=parsed.fingerprint, by=by, at=at,
            not_before=not_before, not_after=not_after,
        )  # fmt: skip
        found = partners.key_by(connection, parsed.fingerprint)
        if fresh:
            _tell(workspace, connection, "partner_key_enrolled", found)
    return found


def approve(workspace: Workspace, fingerprint: str, channel: str | None, *, by: str) -> PartnerKey:
    """Record one approval of a key whose whole fingerprint its owner told, on ``channel`` where it is named.

    Raises:
        UsageError: part of a fingerprint, an unknown channel, or an unknown key.
        RefusedError: revoked, approved by the same person already, or by the one who enrolled it.
    """
    if channel not in (None, *CHANNELS) or not WHOLE.fullmatch(fingerprint):
        raise UsageError(
            f"expected the whole fingerprint; --channel is one of {', '.join(CHANNELS)}",
            hint="have the key's owner tell its fingerprint on another channel than the key came by, and compare all of it",
            fr=f"il faut l'empreinte entière ; --channel est l'un de {', '.join(CHANNELS)}",
            hint_fr="faites-vous dire l'empreinte par le titulaire, par un autre canal que la clé, et comparez-la en entier",
        )
    with workspace.database.begin() as connection:
        found = partners.approve(connection, fingerprint, by=by, at=workspace.now())
        _tell(workspace, connection, "partner_key_approved", found, channel=channel)
    return found


def revoke(workspace: Workspace, fingerprint: str, *, since: datetime | None = None) -> PartnerKey:
    """Revoke a key now, or from the past instant ``since`` on.

    Raises:
        UsageError: unknown key, or an instant that is to come.
    """
    now = workspace.now()
    if since is not None and since > now:
        raise UsageError(
            "--at: expected an instant that is past",
            hint="passerelle partner key end sets an end to come",
            fr="--at : il faut un instant passé",
            hint_fr="passerelle partner key end fixe une fin à venir",
        )
    with workspace.database.begin() as connection:
        found = partners.revoke(connection, fingerprint, at=since or now)
        _tell(workspace, connection, "partner_key_revoked", found, since=found.revoked_at if since else None)
    return found


def end(workspace: Workspace, fingerprint: str, *, not_after: datetime) -> PartnerKey:
    """Let a key run out: until then, parcels are sealed to it and to its successor.

    Raises:
        UsageError: unknown key, or an end that is past.
        RefusedError: the key is revoked, or ends sooner.
    """
    with workspace.database.begin() as connection:
        found = partners.end(connection, fingerprint, not_after=not_after, at=workspace.now())
        _tell(workspace, connection, "partner_key_ended", found)
    return found


def _tell(
    workspace: Workspace,
    connection: Connection,
    kind: str,
    found: PartnerKey,
    *,
    channel: str | None = None,
    since: str | None = None,
) -> None:
    body = {
        "party": found.partner,
        "fingerprint": found.fingerprint,
        "approvals": len(found.approvals),
        "channel": channel,
        "not_before": found.not_before,
        "not_after": found.not_after,
        "since": since,
    }
    workspace.append(connection, kind, body)
    workspace.ledger.checkpoint(connection, workspace.now())
