"""Editions of the field's code lists, by reference: name, version, and the days they are valid where that is published.

A code without its edition says nothing: FAP 2009 and FAP 2021 share 7 codes of some 200, and one commune in six changed its
CLPE territory between two versions of the same list.
"""

from __future__ import annotations

from datetime import date

from passerelle.contract import CodeList

BASIN_2019 = CodeList("bassins d'emploi (France Travail)", "BE19", about="territory")
BASIN_2023 = CodeList("bassins d'emploi (France Travail)", "BE23", about="territory")
CLPE_A = CodeList("territoires CLPE", "A", about="territory")
COMMUNE_2025 = CodeList(
    "code officiel géographique, communes (Insee)", "2025", date(2025, 1, 1), date(2025, 12, 31), "territory"
)
DEPARTMENT_2025 = CodeList(
    "code officiel géographique, départements (Insee)", "2025", date(2025, 1, 1), date(2025, 12, 31), "territory"
)
REGION_2016 = CodeList("code officiel géographique, régions (Insee)", "2016", date(2016, 1, 1), about="territory")
FAP_2009 = CodeList("FAP, familles professionnelles (Dares)", "2009", about="occupation")
FAP_2021 = CodeList("FAP, familles professionnelles (Dares)", "2021", about="occupation")
FORMACODE_V14 = CodeList("FORMACODE", "V14")
NAF_REV2 = CodeList("NAF (Insee)", "rév. 2", date(2008, 1, 1))
RNCP_2023 = CodeList("RNCP et RS (France compétences)", "2023-12-18")
ROME_460 = CodeList("ROME (France Travail)", "4.60", about="occupation")
UAI = CodeList("UAI, établissements (éducation nationale)", "au fil de l'eau")
