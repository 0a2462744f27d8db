"""The survey of labour needs (besoins en main-d'œuvre): recruitment intentions by occupation and employment basin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.codes import BASIN_2023, FAP_2009, REGION_2016
from contracts.dialects import hub
from contracts.rules import Between, Identifier, Length, Pattern, Relation, Rule
from passerelle.contract import Column, Dialect, Kind

if TYPE_CHECKING:
    import polars as pl

SECRECY_THRESHOLD = 5
"""The survey publishes no count below this one (measured on the 2023 and 2025 editions); it prints ``*``."""


def _number(name: str) -> pl.Expr:
    """The count, null where it is secret."""
    import polars as pl

    return pl.col(name).cast(pl.Int64, strict=False)


def _published(name: str) -> Relation:
    return Relation(
        "secrecy_threshold",
        name,
        lambda: _number(name) >= SECRECY_THRESHOLD,
        f"aucun effectif publié au-dessous de {SECRECY_THRESHOLD}",
        f"no published count below {SECRECY_THRESHOLD}",
    )


def _part_of_met(name: str) -> Relation:
    return Relation(
        "part_of_met",
        name,
        lambda: _number(name) <= _number("met"),
        "au plus le total des projets, quand les deux sont publiés",
        "at most the total of the projects, where both are published",
    )


def _secret_with_met(name: str) -> Relation:
    def test() -> pl.Expr:
        import polars as pl

        return (pl.col("met") != "*") | (pl.col(name) == "*")

    return Relation(
        "secret_with_met",
        name,
        test,
        "secret dès que le total est secret",
        "secret whenever the total is secret",
    )


COLUMNS = (
    Column("year", "Année de l'enquête", "Year of the survey", Kind.INTEGER),
    Column("occupation", "Métier (code FAP 2009)", "Occupation (FAP 2009 code)", Kind.CODE, codes=FAP_2009),
    Column("occupation_label", "Libellé du métier", "Name of the occupation"),
    Column("family", "Famille de métiers", "Family of occupations", Kind.CODE),
    Column("family_label", "Libellé de la famille de métiers", "Name of the family of occupations"),
    Column("basin", "Bassin d'emploi (4 chiffres)", "Employment basin (4 digits)", Kind.CODE, codes=BASIN_2023),
    Column("basin_label", "Nom du bassin d'emploi", "Name of the employment basin"),
    Column("department", "Département", "Department", Kind.CODE),
    Column("department_label", "Nom du département", "Name of the department"),
    Column("region", "Région (code INSEE)", "Region (INSEE code)", Kind.CODE, codes=REGION_2016),
    Column("region_label", "Nom de la région", "Name of the region"),
    Column("met", "Projets de recrutement", "Recruitment projects", Kind.COUNT),
    Column("xmet", "dont jugés difficiles", "of which judged difficult", Kind.COUNT),
    Column("smet", "dont saisonniers", "of which seasonal", Kind.COUNT),
)

RULES: tuple[Rule, ...] = (
    Between("year", 2002, 2100),
    Identifier("occupation", "fap2009"),
    Length("occupation_label", 1, 255),
    Pattern("family", "family", "[A-Z]", "une capitale", "one capital letter"),
    Length("family_label", 1, 255),
    Pattern("basin", "basin", "[0-9]{4}", "4 chiffres", "4 digits"),
    Length("basin_label", 1, 255),
    Identifier("department", "department"),
    Length("department_label", 1, 255),
    Pattern("region", "region", "[0-9]{2}", "2 chiffres", "2 digits"),
    Length("region_label", 1, 255),
    *(_published(name) for name in ("met", "xmet", "smet")),
    *(_part_of_met(name) for name in ("xmet", "smet")),
    *(_secret_with_met(name) for name in ("xmet", "smet")),
)

BMO_2023 = Dialect(
    id="bmo-2023",
    sender="pole-emploi",
    format="xlsx",
    sheet="BMO_2023_open_data",
    columns={
        "annee": "year",
        "Code métier BMO": "occupation",
        "Nom métier BMO": "occupation_label",
        "Famille_met": "family",
        "Lbl_fam_met": "family_label",
        "BE23": "basin",
        "NOMBE23": "basin_label",
        "Dept": "department",
        "NomDept": "department_label",
        "REG": "region",
        "NOM_REG": "region_label",
        "met": "met",
        "xmet": "xmet",
        "smet": "smet",
    },
    secrecy=("*",),
    zero_fill={"basin": 4},
)

STUDIES_BMO = DataContract(
    id="studies_bmo",
    version="1.0.0",
    title={"fr": "Enquête Besoins en main-d'œuvre", "en": "Survey of labour needs (BMO)"},
    description={
        "fr": "Projets de recrutement par métier, bassin d'emploi et département. L'astérisque dit un effectif couvert par le "
        "secret statistique : ce n'est ni zéro ni une absence.",
        "en": "Recruitment projects by occupation, employment basin and department. The asterisk says that a count is under "
        "statistical secrecy: it is neither zero nor missing.",
    },
    columns=COLUMNS,
    rules=RULES,
    unique=(("occupation", "basin", "department"),),
    dialects=(BMO_2023, hub((column.name for column in COLUMNS), secrecy=("*",))),
)
