"""What the generated people, providers and places are made of. Nobody here exists.

Phone numbers are in the range that Arcep keeps for fiction, e-mail domains are those of RFC 2606, and a NIR says "born abroad,
country 999", which is nobody's place of birth. Providers' SIRETs are random numbers with valid keys.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from contracts.identifiers import valid

Ints = npt.NDArray[np.int64]

FIRST = (
    "Adèle", "Aïcha", "Alix", "Amélie", "André", "Anaïs", "Basile", "Bérénice", "Camille", "Céline", "Chloé", "Clément",
    "Daphné", "Édith", "Élise", "Émile", "Étienne", "Fatou", "Félix", "François", "Gaëlle", "Gisèle", "Hélène", "Hervé",
    "Inès", "Jérôme", "Joël", "Karim", "Léa", "Loïc", "Lucie", "Maël", "Mathéo", "Nadège", "Noël", "Océane", "Paul",
    "Raphaël", "Rémi", "Salomé", "Solène", "Théo", "Ulysse", "Valérie", "Wassim", "Xavier", "Yasmine", "Zoé",
)  # fmt: skip
LAST = (
    "Abadie", "Arnaud", "Barbé", "Besançon", "Blé", "Carpentier", "Chêne", "Colline", "Cordonnier", "Défossé", "Delarue",
    "Dupré", "Échalier", "Étang", "Fabre", "Février", "Forêt", "Gaudry", "Génin", "Guérin", "Haudecœur", "Hêtre", "Jasmin",
    "Lacôte", "Lagrève", "Lefèvre", "Lemaçon", "Marronnier", "Mésange", "Montagné", "Nénuphar", "Olivier", "Pépin", "Pinède",
    "Quincé", "Rivière", "Rossignol", "Saulnier", "Sénéchal", "Tilleul", "Tournesol", "Vallée", "Verdier", "Yvon",
)  # fmt: skip
COURSES = (
    ("Titre professionnel conducteur de transport routier de marchandises", "31768", "RNCP1884"),
    ("Diplôme d'État d'aide-soignant", "43436", "RNCP35830"),
    ("CAP cuisine", "42752", "RNCP38430"),
    ("Remise à niveau et préparation à la qualification", "15041", ""),
    ("Titre professionnel maçon", "22334", "RNCP35309"),
    ("Français langue étrangère à visée professionnelle", "15235", ""),
    ("Titre professionnel conseiller de vente", "34566", "RNCP37098"),
    ("Développeur web et web mobile", "31088", "RNCP37674"),
)
COMMUNES = (
    "04070", "05061", "06088", "13001", "13055", "2A004", "2B033", "31555", "33063", "34172", "35238", "44109", "59350",
    "67482", "69123", "75056", "83137", "84007", "97411",
)  # fmt: skip
DEPARTMENTS = ("04", "05", "06", "13", "83", "84")
ROMES = ("A1203", "D1106", "F1703", "G1602", "I1304", "J1501", "K1304", "M1607", "M1805", "N1103", "N4101")
FUNDERS = ("4", "7", "4,7", "10", "2,4")
DUTIES = (
    "Vous préparez les dossiers, suivez leur instruction et répondez aux usagers.",
    "Vous organisez l'entretien des bâtiments et suivez les marchés en cours.",
    "Vous tenez les tableaux de bord du service et rédigez les comptes rendus.",
    "Vous assurez l'assistance aux agents et la maintenance des postes de travail.",
    "Vous participez à la paie et au suivi des carrières des agents de l'établissement.",
)


def chosen(words: tuple[str, ...], which: Ints) -> pl.Series:
    """``words[which]``, whole columns at once."""
    return pl.Series(words).gather(which)


def written(numbers: Ints, width: int = 0) -> pl.Series:
    """Numbers as digits, with leading zeros up to ``width``."""
    return pl.Series(numbers).cast(pl.String).str.zfill(width)


def french_dates(days: Ints) -> pl.Series:
    """Days since 1970 as DD/MM/YYYY."""
    low, high = int(days.min()), int(days.max())
    names = pl.Series(np.arange(low, high + 1, dtype=np.int32)).cast(pl.Date).dt.strftime("%d/%m/%Y")
    return names.gather(days - low)


def day(year: int, month: int, number: int) -> int:
    """Days since 1970."""
    return (date(year, month, number) - date(1970, 1, 1)).days


def mails(first: Ints, last: Ints, numbers: Ints) -> pl.Series:
    """Addresses of nobody: first.last.number at a domain of RFC 2606."""
    frame = pl.DataFrame(
        {"first": chosen(_plain(FIRST), first), "last": chosen(_plain(LAST), last), "number": written(numbers)}
    )
    return frame.select(pl.format("{}.{}{}@example.org", "first", "last", "number")).to_series()


def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    letters = str.maketrans("àâäçéèêëîïôöùûüœÉ", "aaaceeeeiioouuuoe")
    return tuple(name.lower().translate(letters) for name in names)


def phones(rng: np.random.Generator, count: int) -> pl.Series:
    """06 39 98 XX XX, written without spaces."""
    return written(639_980_000 + rng.integers(0, 10_000, count), 10)


def nirs(rng: np.random.Generator, count: int) -> pl.Series:
    """NIRs with a valid key, of people born abroad in a country that does not exist."""
    person = rng.integers(1, 3, count) * 10**12 + rng.integers(60, 100, count) * 10**10
    person += rng.integers(1, 13, count) * 10**8 + 99_999 * 10**3 + rng.integers(1, 1000, count)
    return written(person * 100 + (97 - person % 97), 15)


def sirets(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """SIRETs with valid keys, numbers drawn at random."""
    sirens = _completed("siren", written(rng.integers(10_000_000, 99_999_999, count), 8))
    return tuple(_completed("siret", sirens + "0001"))


def _completed(scheme: str, prefixes: pl.Series) -> pl.Series:
    """``prefixes``, each with the one last digit that makes it valid."""
    candidates = pl.concat([prefixes + str(key) for key in range(10)])
    return candidates.filter(pl.Series(valid(scheme, pa.array(candidates.to_list(), pa.string()))))
