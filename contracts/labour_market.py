"""What is known of the labour market by occupation and territory: tensions, jobseekers, unemployment, unfilled offers.

Sources: the territorial diagnoses and information of FACE (engagements) and PACA (art. 1), the yearly analysis of art. 16.
"""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import BASIN_2019, BASIN_2023, DEPARTMENT_2025, FAP_2009, FAP_2021, REGION_2016, ROME_460
from contracts.dialects import hub
from contracts.relations import absent_unless, at_most, required_when
from contracts.rules import Between, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Dialect, Kind

_YEAR = Column("annee", "Année", "Year", Kind.INTEGER)
_BASIN_SHORT = "1 (faible) à 5 (forte)"
_FAP = r"[A-Z][0-9][A-Z](?:[0-9]{2})?"


def _level(name: str, fr: str, en: str) -> Column:
    return Column(name, f"{fr}, de {_BASIN_SHORT}", f"{en}, from 1 (weak) to 5 (strong)", Kind.DECIMAL, required=False)


_INDICATORS = (
    _level("intensite_embauches", "Intensité d'embauches", "Intensity of hiring"),
    _level("manque_main_oeuvre", "Manque de main-d'œuvre disponible", "Lack of available labour"),
    _level("non_durabilite_emploi", "Non-durabilité de l'emploi", "Instability of employment"),
    _level("conditions_travail", "Conditions de travail contraignantes", "Demanding working conditions"),
    _level("inadequation_geographique", "Inadéquation géographique", "Geographic mismatch"),
    _level("lien_formation_emploi", "Lien entre formation et emploi", "Link between training and employment"),
)
_INDICATOR_RULES = tuple(Between(column.name, 1, 5) for column in _INDICATORS)

DIAGNOSIS_COLUMNS = (
    _YEAR,
    Column("rome", "Métier", "Occupation", Kind.CODE, codes=ROME_460),
    Column("bassin", "Bassin d'emploi", "Employment basin", Kind.CODE, codes=BASIN_2019),
    Column("offres", "Offres d'emploi enregistrées, en moyenne", "Job offers recorded, on average", Kind.DECIMAL),
    Column("demandes", "Demandeurs d'emploi A, B, C, en moyenne", "Jobseekers A, B, C, on average", Kind.DECIMAL),
    _level("tension", "Tension", "Tension"),
    *_INDICATORS,
)

TENSIONS_BASSIN_ROME = Dialect(
    id="tensions-bassin-rome-2021",
    sender="pole-emploi",
    columns={
        "annee": "annee",
        "ROME": "rome",
        "cbassin": "bassin",
        "oee": "offres",
        "defm_abc": "demandes",
        "ind_tension_d": "tension",
        "ind_int_emb_d": "intensite_embauches",
        "ind_main_oeuvre_d": "manque_main_oeuvre",
        "ind_dur_empl_d": "non_durabilite_emploi",
        "ind_cond_travail_d": "conditions_travail",
        "ind_mismatch_geo_d": "inadequation_geographique",
        "ind_specif_form_empl_d": "lien_formation_emploi",
    },
    decimal=",",
)

TERRITORIAL_DIAGNOSES = DataContract(
    id="territorial_diagnoses",
    version="1.0.0",
    title={
        "fr": "Diagnostic territorial : tensions par bassin et métier",
        "en": "Territorial diagnosis: tensions by basin",
    },
    description={
        "fr": "Une ligne par métier et bassin d'emploi. Rien n'est publié au-dessous de 10 offres.",
        "en": "One row for each occupation and employment basin. Nothing is published below 10 offers.",
    },
    columns=DIAGNOSIS_COLUMNS,
    rules=(
        Between("annee", 1990, 2100),
        Identifier("rome", "rome"),
        Identifier("bassin", "basin"),
        Between("offres", 10, 10_000_000),
        Between("demandes", 0, 10_000_000),
        Between("tension", 1, 5),
        *_INDICATOR_RULES,
    ),
    unique=(("annee", "rome", "bassin"),),
    dialects=(TENSIONS_BASSIN_ROME, hub(column.name for column in DIAGNOSIS_COLUMNS)),
)

