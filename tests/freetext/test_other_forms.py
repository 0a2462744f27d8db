"""Forms that the planted data do not use, and texts that only look like persons: what is found of them, by kind, as docs/free-text.md says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from passerelle.freetext import KINDS, spot

FORMS: dict[str, tuple[str, ...]] = {
    "email": (
        "écrire à ZOE.QUINTARD@EXEMPLE.FR", "mailto:zoe.quintard@exemple.fr", "<zoe.quintard@exemple.fr>", "zoe.quintard@exemple.fr.",
        "zoe.quintard [at] exemple.fr", "zoe.quintard AT exemple.fr", "zoe.quintard(a)exemple.fr", "zoe.quintard @exemple .fr",
        "zoe.quintard arobase exemple point fr", "z.quintard+offres@sous.domaine.exemple.fr",
    ),
    "phone": (
        "tél.0698765432", "Tél : 06 98 76 54 32", "(06) 98 76 54 32", "06.98.76.54.32/33", "06 98 765 432", "0698 765 432",
        "+33 6 98 76 54 32", "0033698765432", "06_98_76_54_32", "06.98 76-54.32",
    ),
    "nir": (
        "NIR 290029999912304", "n° de sécurité sociale : 2 90 02 99 999 123", "2.90.02.99.999.123.04", "290029999912304",
        "2-90-02-99-999-123-04", "assurée 2900299999123", "2900299999123", "2 90 02 99999 123 04", "290 029 999 912 304", "2 90 02 99 999 123 / 04",
    ),
    "name": (
        "Pour tout renseignement : Mme QUINTARD", "Contact : Zoé Quintard", "contacter Zoé QUINTARD au siège", "s'adresser à Mme Z. Quintard",
        "Votre interlocutrice : Zoé Quintard", "Contact : QUINTARD ZOÉ", "contact zoé quintard", "Zoé Quintard, cheffe de service",
        "Renseignements auprès de Monsieur Valtouze", "Référente : Marie-Ange de Lenoircourt",
    ),
}  # fmt: skip
"""Ten ways of each kind, of people who do not exist."""
NOBODY = (
    "SIRET 73282932000074", "référence 2026-0698765432", "départements 01, 02, 03, 04 et 05", "du 01/02/2026 au 03/04/2026",
    "Madame la Directrice des ressources humaines", "contacter la Direction des routes", "poste n° 0123-4567", "code postal 75019 Paris",
    "réunion le 01.02.2026 à 14 h 30", "rémunération : 1 900 à 2 300 euros", "suivre @exemple sur les réseaux", "Monsieur le Maire",
    "auprès de la Mission Locale", "contact avec le public", "FORMACODE 31734, ROME F1604", "joindre CV et lettre",
    "RNCP38381", "36 15 code emploi", "horaires 08 00 12 00 13 30 17 30", "joindre Pôle Emploi au 3949",
)  # fmt: skip
FOUND = {"email": 6, "phone": 6, "nir": 8, "name": 7}
FALSE_ALARMS = 1


def found(kind: str) -> int:
    """How many of the ten ways of ``kind`` are found as what they are."""
    return int((spot(pa.chunked_array([list(FORMS[kind])])).counts[kind] > 0).sum())


@pytest.mark.parametrize("kind", FORMS)
def test_what_is_found_of_other_forms(kind: str, root: Path) -> None:
    """The page says how many of ten other ways to write each kind are found."""
    assert found(kind) == FOUND[kind]
    assert f"| `{kind}` | {FOUND[kind]} of {len(FORMS[kind])} |" in (root / "docs" / "free-text.md").read_text("utf-8")


def test_what_only_looks_like_a_person(root: Path) -> None:
    """Numbers, offices and places that are no person's data: the page says how many are taken for some."""
    spotted = spot(pa.chunked_array([list(NOBODY)]))
    alarms = sum(any(spotted.counts[kind][row] for kind in KINDS) for row in range(len(NOBODY)))
    assert alarms == FALSE_ALARMS
    assert f"{alarms} of {len(NOBODY)} texts" in (root / "docs" / "free-text.md").read_text("utf-8")
