"""Whether a candidate is what it looks like: check digits, the gaps of their schemes, what stands before and after it.

The expressions speak of the columns ``text`` (the candidate), ``before`` and ``after`` (its neighbours, cut short).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

NIR_SPECIMEN: Final = "269054958815780"
"""On every specimen of the card: nobody's number."""

_NIR_WORDS = r"(?i)\b(?:NIR|INSEE|SS|s[ée]cu\w*|sociale?|assur[ée]\w*|immatriculation)\b.{0,25}$"
_REFERENCE = (
    r"(?i)(?:r[ée]f[\p{L}.]*|siret|siren|nic|offre|dossier|annonce|identifiant|matricule|code|\bid)[\s:.#°ºn/=-]{0,6}$"
)
_PHONE_WORDS = r"(?i)(?:t[ée]l[\p{L}.]*|phone|fax|mobile|portable|gsm|appel\p{L}*)[\s:./°ºn=-]{0,6}$"
_GLUED_BEFORE = r"[\p{L}\p{N}][_/=-]?$"
_GLUED_AFTER = r"^[_/=-]?[\p{L}\p{N}]"

# Words of offices and roles that follow "Madame" or "contacter" as a name would.
_ROLES = (
    "accueil adjoint adjointe agence agent ambassadeur ambassadrice antenne association bureau cabinet cadre cellule centre "
    "chargé chargée chef cheffe coach commandant commissaire commune conseil conseiller conseillère consul département délégué "
    "déléguée direction directeur directrice division drh emploi employeur entreprise expert experte formateur france garde "
    "gestionnaire gouverneur greffier général générale groupe humaines inspecteur inspectrice intendant institut interministériel "
    "juge lycée maire mairie ministre ministère mission national nationale office pôle président présidente procureur préfecture "
    "préfet préfète proviseur recrutement recteur rectrice région ressources responsable rh secrétaire secrétariat section service "
    "services sous-directeur sous-directrice sous-préfet sous-préfète tribunal travail trésorier unité université ville"
)
_ROLE = rf"(?i)(?:^|[\s'’])(?:{_ROLES.replace(' ', '|')})s?(?:$|[\s'’])"


def _digits() -> pl.Expr:
    import polars as pl

    return pl.col("text").str.to_uppercase().str.replace_all(r"[^0-9A-Z]", "")


def _number(digits: pl.Expr, start: int, length: int) -> pl.Expr:
    import polars as pl

    return digits.str.slice(start, length).cast(pl.Int64, strict=False)


def _nir() -> pl.Expr:
    """The key, and what the key leaves open: months, departments, the specimen; without key, how it is written or announced."""
    import polars as pl

    digits = _digits().str.replace("2A", "19", literal=True).str.replace("2B", "18", literal=True)
    month, department = _number(digits, 3, 2), _number(digits, 5, 2)
    dated = month.is_between(1, 12) | month.is_between(20, 42) | month.is_between(50, 99)
    formed = dated & (department > 0)
    keyed = _number(digits, 13, 2) == 97 - _number(digits, 0, 13) % 97
    spaced = pl.col("text").str.count_matches(r"[\s.-]") >= 3  # noqa: PLR2004 -- grouped as on the card
    announced = pl.col("before").str.contains(_NIR_WORDS)
    whole = digits.str.len_bytes() == 15  # noqa: PLR2004 -- thirteen characters and the key
    return formed & (_digits() != NIR_SPECIMEN) & pl.when(whole).then(keyed).otherwise(spaced | announced)


def _avs() -> pl.Expr:
    """EAN-13 over 756 and nine digits (eCH-0044); not the number of zeros."""
    import polars as pl

    digits = _digits()
    total = pl.sum_horizontal([_number(digits, place, 1) * (3 if place % 2 else 1) for place in range(13)])
    return (total % 10 == 0) & (_number(digits, 3, 9) > 0)


def _iban() -> pl.Expr:
    """Modulo 97 (ISO 7064), nine digits at a time."""
    import polars as pl

    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    turned = pl.concat_str([_digits().str.slice(4), _digits().str.slice(0, 4)])
    figures = turned.str.replace_many(letters, [str(10 + place) for place in range(26)]).str.zfill(63)
    rest = pl.lit(0, pl.Int64)
    for place in range(0, 63, 9):
        rest = (rest * 10**9 + _number(figures, place, 9)) % 97
    return rest == 1


def _phone() -> pl.Expr:
    """A number in groups is one; ten digits in a row may be a reference: then what is around it decides."""
    import polars as pl

    compact = pl.col("text").str.contains(r"^[0-9]*$")
    before, after = pl.col("before"), pl.col("after")
    elsewhere = before.str.contains(_GLUED_BEFORE) | before.str.contains(_REFERENCE) | after.str.contains(_GLUED_AFTER)
    return ~compact | ~elsewhere | before.str.contains(_PHONE_WORDS)


def _name() -> pl.Expr:
    """No office, no role, and more than an initial."""
    import polars as pl

    return ~pl.col("text").str.contains(_ROLE) & pl.col("text").str.contains(r"\p{L}{2}")


def _always() -> pl.Expr:
    import polars as pl

    return pl.lit(value=True)


VALIDITY: Final[Mapping[str, Callable[[], pl.Expr]]] = {
    "email": _always,
    "iban": _iban,
    "nir": _nir,
    "avs": _avs,
    "phone": _phone,
    "name": _name,
}
