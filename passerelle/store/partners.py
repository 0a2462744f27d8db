"""Partners, their keys, and the two approvals that each key needs."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from passerelle.clock import iso
from passerelle.errors import RefusedError, UsageError
from passerelle.store.tables import approval, partner, partner_key

APPROVALS_NEEDED = 2
PARTY = re.compile(r"(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*")  # as convention files write it
SHORTEST_BEGINNING = 12  # characters of a fingerprint, "SHA256:" among them


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """One recipient key; valid from ``not_before`` on and before ``not_after``, None where nothing was said.

    ``state`` is pending, approved or revoked, whatever the day; ``state_at`` knows validity too.
    """

    fingerprint: str
    partner: str
    kind: str
    recipient: str
    enrolled_by: str
    enrolled_at: str
    not_before: str | None
    not_after: str | None
    revoked_at: str | None
    approvals: tuple[str, ...]

    @property
    def state(self) -> str:
        if self.revoked_at:
            return "revoked"
        return "approved" if len(self.approvals) >= APPROVALS_NEEDED else "pending"

    def state_at(self, instant: datetime) -> str:
        """The state at an instant: pending, approved, revoked, or, of an approved key, expired or future."""
        at = iso(instant)
        if self.state != "approved":
            return self.state
        if self.not_after is not None and at >= self.not_after:
            return "expired"
        return "future" if self.not_before is not None and at < self.not_before else "approved"


@dataclass(frozen=True, slots=True)
class Partner:
    """A party that takes part in exchanges; ``folder`` is where its parcels go, None for the workspace's outbox."""

    id: str
    name: str
    folder: str | None


def add(connection: Connection, party: str, name: str, folder: str | None, *, at: datetime) -> None:
    """Add a partner; the same again changes nothing.

    Raises:
        UsageError: ``party`` is no party's id.
        RefusedError: it exists with another name or folder.
    """
    if not PARTY.fullmatch(party):
        raise UsageError(
            "expected the id of a party: lower-case letters, digits and hyphens",
            hint="passerelle convention show lists a convention's parties",
            fr="l'identifiant d'une partie s'écrit en minuscules, chiffres et traits d'union",
            hint_fr="passerelle convention show donne les parties d'une convention",
        )
    known = find(connection, party)
    if known == Partner(party, name, folder):
        return
    if known:
        raise RefusedError(
            f"partner {party} exists already with another name or folder",
            hint="passerelle partner list shows it",
            fr=f"le partenaire {party} est déjà inscrit, sous un autre nom ou avec un autre dossier",
            hint_fr="passerelle partner list le montre",
        )
    connection.execute(insert(partner).values(id=party, name=name, folder=folder, added_at=iso(at)))


def find(connection: Connection, party: str) -> Partner | None:
    """The partner ``party``, or None."""
    row = connection.execute(select(partner).where(partner.c.id == party)).one_or_none()
    return Partner(row.id, row.name, row.folder) if row else None


def partners(connection: Connection) -> list[Partner]:
    """Every partner, by id."""
    return [Partner(row.id, row.name, row.folder) for row in connection.execute(select(partner).order_by(partner.c.id))]


def person(name: str) -> str:
    """A person's name as it is compared: letter case, spaces, signs that are not seen and other forms of a letter make nobody another person."""
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(seen.split()).casefold())