INFORMATION_COLUMNS = (
    _YEAR,
    Column("nomenclature", "Niveau de la nomenclature des métiers", "Level of the list of occupations", Kind.CODE),
    Column("fap", "Métier (code FAP)", "Occupation (FAP code)", Kind.CODE, codes=FAP_2009),
    Column("niveau_geo", "Niveau du territoire", "Level of the territory", Kind.CODE),
    Column("region", "Région", "Region", Kind.CODE, required=False, codes=REGION_2016),
    Column("departement", "Département", "Department", Kind.CODE, required=False, codes=DEPARTMENT_2025),
    Column("emploi_moyen", "Emploi moyen", "Average employment", Kind.INTEGER),
    Column("tension", "Indicateur de tension (écart à la moyenne)", "Tension (deviation from the mean)", Kind.DECIMAL, required=False),
    _level("categorie_tension", "Tension", "Tension"),
    *_INDICATORS,
)  # fmt: skip

DARES_TENSIONS = Dialect(
    id="dares-tensions-2019",
    sender="dares",
    columns={
        "fap": "fap",
        "Emploi moyen": "emploi_moyen",
        "Tension ": "tension",
        "Catégorie Tension": "categorie_tension",
        "Intensité d'embauches": "intensite_embauches",
        "Lien formation-emploi": "lien_formation_emploi",
        "Manque de main-d'œuvre disponible": "manque_main_oeuvre",
        "Non-durabilité de l'emploi": "non_durabilite_emploi",
        "Conditions de travail contraignantes": "conditions_travail",
        "Inadéquation géographique": "inadequation_geographique",
        "Année": "annee",
        "niveau_geo": "niveau_geo",
        "niveau_fap": "nomenclature",
        "reg": "region",
        "dep": "departement",
    },
    separator=",",
    trim=True,
    zero_fill={"region": 2},
)

LABOUR_MARKET_INFORMATION = DataContract(
    id="labour_market_information",
    version="1.0.0",
    title={"fr": "Tensions sur le marché du travail", "en": "Tensions on the labour market"},
    description={
        "fr": "Une ligne par métier et territoire, aux trois niveaux : France, région, département. Deux niveaux de la "
        "nomenclature FAP 2009 sont dans le même fichier.",
        "en": "One row for each occupation and territory, at three levels: France, region, department. Two levels of the "
        "FAP 2009 list are in the same file.",
    },
    columns=INFORMATION_COLUMNS,
    rules=(
        Between("annee", 1990, 2100),
        OneOf("nomenclature", ("fap 225", "fap 87")),
        Pattern("fap", "fap", _FAP, "code FAP de 3 ou 5 caractères", "FAP code of 3 or 5 characters"),
        OneOf("niveau_geo", ("nat", "reg", "dep")),
        Pattern("region", "region", "[0-9]{2}", "2 chiffres", "2 digits"),
        required_when("required_when_region", "region", "niveau_geo", ("reg",), fr="obligatoire au niveau régional", en="required at regional level"),
        absent_unless("only_when_region", "region", "niveau_geo", ("reg",), fr="vide aux autres niveaux", en="empty at other levels"),
        Identifier("departement", "department"),
        required_when("required_when_department", "departement", "niveau_geo", ("dep",), fr="obligatoire au niveau départemental", en="required at department level"),
        absent_unless("only_when_department", "departement", "niveau_geo", ("dep",), fr="vide aux autres niveaux", en="empty at other levels"),
        Between("emploi_moyen", 0, 100_000_000),
        Between("tension", -100, 100),
        Between("categorie_tension", 1, 5),
        *_INDICATOR_RULES,
    ),
    unique=(),
    dialects=(DARES_TENSIONS, hub(column.name for column in INFORMATION_COLUMNS)),
)  # fmt: skip

JOBSEEKER_COLUMNS = (
    Column("fap", "Métier recherché (code FAP) ou Ensemble", "Occupation sought (FAP code) or all of them", Kind.CODE, codes=FAP_2009),
    _YEAR,
    Column("effectif_milliers", "Demandeurs d'emploi, en milliers", "Jobseekers, in thousands", Kind.DECIMAL, required=False),
    Column("categorie", "Catégorie de demandeurs d'emploi", "Category of jobseekers", Kind.CODE),
)  # fmt: skip

DARES_JOBSEEKERS = Dialect(
    id="dares-demandeurs-fap",
    sender="dares",
    columns={"Fap3": "fap", "Annee": "annee", "Effectifs": "effectif_milliers", "Categorie": "categorie"},
    encoding="cp1252",
    separator=",",
    nulls=("", "NA"),
)

