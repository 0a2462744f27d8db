"""Public-sector job offers, as the State's site sends them to France Travail: four generations of one feed.

Version 1.1.0 adds the description of the employer, which the feed brings since July 2021; 1.0.0 is served beside it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.dialects import hub
from contracts.rules import Between, Identifier, Length, OneOf, Pattern, Relation
from passerelle.contract import Column, Dialect, Kind, PersonClass

if TYPE_CHECKING:
    import polars as pl


def _fixed_term_has_length() -> pl.Expr:
    import polars as pl

    return (pl.col("contract_type") != "CDD") | pl.col("contract_months").is_not_null()


def _modified_after_creation() -> pl.Expr:
    import polars as pl

    return pl.col("modified_on") >= pl.col("created_on")


COLUMNS = (
    Column("reference", "Référence de l'offre chez l'émetteur", "Reference of the offer at the sender's", Kind.CODE),
    Column("url", "Adresse de l'offre", "Address of the offer"),
    Column("occupation_ogr", "Appellation de métier (code OGR)", "Occupation (OGR code)", Kind.CODE),
    Column("occupation_label", "Intitulé du métier ou du poste", "Name of the occupation or position"),
    Column(
        "description",
        "Description du poste, texte libre : des personnes peuvent y être nommées",
        "Description of the position, free text: persons may be named in it",
        Kind.TEXT,
        PersonClass.INDIRECT,
        free_text=True,
    ),
    Column("department", "Département du poste", "Department of the position", Kind.CODE, required=False),
    Column("department_label", "Nom du département", "Name of the department", required=False),
    Column("partner_code", "Partenaire (code)", "Partner (code)", Kind.CODE),
    Column("partner_name", "Partenaire (nom)", "Partner (name)"),
    Column("experience_min", "Expérience minimale demandée", "Least experience asked for", Kind.INTEGER),
    Column("experience_code", "Exigence d'expérience", "Whether experience is required", Kind.CODE),
    Column("experience_label", "Exigence d'expérience, en clair", "Whether experience is required, in words"),
    Column("experience_unit", "Unité de l'expérience", "Unit of the experience", Kind.CODE),
    Column("contract_nature", "Nature du contrat", "Nature of the contract", Kind.CODE),
    Column("contract_type", "Type de contrat", "Type of contract", Kind.CODE),
    Column(
        "contract_months",
        "Durée du contrat, en mois",
        "Length of the contract, in months",
        Kind.INTEGER,
        required=False,
    ),
    Column("country", "Pays du poste", "Country of the position", Kind.CODE),
    Column("created_on", "Date de création", "Date of creation", Kind.DATE),
    Column("modified_on", "Date de modification", "Date of modification", Kind.DATE, required=False),
)

RULES = (
    Pattern(
        "reference",
        "reference",
        r"[0-9A-Za-z_/-]{1,50}",
        "1 à 50 lettres, chiffres, barres, tirets ou traits bas",
        "1 to 50 letters, digits, slashes, hyphens or underscores",
    ),
    Pattern("url", "url", r"https?://[!-~]{4,290}", "adresse http ou https", "http or https address"),
    Identifier("occupation_ogr", "ogr"),
    Length("occupation_label", 1, 293),
    Length("description", 50, 4000),
    Pattern(
        "department",
        "department",
        r"0[1-9]|[1-8][0-9]|9[0-5]|2[ABab]|97[1-8]|98[4-9]",
        "code de département, 2A et 2B en capitales ou non",
        "department code, 2A and 2B in capitals or not",
    ),
    Length("department_label", 1, 100),
    Pattern("partner_code", "partner_code", r"[0-9A-Za-z_-]{1,50}", "1 à 50 caractères", "1 to 50 characters"),
    Length("partner_name", 1, 50),
    Between("experience_min", 0, 99),
    OneOf("experience_code", ("D", "E", "S")),
    Length("experience_label", 1, 100),
    OneOf("experience_unit", ("JO", "MO", "AN")),
    Pattern("contract_nature", "contract_nature", r"[0-9A-Z]{2}", "2 capitales ou chiffres", "2 capitals or digits"),
    Pattern("contract_type", "contract_type", r"[0-9A-Z]{3}", "3 capitales ou chiffres", "3 capitals or digits"),
    Between("contract_months", 1, 999),
    Relation(
        "fixed_term_length",
        "contract_months",
        _fixed_term_has_length,
        "la durée est obligatoire pour un CDD",
        "the length is required for a fixed-term contract (CDD)",
    ),
    Pattern("country", "country", r"[0-9A-Z]{1,3}", "1 à 3 capitales ou chiffres", "1 to 3 capitals or digits"),
    Between("created_on", date(2000, 1, 1), date(2100, 12, 31)),
    Between("modified_on", date(2000, 1, 1), date(2100, 12, 31)),
    Relation(
        "modified_after_creation",
        "modified_on",
        _modified_after_creation,
        "la modification ne précède pas la création",
        "the modification does not come before the creation",
    ),
)

_CONDITIONS = {
    "Par_cle": "partner_code",
    "Par_nom": "partner_name",
    "Off_experience_duree_min": "experience_min",
    "Exp_cle": "experience_code",
    "Exp_libelle": "experience_label",
    "Dur_cle_experience": "experience_unit",
    "NTC_cle": "contract_nature",
    "TCO_cle": "contract_type",
    "Off_contrat_duree_MO": "contract_months",
    "Pay_cle": "country",
    "Off_date_creation": "created_on",
    "Off_date_modification": "modified_on",
}
"""The last twelve columns of every generation."""

PEP_2021_03 = Dialect(
    id="pep-2021-03-03",
    sender="mtfp",
    columns={
        "Par_ref_offre": "reference",
        "Par_URL_offre": "url",
        "Code_ogr": "occupation_ogr",
        "Libelle_metier_OGR": "occupation_label",
        "Description": "description",
        **_CONDITIONS,
    },
    separator="|",
    quote=None,
    line_end="crlf",
    date_formats=("%d/%m/%Y",),
)

PEP_2021_04 = Dialect(
    id="pep-2021-04-16",
    sender="mtfp",
    columns={
        "Par_URL_offre": "url",
        "Code_OGR": "occupation_ogr",
        "Par_ref_offre": "reference",
        "Description": "description",
        "Libelle_metier_OGR": "occupation_label",
        "DEP_libelle": "department_label",
        "DEP_cle": "department",
        **_CONDITIONS,
    },
    separator="|",
    quote=None,
    line_end="lf",
    date_formats=("%d/%m/%Y",),
    trim=True,
)

PEP_2021_03_05 = replace(
    PEP_2021_03,
    id="pep-2021-03-05",
    columns={
        "Par_URL_offre": "url",
        "Code_ogr": "occupation_ogr",
        "Par_ref_offre": "reference",
        "Description": "description",
        **_CONDITIONS,
    },
    line_end="lf",
)

PEP_2021_07 = replace(
    PEP_2021_04,
    id="pep-2021-07-06",
    columns={
        **{header: name for header, name in PEP_2021_04.columns.items() if header not in _CONDITIONS},
        "Description_entreprise": "company_description",
        **_CONDITIONS,
    },
)

_INTERNAL = {
    "reference": (
        "Numéro de l'offre dans le système de l'émetteur, et non la référence publique",
        "Number of the offer in the sender's own system, not the public reference",
    )
}
MEANINGS = {PEP_2021_03.id: _INTERNAL, PEP_2021_03_05.id: _INTERNAL}
"""``Par_ref_offre`` was the internal number until April 2021, the public reference since: the two never join."""

JOB_OFFERS_1_0 = DataContract(
    id="job_offers",
    version="1.0.0",
    served_until=date(2026, 12, 31),
    title={"fr": "Offres d'emploi de la fonction publique", "en": "Public-sector job offers"},
    description={
        "fr": "Une ligne par offre publiée. Le texte libre de la description est le seul endroit où des personnes apparaissent.",
        "en": "One row for each published offer. The free text of the description is the only place where persons appear.",
    },
    columns=COLUMNS,
    rules=RULES,
    unique=(("reference",),),
    dialects=(PEP_2021_03, PEP_2021_03_05, PEP_2021_04, hub(column.name for column in COLUMNS)),
    meanings=MEANINGS,
)

_COMPANY = Column(
    "company_description",
    "Présentation de l'employeur, texte libre : des personnes peuvent y être nommées",
    "Presentation of the employer, free text: persons may be named in it",
    Kind.TEXT,
    PersonClass.INDIRECT,
    free_text=True,
    required=False,
)

JOB_OFFERS = replace(
    JOB_OFFERS_1_0,
    version="1.1.0",
    served_until=None,
    columns=(*COLUMNS, _COMPANY),
    rules=(*RULES, Length("company_description", 1, 4000)),
    dialects=(
        PEP_2021_03,
        PEP_2021_03_05,
        PEP_2021_04,
        PEP_2021_07,
        hub((*(column.name for column in COLUMNS), _COMPANY.name)),
    ),
)
