"""What a party has to know or to do: parcels superseded, attestations and answers asked for, keys, versions that end, breaches; and whom to write to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from passerelle.convention.dates import local_day
from passerelle.handover.breach import breaches
from passerelle.handover.own import own_parcel
from passerelle.persons.notifying import LATE_DAYS, notices
from passerelle.persons.requesting import Route, routes
from passerelle.store import links, partners
from passerelle.workspace import Workspace
from portal import datasets
from portal.render import Text, day
from retention.attestations import standing

Kind = Literal["superseded", "attestation", "person", "key", "version", "breach"]
KEY_ENDS = timedelta(days=30)  # from which on a key that ends is told of


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that concerns a party; ``about`` is the number of what it speaks of, ``due`` the day by which to act."""

    kind: Kind
    since: str
    convention: str | None
    about: str
    said: Text
    due: str | None = None


def notices_of(workspace: Workspace, connection: Connection, party: str) -> list[Notice]:
    """Everything that concerns ``party`` today, the latest first."""
    sources = (_superseded, _attestations, _persons, _keys, _versions, _breaches)
    found = [one for source in sources for one in source(workspace, connection, party)]
    return sorted(found, key=lambda one: (one.since, one.about), reverse=True)


def contacts_of(workspace: Workspace, connection: Connection, party: str) -> list[Route]:
    """The data protection officers that the conventions of ``party`` name, each party's; ``not_stated`` where the text names none."""
    texts = (text for text in datasets.living(workspace, connection) if text.knows(party))
    return [route for text in texts for route in routes(text)]


def _superseded(_workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    for link in links.links(connection, kind="supersedes"):
        parcel = own_parcel(connection, party, link.earlier) if link.closed_at else None
        if parcel is not None:
            said = Text(
                f"Colis remplacé par {link.later} : détruisez celui-ci, et prenez l'autre.",
                f"Parcel superseded by {link.later}: destroy this one, and take the other.",
            )
            yield Notice("superseded", link.closed_at or "", parcel.convention, parcel.id, said)


def _attestations(workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    for one in standing(workspace, connection, party=party):
        if one.state != "received":
            left = one.parcels - one.attested
            said = Text(
                f"Attestation de destruction demandée pour {left} colis.",
                f"Attestation of destruction asked for {left} parcels.",
            )
            yield Notice("attestation", one.asked_at, one.convention, one.request, said, one.due)


def _persons(workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    for one in notices(workspace, connection, recipient=party):
        if one.row.answered_at is None:
            grounds = {
                "erasure": Text("effacée", "erased"),
                "rectification": Text("rectifiée", "rectified"),
                "restriction": Text("limitée", "restricted"),
            }
            ground = grounds.get(one.row.ground, Text(one.row.ground, one.row.ground))
            said = Text(
                f"Une personne du colis {one.row.delivery} doit être {ground.fr} chez vous aussi (RGPD, art. 19) ; le DPO attend votre réponse.",
                f"A person of parcel {one.row.delivery} must be {ground.en} at your place too (GDPR, art. 19); the DPO waits for your answer.",
            )
            due = datetime.fromisoformat(one.row.made_at) + timedelta(days=LATE_DAYS)
            yield Notice("person", one.row.made_at, one.row.convention, one.row.id, said, due.date().isoformat())


def _keys(workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    now = workspace.now()
    own = partners.keys(connection, party)
    for key in own:
        state = key.state_at(now)
        if state == "pending":
            yield Notice(
                "key",
                key.enrolled_at,
                None,
                key.fingerprint,
                Text(
                    "Clé en attente d'approbation : donnez son empreinte par téléphone.",
                    "Key that waits for approval: tell its fingerprint on the telephone.",
                ),
            )
        elif state == "approved" and key.not_after and datetime.fromisoformat(key.not_after) <= now + KEY_ENDS:
            yield Notice(
                "key",
                key.enrolled_at,
                None,
                key.fingerprint,
                Text(
                    "Clé bientôt échue : inscrivez-en une autre avant.", "Key that ends soon: enrol another one before."
                ),
                key.not_after[:10],
            )
    if not any(key.state_at(now) == "approved" for key in own):
        said = Text(
            "Aucune clé valable : rien ne peut vous être scellé.", "No key is valid: nothing can be sealed to you."
        )
        yield Notice("key", now.date().isoformat(), None, party, said)


def _versions(workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    told = set()
    for use in datasets.uses(workspace, connection, party):
        today = local_day(workspace.now(), workspace.convention(use.convention).zone)
        latest, *before = datasets.pinned(use.dataset)
        for old in before:
            if old.served_until is None or old.served_until < today or old.reference in told:
                continue
            told.add(old.reference)
            said = Text(
                f"{old.reference} est remplacé par {latest.reference} et servi jusqu'au {day(old.served_until, 'fr')}.",
                f"{old.reference} is replaced by {latest.reference} and served until {day(old.served_until, 'en')}.",
            )
            yield Notice(
                "version", today.isoformat(), use.convention, old.reference, said, old.served_until.isoformat()
            )


def _breaches(workspace: Workspace, connection: Connection, party: str) -> Iterator[Notice]:
    for one in breaches(workspace, connection):
        if workspace.convention(one["convention"]).knows(party):
            said = Text(
                "Violation de données enregistrée au titre de cette convention ; le DPO vous dira ce qui vous concerne.",
                "Personal data breach recorded under this convention; the DPO will tell you what concerns you.",
            )
            yield Notice("breach", one["known_at"], one["convention"], one["breach"] or "–", said)
