"""The trail as sentences, in French and in English, for the DPO and for partners. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from passerelle.trail.ledger import Recorded

Lang = Literal["fr", "en"]

# A part in brackets is left out when a field in it is not known.
SENTENCES: dict[str, dict[Lang, str]] = {
    "workspace_created": {
        "fr": "Passerelle créée, journal {origin}",
        "en": "Gateway created, trail {origin}",
    },
    "convention_loaded": {
        "fr": "Convention {convention} chargée, empreinte {convention_sha256}",
        "en": "Convention {convention} loaded, hash {convention_sha256}",
    },
    "convention_approved": {
        "fr": "Fichier changé de la convention {convention} approuvé, {approvals}, empreinte {convention_sha256}",
        "en": "Changed file of convention {convention} approved, {approvals}, hash {convention_sha256}",
    },
    "event_recorded": {
        "fr": "Événement consigné sur la convention {convention} : {event}[, au {valid_on}][, pièce {evidence_sha256}]"
        "[, {exposures}]",
        "en": "Event recorded on convention {convention}: {event}[, as of {valid_on}][, evidence {evidence_sha256}]"
        "[, {exposures}]",
    },
    "decision": {
        "fr": "{outcome} : {convention}/{exchange}, {stage}[, motif {reason}][, avertissement {warning}][, {article}][ ({basis})]",
        "en": "{outcome}: {convention}/{exchange}, {stage}[, reason {reason}][, warning {warning}][, {article}][ ({basis})]",
    },
    "plan_made": {
        "fr": "Échéancier arrêté au {through}, {planned}[, {orders}][ : {by_kind}]",
        "en": "Plan made up to {through}, {planned}[, {orders}][: {by_kind}]",
    },
    "intake": {
        "fr": "Fichier reçu, {rows}, {bytes} (traitement {run})",
        "en": "File taken in, {rows}, {bytes} (run {run})",
    },
    "judged": {
        "fr": "Contrat de données appliqué : {accepted}, {rejected}[, {by_rule}] (traitement {run})",
        "en": "Data contract applied: {accepted}, {rejected}[, {by_rule}] (run {run})",
    },
    "checked": {
        "fr": "Contrôles d'ensemble : {passed}[, points relevés : {failed}] (traitement {run})",
        "en": "Checks of the whole: {passed}[, findings: {failed}] (run {run})",
    },
    "sealed_intent": {
        "fr": "Colis {parcel} scellé pour {recipient}, envoi n° {sequence}[, {rows}][, {article}]",
        "en": "Parcel {parcel} sealed for {recipient}, sequence {sequence}[, {rows}][, {article}]",
    },
    "delivery_intent": {
        "fr": "Livraison décidée pour {recipient}, colis {parcel}, envoi n° {sequence}[, renvoi du colis {resends}][, {rows}][, {article}]"
        "[, à détruire au plus tard le {destroy_by}]",
        "en": "Delivery decided for {recipient}, parcel {parcel}, sequence {sequence}[, resends {resends}][, {rows}][, {article}]"
        "[, to be destroyed by {destroy_by}]",
    },
    "delivered": {
        "fr": "Extrait livré[ à {recipient}][, colis {parcel}][, {rows}][, {article}]",
        "en": "Extract delivered[ to {recipient}][, parcel {parcel}][, {rows}][, {article}]",
    },
    "delivery_abandoned": {
        "fr": "Livraison {delivery} abandonnée[ pour {recipient}], motif {reason}",
        "en": "Delivery {delivery} abandoned[ for {recipient}], reason {reason}",
    },
    "partner_key_enrolled": {
        "fr": "Clé déposée par {party}, empreinte {fingerprint}[, valable à partir du {not_before}][, jusqu'au {not_after}]",
        "en": "Key enrolled by {party}, fingerprint {fingerprint}[, valid from {not_before}][, until {not_after}]",
    },
    "partner_key_approved": {
        "fr": "Clé de {party} approuvée, {approvals}, empreinte {fingerprint}[, confirmée par : {channel}]",
        "en": "Key of {party} approved, {approvals}, fingerprint {fingerprint}[, confirmed by {channel}]",
    },
    "partner_key_revoked": {
        "fr": "Clé de {party} révoquée, empreinte {fingerprint}[, à compter du {since}][, motif {reason}]",
        "en": "Key of {party} revoked, fingerprint {fingerprint}[, as of {since}][, reason {reason}]",
    },
    "partner_key_ended": {
        "fr": "Clé de {party} valable jusqu'au {not_after}, empreinte {fingerprint}",
        "en": "Key of {party} valid until {not_after}, fingerprint {fingerprint}",
    },
    "release_key_handed": {
        "fr": "Clé d'ouverture du colis {parcel} remise à {party}",
        "en": "Release key of parcel {parcel} handed to {party}",
    },
    "superseded": {
        "fr": "Colis {parcel} de {recipient} remplacé par {by}, motif {reason}",
        "en": "Parcel {parcel} of {recipient} superseded by {by}, reason {reason}",
    },
    "supersession_told": {
        "fr": "Avis de remplacement du colis {parcel} remis à {recipient}, clés détruites : {keys}",
        "en": "Notice that parcel {parcel} was superseded handed to {recipient}, keys destroyed: {keys}",
    },
    "receipt_recorded": {
        "fr": "Accusé de réception de {party} enregistré pour le colis {parcel}[, envoi n° {sequence}][, journal vu jusqu'à {size}]",
        "en": "Receipt of {party} recorded for parcel {parcel}[, sequence {sequence}][, trail seen up to {size}]",
    },
    "signing_key_rotated": {
        "fr": "Clé de signature de la passerelle renouvelée : {fingerprint} remplace {retired}",
        "en": "Signing key of the gateway rotated: {fingerprint} replaces {retired}",
    },
    "witness_enrolled": {
        "fr": "Témoin {witness} inscrit[ pour {party}][, cosignatures exigées avant une destruction : {required}]",
        "en": "Witness {witness} enrolled[ for {party}][, cosignatures required before a purge: {required}]",
    },
    "objection_recorded": {
        "fr": "Une personne ne sera plus dans les extraits de la convention {convention}[, échange {exchange}] : {ground}, n° {objection}",
        "en": "A person is left out of the extracts of convention {convention}[, exchange {exchange}]: {ground}, {objection}",
    },
    "objection_withdrawn": {
        "fr": "Opposition {objection} retirée, convention {convention}[, échange {exchange}]",
        "en": "Objection {objection} withdrawn, convention {convention}[, exchange {exchange}]",
    },
    "purge_planned": {
        "fr": "Destruction {purge} prévue pour la convention {convention}, {holdings}[, échéance {deadline}][, {article}]",
        "en": "Destruction {purge} planned for convention {convention}, {holdings}[, deadline {deadline}][, {article}]",
    },
    "purge_started": {
        "fr": "Destruction {purge} commencée pour la convention {convention}[, {holdings}]",
        "en": "Destruction {purge} started for convention {convention}[, {holdings}]",
    },
    "holding_destroyed": {
        "fr": "Suppression de {holdings} (destruction {purge})",
        "en": "Removal of {holdings} (destruction {purge})",
    },
    "keys_destroyed": {
        "fr": "Clés de la convention {convention} détruites",
        "en": "Keys of convention {convention} destroyed",
    },
    "root_rotated": {
        "fr": "Clé racine renouvelée, génération {generation}",
        "en": "Root key rotated, generation {generation}",
    },
    "purge_certificate": {
        "fr": "Certificat de la destruction {purge}, convention {convention}, empreinte {certificate_sha256}",
        "en": "Certificate of destruction {purge}, convention {convention}, hash {certificate_sha256}",
    },
    "purge_stuck": {
        "fr": "Destruction {purge} de la convention {convention} inachevée, encore là : {left}",
        "en": "Destruction {purge} of convention {convention} not complete, still there: {left}",
    },
    "purge_approved": {
        "fr": "Plan de destruction {purge} approuvé, convention {convention}[, jusqu'au {until}], empreinte {plan_sha256}",
        "en": "Plan of destruction {purge} approved, convention {convention}[, until {until}], hash {plan_sha256}",
    },
    "attestation_requested": {
        "fr": "Attestation de destruction demandée à {party}, convention {convention} : {parcels}, pour le {due}, demande {request}",
        "en": "Attestation of destruction asked of {party}, convention {convention}: {parcels}, by {due}, request {request}",
    },
    "attestation_recalled": {
        "fr": "Attestation de destruction rappelée à {party}, demande {request}, {stage}, colis non attestés : {missing}",
        "en": "Attestation of destruction recalled to {party}, request {request}, {stage}, parcels not attested: {missing}",
    },
    "attestation_recorded": {
        "fr": "Attestation de destruction de {party} enregistrée, demande {request} : {parcels}, non attestés : {missing}",
        "en": "Attestation of destruction of {party} recorded, request {request}: {parcels}, not attested: {missing}",
    },
    "alert_acknowledged": {
        "fr": "Alerte {alert} prise en compte : {code}[, convention {convention}]",
        "en": "Alert {alert} acknowledged: {code}[, convention {convention}]",
    },
    "clock_confirmed": {
        "fr": "Horloge confirmée après un saut de {days} jours depuis le {since}",
        "en": "Clock confirmed after a jump of {days} days since {since}",
    },
    "run_failed": {
        "fr": "Traitement {run} interrompu[ à l'étape {step}] : {error}",
        "en": "Run {run} failed[ at step {step}]: {error}",
    },
    "checkpoints_set": {
        "fr": "Signature du journal réglée : un jalon toutes les {entries} écritures, ou {minutes} minutes, au plus",
        "en": "Signing of the trail set: a checkpoint for every {entries} entries, or {minutes} minutes, at most",
    },
    "run_interrupted": {
        "fr": "Traitement {run} coupé en route, repris ensuite : {deliveries}",
        "en": "Run {run} was cut off and settled afterwards: {deliveries}",
    },
    "run_duplicate": {
        "fr": "Traitement {run} sans effet : ce contenu était déjà livré ({deliveries})",
        "en": "Run {run} changed nothing: this content was delivered before ({deliveries})",
    },
    "verdicts_intent": {
        "fr": "Verdicts ligne par ligne du traitement {run} scellés pour {recipient}, colis {parcel}, envoi n° {sequence}",
        "en": "Verdicts row by row of run {run} sealed for {recipient}, parcel {parcel}, sequence {sequence}",
    },
    "verdicts_returned": {
        "fr": "Verdicts ligne par ligne du traitement {run} remis à {recipient}, colis {parcel}",
        "en": "Verdicts row by row of run {run} handed to {recipient}, parcel {parcel}",
    },
    "verdicts_abandoned": {
        "fr": "Remise des verdicts du traitement {run} abandonnée, colis {parcel}, motif {reason}",
        "en": "Handing over of the verdicts of run {run} given up, parcel {parcel}, reason {reason}",
    },
    "sending_received": {
        "fr": "Fichier {sending} reçu par le portail[ de {sender}][, période {period}], {rows}, {bytes}",
        "en": "File {sending} received through the portal[ from {sender}][, period {period}], {rows}, {bytes}",
    },
    "sending_destroyed": {
        "fr": "Fichier {sending} retiré de la boîte d'arrivée et détruit : {reason}",
        "en": "File {sending} taken out of the inbox and destroyed: {reason}",
    },
    "quarantine_read": {
        "fr": "Lignes rejetées du traitement {run} lues sous motif : {rows}[, scellées pour la clé {fingerprint}]",
        "en": "Rejected rows of run {run} read, for a reason given: {rows}[, sealed to key {fingerprint}]",
    },
    "quarantine_expired": {
        "fr": "Quarantaine du traitement {run} détruite à son échéance, {rows}",
        "en": "Quarantine of run {run} destroyed at its end, {rows}",
    },
    "quarantine_life_set": {
        "fr": "Durée de vie des quarantaines fixée : {days}",
        "en": "Life of quarantines set: {days}",
    },
    "backup_recorded": {
        "fr": "Sauvegarde {backup} inscrite ({covers}), prise le {taken_at}, à détruire au plus tard le {expires}[, journal : {size}]",
        "en": "Backup {backup} on record ({covers}), taken {taken_at}, to be destroyed by {expires}[, trail: {size}]",
    },
    "backup_destroyed": {
        "fr": "Sauvegarde {backup} détruite[, en retard de {days}]",
        "en": "Backup {backup} destroyed[, late by {days}]",
    },
    "backup_restored": {
        "fr": "Sauvegarde restaurée : {size} retrouvées, {lost} perdues[, à nouveau détruit : {holdings}][, conventions {conventions}]",
        "en": "Backup restored: {size} found, {lost} lost[, destroyed again: {holdings}][, conventions {conventions}]",
    },
    "access_batch": {
        "fr": "Journal des accès scellé, lignes {first} à {last} ({count}), empreinte {root_sha256}",
        "en": "Access log sealed, lines {first} to {last} ({count}), hash {root_sha256}",
    },
    "access_expired": {
        "fr": "Journal des accès : lignes {first} à {last} supprimées à leur terme ({count})",
        "en": "Access log: lines {first} to {last} deleted at the end of their time ({count})",
    },
    "person_request_opened": {
        "fr": "Demande {request} d'une personne reçue le {received_on} : {right}[, convention {convention}][, adressée à {party}], réponse due le {due}",
        "en": "Request {request} of a person received on {received_on}: {right}[, convention {convention}][, addressed to {party}], to be answered by {due}",
    },
    "person_request_extended": {
        "fr": "Demande {request} prolongée jusqu'au {due}, motif {reason}",
        "en": "Request {request} extended to {due}, reason {reason}",
    },
    "person_request_answered": {
        "fr": "Demande {request} : réponse donnée ({answer})",
        "en": "Request {request} answered ({answer})",
    },
    "recipient_notified": {
        "fr": "Destinataire {recipient} à informer (art. 19 RGPD) pour le colis {delivery} : {ground}, avis {notice}",
        "en": "Recipient {recipient} to be told (GDPR art. 19) about parcel {delivery}: {ground}, notice {notice}",
    },
    "recipient_answered": {
        "fr": "Avis {notice} : réponse de {recipient} pour le colis {delivery} ({answer})",
        "en": "Notice {notice}: answer of {recipient} about parcel {delivery} ({answer})",
    },
    "bundle_exported": {
        "fr": "Dossier d'audit de la convention {convention} exporté, empreinte {bundle_sha256}, sur les {size} premières écritures",
        "en": "Auditor's bundle of convention {convention} exported, hash {bundle_sha256}, over the first {size} entries",
    },
}

_WORDS: dict[Lang, dict[str, str]] = {
    "fr": {
        "allow": "Autorisé", "allow_with_warning": "Autorisé avec avertissement", "block": "Refusé",
        "start": "au départ", "delivery": "à la livraison",
        "stated": "selon le texte", "interpreted": "par interprétation", "hub_policy": "règle de la passerelle",
        "objection": "opposition", "erasure": "effacement", "rectification": "rectification", "restriction": "limitation",
        "access": "accès", "portability": "portabilité", "granted": "satisfaite", "partly": "satisfaite en partie",
        "refused": "refus", "no-data": "aucune donnée", "withdrawn": "retirée", "identity-unproved": "identité non établie",
        "taken": "pris en charge", "expired": "délai d'attente écoulé", "missing": "introuvable",
        "done": "fait", "impossible": "impossible", "disproportionate": "effort disproportionné",
        "database": "base", "files": "fichiers", "keys": "clés",
        "phone": "téléphone", "video": "visioconférence", "meeting": "rencontre", "letter": "courrier", "signed-mail": "courriel signé",
    },
    "en": {
        "allow": "Allowed", "allow_with_warning": "Allowed with a warning", "block": "Refused",
        "start": "at the start", "delivery": "at delivery",
        "stated": "as stated", "interpreted": "by interpretation", "hub_policy": "hub policy",
        "objection": "objection", "erasure": "erasure", "partly": "granted in part", "no-data": "no data",
        "identity-unproved": "identity not proved", "disproportionate": "disproportionate effort",
    },
}  # fmt: skip
# Singular and plural; French counts zero and one as one.
_UNITS: dict[Lang, dict[str, tuple[str, str]]] = {
    "fr": {
        "rows": ("ligne", "lignes"), "bytes": ("octet", "octets"), "approvals": ("approbation", "approbations"),
        "holdings": ("copie", "copies"), "accepted": ("ligne acceptée", "lignes acceptées"),
        "rejected": ("rejetée", "rejetées"), "planned": ("échéance nouvelle", "échéances nouvelles"),
        "orders": ("échange lancé", "échanges lancés"),
        "size": ("écriture", "écritures"), "days": ("jour", "jours"), "deliveries": ("livraison", "livraisons"),
        "exposures": ("livraison passée mise en cause", "livraisons passées mises en cause"),
    },
    "en": {
        "rows": ("row", "rows"), "bytes": ("byte", "bytes"), "approvals": ("approval", "approvals"),
        "holdings": ("copy", "copies"), "accepted": ("row accepted", "rows accepted"),
        "rejected": ("rejected", "rejected"), "planned": ("new date", "new dates"),
        "orders": ("exchange started", "exchanges started"),
        "size": ("entry", "entries"), "days": ("day", "days"), "deliveries": ("delivery", "deliveries"),
        "exposures": ("past delivery called into question", "past deliveries called into question"),
    },
}  # fmt: skip
_PASSED: dict[Lang, dict[bool, str]] = {
    "fr": {True: "satisfaisants", False: "non satisfaisants"},
    "en": {True: "passed", False: "not passed"},
}
_MONTHS: dict[Lang, str] = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "en": "January February March April May June July August September October November December",
}
_SPACE: dict[Lang, str] = {"fr": "\u202f", "en": ","}  # between thousands
_NAMED = frozenset({"recipient", "party", "sender", "event"})
_WORDED = frozenset({"outcome", "stage", "basis", "ground", "right", "answer", "channel", "covers"})
_HASH_SHOWN = 12  # characters, enough to compare by eye


@dataclass(frozen=True, slots=True)
class Row:
    """One line to show: the entry's index, instant (RFC 3339, UTC), kind, and its sentence."""

    index: int
    at: str
    kind: str
    text: str


