"""The regional charter of the GEIQ and the Missions Locales of Auvergne-Rhône-Alpes: needs, offers, directory, referrals, review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.codes import COMMUNE_2025, DEPARTMENT_2025, REGION_2016, ROME_460
from contracts.dialects import hub
from contracts.relations import at_most, is_yes, not_before, required_when
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Pattern, Relation
from passerelle.contract import Column, Dialect, Kind, PersonClass

if TYPE_CHECKING:
    import polars as pl

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT
YOUNGEST, OLDEST = 18, 25
"""Ages of the public, both included (« Objectifs communs »); the preamble says 16 to 25 (GEIQ-I4)."""


def _young() -> pl.Expr:
    """From the 18th birthday to the eve of the 26th, on the day of the referral."""
    import polars as pl

    birth, day = pl.col("date_naissance"), pl.col("prescrit_le")
    return (birth.dt.offset_by(f"{YOUNGEST}y") <= day) & (birth.dt.offset_by(f"{OLDEST + 1}y") > day)


_CONTACT = (
    Column("contact_nom", "Personne à contacter", "Person to contact", Kind.TEXT, DIRECT, required=False),
    Column("contact_courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
)  # fmt: skip
_CONTACT_RULES = (Length("contact_nom", 1, 100), Identifier("contact_courriel", "email"))
_REFERENCE = r"[0-9A-Za-z_/-]{1,40}"
_REFERENCE_FR = "1 à 40 lettres, chiffres, barres, tirets ou traits bas"
_REFERENCE_EN = "1 to 40 letters, digits, slashes, hyphens or underscores"
CONTRACTS = ("professionnalisation", "apprentissage", "CDI", "CDD", "autre")

NEED_COLUMNS = (
    Column("reference", "Référence du besoin", "Reference of the need", Kind.CODE),
    Column("geiq_siret", "SIRET du GEIQ", "SIRET of the GEIQ", Kind.CODE),
    Column("nature_besoin", "Nature du besoin", "Kind of need", Kind.CODE),
    Column("intitule_poste", "Intitulé du poste", "Title of the post"),
    Column("rome", "Métier", "Occupation", Kind.CODE, codes=ROME_460),
    Column("nombre_postes", "Nombre de postes", "Number of posts", Kind.INTEGER),
    Column("type_contrat", "Type de contrat", "Type of contract", Kind.CODE, required=False),
    Column("commune", "Commune du poste", "Commune of the post", Kind.CODE, codes=COMMUNE_2025),
    Column("a_partir_du", "Besoin à partir du", "Need from", Kind.DATE),
    *_CONTACT,
)

RECRUITMENT_NEEDS = DataContract(
    id="recruitment_needs",
    version="1.0.0",
    title={"fr": "Besoins des GEIQ", "en": "Needs of the GEIQ"},
    description={
        "fr": "Une ligne par besoin de recrutement, de formation ou de préqualification.",
        "en": "One row for each need of recruitment, training or prequalification.",
    },
    columns=NEED_COLUMNS,
    rules=(
        Pattern("reference", "reference", _REFERENCE, _REFERENCE_FR, _REFERENCE_EN),
        Identifier("geiq_siret", "siret"),
        OneOf("nature_besoin", ("recrutement", "formation", "prequalification")),
        Length("intitule_poste", 1, 255),
        Identifier("rome", "rome"),
        Between("nombre_postes", 1, 1000),
        OneOf("type_contrat", CONTRACTS),
        required_when(
            "required_when_hiring",
            "type_contrat",
            "nature_besoin",
            ("recrutement",),
            fr="obligatoire pour un recrutement",
            en="required for a recruitment",
        ),
        Identifier("commune", "commune"),
        *_CONTACT_RULES,
    ),
    unique=(("reference",),),
    dialects=(hub(column.name for column in NEED_COLUMNS),),
)

OFFER_COLUMNS = (
    Column("reference", "Référence de l'offre", "Reference of the offer", Kind.CODE),
    Column("geiq_siret", "SIRET du GEIQ", "SIRET of the GEIQ", Kind.CODE),
    Column("intitule_poste", "Intitulé du poste", "Title of the post"),
    Column(
        "description",
        "Description du poste, texte libre : des personnes peuvent y être nommées",
        "Description of the position, free text: persons may be named in it",
        Kind.TEXT,
        INDIRECT,
        free_text=True,
    ),
    Column("rome", "Métier", "Occupation", Kind.CODE, codes=ROME_460),
    Column("type_contrat", "Type de contrat", "Type of contract", Kind.CODE),
    Column("duree_contrat", "Durée du contrat, en mois", "Length of the contract, in months", Kind.INTEGER, required=False),
    Column("commune", "Commune du poste", "Commune of the post", Kind.CODE, codes=COMMUNE_2025),
    Column("publie_le", "Date de publication", "Date of publication", Kind.DATE),
    Column("jusqu_au", "Candidatures jusqu'au", "Applications until", Kind.DATE, required=False),
    *_CONTACT,
)  # fmt: skip

OFFERS_DISSEMINATION = DataContract(
    id="offers_dissemination",
    version="1.0.0",
    title={"fr": "Offres diffusées aux Missions Locales", "en": "Offers disseminated to the Missions Locales"},
    description={"fr": "Une ligne par offre d'un GEIQ.", "en": "One row for each offer of a GEIQ."},
    columns=OFFER_COLUMNS,
    rules=(
        Pattern("reference", "reference", _REFERENCE, _REFERENCE_FR, _REFERENCE_EN),
        Identifier("geiq_siret", "siret"),
        Length("intitule_poste", 1, 255),
        Length("description", 1, 4000),
        Identifier("rome", "rome"),
        OneOf("type_contrat", CONTRACTS),
        Between("duree_contrat", 1, 120),
        required_when(
            "required_when_fixed_term",
            "duree_contrat",
            "type_contrat",
            ("CDD", "professionnalisation", "apprentissage"),
            fr="obligatoire sauf pour un CDI",
            en="required unless permanent",
        ),
        Identifier("commune", "commune"),
        not_before("jusqu_au", "publie_le"),
        *_CONTACT_RULES,
    ),
    unique=(("reference",),),
    dialects=(hub(column.name for column in OFFER_COLUMNS),),
)

DIRECTORY_COLUMNS = (
    Column("id", "Identifiant de la Mission Locale", "Identifier of the Mission Locale", Kind.CODE),
    Column("nom_officiel", "Nom officiel", "Official name"),
    Column("nom_usuel", "Nom usuel", "Usual name", required=False),
    Column("nom_region", "Structure régionale", "Regional body"),
    Column("code_region", "Région", "Region", Kind.CODE, codes=REGION_2016),
    Column("nom_departement", "Structure départementale", "Department's body"),
    Column("code_departement", "Département", "Department", Kind.CODE, codes=DEPARTMENT_2025),
    Column("timezone", "Fuseau horaire (base IANA)", "Time zone (IANA base)", Kind.CODE),
    Column("contact_nom", "Référent pour les GEIQ", "Referent for the GEIQ", Kind.TEXT, DIRECT, required=False),
    Column("contact_courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
)  # fmt: skip

I_MILO = Dialect(
    id="i-milo-structures",
    sender="amilaura",
    columns={
        column.name: column.name
        for column in DIRECTORY_COLUMNS
        if column.name not in {"contact_nom", "contact_courriel"}
    },
    format="json",
)

MISSIONS_LOCALES_DIRECTORY = DataContract(
    id="missions_locales_directory",
    version="1.0.0",
    title={"fr": "Annuaire des Missions Locales", "en": "Directory of the Missions Locales"},
    description={
        "fr": "Une ligne par Mission Locale ; l'identifiant commence par le code de sa commune, ce qui écarte les lignes d'essai.",
        "en": "One row for each Mission Locale; its identifier begins with its commune's code, which keeps trial rows out.",
    },
    columns=DIRECTORY_COLUMNS,
    rules=(
        Identifier("id", "mission-locale"),
        Length("nom_officiel", 1, 255),
        Length("nom_usuel", 1, 255),
        Length("nom_region", 1, 255),
        Pattern("region", "code_region", "[0-9]{2}", "2 chiffres", "2 digits"),
        Length("nom_departement", 1, 255),
        Identifier("code_departement", "department"),
        Pattern("timezone", "timezone", r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+", "Région/Ville", "Region/City"),
        *_CONTACT_RULES,
    ),
    unique=(("id",),),
    dialects=(I_MILO, hub(column.name for column in DIRECTORY_COLUMNS)),
)

PLACEMENT_COLUMNS = (
    Column(
        "identifiant_jeune",
        "Identifiant France Travail de la personne",
        "The person's France Travail identifier",
        Kind.CODE,
        DIRECT,
        identifier="france-travail",
    ),
    Column("nom", "Nom", "Last name", Kind.TEXT, DIRECT, part="last_name"),
    Column("prenom", "Prénom", "First name", Kind.TEXT, DIRECT, part="first_name"),
    Column("date_naissance", "Date de naissance", "Date of birth", Kind.DATE, DIRECT, part="birth_date"),
    Column("courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("telephone", "Téléphone", "Phone number", Kind.TEXT, DIRECT, required=False),
    Column("commune", "Commune de résidence", "Commune of residence", Kind.CODE, INDIRECT, codes=COMMUNE_2025),
    Column("mission_locale", "Mission Locale qui propose", "Mission Locale that refers", Kind.CODE, INDIRECT),
    Column("reference_offre", "Offre du GEIQ", "Offer of the GEIQ", Kind.CODE, INDIRECT),
    Column("rome", "Métier", "Occupation", Kind.CODE, INDIRECT, codes=ROME_460),
    Column("prescrit_le", "Date de la proposition", "Date of the referral", Kind.DATE, INDIRECT),
    Column("accord", "Accord de la personne à la transmission", "The person's agreement to the transfer", Kind.BOOLEAN, INDIRECT),
)  # fmt: skip

PLACEMENTS = DataContract(
    id="placements",
    version="1.0.0",
    title={"fr": "Candidatures proposées aux GEIQ", "en": "Candidates referred to the GEIQ"},
    description={
        "fr": "Une ligne par jeune de 18 à 25 ans et par offre. Handicap et santé n'ont pas de colonne.",
        "en": "One row for each young person aged 18 to 25 and offer. Disability and health have no column.",
    },
    columns=PLACEMENT_COLUMNS,
    rules=(
        Identifier("identifiant_jeune", "france-travail"),
        Length("nom", 1, 100),
        Length("prenom", 1, 100),
        Relation(
            "age_18_25",
            "date_naissance",
            _young,
            "18 à 25 ans le jour de la proposition",
            "18 to 25 years old on the day of the referral",
        ),
        Identifier("courriel", "email"),
        Identifier("telephone", "phone"),
        Identifier("commune", "commune"),
        Identifier("mission_locale", "mission-locale"),
        Pattern("reference", "reference_offre", _REFERENCE, _REFERENCE_FR, _REFERENCE_EN),
        Identifier("rome", "rome"),
        is_yes("consent", "accord", "la personne a donné son accord", "the person has agreed"),
        Happened("prescrit_le"),
    ),
    unique=(("identifiant_jeune", "reference_offre"),),
    dialects=(hub(column.name for column in PLACEMENT_COLUMNS),),
)

ANNUAL_COLUMNS = (
    Column("annee", "Année du bilan", "Year of the review", Kind.INTEGER),
    Column("mission_locale", "Mission Locale", "Mission Locale", Kind.CODE),
    Column("type_contrat", "Type de contrat", "Type of contract", Kind.CODE),
    Column("inventaire_collectives_metiers_conseillers", "Réunions sur les métiers, pour les conseillers", "Meetings on occupations, for advisers", Kind.INTEGER),
    Column("inventaire_collectives_metiers_jeunes", "Réunions sur les métiers, pour les jeunes", "Meetings on occupations, for young people", Kind.INTEGER),
    Column("nb_jeunes_positionnes_par_ml", "Jeunes proposés aux GEIQ", "Young people referred to the GEIQ", Kind.COUNT),
    Column("nb_jeunes_recrutes_par_type_contrat", "dont recrutés", "of whom hired", Kind.COUNT),
)  # fmt: skip

ANNUAL_REVIEW = DataContract(
    id="annual_review",
    version="1.0.0",
    title={"fr": "Bilan annuel partagé", "en": "Shared yearly review"},
    description={
        "fr": "Une ligne par Mission Locale et type de contrat, avec les quatre indicateurs de la charte.",
        "en": "One row for each Mission Locale and type of contract, with the charter's four indicators.",
    },
    columns=ANNUAL_COLUMNS,
    rules=(
        Between("annee", 2024, 2100),
        Identifier("mission_locale", "mission-locale"),
        OneOf("type_contrat", CONTRACTS),
        *(Between(column.name, 0, 10_000) for column in ANNUAL_COLUMNS[3:5]),
        at_most("nb_jeunes_recrutes_par_type_contrat", "nb_jeunes_positionnes_par_ml"),
    ),
    unique=(("annee", "mission_locale", "type_contrat"),),
    dialects=(hub((column.name for column in ANNUAL_COLUMNS), secrecy=("*",)),),
)
