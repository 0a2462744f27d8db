"""Samples of the contracts about territories, events, people referred and yearly figures, and what breaks their rules."""

from __future__ import annotations

from collections.abc import Mapping

from contracts import recipes as r
from contracts.breaks import Break
from contracts.recipes import Recipes

_INDICATORS: Recipes = {
    name: r.number(1, 5)
    for name in (
        "intensite_embauches", "manque_main_oeuvre", "non_durabilite_emploi", "conditions_travail",
        "inadequation_geographique", "lien_formation_emploi",
    )
}  # fmt: skip
_PERSON: Recipes = {"nom": r.LAST_NAME, "prenom": r.FIRST_NAME, "courriel": r.mail(), "telephone": r.phone()}

RECIPES: Mapping[str, Recipes] = {
    "territorial_diagnoses": {
        "annee": r.pick("2021"),
        "rome": r.rome(),
        "bassin": r.basin(),
        "offres": r.decimal(10, 900),
        "demandes": r.decimal(10, 900),
        "tension": r.number(1, 5),
        **_INDICATORS,
    },
    "labour_market_information": {
        "annee": r.pick("2019"),
        "nomenclature": r.pick("fap 225"),
        "fap": r.fap(every=3),
        "niveau_geo": r.turn("nat", "reg", "dep"),
        "region": r.turn("", "93", ""),
        "departement": r.turn("", "", "13"),
        "emploi_moyen": r.number(100, 90_000),
        "tension": r.decimal(0, 3),
        "categorie_tension": r.number(1, 5),
        **_INDICATORS,
    },
    "jobseekers_by_occupation": {
        "fap": r.fap(every=1),
        "annee": r.pick("2020"),
        "effectif_milliers": r.decimal(1, 90),
        "categorie": r.pick("Catégorie A"),
    },
    "unemployment_rates": {
        "departement": r.turn(*(f"0{department}" for department in r.MAINLAND)),
        "libelle": r.pick("Département"),
        "annee": r.counter(len(r.MAINLAND), 1990, 100),
        "taux_chomage": r.decimal(4, 14),
    },
    "unfilled_offers_analysis": {
        "annee": r.pick("2018"),
        "fap": r.fap(),
        "bassin": r.basin(),
        "offres_deposees": r.number(100, 900),
        "offres_non_pourvues": r.pick("*", "11", "40", "100"),
        "cause_principale": r.pick("", "manque_candidats", "competences"),
    },
    "public_recruitment_needs": {
        "annee": r.pick("2026"),
        "versant": r.pick("etat", "territoriale"),
        "employeur": r.serial("Établissement "),
        "departement": r.DEPARTMENT,
        "rome": r.ROME,
        "postes": r.pick("*", "12", "30"),
    },
    "events_list": {
        "id_evenement": r.serial("E-"),
        "intitule": r.pick("Forum des métiers", "Rencontres de l'emploi"),
        "type_evenement": r.pick("forum", "job_dating"),
        "organisateur": r.pick("Région", "Agence"),
        "date_debut": r.days(2025, 1, 100),
        "date_fin": r.days(2025, 5, 10),
        "commune": r.COMMUNE,
        "lieu": r.pick("Palais des congrès", ""),
        "en_ligne": r.pick("oui", "non"),
        "places": r.number(10, 400),
        "url": r.serial("https://evenements.example.org/"),
    },
    "spro_call_notice": {
        "numero_appel": r.serial("A-"),
        "appel_le": r.days(2025, 1, 100),
        **_PERSON,
        "departement": r.DEPARTMENT,
        "objet": r.pick("formation", "orientation"),
        "consent": r.pick("oui"),
        "consent_le": r.days(2025, 5, 10),
    },
    "placements": {
        "identifiant_jeune": r.serial(width=11, first=99_000_000_000),
        **_PERSON,
        "date_naissance": r.days(2001, 1, 1500),
        "commune": r.COMMUNE,
        "mission_locale": r.MISSION_LOCALE,
        "reference_offre": r.pick("O-1", "O-2"),
        "rome": r.ROME,
        "prescrit_le": r.days(2025, 1, 300),
        "accord": r.pick("oui"),
    },
    "missions_locales_directory": {
        "id": r.mission_locale(),
        "nom_officiel": r.serial("Mission Locale "),
        "nom_usuel": r.NOTHING,
        "nom_region": r.pick("Structure régionale Auvergne-Rhône-Alpes"),
        "code_region": r.pick("84"),
        "nom_departement": r.pick("Structure départementale Isère"),
        "code_departement": r.pick("38"),
        "timezone": r.pick("Europe/Paris"),
        "contact_nom": r.LAST_NAME,
        "contact_courriel": r.mail(),
    },
    "annual_review": {
        "annee": r.counter(500, 2024, 70),
        "mission_locale": r.turn(*(f"382{n:02d}S00" for n in range(100)), every=5),
        "type_contrat": r.turn("professionnalisation", "apprentissage", "CDI", "CDD", "autre"),
        "inventaire_collectives_metiers_conseillers": r.number(0, 10),
        "inventaire_collectives_metiers_jeunes": r.number(0, 30),
        "nb_jeunes_positionnes_par_ml": r.number(40, 90),
        "nb_jeunes_recrutes_par_type_contrat": r.number(0, 40),
    },
}

