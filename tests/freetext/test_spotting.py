"""Personal data found in texts, whatever stands around them, and what only looks like it."""

from __future__ import annotations

from random import Random

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passerelle.freetext import KINDS, TOKENS, spot
from tests.freetext.planting import PLANTS, name

WORDS = (  # noqa: SIM905 -- a text reads better than a list
    "le poste, la mission ; équipe d'accueil 35 h 2021 du 05/03/2021 à 10:30, SIRET 732 829 320 00074 réf. 2021-533167 catégorie A "
    "avec l’ensemble des (H/F) « chargé » 13001 Marseille 1 200 € n° 12 • CDD\\n• 06/2022 - Œuvre œnologie À ÉCHÉANCE 3e étage"
).split()
FRENCH = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


def totals(*texts: str | None) -> dict[str, int]:
    return spot(pa.chunked_array([pa.array(texts, pa.string())])).totals()


@given(FRENCH, FRENCH, st.sampled_from(sorted(PLANTS)), st.integers(0, 10**6))
@settings(max_examples=150)
def test_what_is_planted_is_found(before: str, after: str, kind: str, seed: int) -> None:
    """A datum between any two texts is found once, as what it is, and nothing of it stays when it is masked."""
    datum = PLANTS[kind](Random(seed))  # noqa: S311 -- of texts, not of secrets
    spotted = spot(pa.chunked_array([[f"{before} : {datum} ; {after}"]]))
    assert spotted.totals() == {kind: 1}
    assert spotted.masked([kind]).to_pylist() == [f"{before} : {TOKENS[kind]} ; {after}"]


@given(FRENCH, FRENCH, st.integers(0, 10**6))
@settings(max_examples=50)
def test_an_announced_name_is_found(before: str, after: str, seed: int) -> None:
    """A name after what announces it is found, and what announces it stays."""
    cue, person = name(Random(seed))  # noqa: S311 -- of texts, not of secrets
    spotted = spot(pa.chunked_array([[f"{before}. {cue}{person}, {after}"]]))
    assert spotted.masked(["name"]).to_pylist() == [f"{before}. {cue}{TOKENS['name']}, {after}"]


@given(st.lists(st.none() | st.text(max_size=80), max_size=6))
@settings(max_examples=100)
@example(["\ufdd0 01 23 45 67 89 \ufdd0"])
@example(["", None, "\\n", "@", "0", "a@b"])
def test_any_text_comes_back(texts: list[str | None]) -> None:
    """Whatever a text holds, it is counted without error, and unchanged where nothing is masked."""
    column = pa.chunked_array([pa.array(texts, pa.string())])
    spotted = spot(column)
    assert spotted.masked([]).to_pylist() == texts
    assert len(spotted.masked(KINDS)) == len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "SIRET 732 829 320 00074, 73282932000074, SIREN 732829320",
        "réf. 0512345678, offre n° 0612345678, 2021-0123456789, AB0123456789, 0123456789-12",
        "le 05/03/2021 10:30, du 01.02.2021 au 03.04.2022 12 postes, 05-03-2021 14",
        "060200700084414 083201100164816 09261-198718 2021-533167",
        "269054958815780 le spécimen, 185057800608492 une clé fausse, 185137800608491",
        "1617000000000 des millisecondes, 3760001000000 un code-barres, 7560000000002",
        "FR76 3000 6000 0112 3456 7890 188 une clé fausse",
        "Madame la Directrice, M. le Préfet, Monsieur Le Maire, Madame X, Contacter Ressources Humaines",
        "RNCP34567, Formacode 31054, ROME M1805, code postal 06000 Nice, 1 234 567,89 €",
        "arobase et contact avec les usagers, en contact avec Pôle Emploi",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    """References, dates, numbers of firms, wrong keys, roles and offices are nobody's data."""
    assert totals(text) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tél:0612345678 ou tel. 01 23 45 67 89/06.12.34.56.78", {"phone": 3}),
        ("01 23 45 67 89 06 12 34 56 78", {"phone": 2}),
        ("\\n0123456789\\nzoe@exemple.fr\\n", {"phone": 1, "email": 1}),
        ("0 800 123 456, 0262 12 34 56, 06 1234 5678, 0612 345 678", {"phone": 4}),
        ("NIR 1850578006084", {"nir": 1}),
        ("1 85 05 78 006 084 91", {"nir": 1}),
        ("1 85 05 78 00 60 84 91", {"nir": 1}),
        ("AVS 756.9217.0769.85", {"avs": 1}),
        ("M. Le Goff et Mme J. Quintard", {"name": 2}),
        ("zoe@exemple.fr,karim@exemple.fr;rh@exemple.ch", {"email": 3}),
    ],
)
def test_forms_that_people_write(text: str, found: dict[str, int]) -> None:
    """Two in a row, glued to a line end, in groups: each is counted once."""
    assert totals(text) == found


def test_each_row_has_its_own() -> None:
    """Counts are by row, over chunks, and a null has none."""
    chunks = [["01 23 45 67 89", None], ["rien", "a@exemple.fr b@exemple.fr"]]
    spotted = spot(pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks]))
    assert spotted.counts["phone"].tolist() == [1, 0, 0, 0]
    assert spotted.counts["email"].tolist() == [0, 0, 0, 2]
    assert spotted.masked(["email"]).to_pylist() == [
        "01 23 45 67 89",
        None,
        "rien",
        f"{TOKENS['email']} {TOKENS['email']}",
    ]
