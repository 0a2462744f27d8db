"""Samples of the contracts about training and apprenticeship, and what breaks their rules."""

from __future__ import annotations

from collections.abc import Mapping

from contracts import recipes as r
from contracts.breaks import Break
from contracts.recipes import Recipes
from contracts.training_selection import REASONS

_COURSE: Recipes = {
    "id_session": r.serial("SE_"),
    "intitule_formation": r.COURSE,
    "formacode": r.FORMACODE,
    "certification": r.CERTIFICATION,
    "siret_organisme": r.siret(),
    "commune": r.COMMUNE,
    "date_debut": r.days(2025, 6, 200),
}
_COURSE_BREAKS = (
    Break("id_session", "id_session", {"id_session": "session n° 1"}),
    Break("formacode", "formacode", {"formacode": "317"}),
    Break("siret", "siret_organisme", {"siret_organisme": "73282932000075"}),
    Break("commune", "commune", {"commune": "99A01"}),
)

RECIPES: Mapping[str, Recipes] = {
    "training_selection": {
        "identifiant_de": r.serial(width=11, first=99_000_000_000),
        "id_session": r.pick("SE_001", "SE_002", "SE_003"),
        "nom": r.LAST_NAME,
        "prenom": r.FIRST_NAME,
        "intitule_formation": r.COURSE,
        "formacode": r.FORMACODE,
        "rome_vise": r.ROME,
        "niveau_formation": r.pick("3", "4", "5", "sans"),
        "projet_valide": r.pick("oui", "oui", "non"),
        "avis_conseiller": r.pick("favorable", "favorable", "reserve"),
        "prescrit_le": r.days(2025, 1, 300),
    },
    "training_selection_decisions": {
        "identifiant_de": r.serial(width=11, first=99_000_000_000),
        "id_session": r.pick("SE_001", "SE_002", "SE_003"),
        "decision": r.turn("admis", "refuse", "liste_attente", "refuse", "admis", "refuse"),
        "motif_refus": r.turn("", REASONS[0], "", REASONS[1], "", REASONS[2]),
        "decide_le": r.days(2025, 1, 300),
    },
    "training_offer_updates": {
        **_COURSE,
        "date_fin": r.days(2026, 1, 200),
        "date_information_collective": r.days(2025, 1, 60),
        "date_commission": r.days(2025, 3, 60),
        "nature_modification": r.turn("creation", "modification", "annulation"),
        "objet_modification": r.turn("", "dates", ""),
        "mis_a_jour_le": r.days(2025, 1, 100),
    },
    "unfilled_places": {
        **_COURSE,
        "clpe": r.pick("", "CLPE13201", "CLPE2A002"),
        "places_ouvertes": r.turn("12", "15", "20"),
        "places_pourvues": r.turn("8", "3", "19"),
        "places_non_pourvues": r.turn("4", "12", "1"),
        "alerte_le": r.days(2025, 3, 60),
    },
    "apprenticeship_needs": {
        "siret": r.siret(),
        "raison_sociale": r.COMPANY,
        "commune": r.COMMUNE,
        "rome": r.rome(every=1),
        "certification": r.CERTIFICATION,
        "nombre_apprentis": r.number(1, 5),
        "motif": r.pick("formation_absente", "formation_eloignee", "sections_completes"),
        "contact_nom": r.LAST_NAME,
        "contact_courriel": r.mail(),
        "contact_telephone": r.phone(),
        "signale_le": r.days(2025, 1, 300),
    },
    "apprentice_outcomes": {
        "cohorte": r.pick("cumul 2022-2023", "cumul 2023-2024"),
        "uai": r.uai(),
        "libelle": r.pick("CFA du Bâtiment", "Maison familiale rurale"),
        "region": r.pick("OCCITANIE", "PROVENCE-ALPES-COTE D'AZUR"),
        "valeur_ajoutee": r.decimal(0, 12),
        **{
            name: r.decimal(20, 90)
            for name in (
                "part_poursuite_etudes", "part_emploi_6_mois", "part_autre_6_mois", "part_contrats_interrompus",
                "taux_poursuite_etudes", "taux_emploi_6_mois", "taux_emploi_6_mois_attendu", "taux_emploi_12_mois",
                "taux_emploi_18_mois", "taux_emploi_24_mois",
            )
        },
    },
}  # fmt: skip

BREAKS: Mapping[str, tuple[Break, ...]] = {
    "training_selection": (
        Break("france-travail", "identifiant_de", {"identifiant_de": "1234"}),
        Break("required", "nom", {"nom": ""}),
        Break("formacode", "formacode", {"formacode": "317"}),
        Break("rome", "rome_vise", {"rome_vise": "Z9999"}),
        Break("code_list", "niveau_formation", {"niveau_formation": "9"}),
        Break("boolean", "projet_valide", {"projet_valide": "peut-être"}),
        Break("date", "prescrit_le", {"prescrit_le": "31/02/2025"}),
    ),
    "training_selection_decisions": (
        Break("required_when_refused", "motif_refus", {"decision": "refuse", "motif_refus": ""}),
        Break("only_when_refused", "motif_refus", {"decision": "admis", "motif_refus": REASONS[0]}),
        Break("code_list", "motif_refus", {"decision": "refuse", "motif_refus": "autre raison"}),
        Break("code_list", "decision", {"decision": "ajourne", "motif_refus": ""}),
    ),
    "training_offer_updates": (
        *_COURSE_BREAKS,
        Break("not_before_date_debut", "date_fin", {"date_fin": "01/01/2020"}),
        Break("not_before_date_commission", "date_debut", {"date_commission": "01/01/2030"}),
        Break("required", "date_information_collective", {"date_information_collective": ""}),
        Break("required_when_changed", "objet_modification", {"nature_modification": "modification", "objet_modification": ""}),
    ),
    "unfilled_places": (
        *_COURSE_BREAKS,
        Break("clpe", "clpe", {"clpe": "999"}),
        Break("total", "places_ouvertes", {"places_ouvertes": "40"}),
        Break("range", "places_non_pourvues", {"places_ouvertes": "12", "places_pourvues": "12", "places_non_pourvues": "0"}),
    ),
    "apprenticeship_needs": (
        Break("siret", "siret", {"siret": "00000000000000"}),
        Break("range", "nombre_apprentis", {"nombre_apprentis": "0"}),
        Break("email", "contact_courriel", {"contact_courriel": "sans-arobase.example.org"}),
        Break("code_list", "motif", {"motif": "autre"}),
    ),
    "apprentice_outcomes": (
        Break("cohort", "cohorte", {"cohorte": "2023"}),
        Break("uai", "uai", {"uai": "0630003A"}),
        Break("range", "taux_emploi_6_mois", {"taux_emploi_6_mois": "101,0"}),
        Break("decimal", "valeur_ajoutee", {"valeur_ajoutee": "douze"}),
    ),
}  # fmt: skip
