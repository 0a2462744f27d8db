"""Samples of the contracts about offers, employers and recruitment, and what breaks their rules."""

from __future__ import annotations

from collections.abc import Mapping

from contracts import fiction
from contracts import recipes as r
from contracts.breaks import Break
from contracts.recipes import Recipes

_OFFER: Recipes = {
    "libelle_metier": r.pick("Infirmier", "Cuisinier", "Maçon"),
    "description_offre": r.pick(*fiction.DUTIES),
    "duree_minimale_experience": r.pick("0", "6", "12", "24"),
    "type_contrat": r.turn("CDI", "CDD"),
    "duree_contrat": r.turn("", "6"),
    "lieu_travail": r.pick("Nice", "Gap", "Avignon"),
}
_OFFER_BREAKS = (
    Break("required", "libelle_metier", {"libelle_metier": ""}),
    Break("required", "description_offre", {"description_offre": ""}),
    Break("integer", "duree_minimale_experience", {"duree_minimale_experience": "débutant"}),
    Break("code_list", "type_contrat", {"type_contrat": "stage"}),
    Break("required_when_CDD", "duree_contrat", {"type_contrat": "CDD", "duree_contrat": ""}),
    Break("required", "lieu_travail", {"lieu_travail": ""}),
)
_CONTACT: Recipes = {"contact_nom": r.LAST_NAME, "contact_courriel": r.mail(), "contact_telephone": r.phone()}

