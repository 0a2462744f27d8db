"""Calls to the Region's guidance line, told to Pôle emploi if the caller agrees (PACA, art. 11): consent row by row."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import DEPARTMENT_2025
from contracts.dialects import hub
from contracts.relations import is_yes, not_before
from contracts.rules import Happened, Identifier, Length, OneOf
from passerelle.contract import Column, Kind, PersonClass

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT

COLUMNS = (
    Column("numero_appel", "Numéro de l'appel", "Number of the call", Kind.CODE, INDIRECT),
    Column("appel_le", "Jour de l'appel", "Day of the call", Kind.DATE, INDIRECT),
    Column("nom", "Nom", "Last name", Kind.TEXT, DIRECT),
    Column("prenom", "Prénom", "First name", Kind.TEXT, DIRECT),
    Column("telephone", "Téléphone", "Phone number", Kind.TEXT, DIRECT),
    Column("courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("departement", "Département de résidence", "Department of residence", Kind.CODE, INDIRECT, codes=DEPARTMENT_2025),
    Column("objet", "Objet de l'appel", "Subject of the call", Kind.CODE, INDIRECT),
    Column("consent", "Accord de la personne à la transmission", "The person's agreement to the transfer", Kind.BOOLEAN, INDIRECT),
    Column("consent_le", "Date de cet accord", "Date of that agreement", Kind.DATE, INDIRECT),
)  # fmt: skip

SPRO_CALL_NOTICE = DataContract(
    id="spro_call_notice",
    version="1.0.0",
    title={"fr": "Appels au numéro d'orientation", "en": "Calls to the guidance line"},
    description={
        "fr": "Une ligne par appel ; sans l'accord de la personne, la ligne ne part jamais, les autres partent.",
        "en": "One row for each call; without the person's agreement the row never leaves, the others do.",
    },
    columns=COLUMNS,
    rules=(
        Length("numero_appel", 1, 50),
        Length("nom", 1, 100),
        Length("prenom", 1, 100),
        Identifier("telephone", "phone"),
        Identifier("courriel", "email"),
        Identifier("departement", "department"),
        OneOf("objet", ("formation", "orientation", "emploi", "creation_entreprise", "vae")),
        is_yes("consent", "consent", "la personne a donné son accord (art. 11)", "the person has agreed (art. 11)"),
        not_before("consent_le", "appel_le"),
        Happened("consent_le"),
    ),
    unique=(("numero_appel",),),
    dialects=(hub(column.name for column in COLUMNS),),
)