def render(entries: Iterable[Recorded], lang: Lang, names: Mapping[str, str] | None = None) -> Iterator[Row]:
    """Entries as sentences; ``names`` has words for ids of parties and kinds of events, what has none is shown as it is."""
    for recorded in entries:
        entry = recorded.entry
        fields = {name: _show(name, value, lang, names or {}) for name, value in entry.body.items()}
        counts = entry.body.get("counts", {})
        if (rows := counts.get("rows", counts.get("extracted"))) is not None:
            fields["rows"] = _counted("rows", rows, lang)
        yield Row(recorded.index, entry.at, entry.kind, _fill(SENTENCES[entry.kind][lang], fields))


def _fill(template: str, fields: Mapping[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        inner = match.group(1)
        known = all(fields.get(name) for name in re.findall(r"{(\w+)}", inner))
        return inner.format_map(fields) if known else ""

    return re.sub(
        r"\[([^\]]*)\]", lambda match: part(match).replace("{", "{{").replace("}", "}}"), template
    ).format_map(fields)


def _show(name: str, value: Any, lang: Lang, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return _PASSED[lang][value]
    if isinstance(value, int):
        return _counted(name, value, lang)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_number(number, lang)}" for key, number in value.items())
    if isinstance(value, list):
        return ", ".join(_show(name, one, lang, names) for one in value)
    if name in _NAMED:
        return names.get(value, value)
    if name.endswith("sha256"):
        return f"{value[:_HASH_SHOWN]}…"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", value):
        return f"{_date(value[:10], lang)}{f', {value[11:16]} UTC' if value[10:] else ''}"
    return _WORDS[lang].get(value, value) if name in _WORDED else str(value)


def _counted(name: str, value: int, lang: Lang) -> str:
    unit = _UNITS[lang].get(name)
    if unit is None:
        return _number(value, lang)
    return f"{_number(value, lang)} {unit[value > 1 if lang == 'fr' else value != 1]}"


def _number(value: int, lang: Lang) -> str:
    return f"{value:,}".replace(",", _SPACE[lang])


def _date(value: str, lang: Lang) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    number = "1er" if lang == "fr" and day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[lang].split()[day.month - 1]} {day.year}"