RECIPES: Mapping[str, Recipes] = {
    "brea_offers": {
        **_OFFER,
        "siret": r.siret(),
        "reference_offre": r.serial("BREA-"),
        "rome": r.ROME,
        "naf": r.pick("8413Z", "5610A", ""),
        "salaire": r.pick("", "1 900 euros brut par mois"),
        "recueilli_le": r.days(2025, 1, 300),
    },
    "brea_reverse": {
        "numero_offre": r.serial(width=7),
        **_OFFER,
        "rome": r.ROME,
        "entreprise": r.COMPANY,
        "salaire": r.NOTHING,
        "url": r.serial("https://offres.example.org/"),
        "publie_le": r.days(2025, 1, 100),
        "actualise_le": r.days(2025, 6, 100),
    },
    "brea_phone": {
        "numero_appel": r.serial("A-"),
        "appel_le": r.days(2025, 1, 300),
        "siret": r.siret(),
        "raison_sociale": r.COMPANY,
        **_CONTACT,
        "objet": r.turn("recrutement", "information"),
        "libelle_metier": r.turn("Cuisinier", ""),
    },
    "brea_monthly_report": {
        "mois": r.month(every=len(r.MAINLAND)),
        "departement": r.turn(*r.MAINLAND),
        "offres_recues": r.number(900, 1200),
        "offres_integrees": r.number(500, 900),
        **{name: r.number(100, 500) for name in ("contacts_48h", "solutions_10j", "offres_pourvues")},
    },
    "vacancies": {
        "annonce_piece_jointe": r.serial("annonce-"),
        "responsable_nom": r.LAST_NAME,
        "responsable_email": r.mail(),
        "reference": r.serial("P-"),
        "intitule_poste": r.pick("Cuisinier", "Comptable"),
        "descriptif_poste": r.NOTHING,
        "duration_days": r.pick("", "90", "14", "365"),
        "taux_activite": r.pick("50", "80", "100"),
    },
    "candidate_profiles": {
        "poste": r.counter(5, 1, 10_000_000, 6, "P-"),
        "rang": r.turn("1", "2", "3", "4", "5"),
        "candidat": r.serial("C-"),
        "nom": r.LAST_NAME,
        "prenom": r.FIRST_NAME,
        "courriel": r.mail(),
        "telephone": r.phone(),
        "profession": r.pick("Cuisinier", "Comptable"),
        "experience_annees": r.number(0, 30),
        "disponible_le": r.days(2025, 1, 300),
        "inscrit_orp": r.pick("oui"),
        "concordance": r.pick("metier", "competences"),
        "demande_expresse": r.pick("", "non"),
    },
    "follow_up_form": {
        "poste": r.serial("P-"),
        "annonce_recue_le": r.days(2025, 1, 100),
        "suivi_le": r.days(2025, 5, 100),
        "profils_transmis": r.number(3, 5),
        "personnes_recues": r.number(1, 3),
        "personnes_engagees": r.number(0, 1),
        "issue": r.pick("pourvu_oce", "pourvu_autrement"),
    },
    "candidate_feedback": {
        "poste": r.counter(5, 1, 10_000_000, 6, "P-"),
        "candidat": r.serial("C-"),
        "recu": r.pick("oui", "non"),
        "appreciation": r.pick("engage", "competences", "non_engage_sans_motif"),
        "appreciation_le": r.days(2025, 1, 300),
    },
    "periodic_review": {
        "periode": r.pick("2025", "2025-S1"),
        "secteur": r.serial("Secteur "),
        "annonces": r.number(1, 50),
        "profils_transmis": r.number(100, 200),
        "profils_dans_le_delai": r.number(50, 100),
        "engagements": r.number(0, 50),
    },
    "recruitment_needs": {
        "reference": r.serial("B-"),
        "geiq_siret": r.siret(),
        "nature_besoin": r.turn("recrutement", "formation"),
        "intitule_poste": r.pick("Maçon", "Cariste"),
        "rome": r.ROME,
        "nombre_postes": r.number(1, 5),
        "type_contrat": r.turn("professionnalisation", ""),
        "commune": r.COMMUNE,
        "a_partir_du": r.days(2025, 1, 300),
        "contact_nom": r.LAST_NAME,
        "contact_courriel": r.mail(),
    },
    "offers_dissemination": {
        "reference": r.serial("O-"),
        "geiq_siret": r.siret(),
        "intitule_poste": r.pick("Maçon", "Cariste"),
        "description": r.pick(*fiction.DUTIES),
        "rome": r.ROME,
        "type_contrat": r.turn("professionnalisation", "CDI"),
        "duree_contrat": r.turn("12", ""),
        "commune": r.COMMUNE,
        "publie_le": r.days(2025, 1, 100),
        "jusqu_au": r.days(2025, 6, 100),
        "contact_nom": r.LAST_NAME,
        "contact_courriel": r.mail(),
    },
    "public_offers_list": {
        "id": r.serial("2026-"),
        "titre": r.pick("Assistante de direction", "Ingénieur"),
        "employeur": r.pick("", "Préfecture"),
        "ville": r.pick("75004 PARIS", "Lavaur"),
        "domaine": r.pick("Assistante / Assistant de direction"),
        "contrat": r.pick("", "CDD de 6 mois"),
        "versant": r.pick("", "Fonction Publique Territoriale"),
        "date_publication": r.days(2026, 1, 100),
        "date_limite": r.days(2026, 6, 100),
    },
    "public_offers_source": {
        "numero": r.serial(first=500_000),
        "reference": r.serial("O-"),
        "statut": r.pick("Diffusée"),
        "metier": r.pick("Chargée/Chargé d'accueil"),
        "intitule": r.pick("Assistante de direction", "Ingénieur"),
        "categorie": r.pick("A", "B", "C"),
        "description": r.pick(*fiction.DUTIES),
        "versant": r.pick("Fonction publique de l'Etat"),
        "employeur": r.pick("Université de Nantes"),
        "region": r.pick("Pays de La Loire"),
        "departement": r.pick("Loire-Atlantique (44)", "Corse-du-Sud (2A)"),
        "lieu": r.NOTHING,
        "temps_complet": r.pick("", "Temps complet"),
        "debut": r.days(2025, 1, 300),
    },
}

