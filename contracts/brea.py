"""Offers of the Region's exchange of employment and apprenticeship (BREA), both ways, and what follows (PACA, art. 17)."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import DEPARTMENT_2025, NAF_REV2, ROME_460
from contracts.dialects import hub
from contracts.relations import at_most, not_before, required_when
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Kind, PersonClass

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT
CONTRACTS = ("CDI", "CDD", "INTERIM", "SAISONNIER", "APPRENTISSAGE", "PROFESSIONNALISATION", "AUTRE")

_OFFER = (
    Column("libelle_metier", "Métier", "Occupation"),
    Column(
        "description_offre",
        "Description du poste, texte libre : des personnes peuvent y être nommées",
        "Description of the position, free text: persons may be named in it",
        Kind.TEXT,
        INDIRECT,
        free_text=True,
    ),
    Column(
        "duree_minimale_experience",
        "Expérience minimale demandée, en mois",
        "Least experience asked for, in months",
        Kind.INTEGER,
    ),
    Column("type_contrat", "Type de contrat", "Type of contract", Kind.CODE),
    Column("duree_contrat", "Durée du contrat, en mois", "Length of the contract, in months", Kind.INTEGER, required=False),
    Column("lieu_travail", "Lieu de travail", "Place of work"),
)  # fmt: skip
_OFFER_RULES = (
    Length("libelle_metier", 1, 293),
    Length("description_offre", 1, 4000),
    Between("duree_minimale_experience", 0, 600),
    OneOf("type_contrat", CONTRACTS),
    Between("duree_contrat", 1, 120),
    required_when(
        "required_when_CDD",
        "duree_contrat",
        "type_contrat",
        ("CDD",),
        fr="obligatoire pour un CDD (art. 17)",
        en="required for a fixed-term contract, CDD (art. 17)",
    ),
    Length("lieu_travail", 1, 255),
)
_PAY = Column("salaire", "Salaire proposé", "Pay offered", required=False)
_ROME = Column("rome", "Métier (code ROME)", "Occupation (ROME code)", Kind.CODE, required=False, codes=ROME_460)

BREA_COLUMNS = (
    *_OFFER,
    Column("siret", "SIRET de l'employeur", "SIRET of the employer", Kind.CODE),
    Column("reference_offre", "Référence de l'offre à la Région", "Reference of the offer at the Region", Kind.CODE, required=False),
    _ROME,
    Column("naf", "Activité de l'employeur", "Activity of the employer", Kind.CODE, required=False, codes=NAF_REV2),
    _PAY,
    Column("recueilli_le", "Date du recueil", "Date of collection", Kind.DATE, required=False),
)  # fmt: skip

BREA_OFFERS = DataContract(
    id="brea_offers",
    version="1.0.0",
    title={"fr": "Offres recueillies par la Région", "en": "Offers collected by the Region"},
    description={
        "fr": "Une ligne par offre, avec les sept renseignements minimaux de l'article 17 : métier, description, expérience, "
        "contrat et sa durée pour un CDD, lieu, SIRET.",
        "en": "One row for each offer, with the seven minimum fields of article 17: occupation, description, experience, contract "
        "and its length when fixed-term, place, SIRET.",
    },
    columns=BREA_COLUMNS,
    rules=(
        *_OFFER_RULES,
        Identifier("siret", "siret"),
        Length("reference_offre", 1, 50),
        Identifier("rome", "rome"),
        Identifier("naf", "naf"),
        Length("salaire", 1, 100),
        Happened("recueilli_le"),
    ),
    unique=(),
    dialects=(hub(column.name for column in BREA_COLUMNS),),
)

REVERSE_COLUMNS = (
    Column("numero_offre", "Numéro de l'offre à France Travail", "Number of the offer at France Travail", Kind.CODE),
    *_OFFER,
    Column("rome", "Métier (code ROME)", "Occupation (ROME code)", Kind.CODE, codes=ROME_460),
    Column("entreprise", "Nom de l'employeur, s'il est public", "Name of the employer, if public", required=False),
    _PAY,
    Column("url", "Adresse de l'offre", "Address of the offer"),
    Column("publie_le", "Date de publication", "Date of publication", Kind.DATE),
    Column("actualise_le", "Date d'actualisation", "Date of refreshing", Kind.DATE, required=False),
)

BREA_REVERSE = DataContract(
    id="brea_reverse",
    version="1.0.0",
    title={"fr": "Offres de Pôle emploi montrées par la Région", "en": "Offers of Pôle emploi shown by the Region"},
    description={
        "fr": "Une ligne par offre de Pôle emploi que la Région souhaite montrer, sans contact.",
        "en": "One row for each offer of Pôle emploi that the Region wishes to show, without a contact.",
    },
    columns=REVERSE_COLUMNS,
    rules=(
        Identifier("numero_offre", "ft-offer"),
        *_OFFER_RULES,
        Identifier("rome", "rome"),
        Length("entreprise", 1, 255),
        Length("salaire", 1, 100),
        Pattern("url", "url", r"https?://[!-~]{4,290}", "adresse http ou https", "http or https address"),
        not_before("actualise_le", "publie_le"),
    ),
    unique=(("numero_offre",),),
    dialects=(hub(column.name for column in REVERSE_COLUMNS),),
)

PHONE_COLUMNS = (
    Column("numero_appel", "Numéro de l'appel", "Number of the call", Kind.CODE),
    Column("appel_le", "Jour de l'appel", "Day of the call", Kind.DATE),
    Column("siret", "SIRET de l'entreprise", "SIRET of the company", Kind.CODE),
    Column("raison_sociale", "Raison sociale", "Name of the company"),
    Column("contact_nom", "Personne à rappeler", "Person to call back", Kind.TEXT, DIRECT),
    Column("contact_telephone", "Téléphone", "Phone number", Kind.TEXT, DIRECT),
    Column("contact_courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("objet", "Objet de l'appel", "Subject of the call", Kind.CODE),
    Column("libelle_metier", "Métier recherché", "Occupation sought", required=False),
)  # fmt: skip

BREA_PHONE = DataContract(
    id="brea_phone",
    version="1.0.0",
    title={"fr": "Demandes des entreprises par téléphone", "en": "Companies' requests by telephone"},
    description={
        "fr": "Une ligne par appel d'entreprise à transmettre le jour même.",
        "en": "One row for each call of a company, to be passed on the same day.",
    },
    columns=PHONE_COLUMNS,
    rules=(
        Length("numero_appel", 1, 50),
        Identifier("siret", "siret"),
        Length("raison_sociale", 1, 255),
        Length("contact_nom", 1, 100),
        Identifier("contact_telephone", "phone"),
        Identifier("contact_courriel", "email"),
        OneOf("objet", ("recrutement", "apprentissage", "formation", "information")),
        Length("libelle_metier", 1, 293),
        required_when(
            "required_when_hiring",
            "libelle_metier",
            "objet",
            ("recrutement", "apprentissage"),
            fr="obligatoire pour un recrutement",
            en="required for a recruitment",
        ),
    ),
    unique=(("numero_appel",),),
    dialects=(hub(column.name for column in PHONE_COLUMNS),),
)

REPORT_COLUMNS = (
    Column("mois", "Mois (AAAA-MM)", "Month (YYYY-MM)", Kind.CODE),
    Column("departement", "Département", "Department", Kind.CODE, codes=DEPARTMENT_2025),
    Column("offres_recues", "Offres reçues", "Offers received", Kind.INTEGER),
    Column("offres_integrees", "dont intégrées", "of which taken in", Kind.INTEGER),
    Column(
        "contacts_48h", "dont employeur contacté en 48 heures", "of which employer contacted in 48 hours", Kind.INTEGER
    ),
    Column(
        "solutions_10j", "dont solution proposée en 10 jours", "of which solution proposed in 10 days", Kind.INTEGER
    ),
    Column("offres_pourvues", "dont pourvues", "of which filled", Kind.INTEGER),
)

BREA_MONTHLY_REPORT = DataContract(
    id="brea_monthly_report",
    version="1.0.0",
    title={"fr": "Compte rendu mensuel sur les offres", "en": "Monthly report on the offers"},
    description={
        "fr": "Une ligne par mois et département : nombre d'offres et résultats, avec les deux délais de l'article 17.",
        "en": "One row for each month and department: offers and results, with the two time limits of article 17.",
    },
    columns=REPORT_COLUMNS,
    rules=(
        Pattern("month", "mois", r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])", "AAAA-MM", "YYYY-MM"),
        Identifier("departement", "department"),
        Between("offres_recues", 0, 10_000_000),
        *(Between(column.name, 0, 10_000_000) for column in REPORT_COLUMNS[3:]),
        at_most("offres_integrees", "offres_recues"),
        *(at_most(column.name, "offres_integrees") for column in REPORT_COLUMNS[4:]),
    ),
    unique=(("mois", "departement"),),
    dialects=(hub(column.name for column in REPORT_COLUMNS),),
)
