"""Recruitment into the public service (CSP): needs, the vendor's export that feeds the public offers, and the site's own list."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import DEPARTMENT_2025, ROME_460
from contracts.dialects import hub
from contracts.rules import Between, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Dialect, Kind, PersonClass

NEED_COLUMNS = (
    Column("annee", "Année du besoin", "Year of the need", Kind.INTEGER),
    Column("versant", "Versant de la fonction publique", "Branch of the public service", Kind.CODE),
    Column("employeur", "Ministère, collectivité ou établissement", "Ministry, authority or institution"),
    Column("departement", "Département", "Department", Kind.CODE, codes=DEPARTMENT_2025),
    Column("rome", "Métier", "Occupation", Kind.CODE, codes=ROME_460),
    Column("postes", "Postes à pourvoir", "Posts to fill", Kind.COUNT),
)

PUBLIC_RECRUITMENT_NEEDS = DataContract(
    id="public_recruitment_needs",
    version="1.0.0",
    title={"fr": "Besoins de recrutement du secteur public", "en": "Recruitment needs of the public sector"},
    description={
        "fr": "Une ligne par année, employeur, département et métier.",
        "en": "One row for each year, employer, department and occupation.",
    },
    columns=NEED_COLUMNS,
    rules=(
        Between("annee", 2024, 2100),
        OneOf("versant", ("etat", "territoriale", "hospitaliere")),
        Length("employeur", 1, 255),
        Identifier("departement", "department"),
        Identifier("rome", "rome"),
    ),
    unique=(("annee", "employeur", "departement", "rome"),),
    dialects=(hub((column.name for column in NEED_COLUMNS), secrecy=("*",)),),
)

LISTED_COLUMNS = (
    Column("id", "Référence de l'offre", "Reference of the offer", Kind.CODE),
    Column("titre", "Intitulé du poste", "Title of the post"),
    Column("employeur", "Employeur, parfois son adresse", "Employer, sometimes its address", required=False),
    Column("ville", "Lieu du poste, texte libre", "Place of the post, free text", required=False),
    Column("domaine", "Métier", "Occupation"),
    Column("contrat", "Contrat et sa durée, en clair", "Contract and its length, in words", required=False),
    Column("versant", "Versant de la fonction publique", "Branch of the public service", Kind.CODE, required=False),
    Column("date_publication", "Date de publication", "Date of publication", Kind.DATE),
    Column("date_limite", "Fin de publication ; vide : sans fin", "End of publication; empty: without end", Kind.DATE, required=False),
)  # fmt: skip

CSP_2026 = Dialect(
    id="csp-2026",
    sender="dgafp",
    columns={column.name: column.name for column in LISTED_COLUMNS},
    format="json",
    nulls=("", "31/12/9999"),
    date_formats=("%d/%m/%Y",),
)

PUBLIC_OFFERS_LIST = DataContract(
    id="public_offers_list",
    version="1.0.0",
    title={"fr": "Offres de « Choisir le service public »", "en": "Offers of “Choisir le service public”"},
    description={
        "fr": "Une ligne par offre du site public.",
        "en": "One row for each offer of the public site.",
    },
    columns=LISTED_COLUMNS,
    rules=(
        Pattern("reference", "id", r"[0-9A-Za-z_-]{4,60}", "4 à 60 lettres, chiffres, tirets ou traits bas", "4 to 60 letters, digits, hyphens or underscores"),
        Length("titre", 1, 500),
        Length("employeur", 1, 1000),
        Length("ville", 1, 500),
        Length("domaine", 1, 255),
        Length("contrat", 1, 100),
        OneOf("versant", ("Fonction Publique de l'Etat", "Fonction Publique Territoriale", "Fonction Publique Hospitalière")),
    ),
    unique=(("id",),),
    dialects=(CSP_2026, hub(column.name for column in LISTED_COLUMNS)),
)  # fmt: skip

SOURCE_COLUMNS = (
    Column("numero", "Numéro interne de l'offre", "Internal number of the offer", Kind.CODE),
    Column("reference", "Référence publique de l'offre", "Public reference of the offer", Kind.CODE),
    Column("statut", "Statut de l'offre", "State of the offer"),
    Column("metier", "Métier (répertoire de la fonction publique)", "Occupation (list of the public service)"),
    Column("intitule", "Intitulé du poste", "Title of the post"),
    Column("categorie", "Catégorie statutaire", "Statutory category", Kind.CODE),
    Column(
        "description",
        "Description du poste, texte libre : des personnes peuvent y être nommées",
        "Description of the position, free text: persons may be named in it",
        Kind.TEXT,
        PersonClass.INDIRECT,
        free_text=True,
    ),
    Column("versant", "Versant de la fonction publique", "Branch of the public service"),
    Column("employeur", "Entité qui recrute", "Recruiting entity"),
    Column("region", "Nom de la région", "Name of the region"),
    Column("departement", "Département, « Nom (code) »", "Department, “Name (code)”"),
    Column("lieu", "Lieu du poste, texte libre", "Place of the post, free text", required=False),
    Column("temps_complet", "Temps complet ou non", "Full time or not", required=False),
    Column("debut", "Poste à pourvoir le", "Post to be filled on", Kind.DATE),
)

TALENTSOFT_HEADERS = (
    "OfferID", "Offer_CreationUser_", "Offer_CustomFields_Date1_", "Offer_ModificationDate_",
    "Offer_CustomFieldsTranslation_LongText2_", "Offer_OfferID_", "Offer_CustomFieldsTranslation_LongText1_",
    "Offer_CoordLat_", "Offer_CoordLong_", "Offer_Reference_", "Offer_OfferStatus_",
    "JobDescription_CustomFields_CustomCodeTableValue1_", "JobDescription_CustomFieldsTranslation_ShortText2_",
    "JobDescription_CustomFieldsTranslation_LongText2_", "JobDescription_CustomFieldsTranslation_LongText1_",
    "JobDescription_CustomFieldsTranslation_LongText3_", "JobDescriptionTranslation_Description2_",
    "JobDescriptionTranslation_Description1_", "JobDescription_PrimaryProfile_", "JobDescriptionTranslation_ContractLength_",
    "JobDescriptionTranslation_JobTitle_", "JobDescription_Contract_", "JobDescription_Country_",
    "JobDescription_ProfessionalCategory_", "JobDescription_SalaryRange_", "Offer_Profile_Profile_", "Location_JobLocation_",
    "Location_CustomFieldsTranslation_ShortText1_", "Location_GeographicalArea_GeographicalArea_", "Location_Country_Country_",
    "Location_Region_Region_", "Location_Department_Department_", "ApplicantCriteria_EducationLevel_",
    "ApplicantCriteria_Country_", "Offer_Specialisation_Specialisation_", "RequiredLanguage_Language_",
    "RequiredLanguage_LanguageLevel_", "Origin_CustomFieldsTranslation_ShortText3_", "Origin_BeginningDate_",
    "Origin_Entity_With1", "Origin_Entity_With2", "Origin_Entity_With3", "Origin_Entity_With4", "Origin_Entity_With5",
    "Origin_Entity_", "Origin_CustomFieldsTranslation_ShortText2_", "Origin_CustomFieldsTranslation_ShortText1_",
    "Offer_BackOfficeUser_User_", "SchedulingData_DefaultPublicationBeginDate_", "SchedulingData_DefaultPublicationEndDate_",
    "SchedulingData_UpdateFrequency_", "SchedulingData_AutomaticUpdate_",
    "OfferCustomBlock1_CustomFieldsTranslation_LongText1_", "OfferCustomBlock1_CustomFields_CustomCodeTableValue3_",
    "FirstPublicationDate", "MainSupervisor",
)  # fmt: skip
"""The vendor's 56 columns, in order; agents, correspondents and what is not needed are read and dropped."""