BREAKS: Mapping[str, tuple[Break, ...]] = {
    "territorial_diagnoses": (
        Break("basin", "bassin", {"bassin": "931"}),
        Break("rome", "rome", {"rome": "Z9999"}),
        Break("range", "offres", {"offres": "9,5"}),
        Break("range", "tension", {"tension": "6"}),
    ),
    "labour_market_information": (
        Break("fap", "fap", {"fap": "A0"}),
        Break("required_when_region", "region", {"niveau_geo": "reg", "region": "", "departement": ""}),
        Break("only_when_department", "departement", {"niveau_geo": "nat", "region": "", "departement": "13"}),
        Break("range", "categorie_tension", {"categorie_tension": "0"}),
    ),
    "jobseekers_by_occupation": (
        Break("fap", "fap", {"fap": "tous"}),
        Break("code_list", "categorie", {"categorie": "Catégorie Z"}),
        Break("decimal", "effectif_milliers", {"effectif_milliers": "NA"}),
    ),
    "unemployment_rates": (
        Break("departement", "departement", {"departement": "13"}),
        Break("range", "taux_chomage", {"taux_chomage": "101"}),
    ),
    "unfilled_offers_analysis": (
        Break("fap2021", "fap", {"fap": "A0X4"}),
        Break("at_most_offres_deposees", "offres_non_pourvues", {"offres_deposees": "20", "offres_non_pourvues": "21"}),
        Break("count", "offres_deposees", {"offres_deposees": "environ 20"}),
    ),
    "public_recruitment_needs": (
        Break("code_list", "versant", {"versant": "privé"}),
        Break("count", "postes", {"postes": "-1"}),
    ),
    "events_list": (
        Break("not_before_date_debut", "date_fin", {"date_fin": "01/01/2020"}),
        Break("url", "url", {"url": "evenements.example.org"}),
        Break("code_list", "type_evenement", {"type_evenement": "fête"}),
    ),
    "spro_call_notice": (
        Break("consent", "consent", {"consent": "non"}),
        Break("required", "consent", {"consent": ""}),
        Break("phone", "telephone", {"telephone": "0639"}),
        Break("not_before_appel_le", "consent_le", {"consent_le": "01/01/2020"}),
    ),
    "placements": (
        Break("age_18_25", "date_naissance", {"date_naissance": "01/01/1990"}),
        Break("consent", "accord", {"accord": "non"}),
        Break("mission-locale", "mission_locale", {"mission_locale": "99994S00"}),
        Break("france-travail", "identifiant_jeune", {"identifiant_jeune": "1234"}),
    ),
    "missions_locales_directory": (
        Break("mission-locale", "id", {"id": "99994S00"}),
        Break("required", "code_region", {"code_region": ""}),
        Break("timezone", "timezone", {"timezone": "Paris"}),
    ),
    "annual_review": (
        Break("required", "inventaire_collectives_metiers_jeunes", {"inventaire_collectives_metiers_jeunes": ""}),
        Break("required", "nb_jeunes_positionnes_par_ml", {"nb_jeunes_positionnes_par_ml": ""}),
        Break("at_most_nb_jeunes_positionnes_par_ml", "nb_jeunes_recrutes_par_type_contrat", {"nb_jeunes_recrutes_par_type_contrat": "95"}),
        Break("code_list", "type_contrat", {"type_contrat": "stage"}),
    ),
}  # fmt: skip
