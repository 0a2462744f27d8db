"""Which columns of a contract make a table of outcomes, and how its codes nest: what disclosure control needs to know."""

from __future__ import annotations

from collections.abc import Mapping

from passerelle.disclosure import Dimension, OutcomeTable, Rate

Code = tuple[str, ...]

REGIONS: Mapping[str, str] = {
    "01": "971", "02": "972", "03": "973", "04": "974", "06": "976",
    "11": "75 77 78 91 92 93 94 95",
    "24": "18 28 36 37 41 45",
    "27": "21 25 39 58 70 71 89 90",
    "28": "14 27 50 61 76",
    "32": "02 59 60 62 80",
    "44": "08 10 51 52 54 55 57 67 68 88",
    "52": "44 49 53 72 85",
    "53": "22 29 35 56",
    "75": "16 17 19 23 24 33 40 47 64 79 86 87",
    "76": "09 11 12 30 31 32 34 46 48 65 66 81 82",
    "84": "01 03 07 15 26 38 42 43 63 69 73 74",
    "93": "04 05 06 13 83 84",
    "94": "2A 2B",
}  # fmt: skip
"""The departments of each region since 2016 (Insee, code officiel géographique)."""

_REGION_OF = {department: region for region, departments in REGIONS.items() for department in departments.split()}


def territory_above(code: Code) -> Code | None:
    """The territory that (level, territory) lies in: commune > department > region, basin > region; None for a region.

    The first two digits of a basin are its region's (measured on the survey of labour needs of 2023, 405 basins).
    """
    level, territory = code
    if level == "commune":
        return ("department", territory[: 3 if territory[:2] in {"97", "98"} else 2])
    if level == "basin":
        return ("region", territory[:2])
    if level == "department" and territory in _REGION_OF:
        return ("region", _REGION_OF[territory])
    return None


def period_above(code: Code) -> Code | None:
    """The year of a half-year."""
    year, _, half = code[0].partition("-")
    return (year,) if half else None


OUTCOME_TABLES: Mapping[str, OutcomeTable] = {
    "annual_review": OutcomeTable(
        dimensions=(Dimension(("annee",)), Dimension(("mission_locale",)), Dimension(("type_contrat",))),
        counts=("nb_jeunes_positionnes_par_ml", "nb_jeunes_recrutes_par_type_contrat"),
        within=(("nb_jeunes_recrutes_par_type_contrat", "nb_jeunes_positionnes_par_ml"),),
        carried=("inventaire_collectives_metiers_conseillers", "inventaire_collectives_metiers_jeunes"),
    ),
    "training_outcomes": OutcomeTable(
        dimensions=(
            Dimension(("period",), parent=period_above),
            Dimension(("course",)),
            Dimension(("territory_level", "territory"), total=("national", "FR"), parent=territory_above),
        ),
        counts=("entrants", "leavers", "employed_6_months"),
        rates=(Rate("employment_rate", "employed_6_months", "leavers"),),
        within=(("leavers", "entrants"),),
        carried=("course_label", "formacode", "certification"),
    ),
}
"""By contract."""
