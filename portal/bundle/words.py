"""The events of a convention's record, and what they say, in the words of those who read."""

from __future__ import annotations

from portal.render import Text

EVENTS = {
    "amendment_signed": Text("avenant signé", "amendment signed"),
    "approved": Text("approbation", "approved"),
    "breach_known": Text("violation de données connue", "breach known"),
    "breach_notice": Text("violation de données notifiée", "breach notified"),
    "consent_recorded": Text("consentement enregistré", "consent recorded"),
    "contingency_met": Text("condition remplie", "condition met"),
    "declared_unnecessary": Text("données déclarées inutiles", "data declared unnecessary"),
    "denounced": Text("dénonciation", "denounced"),
    "end_recorded": Text("fin constatée", "end recorded"),
    "express_request": Text("demande expresse", "express request"),
    "extension_announced": Text("prolongation annoncée", "extension announced"),
    "field_use_declared": Text("usage des champs déclaré", "use of fields declared"),
    "hold_lifted": Text("suspension de la destruction levée", "hold lifted"),
    "hold_placed": Text("destruction suspendue", "hold placed"),
    "hold_reviewed": Text("suspension réexaminée", "hold reviewed"),
    "instrument_recorded": Text("pièce versée au dossier", "instrument on file"),
    "legal_obligation_ended": Text("obligation légale de conservation terminée", "legal duty to keep ended"),
    "legal_obligation_recorded": Text("obligation légale de conservation", "legal duty to keep"),
    "litigation_closed": Text("contentieux clos", "litigation closed"),
    "litigation_opened": Text("contentieux ouvert", "litigation opened"),
    "meeting_held": Text("réunion tenue", "meeting held"),
    "minutes_sent": Text("compte rendu envoyé", "minutes sent"),
    "obligation_done": Text("obligation remplie", "obligation done"),
    "precondition_recorded": Text("condition préalable versée au dossier", "precondition on file"),
    "processor_declared": Text("sous-traitant déclaré", "processor declared"),
    "reading_recorded": Text("lecture d'une clause retenue", "reading of a clause settled"),
    "reasons_given": Text("motifs communiqués", "reasons given"),
    "renewal_decided": Text("reconduction décidée", "renewal decided"),
    "resumed": Text("reprise", "resumed"),
    "rights_request": Text("demande d'une personne", "request of a person"),
    "signed": Text("signature", "signature"),
    "special_arrangement": Text("disposition particulière", "special arrangement"),
    "suspended": Text("suspension", "suspended"),
    "termination_letter": Text("lettre de résiliation", "termination letter"),
}
SAYS = {
    "dataset": Text("jeu de données", "dataset"),
    "obligation": Text("obligation", "obligation"),
    "at": Text("le", "at"),
    "by": Text("par", "by"),
    "effect_date": Text("effet le", "effective"),
    "exchange": Text("échange", "exchange"),
    "form": Text("forme", "form"),
    "from": Text("du", "from"),
    "id": Text("pièce", "piece"),
    "kind": Text("nature", "kind"),
    "on": Text("le", "on"),
    "party": Text("partie", "party"),
    "period": Text("période", "period"),
    "reading": Text("lecture", "reading"),
    "received_at": Text("reçu le", "received"),
    "received_on": Text("reçu le", "received"),
    "scope": Text("portée", "scope"),
    "sent_on": Text("envoyé le", "sent"),
    "to": Text("au", "to"),
    "until": Text("jusqu'au", "until"),
    "valid_on": Text("au", "as of"),
}
HOLDS = {"litigation": Text("contentieux", "litigation"), "legal_obligation": Text("obligation légale", "legal duty")}
COVERS = {"database": Text("base", "database"), "files": Text("fichiers", "files"), "keys": Text("clés", "keys")}
RIGHTS = {
    "access": Text("accès (art. 15)", "access (art. 15)"),
    "rectification": Text("rectification (art. 16)", "rectification (art. 16)"),
    "erasure": Text("effacement (art. 17)", "erasure (art. 17)"),
    "restriction": Text("limitation (art. 18)", "restriction (art. 18)"),
    "portability": Text("portabilité (art. 20)", "portability (art. 20)"),
    "objection": Text("opposition (art. 21)", "objection (art. 21)"),
}
ATTESTED = {
    "requested": Text("demandée", "requested"),
    "reminded": Text("relancée", "reminded"),
    "escalated": Text("signalée au DPO", "escalated"),
    "partial": Text("partielle", "partial"),
    "received": Text("reçue", "received"),
}
GROUNDS = {
    "erasure": Text("effacement", "erasure"),
    "rectification": Text("rectification", "rectification"),
    "restriction": Text("limitation", "restriction"),
}
ANSWERS = {
    "done": Text("fait", "done"),
    "impossible": Text("impossible", "impossible"),
    "disproportionate": Text("effort disproportionné", "disproportionate effort"),
    "refused": Text("refus", "refused"),
    "granted": Text("accordée", "granted"),
    "partly": Text("accordée en partie", "granted in part"),
    "no-data": Text("aucune donnée", "no data"),
    "withdrawn": Text("retirée", "withdrawn"),
    "identity-unproved": Text("identité non établie", "identity not proved"),
}