BREAKS: Mapping[str, tuple[Break, ...]] = {
    "brea_offers": (
        *_OFFER_BREAKS,
        Break("required", "siret", {"siret": ""}),
        Break("siret", "siret", {"siret": "73282932000075"}),
        Break("naf", "naf", {"naf": "84.13"}),
    ),
    "brea_reverse": (
        *_OFFER_BREAKS,
        Break("ft-offer", "numero_offre", {"numero_offre": "12"}),
        Break("not_before_publie_le", "actualise_le", {"actualise_le": "01/01/2020"}),
    ),
    "brea_phone": (
        Break("phone", "contact_telephone", {"contact_telephone": "0639"}),
        Break("siret", "siret", {"siret": "73282932000075"}),
        Break("required_when_hiring", "libelle_metier", {"objet": "recrutement", "libelle_metier": ""}),
        Break("code_list", "objet", {"objet": "réclamation"}),
    ),
    "brea_monthly_report": (
        Break("month", "mois", {"mois": "2025-13"}),
        Break("department", "departement", {"departement": "99"}),
        Break("at_most_offres_recues", "offres_integrees", {"offres_integrees": "5000"}),
        Break("range", "offres_pourvues", {"offres_pourvues": "-1"}),
    ),
    "vacancies": (
        Break("required", "annonce_piece_jointe", {"annonce_piece_jointe": ""}),
        Break("required", "responsable_nom", {"responsable_nom": ""}),
        Break("required", "responsable_email", {"responsable_email": ""}),
        Break("email", "responsable_email", {"responsable_email": "sans-arobase.example.org"}),
        Break("range", "duration_days", {"duration_days": "0"}),
    ),
    "candidate_profiles": (
        Break("at_most_5_profiles", "rang", {"rang": "6"}),
        Break("registered", "inscrit_orp", {"inscrit_orp": "non"}),
        Break("required", "concordance", {"concordance": ""}),
        Break("email", "courriel", {"courriel": "sans-arobase.example.org"}),
        Break("reference", "poste", {"poste": "poste n° 1"}),
    ),
    "follow_up_form": (
        Break("not_before_annonce_recue_le", "suivi_le", {"suivi_le": "01/01/2020"}),
        Break("at_most_profils_transmis", "personnes_recues", {"personnes_recues": "9"}),
        Break("code_list", "issue", {"issue": "inconnue"}),
    ),
    "candidate_feedback": (
        Break("code_list", "appreciation", {"appreciation": "une phrase libre"}),
        Break("boolean", "recu", {"recu": "peut-être"}),
        Break("required", "candidat", {"candidat": ""}),
    ),
    "periodic_review": (
        Break("period", "periode", {"periode": "25"}),
        Break("at_most_profils_transmis", "engagements", {"engagements": "900"}),
    ),
    "recruitment_needs": (
        Break("required_when_hiring", "type_contrat", {"nature_besoin": "recrutement", "type_contrat": ""}),
        Break("siret", "geiq_siret", {"geiq_siret": "73282932000075"}),
        Break("rome", "rome", {"rome": "Z9999"}),
        Break("range", "nombre_postes", {"nombre_postes": "0"}),
    ),
    "offers_dissemination": (
        Break("required_when_fixed_term", "duree_contrat", {"type_contrat": "CDD", "duree_contrat": ""}),
        Break("not_before_publie_le", "jusqu_au", {"jusqu_au": "01/01/2020"}),
        Break("commune", "commune", {"commune": "99A01"}),
    ),
    "public_offers_list": (
        Break("reference", "id", {"id": "n° 1"}),
        Break("date", "date_publication", {"date_publication": "2026-01-05"}),
        Break("code_list", "versant", {"versant": "autre"}),
    ),
    "public_offers_source": (
        Break("numero", "numero", {"numero": "O-1"}),
        Break("code_list", "categorie", {"categorie": "D"}),
        Break("departement", "departement", {"departement": "Loire-Atlantique"}),
    ),
}