_KEPT = {
    "OfferID": "numero",
    "Offer_Reference_": "reference",
    "Offer_OfferStatus_": "statut",
    "JobDescription_CustomFields_CustomCodeTableValue1_": "categorie",
    "JobDescriptionTranslation_Description1_": "description",
    "JobDescription_PrimaryProfile_": "metier",
    "JobDescriptionTranslation_JobTitle_": "intitule",
    "JobDescription_SalaryRange_": "versant",
    "Location_JobLocation_": "lieu",
    "Location_Region_Region_": "region",
    "Location_Department_Department_": "departement",
    "Origin_BeginningDate_": "debut",
    "Origin_Entity_": "employeur",
    "OfferCustomBlock1_CustomFields_CustomCodeTableValue3_": "temps_complet",
}

TALENTSOFT = Dialect(
    id="talentsoft-2021",
    sender="talentsoft",
    columns={header: _KEPT.get(header) for header in TALENTSOFT_HEADERS},
    date_formats=("%d/%m/%Y",),
)

PUBLIC_OFFERS_SOURCE = DataContract(
    id="public_offers_source",
    version="1.0.0",
    title={"fr": "Offres publiques, export du prestataire", "en": "Public offers, the vendor's export"},
    description={
        "fr": "Une ligne par offre, telle que le prestataire de l'État l'exporte avant la conversion au format de l'opérateur.",
        "en": "One row for each offer, as the State's vendor exports it before conversion to the operator's format.",
    },
    columns=SOURCE_COLUMNS,
    rules=(
        Pattern("numero", "numero", "[0-9]{1,10}", "1 à 10 chiffres", "1 to 10 digits"),
        Length("reference", 1, 50),
        Length("statut", 1, 50),
        Length("metier", 1, 255),
        Length("intitule", 1, 255),
        OneOf("categorie", ("A", "B", "C")),
        Length("description", 1, 20_000),
        Length("versant", 1, 100),
        Length("employeur", 1, 255),
        Length("region", 1, 100),
        Pattern("departement", "departement", r".{2,60} \((?:[0-9]{2,3}|2[AB])\)", "« Nom (code) »", "“Name (code)”"),
        Length("lieu", 1, 255),
        OneOf("temps_complet", ("Temps complet", "Temps non complet")),
    ),
    unique=(("reference",),),
    dialects=(TALENTSOFT, hub(column.name for column in SOURCE_COLUMNS)),
)
