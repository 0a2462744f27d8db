"""The codes of the engine, in the words of those who read: grounds, states, reasons, dates, kinds of copies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.render import Lang, Text, Tone, day

PARIS = ZoneInfo("Europe/Paris")  # the hours of the schedules (prefect.yaml) and of the conventions

BASIS = {
    "stated": Text("selon le texte", "as stated"),
    "interpreted": Text("par interprétation", "by interpretation"),
    "hub_policy": Text("règle de la passerelle", "hub policy"),
}
STATUS = {
    "yes": Text("en vigueur", "in force"),
    "no": Text("hors vigueur", "not in force"),
    "undetermined": Text("indéterminé", "undetermined"),
    "disputed": Text("contesté", "disputed"),
}  # fmt: skip
STATUS_TONE = {"yes": Tone.DONE, "no": Tone.REFUSED}
NO_VALUE = {
    "no": Text("aucune", "none"),
    "undetermined": Text("indéterminée", "undetermined"),
    "disputed": Text("contestée", "disputed"),
}
DATES = {
    "starts": Text("prise d'effet", "takes effect"),
    "last_day_in_force": Text("dernier jour en vigueur", "last day in force"),
    "optout_deadline": Text("dernier jour sûr pour dénoncer", "last safe day to denounce"),
    "destruction_deadline": Text("destruction au plus tard", "destruction at the latest"),
    "internal_purge_target": Text("destruction visée", "purge aimed at"),
}
OUTCOME = {
    "allow": Text("autorisé", "allowed"),
    "allow_with_warning": Text("autorisé, avec réserve", "allowed, with a warning"),
    "block": Text("bloqué", "blocked"),
}
WHO_DECIDES = {
    "dpo": Text("le DPO décide", "the DPO decides"),
    "signatories": Text("les signataires décident", "the signatories decide"),
    "operator": Text("l'exploitant décide", "the operator decides"),
    "persons": Text("les personnes concernées décident", "the persons concerned decide"),
    "oce": Text("l'OCE décide", "the OCE decides"),
}
EVERYONE = {"any": Text("toute partie", "any party"), "all": Text("toutes les parties", "all parties")}
ALERTS = {
    "missing": Text("rien au dossier", "nothing on file"),
    "minutes_missing": Text("compte rendu manquant", "minutes missing"),
    "overdue": Text("échue, rien au dossier", "overdue, nothing on file"),
    "reasons_missing": Text("résiliation sans motifs", "termination without reasons"),
    "wrong_form": Text(
        "courrier reçu dans une autre forme que celle du texte : sans effet",
        "letter in another form than the text's: without effect",
    ),
    "pending_receipt": Text(
        "courrier envoyé, réception non enregistrée : sans effet encore",
        "letter sent, receipt not on record: without effect yet",
    ),
}
REASONS = {
    "deadline_reached": Text("échéance atteinte", "deadline reached"),
    "no_longer_necessary": Text("données déclarées inutiles", "data declared unnecessary"),
    "not_due": Text("échéance non atteinte", "not due yet"),
    "nothing_held": Text("plus aucune copie n'est détenue", "no copy is held any more"),
    "legal_obligation": Text("conservation imposée par la loi", "kept by legal obligation"),
    "litigation": Text("contentieux en cours", "litigation under way"),
    "term_disputed_needs_human_decision": Text("fin contestée : décision humaine requise", "disputed end: needs a human decision"),
    "ContractError": Text("contrat de données enfreint", "data contract broken"),
    "IntakeError": Text("fichier non conforme à ce qui est annoncé", "file not as announced"),
    "GateRefusedError": Text("refusé par la convention", "refused by the convention"),
    "RefusedError": Text("refusé", "refused"),
    "SealedError": Text("panne imprévue", "unforeseen fault"),
    "WorkspaceError": Text("panne de la passerelle", "fault of the gateway"),
    "KeyStoreError": Text("clé absente ou illisible", "key missing or unreadable"),
    "term_not_stated": Text("le texte ne dit pas quand la convention prend fin", "the text does not say when the convention ends"),
    # What the gate refuses for (passerelle.convention.gate); after a colon, what of it.
    "not_in_force": Text("convention hors vigueur", "convention not in force"),
    "out_of_force_at_delivery": Text("convention hors vigueur à la livraison", "convention not in force at delivery"),
    "term_disputed": Text("fin de la convention contestée", "end of the convention disputed"),
    "start_undetermined": Text("prise d'effet indéterminée", "start undetermined"),
    "unknown_party": Text("partie étrangère à cet échange", "not a party of this exchange"),
    "not_an_exchange_of_this_convention": Text("échange que le texte ne prévoit pas", "no exchange of this convention"),
    "missing_instrument": Text("pièce exigée absente du dossier", "instrument not on file"),
    "missing_precondition": Text("condition préalable absente du dossier", "precondition not on file"),
    "too_early": Text("avant la date permise", "before the date allowed"),
    "cardinality": Text("nombre de personnes non conforme au texte", "number of persons not as the text says"),
    "consent_missing": Text("consentement absent du dossier", "consent not on file"),
    "processor_without_equivalent_guarantees": Text("sous-traitant sans garanties équivalentes", "processor without equivalent guarantees"),
    "clock_behind_last_event": Text("horloge en retard sur le dernier événement", "clock behind the last event"),
    "held": Text("échange suspendu", "exchange held"),
    "suspended": Text("échange suspendu", "exchange suspended"),
    "contingent": Text("échange soumis à une condition", "exchange under a condition"),
    "convention_change_not_approved": Text("changement du fichier de la convention non approuvé", "change of the convention's file not approved"),
}  # fmt: skip
COPIES = {
    "raw": Text("copies brutes", "raw copies"),
    "quarantine": Text("lignes rejetées", "rejected rows"),
    "staging": Text("fichiers de travail", "staged files"),
    "release": Text("seconds verrous", "second locks"),
    "parcel": Text("colis", "parcels"),
    "index": Text("index des personnes", "person index"),
    "verdicts": Text("verdicts ligne par ligne", "verdicts row by row"),
    "figures": Text("chiffres avant contrôle", "figures before control"),
    "inbox": Text("fichiers reçus en attente", "files received that wait"),
}
RUN_STATES = {
    "running": Text("en cours", "running"),
    "delivered": Text("livré", "delivered"),
    "duplicate": Text("déjà livré", "delivered already"),
    "refused": Text("refusé", "refused"),
    "failed": Text("en échec", "failed"),
    "interrupted": Text("interrompu", "interrupted"),
}
PURGE_STATES = {
    "started": Text("commencée", "started"),
    "keys": Text("clés détruites", "keys destroyed"),
    "files": Text("copies retirées", "copies removed"),
    "rows": Text("tables vidées", "tables cleared"),
    "rotated": Text("clé racine renouvelée", "root key rotated"),
    "done": Text("achevée, certifiée", "done, certified"),
    "stuck": Text("inachevée : des copies restent", "not complete: copies are left"),
}
STUCK = {
    "inbox": Text("fichiers de la boîte d'arrivée", "files in the inbox"),
    "report": Text("rapports", "reports"),
    "prefect": Text("enregistrements de Prefect", "records of Prefect"),
    "database": Text("fichiers de la base de données", "files of the database"),
}
ATTESTATION_STATES = {
    "requested": Text("demandée", "requested"),
    "reminded": Text("rappelée", "reminded"),
    "escalated": Text("DPO saisi", "escalated"),
    "partial": Text("partielle", "partial"),
    "received": Text("reçue", "received"),
}
WATCHED = {
    "purge_overdue": Text("destruction en retard, certificat manquant", "destruction overdue, certificate missing"),
    "purge_not_ended": Text("destruction inachevée", "destruction not ended"),
    "deadline_disputed": Text("échéance contestée, lecture à fixer", "disputed deadline, reading to be recorded"),
    "attestation_overdue": Text("attestation en retard", "attestation overdue"),
    "notice_not_written": Text("avis non remis", "notice not handed over"),
    "hold_review_overdue": Text("suspension à réexaminer", "hold past its review"),
    "clock_behind": Text("horloge en retard", "clock behind"),
    "clock_jumped": Text("saut de l'horloge, à confirmer", "clock jumped, to be confirmed"),
    "scheduler_stopped": Text("plan quotidien arrêté", "daily plan stopped"),
    "backup_overdue": Text("sauvegarde à détruire", "backup to be destroyed"),
    "backup_late": Text("sauvegarde au-delà de l'échéance", "backup outlives the deadline"),
    "partner_key_expiring": Text("clé d'un partenaire près d'expirer", "partner's key about to expire"),
    "quarantine_overdue": Text("quarantaine au-delà de sa durée", "quarantine past its life"),
    "run_not_ended": Text("traitement inachevé", "run not ended"),
    "exchange_overdue": Text("échange en retard", "exchange overdue"),
    "obligation_overdue": Text("obligation en retard", "obligation overdue"),
    "convention_unreadable": Text("convention illisible", "convention unreadable"),
    "convention_change_not_approved": Text(
        "convention modifiée sans approbation", "convention changed without approval"
    ),
    "access_many_taken": Text("beaucoup de données prises par une personne", "much taken by one person"),
    "access_many_persons": Text("beaucoup de personnes recherchées", "many persons looked up"),
    "access_many_refused": Text("beaucoup de refus", "many refusals"),
    "access_odd_hours": Text("accès à des heures inhabituelles", "access at odd hours"),
    "access_new_key": Text("nouvelle clé d'un partenaire", "new key of a partner"),
    "access_new_token": Text("nouveau jeton pour des programmes", "new token for programs"),
    "check_failed": Text("contrôle impossible", "check impossible"),
    "webhook_failed": Text("alertes non transmises", "alerts not sent"),
}
KEY_STATES = {
    "pending": Text("à approuver", "pending"),
    "approved": Text("approuvée", "approved"),
    "revoked": Text("révoquée", "revoked"),
    "expired": Text("échue", "expired"),
    "future": Text("pas encore valable", "not valid yet"),
}
SECOND_LOCKS = {
    "none": Text("aucun", "none"),
    "held": Text("clé jamais remise", "key never handed"),
    "handed": Text("clé remise", "key handed"),
    "destroyed": Text("clé détruite", "key destroyed"),
}
ACCESS_OUTCOMES = {"allowed": Text("permis", "allowed"), "refused": Text("refusé", "refused")}
ACCESS_FINDINGS = {
    "edited": Text("modifiée", "edited"),
    "deleted": Text("supprimée", "deleted"),
    "inserted": Text("ajoutée après coup", "inserted"),
    "reordered": Text("déplacée", "reordered"),
    "altered": Text("altérées, et leurs empreintes conservées aussi", "altered, and so are the hashes kept of them"),
    "hashes_altered": Text("intactes, leurs empreintes conservées sont altérées", "whole, the hashes kept of them are altered"),
    "restored": Text("revenue après sa suppression à terme", "back after it was deleted at the end of its time"),
    "back_dated": Text("antidatée, écrite après le dernier lot", "back-dated, written after the last batch"),
}  # fmt: skip
ACCESS_ALERTS = {
    "many_taken": Text("beaucoup de retraits", "much taken"),
    "many_persons": Text("beaucoup de recherches de personnes", "many persons looked up"),
    "many_refused": Text("beaucoup de refus", "many refusals"),
    "odd_hours": Text("hors des heures ouvrées", "outside working hours"),
    "new_key": Text("nouvelle clé inscrite", "new key enrolled"),
    "new_token": Text("nouveau jeton pour des programmes", "new token for programs"),
}
RIGHTS = {
    "access": Text("accès", "access"),
    "rectification": Text("rectification", "rectification"),
    "erasure": Text("effacement", "erasure"),
    "restriction": Text("limitation", "restriction"),
    "portability": Text("portabilité", "portability"),
    "objection": Text("opposition", "objection"),
}
REQUEST_STATES = {
    "open": Text("en cours", "open"),
    "late": Text("en retard", "late"),
    "answered": Text("réponse donnée", "answered"),
    "answered_late": Text("réponse donnée en retard", "answered late"),
}
NOTICE_ANSWERS = {
    "done": Text("fait", "done"),
    "impossible": Text("impossible", "impossible"),
    "disproportionate": Text("effort disproportionné", "disproportionate effort"),
    "refused": Text("refusé", "refused"),
}
HOLD_STATES = {
    "active": Text("en cours", "active"),
    "review_overdue": Text("réexamen en retard", "review overdue"),
    "lifted": Text("levée", "lifted"),
}
FINDINGS = {
    "happened": Text("a eu lieu", "happened"),
    "declared_never_happened": Text("déclaré, jamais advenu", "declared, never happened"),
    "undeclared": Text("advenu, non déclaré", "happened, not declared"),
}
BREACH_STATES = {
    "open": Text("à notifier", "to be notified"),
    "late": Text("en retard", "late"),
    "notified": Text("notifiée", "notified"),
}
COVERED = {
    "database": Text("base", "database"),
    "files": Text("fichiers", "files"),
    "keys": Text("clés", "keys"),
}
PERSON = {
    "none": Text("non", "no"),
    "indirect": Text("indirectement", "indirectly"),
    "direct": Text("directement", "directly"),
    "special_category": Text("catégorie particulière", "special category"),
}
STEPS = {
    1: Text("décide", "decides"),
    2: Text("reçoit le fichier", "takes the file in"),
    3: Text("applique le contrat", "applies the contract"),
    4: Text("contrôle l'ensemble", "checks the whole"),
    5: Text("minimise", "minimises"),
    6: Text("scelle", "seals"),
    7: Text("décide à nouveau et livre", "decides again and delivers"),
    8: Text("enregistre", "remembers"),
}
FREE_TEXT = {
    "email": "adresses électroniques",
    "iban": "comptes bancaires",
    "avs": "numéros AVS",
    "nir": "NIR",
    "phone": "téléphones",
    "name": "noms annoncés",
}
COUNTS = {
    "read": Text("lignes lues", "rows read"),
    "accepted": Text("acceptées", "accepted"),
    "rejected": Text("rejetées", "rejected"),
    "extracted": Text("dans l'extrait", "in the extract"),
    "withheld": Text("valeurs retenues (secret statistique)", "figures withheld (disclosure control)"),
    "left_out": Text("personnes opposées ou effacées, retirées", "left out: persons who objected or were erased"),
    "erased": Text("dont personnes effacées", "of these, erased persons"),
    "objections_unrecognised": Text(
        "oppositions que ce fichier ne permet pas de reconnaître", "objections that this file cannot recognise"
    ),
    **{
        f"masked.{kind}": Text(f"texte libre, masqués : {name}", f"free text, masked: {kind}")
        for kind, name in FREE_TEXT.items()
    },
    **{
        f"free_text.{kind}": Text(f"texte libre, laissés : {name}", f"free text, left as they are: {kind}")
        for kind, name in FREE_TEXT.items()
    },
}


PERSONS = {
    "agents": Text("agents", "agents"),
    "candidates": Text("candidats", "candidates"),
    "jobseekers": Text("demandeurs d'emploi", "jobseekers"),
    "trainees": Text("stagiaires", "trainees"),
    "employer_contacts": Text("contacts d'employeurs", "contacts of employers"),
    "none": Text("aucune", "none"),
    "not_stated": Text("non indiquées", "not stated"),
}


def said(words: Mapping[str, Text], code: str | None) -> Text | None:
    """``code`` in words, or as it is where nobody gave it any."""
    return None if code is None else words.get(code, Text(code, code))


def named(words: Mapping[str, Text], lang: Lang) -> dict[str, str]:
    """Codes with their words in one language."""
    return {code: getattr(text, lang) for code, text in words.items()}


def action(code: str) -> Text | None:
    """An action of the access log in words."""
    from passerelle.store.access import actions

    words = actions().get(code)
    return Text(words["fr"], words["en"]) if words else said({}, code)


def reason(code: str | None) -> Text | None:
    """A reason in words with its code in brackets, for both those who read and those who search."""
    known = None if code is None else REASONS.get(code.partition(":")[0])
    return Text(f"{known.fr} ({code})", f"{known.en} ({code})") if known else said({}, code)


def ground(basis: str, article: str | None) -> Text:
    """What an answer rests on: its basis, and the article where there is one."""
    words = BASIS.get(basis, Text(basis, basis))
    return Text(*(f"{one}, {article}" if article else one for one in words))


def moment(instant: str | None, lang: Lang) -> str | None:
    """An instant of the tables as people in Paris write it: "12 mai 2025 à 6 h 00", "12 May 2025 at 06:00"."""
    if instant is None:
        return None
    local = datetime.fromisoformat(instant).astimezone(PARIS)
    hour = f"à {local.hour} h {local:%M}" if lang == "fr" else f"at {local:%H:%M}"
    return f"{day(local.date(), lang)} {hour}"


def alert_subject(about: Mapping[str, Any]) -> str:
    """What an alert of the watchdog is about: ids, dates and counts."""
    names = (
        "convention", "party", "recipient", "exchange", "obligation", "hold", "purge", "run", "backup", "request",
        "check", "period", "due", "days", "count",
    )  # fmt: skip
    return " ".join(str(about[name]) for name in names if about.get(name) is not None)
