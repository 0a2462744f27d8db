"""Apprenticeship: needs without an offer (PACA, art. 10), and what becomes of apprentices (InserJeunes)."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import COMMUNE_2025, RNCP_2023, ROME_460, UAI
from contracts.dialects import hub
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Dialect, Kind, PersonClass

DIRECT = PersonClass.DIRECT

NEED_COLUMNS = (
    Column("siret", "SIRET de l'employeur", "SIRET of the employer", Kind.CODE),
    Column("raison_sociale", "Raison sociale", "Name of the employer"),
    Column("commune", "Commune de l'établissement", "Commune of the establishment", Kind.CODE, codes=COMMUNE_2025),
    Column("rome", "Métier à préparer", "Occupation to prepare", Kind.CODE, codes=ROME_460),
    Column("certification", "Certification souhaitée", "Certification wished", Kind.CODE, required=False, codes=RNCP_2023),
    Column("nombre_apprentis", "Apprentis recherchés", "Apprentices sought", Kind.INTEGER),
    Column("motif", "Pourquoi le besoin n'est pas couvert", "Why the need is not met", Kind.CODE),
    Column("contact_nom", "Personne à contacter", "Person to contact", Kind.TEXT, DIRECT, required=False),
    Column("contact_courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("contact_telephone", "Téléphone", "Phone number", Kind.TEXT, DIRECT, required=False),
    Column("signale_le", "Date du signalement", "Date of the report", Kind.DATE),
)  # fmt: skip

APPRENTICESHIP_NEEDS = DataContract(
    id="apprenticeship_needs",
    version="1.0.0",
    title={"fr": "Besoins en apprentissage sans offre", "en": "Apprenticeship needs without an offer"},
    description={
        "fr": "Une ligne par besoin d'employeur auquel aucune formation en apprentissage ne répond.",
        "en": "One row for each need of an employer that no apprenticeship training meets.",
    },
    columns=NEED_COLUMNS,
    rules=(
        Identifier("siret", "siret"),
        Length("raison_sociale", 1, 255),
        Identifier("commune", "commune"),
        Identifier("rome", "rome"),
        Identifier("certification", "certification"),
        Between("nombre_apprentis", 1, 1000),
        OneOf("motif", ("formation_absente", "formation_eloignee", "sections_completes", "calendrier")),
        Length("contact_nom", 1, 100),
        Identifier("contact_courriel", "email"),
        Identifier("contact_telephone", "phone"),
        Happened("signale_le"),
    ),
    unique=(("siret", "rome", "signale_le"),),
    dialects=(hub(column.name for column in NEED_COLUMNS),),
)


def _rate(name: str, fr: str, en: str) -> Column:
    return Column(name, fr, en, Kind.DECIMAL, required=False)


OUTCOME_COLUMNS = (
    Column("cohorte", "Cohorte (cumul de deux années)", "Cohort (two years together)", Kind.TEXT),
    Column("uai", "Centre de formation d'apprentis", "Apprentice training centre", Kind.CODE, codes=UAI),
    Column("libelle", "Nom du centre", "Name of the centre"),
    Column("region", "Région, en capitales", "Region, in capitals"),
    _rate("part_poursuite_etudes", "Part en poursuite d'études, en %", "Share in further studies, in %"),
    _rate("part_emploi_6_mois", "Part en emploi à 6 mois, en %", "Share employed at 6 months, in %"),
    _rate("part_autre_6_mois", "Part en autre situation à 6 mois, en %", "Share otherwise at 6 months, in %"),
    _rate("part_contrats_interrompus", "Part de contrats interrompus, en %", "Share of contracts broken off, in %"),
    _rate("taux_poursuite_etudes", "Taux de poursuite d'études", "Rate of further studies"),
    _rate("taux_emploi_6_mois", "Taux d'emploi à 6 mois", "Employment rate at 6 months"),
    _rate("taux_emploi_6_mois_attendu", "Taux d'emploi à 6 mois attendu", "Expected employment rate at 6 months"),
    _rate("valeur_ajoutee", "Écart du taux à l'attendu, en points", "Gap from the expected rate, in points"),
    _rate("taux_emploi_12_mois", "Taux d'emploi à 12 mois", "Employment rate at 12 months"),
    _rate("taux_emploi_18_mois", "Taux d'emploi à 18 mois", "Employment rate at 18 months"),
    _rate("taux_emploi_24_mois", "Taux d'emploi à 24 mois", "Employment rate at 24 months"),
)
_RATES = tuple(
    column.name for column in OUTCOME_COLUMNS if column.kind is Kind.DECIMAL and column.name != "valeur_ajoutee"
)

INSERJEUNES = Dialect(
    id="inserjeunes-cfa",
    sender="depp-dares",
    columns={
        "Année": "cohorte",
        "UAI": "uai",
        "Libellé": "libelle",
        "Région": "region",
        "DEVENIR Part poursuite études": "part_poursuite_etudes",
        "DEVENIR Part en emploi 6 mois": "part_emploi_6_mois",
        "DEVENIR Part autre situation 6 mois": "part_autre_6_mois",
        "Part contrats apprentissage interrompus": "part_contrats_interrompus",
        "Taux poursuite études": "taux_poursuite_etudes",
        "Taux emploi 6 mois": "taux_emploi_6_mois",
        "Taux emploi 6 mois attendu": "taux_emploi_6_mois_attendu",
        "VA emploi 6 mois": "valeur_ajoutee",
        "Taux emploi 12 mois": "taux_emploi_12_mois",
        "Taux emploi 18 mois": "taux_emploi_18_mois",
        "Taux emploi 24 mois": "taux_emploi_24_mois",
        "num_ligne": None,
    },
    encoding="utf-8-sig",
    line_end="crlf",
)

APPRENTICE_OUTCOMES = DataContract(
    id="apprentice_outcomes",
    version="1.0.0",
    title={"fr": "Insertion des apprentis par centre", "en": "Outcomes of apprentices by centre"},
    description={
        "fr": "Une ligne par centre et cohorte. Une valeur vide n'est pas diffusable : le dénominateur est inférieur à 20.",
        "en": "One row for each centre and cohort. An empty value may not be published: its denominator is below 20.",
    },
    columns=OUTCOME_COLUMNS,
    rules=(
        Pattern("cohort", "cohorte", r"cumul 20[0-9]{2}-20[0-9]{2}", "« cumul AAAA-AAAA »", "“cumul YYYY-YYYY”"),
        Identifier("uai", "uai"),
        Length("libelle", 1, 255),
        Pattern("region", "region", r"[A-Z' -]{2,50}", "capitales sans accent", "capitals without accents"),
        *(Between(name, 0, 100) for name in _RATES),
        Between("valeur_ajoutee", -100, 100),
    ),
    unique=(("cohorte", "uai"),),
    dialects=(INSERJEUNES, hub(column.name for column in OUTCOME_COLUMNS)),
)