JOBSEEKERS_BY_OCCUPATION = DataContract(
    id="jobseekers_by_occupation",
    version="1.0.0",
    title={"fr": "Demandeurs d'emploi par métier", "en": "Jobseekers by occupation"},
    description={
        "fr": "Une ligne par métier, année et catégorie. Trois niveaux de nomenclature sont mêlés : ne pas les additionner.",
        "en": "One row for each occupation, year and category. Three levels of the list are mixed: do not add them up.",
    },
    columns=JOBSEEKER_COLUMNS,
    rules=(
        Pattern("fap", "fap", rf"{_FAP}|ZZZ(?:ZZ)?|[Ee]nsemble", "code FAP de 3 ou 5 caractères, Ensemble, ou des Z (métier inconnu)", "FAP code of 3 or 5 characters, Ensemble, or Zs (unknown occupation)"),
        Between("annee", 1990, 2100),
        Between("effectif_milliers", 0, 10_000),
        OneOf("categorie", ("Catégorie A", "Catégories A, B, C")),
    ),
    unique=(("fap", "annee", "categorie"),),
    dialects=(DARES_JOBSEEKERS, hub(column.name for column in JOBSEEKER_COLUMNS)),
)  # fmt: skip

UNEMPLOYMENT_COLUMNS = (
    Column("departement", "Département, sur trois caractères", "Department, on three characters", Kind.CODE, codes=DEPARTMENT_2025),
    Column("libelle", "Nom du département", "Name of the department"),
    _YEAR,
    Column("taux_chomage", "Taux de chômage, en %", "Unemployment rate, in %", Kind.DECIMAL),
)  # fmt: skip

CHOMAGE_INSEE = Dialect(
    id="insee-chomage-departements",
    sender="insee",
    columns={
        "codeDepartement": "departement",
        "libelleDepartement": "libelle",
        "rentreeScolaire": "annee",
        "tauxChomage": "taux_chomage",
    },
    decimal=",",
)

UNEMPLOYMENT_RATES = DataContract(
    id="unemployment_rates",
    version="1.0.0",
    title={"fr": "Taux de chômage par département", "en": "Unemployment rate by department"},
    description={"fr": "Une ligne par département et par an.", "en": "One row for each department and year."},
    columns=UNEMPLOYMENT_COLUMNS,
    rules=(
        Pattern("departement", "departement", r"0(?:0[1-9]|[1-8][0-9]|9[0-5]|2[AB])|97[1-8]", "code sur trois caractères (001, 02A, 971)", "code on three characters (001, 02A, 971)"),
        Length("libelle", 1, 100),
        Between("annee", 1982, 2100),
        Between("taux_chomage", 0, 100),
    ),
    unique=(("departement", "annee"),),
    dialects=(CHOMAGE_INSEE, hub(column.name for column in UNEMPLOYMENT_COLUMNS)),
)  # fmt: skip

UNFILLED_COLUMNS = (
    _YEAR,
    Column("fap", "Métier (code FAP 2021)", "Occupation (FAP 2021 code)", Kind.CODE, codes=FAP_2021),
    Column("bassin", "Bassin d'emploi", "Employment basin", Kind.CODE, codes=BASIN_2023),
    Column("offres_deposees", "Offres déposées", "Offers placed", Kind.COUNT),
    Column("offres_non_pourvues", "dont non pourvues", "of which not filled", Kind.COUNT),
    Column("cause_principale", "Cause principale", "Main cause", Kind.CODE, required=False),
)

UNFILLED_OFFERS_ANALYSIS = DataContract(
    id="unfilled_offers_analysis",
    version="1.0.0",
    title={"fr": "Analyse annuelle des offres non pourvues", "en": "Yearly analysis of unfilled offers"},
    description={
        "fr": "Une ligne par année, métier et bassin : offres déposées, non pourvues, et pourquoi.",
        "en": "One row for each year, occupation and basin: offers placed, not filled, and why.",
    },
    columns=UNFILLED_COLUMNS,
    rules=(
        Between("annee", 2016, 2100),
        Identifier("fap", "fap2021"),
        Identifier("bassin", "basin"),
        at_most("offres_non_pourvues", "offres_deposees"),
        OneOf("cause_principale", ("manque_candidats", "competences", "mobilite", "conditions", "abandon")),
    ),
    unique=(("annee", "fap", "bassin"),),
    dialects=(hub((column.name for column in UNFILLED_COLUMNS), secrecy=("*",)),),
)
