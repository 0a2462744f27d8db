"""Candidate profiles of a recruitment pool: persons who agreed to be put in touch with employers.

Health, disability (RQTH) and any other special category of data have no column here: an article 9 ground would be needed,
and no convention gives one.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.codes import COMMUNE_2025, ROME_460
from contracts.dialects import hub
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Relation
from passerelle.contract import Column, Kind, PersonClass

if TYPE_CHECKING:
    import polars as pl

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT
LICENCES = ("AM", "A1", "A2", "A", "B", "BE", "C1", "C", "D1", "D")
"""Categories of the French driving licence (code de la route, R. 221-4), trailers other than BE left out."""


def _consents() -> pl.Expr:
    import polars as pl

    return pl.col("consent")


def _old_enough() -> pl.Expr:
    """Sixteen years on the day of consent (Code du travail, L. 4153-1)."""
    import polars as pl

    return pl.col("birth_date").dt.offset_by("16y") <= pl.col("consented_on")


COLUMNS = (
    Column(
        "jobseeker_id",
        "Identifiant France Travail",
        "France Travail identifier",
        Kind.CODE,
        DIRECT,
        identifier="france-travail",
    ),
    Column("last_name", "Nom", "Last name", Kind.TEXT, DIRECT, part="last_name"),
    Column("first_name", "Prénom", "First name", Kind.TEXT, DIRECT, part="first_name"),
    Column("email", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, required=False, identifier="email"),
    Column("phone", "Téléphone", "Phone number", Kind.TEXT, DIRECT, required=False),
    Column("birth_date", "Date de naissance", "Date of birth", Kind.DATE, DIRECT, part="birth_date"),
    Column(
        "commune",
        "Commune de résidence (code INSEE)",
        "Commune of residence (INSEE code)",
        Kind.CODE,
        INDIRECT,
        codes=COMMUNE_2025,
    ),
    Column(
        "rome", "Métier recherché (code ROME)", "Occupation sought (ROME code)", Kind.CODE, INDIRECT, codes=ROME_460
    ),
    Column(
        "experience_years", "Expérience dans le métier, en années", "Experience in it, in years", Kind.INTEGER, INDIRECT
    ),
    Column("licence", "Permis de conduire", "Driving licence", Kind.CODE, INDIRECT, required=False),
    Column("mobility_km", "Mobilité, en kilomètres", "Mobility, in kilometres", Kind.INTEGER, INDIRECT, required=False),
    Column("available_on", "Disponible à partir du", "Available from", Kind.DATE, INDIRECT),
    Column(
        "consent",
        "Accord de la personne à la transmission",
        "The person's agreement to the transfer",
        Kind.BOOLEAN,
        INDIRECT,
    ),
    Column("consented_on", "Date de cet accord", "Date of that agreement", Kind.DATE, INDIRECT),
)

RULES = (
    Identifier("jobseeker_id", "france-travail"),
    Length("last_name", 1, 100),
    Length("first_name", 1, 100),
    Identifier("email", "email"),
    Identifier("phone", "phone"),
    Between("birth_date", date(1900, 1, 1), date(2100, 12, 31)),
    Relation(
        "age",
        "birth_date",
        _old_enough,
        "16 ans au moins le jour de l'accord",
        "at least 16 years old on the day of the agreement",
    ),
    Identifier("commune", "commune"),
    Identifier("rome", "rome"),
    Between("experience_years", 0, 60),
    OneOf("licence", LICENCES),
    Between("mobility_km", 0, 1000),
    Between("available_on", date(2000, 1, 1), date(2100, 12, 31)),
    Relation(
        "consent",
        "consent",
        _consents,
        "la personne a donné son accord",
        "the person has agreed",
    ),
    Between("consented_on", date(2000, 1, 1), date(2100, 12, 31)),
    Happened("consented_on"),
)

CANDIDATE_POOL = DataContract(
    id="candidate_pool",
    version="1.0.0",
    title={"fr": "Vivier de candidats", "en": "Pool of candidates"},
    description={
        "fr": "Une ligne par personne et métier recherché ; sans l'accord de la personne, la ligne est refusée.",
        "en": "One row for each person and occupation sought; without the person's agreement, the row is refused.",
    },
    columns=COLUMNS,
    rules=RULES,
    unique=(("jobseeker_id", "rome"),),
    dialects=(hub(column.name for column in COLUMNS),),
)