def enrol(
    connection: Connection,
    party: str,
    *,
    kind: str,
    recipient: str,
    fingerprint: str,
    by: str,
    at: datetime,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> bool:
    """Enrol a key for ``party``: False when it was enrolled already.

    Raises:
        UsageError: the partner is unknown, or the key would never be valid.
        RefusedError: the key belongs to another partner.
    """
    if find(connection, party) is None:
        raise UsageError(
            f"unknown partner {party}", hint=f"passerelle partner add {party}", fr=f"partenaire inconnu : {party}"
        )
    if not_after is not None and not_after <= max(not_before or at, at):
        raise UsageError(
            "expected an end of validity after its beginning, and to come",
            fr="la fin de validité doit venir après son début, et n'être pas passée",
        )
    known = connection.execute(select(partner_key).where(partner_key.c.fingerprint == fingerprint)).one_or_none()
    if known:
        if known.partner != party:
            raise RefusedError(
                "this key is enrolled for another partner",
                hint="each partner makes its own key",
                fr="cette clé est inscrite pour un autre partenaire",
                hint_fr="chaque partenaire crée sa propre clé",
            )
        return False
    connection.execute(
        insert(partner_key).values(
            fingerprint=fingerprint,
            partner=party,
            kind=kind,
            recipient=recipient,
            enrolled_by=person(by),
            enrolled_at=iso(at),
            not_before=None if not_before is None else iso(not_before),
            not_after=None if not_after is None else iso(not_after),
        )
    )
    return True


def approve(connection: Connection, fingerprint: str, *, by: str, at: datetime) -> PartnerKey:
    """Record one approval: two people approve a key, of whom neither enrolled it.

    Raises:
        UsageError: unknown key.
        RefusedError: revoked, approved by the same person already, or by the one who enrolled it.
    """
    key = key_by(connection, fingerprint)
    if key.revoked_at:
        raise RefusedError(
            "the key is revoked", hint="enrol a new key", fr="la clé est révoquée", hint_fr="inscrivez une autre clé"
        )
    by = person(by)
    if by == key.enrolled_by:
        raise RefusedError(
            "who enrolled a key cannot approve it",
            hint="ask two other people to approve",
            fr="qui a inscrit une clé ne peut pas l'approuver",
            hint_fr="deux autres personnes l'approuvent",
        )
    if by in key.approvals:
        raise RefusedError(
            "this person has approved the key already",
            hint="ask a second person to approve",
            fr="cette personne a déjà approuvé la clé",
            hint_fr="une seconde personne doit l'approuver",
        )
    connection.execute(insert(approval).values(subject=key.fingerprint, actor=by, at=iso(at)))
    return key_by(connection, key.fingerprint)


def end(connection: Connection, fingerprint: str, *, not_after: datetime, at: datetime) -> PartnerKey:
    """Set when a key's validity ends, earlier than so far: its successor overlaps with it until then.

    Raises:
        UsageError: the end is past.
        RefusedError: the key is revoked, or ends sooner: a longer validity needs a new enrolment.
    """
    key = key_by(connection, fingerprint)
    if not_after <= at:
        raise UsageError(
            "expected an end that is to come",
            hint="passerelle partner key revoke ends a key at once, or at an instant that is past",
            fr="la fin de validité doit être à venir",
            hint_fr="passerelle partner key revoke met fin à une clé aussitôt, ou à un instant passé",
        )
    if key.revoked_at or (key.not_after is not None and iso(not_after) > key.not_after):
        raise RefusedError(
            "the key ends sooner",
            hint="enrol a new key: a longer validity needs two approvals",
            fr="la clé prend fin plus tôt",
            hint_fr="inscrivez une autre clé : une validité plus longue demande deux approbations",
        )
    query = update(partner_key).where(partner_key.c.fingerprint == key.fingerprint)
    connection.execute(query.values(not_after=iso(not_after)))
    return key_by(connection, key.fingerprint)


def revoke(connection: Connection, fingerprint: str, *, at: datetime) -> PartnerKey:
    """Revoke a key from ``at`` on, an instant that may be past; once more changes nothing unless it is earlier."""
    key = key_by(connection, fingerprint)
    if key.revoked_at is None or iso(at) < key.revoked_at:
        connection.execute(
            update(partner_key).where(partner_key.c.fingerprint == key.fingerprint).values(revoked_at=iso(at))
        )
    return key_by(connection, key.fingerprint)


def keys(connection: Connection, party: str | None = None) -> list[PartnerKey]:
    """The keys of ``party``, or of everyone, oldest first."""
    query = select(partner_key).order_by(partner_key.c.enrolled_at, partner_key.c.fingerprint)
    if party is not None:
        query = query.where(partner_key.c.partner == party)
    return [_key(connection, row) for row in connection.execute(query).all()]


def approved(connection: Connection, party: str, at: datetime | None = None) -> list[PartnerKey]:
    """The keys of ``party`` that two people approved and nobody revoked; with ``at``, those valid then: a parcel is sealed to all."""
    return [key for key in keys(connection, party) if (key.state if at is None else key.state_at(at)) == "approved"]


def expiring(connection: Connection, at: datetime, within: timedelta) -> list[PartnerKey]:
    """The keys valid at ``at`` that end within a span of time, and that no other key of their partner outlives."""
    until = at + within
    return [
        key
        for key in keys(connection)
        if key.state_at(at) == "approved"
        and key.state_at(until) != "approved"
        and not approved(connection, key.partner, until)
    ]


def key_by(connection: Connection, fingerprint: str) -> PartnerKey:
    """The one key whose fingerprint begins so.

    Raises:
        UsageError: none does, or several do.
    """
    begins = partner_key.c.fingerprint.startswith(fingerprint, autoescape=True)
    rows = connection.execute(select(partner_key).where(begins)).all()
    if len(rows) != 1 or len(fingerprint) < SHORTEST_BEGINNING:
        raise UsageError(
            f"expected the fingerprint of one key, or its first {SHORTEST_BEGINNING} characters, found {len(rows)}",
            hint="passerelle partner key list shows them",
            fr=f"il faut l'empreinte d'une seule clé, ou au moins ses {SHORTEST_BEGINNING} premiers caractères ; clés qui y répondent : {len(rows)}",
            hint_fr="passerelle partner key list en donne la liste",
        )
    return _key(connection, rows[0])


def _key(connection: Connection, row: Row[Any]) -> PartnerKey:
    query = select(approval.c.actor).where(approval.c.subject == row.fingerprint)
    actors = tuple(connection.scalars(query.order_by(approval.c.at, approval.c.actor)))
    values = {name: getattr(row, name) for name in PartnerKey.__slots__ if name != "approvals"}
    return PartnerKey(**values, approvals=actors)
