"""The certificate of destruction: what is proved, what is not, in French and English."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from passerelle.clock import iso
from passerelle.convention import dates
from passerelle.store import runs
from passerelle.store.holdings import Holding
from passerelle.store.purges import Purge
from passerelle.workspace import Workspace
from retention import attestations, backups

FORMAT = "passerelle-certificate/1"

PROVED = (
    {
        "fr": "Les clés de la convention ont été détruites et la clé racine renouvelée : aucune clé que garde la passerelle "
        "n'ouvre plus les copies qu'elles fermaient.",
        "en": "The convention's keys were destroyed and the root key rotated: no key that the gateway keeps opens the copies "
        "that they shut.",
    },
    {
        "fr": "Chaque copie inscrite au registre, hormis l'index des personnes, a été retirée, et chaque emplacement relu après coup.",
        "en": "Every registered copy, but the person index, was removed, and every place read again afterwards.",
    },
    {
        "fr": "La passerelle ne détient plus la clé du second verrou d'aucun colis remis : un colis dont cette clé n'avait pas "
        "été remise ne s'ouvre plus.",
        "en": "The gateway no longer has the second lock's key of any parcel handed over: a parcel whose key had not been "
        "handed out no longer opens.",
    },
)
PROVED_OF_A_PART = (
    {
        "fr": "Les clés des copies désignées ont été détruites, celles des autres enfermées sous une clé nouvelle, et la clé "
        "racine renouvelée : aucune clé que garde la passerelle n'ouvre plus les copies désignées.",
        "en": "The keys of the copies named were destroyed, those of the others shut under a new key, and the root key rotated: "
        "no key that the gateway keeps opens the copies named.",
    },
    {
        "fr": "Chaque copie désignée a été retirée, et chaque emplacement relu après coup.",
        "en": "Each copy named was removed, and every place read again afterwards.",
    },
    {
        "fr": "La passerelle ne détient plus la clé du second verrou des colis désignés : un colis dont cette clé n'avait pas été "
        "remise ne s'ouvre plus.",
        "en": "The gateway no longer has the second lock's key of the parcels named: one whose key had not been handed out no "
        "longer opens.",
    },
)
NOT_PROVED = (
    {
        "fr": "Qu'un partenaire n'a pas gardé une copie en clair d'un extrait ouvert avant la destruction : seule son "
        "attestation peut l'établir.",
        "en": "That a partner kept no plain copy of an extract opened before the destruction: only its attestation can tell.",
    },
    {
        "fr": "Qu'un partenaire n'a pas gardé la clé d'un second verrou qui lui avait été remise avant la destruction.",
        "en": "That a partner kept no second lock's key that it had been handed before the destruction.",
    },
    {
        "fr": "Que le support de stockage ne garde aucune trace des octets chiffrés effacés.",
        "en": "That the storage medium keeps no remnant of the erased encrypted bytes.",
    },
    {
        "fr": "Qu'aucune copie des clés antérieures ne subsiste hors de la passerelle : une sauvegarde du dossier keys/ faite "
        "avant la destruction doit être détruite elle aussi.",
        "en": "That no copy of the earlier keys is left outside the gateway: a backup of the folder keys/ made before the "
        "destruction must be destroyed too.",
    },
)


def certificate(
    workspace: Workspace, connection: Connection, current: Purge, register: Sequence[Holding]
) -> dict[str, Any]:
    """The certificate's body: counts and ids only, of what this purge destroyed."""
    ids, whole = frozenset(current.plan["ids"]), current.plan["whole"]
    gone = [copy for copy in register if copy.id in ids and copy.destroyed_at]
    size: Counter[str] = Counter()
    for copy in gone:
        size[copy.kind] += copy.bytes or 0
    kinds = Counter(copy.kind for copy in gone)
    runs_gone = frozenset(copy.run for copy in gone)
    handed = Counter(
        one.recipient
        for one in runs.deliveries(connection, convention=current.convention, state="delivered")
        if whole or one.run in runs_gone
    )
    return {
        "format": FORMAT,
        "purge": current.id,
        "convention": current.convention,
        "convention_sha256": current.plan["convention_sha256"],
        "scope": current.plan["scope"],
        "whole": whole,
        "reason": current.plan["reason"],
        "deadline": current.plan["deadline"],
        "planned_at": current.planned_at,
        "completed_at": iso(workspace.now()),
        "destroyed": [{"kind": kind, "count": kinds[kind], "bytes": size[kind]} for kind in sorted(kinds)],
        "held": current.plan["held"],
        "keys": {"destroyed": True, "root_generation": workspace.keys.generation},
        "handed_to_partners": [{"party": party, "parcels": handed[party]} for party in sorted(handed)],
        "person_index": {
            "kept": any(copy.kind == "index" and copy.destroyed_at is None for copy in register),
            "fr": "L'index des personnes, à clé, est conservé douze mois pour répondre aux demandes d'accès (art. 15 RGPD).",
            "en": "The keyed person index is kept twelve months to answer access requests (GDPR art. 15).",
        },
        "backups": backups.certified(workspace, connection, current.convention, ids),
        "proved": list(PROVED if whole else PROVED_OF_A_PART),
        "attested": _attested(workspace, connection, current.convention),
        "not_proved": list(NOT_PROVED),
        "trail": {"origin": workspace.origin, "size": workspace.ledger.size(connection)},
        **({"rehearsal": True} if workspace.rehearsal else {}),
    }


def _attested(workspace: Workspace, connection: Connection, convention: str) -> list[dict[str, str]]:
    """What partners were asked, and what they have attested so far: their word, signed, of their own copies; no proof of ours."""
    return [_answer(one) for one in attestations.standing(workspace, connection, convention=convention)]


def _answer(one: attestations.Standing) -> dict[str, str]:
    if one.attested_at is None:
        asked, due = date.fromisoformat(one.asked_at[:10]), date.fromisoformat(one.due)
        return {
            "fr": f"{one.party} a été prié le {dates.fr(asked)} d'attester, au plus tard le {dates.fr(due)}, la destruction de "
            f"{one.parcels} colis (demande {one.request}) : il n'a encore rien attesté.",
            "en": f"{one.party} was asked on {dates.en(asked)} to attest, by {dates.en(due)}, the destruction of "
            f"{one.parcels} parcel{'s' if one.parcels > 1 else ''} (request {one.request}): nothing is attested yet.",
        }
    return {
        "fr": f"{one.party} atteste, signature à l'appui, avoir détruit {one.attested} colis sur {one.parcels}.",
        "en": f"{one.party} attests, with its signature, that it destroyed {one.attested} of {one.parcels} parcels.",
    }
