"""Editions of the field's code lists, by reference: name, version, and the days they are valid where that is published.

A code without its edition says nothing: FAP 2009 and FAP 2021 share 7 codes of some 200, and one commune in six changed its
CLPE territory between two versions of the same list.
"""

from __future__ import annotations

from datetime import date

from passerelle.contract import CodeList

BASIN_2019 = CodeList("bassins d'emploi (France Travail)", "BE19")
BASIN_2023 = CodeList("bassins d'emploi (France Travail)", "BE23")
CLPE_A = CodeList("territoires CLPE", "A")
COMMUNE_2025 = CodeList("code officiel géographique, communes (Insee)", "2025", date(2025, 1, 1), date(2025, 12, 31))
DEPARTMENT_2025 = CodeList(
    "code officiel géographique, départements (Insee)", "2025", date(2025, 1, 1), date(2025, 12, 31)
)
REGION_2016 = CodeList("code officiel géographique, régions (Insee)", "2016", date(2016, 1, 1))
FAP_2009 = CodeList("FAP, familles professionnelles (Dares)", "2009")
FAP_2021 = CodeList("FAP, familles professionnelles (Dares)", "2021")
FORMACODE_V14 = CodeList("FORMACODE", "V14")
NAF_REV2 = CodeList("NAF (Insee)", "rév. 2", date(2008, 1, 1))
RNCP_2023 = CodeList("RNCP et RS (France compétences)", "2023-12-18")
ROME_460 = CodeList("ROME (France Travail)", "4.60")
UAI = CodeList("UAI, établissements (éducation nationale)", "au fil de l'eau")
