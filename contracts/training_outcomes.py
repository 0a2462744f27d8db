"""Outcomes of trainings, course by course and territory by territory: return to employment at six months."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.codes import FORMACODE_V14, RNCP_2023
from contracts.dialects import hub
from contracts.rules import Between, Identifier, Length, OneOf, Pattern, Relation
from passerelle.contract import Column, Kind

if TYPE_CHECKING:
    import polars as pl

LEVELS = ("national", "region", "department", "basin", "commune")
_ROUNDING = 0.0501
"""Half a tenth of a point, and what floating point adds."""


def _number(name: str) -> pl.Expr:
    """The count, null where it is secret."""
    import polars as pl

    return pl.col(name).cast(pl.Int64, strict=False)


def _leavers_entered() -> pl.Expr:
    return _number("leavers") <= _number("entrants")


def _employed_left() -> pl.Expr:
    return _number("employed_6_months") <= _number("leavers")


def _rate_agrees() -> pl.Expr:
    """Null, so nothing to judge, when a count is secret or nobody left."""
    import polars as pl

    left = _number("leavers")
    expected = 100 * _number("employed_6_months") / left
    return pl.when(left > 0).then((pl.col("employment_rate") - expected).abs() <= _ROUNDING)


def _rate_has_leavers() -> pl.Expr:
    import polars as pl

    return pl.col("employment_rate").is_null() | (_number("leavers") != 0)


def _territory_fits() -> pl.Expr:
    import polars as pl

    forms = {
        "national": "^FR$",
        "region": "^[0-9]{2}$",
        "department": "^(?:[0-9]{2,3}|2[AB])$",
        "basin": "^[0-9]{4}$",
        "commune": "^[0-9][0-9AB][0-9]{3}$",
    }
    level, territory = pl.col("territory_level"), pl.col("territory")
    return pl.coalesce(pl.when(level == name).then(territory.str.contains(form)) for name, form in forms.items())


COLUMNS = (
    Column(
        "period",
        "Cohorte : année ou semestre d'entrée en formation (2024, 2024-S1)",
        "Cohort: year or half-year of entry into training (2024, 2024-S1)",
        Kind.CODE,
    ),
    Column("course", "Formation, telle que l'émetteur la désigne", "Course, as the sender names it", Kind.CODE),
    Column("course_label", "Intitulé de la formation", "Course title"),
    Column(
        "formacode",
        "Domaine de la formation (FORMACODE)",
        "Field of the training (FORMACODE)",
        Kind.CODE,
        codes=FORMACODE_V14,
    ),
    Column(
        "certification",
        "Certification préparée (RNCP ou RS)",
        "Certification prepared (RNCP or RS)",
        Kind.CODE,
        required=False,
        codes=RNCP_2023,
    ),
    Column("territory_level", "Niveau du territoire", "Level of the territory", Kind.CODE),
    Column(
        "territory",
        "Territoire : FR, code de région, de département, de bassin ou de commune",
        "Territory: FR, code of the region, department, basin or commune",
        Kind.CODE,
    ),
    Column("entrants", "Personnes entrées en formation", "Persons who entered the training", Kind.COUNT),
    Column("leavers", "dont sorties de formation", "of whom have left it", Kind.COUNT),
    Column(
        "employed_6_months",
        "dont en emploi d'un mois au moins dans les six mois suivant la sortie",
        "of whom have had a job of at least one month within six months of leaving",
        Kind.COUNT,
    ),
    Column(
        "employment_rate",
        "Taux d'accès à l'emploi à six mois, en % des personnes sorties, à une décimale",
        "Rate of access to employment at six months, in % of those who left, one decimal",
        Kind.DECIMAL,
        required=False,
    ),
)

RULES = (
    Pattern(
        "period", "period", r"(?:19|20)[0-9]{2}(?:-S[12])?", "AAAA ou AAAA-S1, AAAA-S2", "YYYY or YYYY-S1, YYYY-S2"
    ),
    Pattern(
        "course",
        "course",
        r"[0-9A-Za-z_/-]{1,30}",
        "1 à 30 lettres, chiffres, barres, tirets ou traits bas",
        "1 to 30 letters, digits, slashes, hyphens or underscores",
    ),
    Length("course_label", 1, 255),
    Identifier("formacode", "formacode"),
    Identifier("certification", "certification"),
    OneOf("territory_level", LEVELS),
    Relation(
        "territory",
        "territory",
        _territory_fits,
        "le code a la forme de son niveau de territoire",
        "the code has the form of its level of territory",
    ),
    Relation(
        "leavers_entered",
        "leavers",
        _leavers_entered,
        "au plus le nombre de personnes entrées",
        "at most the number of persons who entered",
    ),
    Relation(
        "employed_left",
        "employed_6_months",
        _employed_left,
        "au plus le nombre de personnes sorties",
        "at most the number of persons who left",
    ),
    Between("employment_rate", 0, 100),
    Relation(
        "rate_agrees",
        "employment_rate",
        _rate_agrees,
        "égal à 100 × en emploi / sorties, à l'arrondi près",
        "equal to 100 × employed / leavers, within rounding",
    ),
    Relation(
        "rate_has_leavers",
        "employment_rate",
        _rate_has_leavers,
        "pas de taux quand personne n'est sorti",
        "no rate when nobody has left",
    ),
)

TRAINING_OUTCOMES = DataContract(
    id="training_outcomes",
    version="1.0.0",
    title={"fr": "Résultats des formations par territoire", "en": "Training outcomes by territory"},
    description={
        "fr": "Une ligne par cohorte, formation et territoire. Des effectifs et un taux, avant contrôle du secret statistique.",
        "en": "One row for each cohort, course and territory. Counts and a rate, before disclosure control.",
    },
    columns=COLUMNS,
    rules=RULES,
    unique=(("period", "course", "territory_level", "territory"),),
    dialects=(hub((column.name for column in COLUMNS), secrecy=("*",)),),
)
