"""Persons entering and leaving a training: the senders' formats map onto one contract."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.codes import COMMUNE_2025, FORMACODE_V14
from contracts.dialects import hub
from contracts.rules import Between, Identifier, Length, Pattern, Relation
from passerelle.contract import Column, Dialect, Kind, PersonClass

if TYPE_CHECKING:
    import polars as pl

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT


def _exit_follows_entry() -> pl.Expr:
    import polars as pl

    return pl.col("exit_date") >= pl.col("entry_date")


def _placed() -> pl.Expr:
    import polars as pl

    return pl.col("commune").is_not_null() | pl.col("postcode").is_not_null()


COLUMNS = (
    Column(
        "trainee_id",
        "Identifiant du stagiaire chez l'émetteur",
        "Trainee's identifier at the sender's",
        Kind.CODE,
        DIRECT,
        identifier="trainee",
    ),
    Column(
        "nir",
        "Numéro d'inscription au répertoire (NIR), 13 caractères et la clé",
        "National registration number (NIR), 13 characters and the key",
        Kind.CODE,
        DIRECT,
        required=False,
        identifier="nir",
    ),
    Column("last_name", "Nom", "Last name", Kind.TEXT, DIRECT),
    Column("first_name", "Prénom", "First name", Kind.TEXT, DIRECT),
    Column("email", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("phone", "Téléphone", "Phone number", Kind.TEXT, DIRECT, required=False),
    Column("course_label", "Intitulé de la formation", "Course title", Kind.TEXT),
    Column(
        "session_id",
        "Session ou action de formation, telle que l'émetteur la désigne",
        "Training session or action, as the sender names it",
        Kind.CODE,
        INDIRECT,
    ),
    Column("entry_date", "Date d'entrée en formation", "Date of entry", Kind.DATE, INDIRECT),
    Column(
        "exit_date",
        "Date de sortie, prévue tant qu'elle n'est pas constatée",
        "Date of exit, planned until it is known",
        Kind.DATE,
        INDIRECT,
        required=False,
    ),
    Column("provider_siret", "SIRET de l'organisme de formation", "SIRET of the training provider", Kind.CODE),
    Column(
        "commune",
        "Commune du lieu de formation (code INSEE)",
        "Commune of the training place (INSEE code)",
        Kind.CODE,
        INDIRECT,
        required=False,
        codes=COMMUNE_2025,
    ),
    Column(
        "formacode",
        "Domaine de la formation (FORMACODE)",
        "Field of the training (FORMACODE)",
        Kind.CODE,
        required=False,
        codes=FORMACODE_V14,
    ),
    Column(
        "funders",
        "Financeurs (codes)",
        "Funders (codes)",
        Kind.CODE,
        INDIRECT,
        required=False,
        many=True,
    ),
    Column(
        "postcode",
        "Code postal du lieu de formation",
        "Postcode of the training place",
        Kind.CODE,
        INDIRECT,
        required=False,
    ),
)

RULES = (
    Pattern(
        "trainee_id",
        "trainee_id",
        r"[0-9A-Za-z_-]{1,20}",
        "1 à 20 lettres, chiffres, tirets ou traits bas",
        "1 to 20 letters, digits, hyphens or underscores",
    ),
    Identifier("nir", "nir"),
    Length("last_name", 1, 100),
    Length("first_name", 1, 100),
    Identifier("email", "email"),
    Identifier("phone", "phone"),
    Length("course_label", 1, 255),
    Pattern(
        "session_id",
        "session_id",
        r"[0-9A-Za-z_/-]{1,30}",
        "1 à 30 lettres, chiffres, barres, tirets ou traits bas",
        "1 to 30 letters, digits, slashes, hyphens or underscores",
    ),
    Between("entry_date", date(1990, 1, 1), date(2100, 12, 31)),
    Between("exit_date", date(1990, 1, 1), date(2100, 12, 31)),
    Relation(
        "exit_after_entry",
        "exit_date",
        _exit_follows_entry,
        "la sortie ne précède pas l'entrée",
        "the exit does not come before the entry",
    ),
    Identifier("provider_siret", "siret"),
    Identifier("commune", "commune"),
    Relation(
        "place",
        "commune",
        _placed,
        "le lieu est donné par la commune ou le code postal",
        "the place is given by its commune or its postcode",
    ),
    Identifier("formacode", "formacode"),
    Pattern(
        "funders",
        "funders",
        r"[0-9A-Z]{1,10}",
        "chaque code a de 1 à 10 capitales ou chiffres",
        "each code has 1 to 10 capitals or digits",
    ),
    Identifier("postcode", "postcode"),
)

POLE_EMPLOI = Dialect(
    id="pole-emploi",
    sender="pole-emploi",
    columns={
        "c_nomcorrespondance": "last_name",
        "c_prenomcorrespondance": "first_name",
        "c_adresseemail": "email",
        "c_telephone1": "phone",
        "c_telephone2": None,
        "c_validitemail_id": None,
        "dn_individu_national": "trainee_id",
        "dn_session_id": "session_id",
        "c_individulocal": None,
        "dc_formation_id": None,
        "dc_lblformation": "course_label",
        "dd_datedebutplanformation": "entry_date",
        "dd_datefinplanformation": "exit_date",
        "dc_organisme_id": None,
        "dc_cp_lieuformation": "postcode",
        "dc_insee_lieuformation": "commune",
        "dc_ville_lieuformation": None,
        "dc_formacode_ppal_id": "formacode",
        "dc_formacode_secondaire1_id": None,
        "dc_formacode_secondaire2_id": None,
        "dc_formacode_secondaire3_id": None,
        "dc_formacode_secondaire4_id": None,
        "dn_certifinfo_1_id": None,
        "dn_certifinfo_2_id": None,
        "dn_certifinfo_3_id": None,
        "dn_certifinfo_4_id": None,
        "dn_certifinfo_5_id": None,
        "dc_siret": "provider_siret",
        "dc_lblorganisme": None,
        "dc_raisonsociale": None,
        "departement": None,
        "dc_numeroicsession": None,
        "dc_numeroicaction": None,
        "liste_financeur": "funders",
        "c_dispositifformation": None,
        "dc_siretorganismeformateur": None,
        "dc_lblorganismeorganismeformateur": None,
        "dc_raisonsocialeorganismeformateur": None,
    },
    separator="|",
    quote=None,
    nulls=("", "NULL"),
    date_formats=("%Y-%m-%d 00:00:00.0",),
    multivalue={"funders": ";"},
)

REGION_IDF = Dialect(
    id="region-idf",
    sender="region-idf",
    columns={
        "Identifiant Stagiaire": "trainee_id",
        "Identifiant Composante": None,
        "Raison Sociale": None,
        "SIRET": "provider_siret",
        "Numéro Action": "session_id",
        "Libellé Action": "course_label",
        "Individu.Nom": "last_name",
        "Prénom": "first_name",
        "Tel Portable": "phone",
        "Mail": "email",
        "Date Entree": "entry_date",
        "Date Sortie Prevue": None,
        "Date Sortie": "exit_date",
        "Site.Nom": None,
        "Code Postal": "postcode",
        "Ville": None,
        "Id Session DOKELIO": None,
    },
    date_formats=("%d/%m/%Y",),
)

TRAINING_ENTRIES = DataContract(
    id="training_entries",
    version="1.0.0",
    title={"fr": "Entrées et sorties de formation", "en": "Training entries and exits"},
    description={
        "fr": "Une ligne par personne et par entrée en formation : qui entre, où, quand, jusqu'à quand, chez qui.",
        "en": "One row for each person and entry into training: who enters, where, when, until when, at which provider.",
    },
    columns=COLUMNS,
    rules=RULES,
    unique=(("trainee_id", "session_id", "entry_date"),),
    dialects=(
        POLE_EMPLOI,
        REGION_IDF,
        hub((column.name for column in COLUMNS if column.name != "postcode"), multivalue={"funders": ","}),
    ),
)
