r"""Identifiers of the field: their form and their key, judged on whole columns.

Each scheme says its form as a pattern (always matched in full, ``[0-9]`` only: ``\d`` would take other scripts' digits) and,
where one exists, how its key is computed. Keys are computed on byte matrices: one row of the matrix for each position of the
identifier, one column for each value, so that a million SIRETs cost some milliseconds.

What python-stdnum accepts and this module refuses: all zeros (SIREN, SIRET, AVS), the public specimen of the NIR, a NIR with
an impossible sex, month or department, identifiers written with spaces or dots.
"""

# ruff: noqa: PLR2004  (the numbers are those of the identifiers' own definitions)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Digits = npt.NDArray[np.uint8]
"""Positions × values: the value of each digit; a character that is no digit is above 9."""

_A, _B = ord("A") - 48, ord("B") - 48
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)
_LA_POSTE = np.array([3, 5, 6, 0, 0, 0, 0, 0, 0], dtype=np.uint8)
_LA_POSTE_HEAD_OFFICE = np.array([int(d) for d in "35600000000048"], dtype=np.uint8)
_UAI_LETTERS = np.frombuffer(b"ABCDEFGHJKLMNPRSTUVWXYZ", dtype=np.uint8) - np.uint8(48)
_NIR_SEX = (1, 2, 3, 4, 7, 8)
_NIR_SPECIMEN = "269054958815780"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of identifier.

    ``refused`` lists values of the right form that name nobody; ``key`` judges digits of the length ``width``.
    """

    id: str
    fr: str
    en: str
    pattern: str
    width: int | None = None
    key: Callable[[Digits], Mask] | None = None
    refused: tuple[str, ...] = ()
    example: str = ""


def _numeric(digits: Digits) -> Mask:
    numeric: Mask = np.all(digits <= 9, axis=0)
    return numeric


def _luhn(digits: Digits) -> Mask:
    """The Luhn key (ISO/IEC 7812-1, annex B), the last digit being the key."""
    total = np.zeros(digits.shape[1], dtype=np.uint8)
    for position, row in enumerate(reversed(digits)):
        total += _DOUBLED[np.minimum(row, 9)] if position % 2 else row
    keyed: Mask = _numeric(digits) & (total % 10 == 0)
    return keyed


def _weighted(digits: Digits, modulus: int) -> npt.NDArray[np.uint16]:
    """The number that ``digits`` writes, modulo ``modulus`` (at most 97)."""
    total = np.zeros(digits.shape[1], dtype=np.uint16)
    for position, row in enumerate(reversed(digits)):
        total += np.minimum(row, 9).astype(np.uint16) * np.uint16(pow(10, position, modulus))
    return total % np.uint16(modulus)


def _siren(digits: Digits) -> Mask:
    return _luhn(digits) & digits.any(axis=0)


def _siret(digits: Digits) -> Mask:
    """Luhn on the whole and on the SIREN; La Poste's establishments but the head office: the sum is a multiple of 5."""
    la_poste = (digits[:9] == _LA_POSTE[:, None]).all(axis=0)
    la_poste &= (digits != _LA_POSTE_HEAD_OFFICE[:, None]).any(axis=0)
    ordinary = _luhn(digits)
    if la_poste.any():
        fives = _numeric(digits) & (digits.sum(axis=0, dtype=np.uint16) % 5 == 0)
        ordinary = np.where(la_poste, fives, ordinary)
    return ordinary & _siren(digits[:9])


def _nir(digits: Digits) -> Mask:
    """Key 97 - n mod 97, Corsica read as 19 (2A) and 18 (2B); sex, month and department possible (Insee)."""
    digits = digits.copy()
    tens, units = digits[5], digits[6]
    corsica = (tens == 2) & ((units == _A) | (units == _B))
    units[corsica] = np.where(units[corsica] == _A, 9, 8)
    tens[corsica] = 1
    month = digits[3] * np.uint8(10) + digits[4]
    dated = ((month >= 1) & (month <= 12)) | ((month >= 20) & (month <= 42)) | ((month >= 50) & (month <= 99))
    placed = (tens > 0) | (units > 0)
    key = digits[13] * np.uint8(10) + digits[14]
    agrees = key == np.uint16(97) - _weighted(digits[:13], 97)
    whole: Mask = _numeric(digits) & np.isin(digits[0], _NIR_SEX) & dated & placed & agrees
    return whole


def _uai(digits: Digits) -> Mask:
    """Seven digits and the letter of their remainder by 23."""
    keyed: Mask = _numeric(digits[:7]) & (digits[7] == _UAI_LETTERS[_weighted(digits[:7], 23)])
    return keyed


def _finess(digits: Digits) -> Mask:
    """Luhn on numeric numbers; those of Corsica (2A, 2B) have no published key, so only their form is judged."""
    corsica = (digits[0] == 2) & ((digits[1] == _A) | (digits[1] == _B)) & _numeric(digits[2:])
    known: Mask = corsica | (_luhn(digits) & digits.any(axis=0))
    return known


def _avs(digits: Digits) -> Mask:
    """EAN-13 key of the Swiss insurance number, which starts with the country's 756."""
    total = np.zeros(digits.shape[1], dtype=np.uint16)
    for position, row in enumerate(digits):
        total += np.minimum(row, 9).astype(np.uint16) * np.uint16(3 if position % 2 else 1)
    swiss = (digits[0] == 7) & (digits[1] == 5) & (digits[2] == 6)
    keyed: Mask = _numeric(digits) & swiss & (total % 10 == 0)
    return keyed


_COMMUNE = r"(?:0[1-9]|[1-8][0-9]|9[0-5]|2[AB])[0-9]{3}|97[1-8][0-9]{2}|98[4-9][0-9]{2}"
_EMAIL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
_PHONE = r"(?:0|(?:\+|00)33 ?)[1-9](?:[ .-]?[0-9]{2}){4}|\+(?:[1-24-9][0-9]{6,13}|3[0-24-9][0-9]{5,12})"

SCHEMES: Mapping[str, Scheme] = {
    scheme.id: scheme
    for scheme in (
        Scheme("siren", "SIREN à clé valide", "SIREN with a valid key", r"[0-9]{9}", 9, _siren, example="732829320"),
        Scheme("siret", "SIRET à clé valide", "SIRET with a valid key", r"[0-9]{14}", 14, _siret, example="73282932000074"),
        Scheme(
            "nir",
            "NIR à clé valide (13 caractères et la clé)",
            "NIR with a valid key (13 characters and the key)",
            r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}",
            15,
            _nir,
            refused=(_NIR_SPECIMEN,),
        ),
        Scheme("uai", "UAI à clé valide", "UAI with a valid key", r"[0-9]{7}[A-HJ-NPR-Z]", 8, _uai, example="0630003L"),
        Scheme("finess", "FINESS à clé valide", "FINESS with a valid key", r"(?:[0-9]{2}|2[AB])[0-9]{7}", 9, _finess),
        Scheme(
            "avs",
            "numéro AVS à clé valide, sans points",
            "Swiss AVS number with a valid key, without dots",
            r"756[0-9]{10}",
            13,
            _avs,
            refused=("7560000000002",),
        ),
        Scheme("rome", "code ROME", "ROME code", r"[A-N][0-9]{4}", example="A1101"),
        Scheme("ogr", "code OGR", "OGR code", r"[1-9][0-9]{0,5}", refused=("12345",), example="15334"),
        Scheme("formacode", "FORMACODE à 5 chiffres", "five-digit FORMACODE", r"[1-9][0-9]{4}", example="31734"),
        Scheme("certification", "code RNCP ou RS", "RNCP or RS code", r"RNCP[0-9]{1,6}|RS[0-9]{1,5}", example="RNCP38381"),
        Scheme("commune", "code commune INSEE", "INSEE commune code", _COMMUNE, example="91521"),
        Scheme("postcode", "code postal français", "French postcode", r"(?:0[1-9]|[1-8][0-9]|9[0-8])[0-9]{3}", example="91130"),
        Scheme(
            "department",
            "code de département",
            "department code",
            r"0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-8]|98[4-9]",
            example="75",
        ),
        Scheme("fap2009", "code FAP 2009", "FAP 2009 code", r"[A-Z][0-9][A-Z][0-9]{2}", example="A0Z40"),
        Scheme("fap2021", "code FAP 2021", "FAP 2021 code", r"[A-Z][0-9][A-Z][0-9]{2}", example="A0X40"),
        Scheme("basin", "bassin d'emploi (4 chiffres)", "employment basin (4 digits)", r"[0-9]{4}", example="9301"),
        Scheme(
            "clpe",
            "territoire CLPE",
            "CLPE territory",
            r"CLPE(?:[0-9]{5}|2[AB][0-9]{3}|69[DM][0-9]{2})",
            example="CLPE2A002",
        ),
        Scheme("naf", "code NAF", "NAF code", r"[0-9]{4}[A-Z]", example="8413Z"),
        Scheme(
            "mission-locale",
            "identifiant de Mission Locale (commune, S, deux chiffres)",
            "Mission Locale identifier (commune, S, two digits)",
            rf"(?:{_COMMUNE})S[0-9]{{2}}",
            example="13201S00",
        ),
        Scheme(
            "ft-offer",
            "numéro d'offre France Travail (7 chiffres, ou 3 chiffres et 4 lettres)",
            "France Travail offer number (7 digits, or 3 digits and 4 letters)",
            r"[0-9]{7}|[0-9]{3}[A-Z]{4}",
            example="1234567",
        ),
        Scheme(
            "france-travail",
            "identifiant France Travail (11 chiffres, ou 7 chiffres et un caractère)",
            "France Travail identifier (11 digits, or 7 digits and one character)",
            r"[0-9]{11}|[0-9]{7}[0-9A-Z]",
        ),
        Scheme("email", "adresse électronique", "e-mail address", _EMAIL),
        Scheme("phone", "numéro de téléphone français ou international", "French or international phone number", _PHONE),
    )
}  # fmt: skip


def fitting(column: pa.Array, width: int) -> tuple[Mask | None, Digits]:
    """The values of ``column`` that are ``width`` bytes long: which ones (None: all), and their digits."""
    fits: Mask | None = pc.fill_null(pc.equal(pc.binary_length(column), width), False).to_numpy(zero_copy_only=False)
    if fits.all():  # type: ignore[union-attr]  # set on the line above
        fits, kept = None, column
    else:
        kept = column.filter(pa.array(fits))
    count = len(kept)
    offset_type = np.int64 if pa.types.is_large_string(kept.type) else np.int32
    offsets = np.frombuffer(
        kept.buffers()[1], dtype=offset_type, count=count + 1, offset=kept.offset * np.dtype(offset_type).itemsize
    )
    data = np.frombuffer(kept.buffers()[2] or b"", dtype=np.uint8)[offsets[0] : offsets[0] + count * width]
    return fits, np.ascontiguousarray(data.reshape(count, width).T) - np.uint8(48)


def _keyed(column: pa.Array, width: int, key: Callable[[Digits], Mask]) -> Mask:
    out = np.zeros(len(column), dtype=np.bool_)
    if len(column) == column.null_count:
        return out
    fits, digits = fitting(column, width)
    if fits is None:
        return key(digits)
    out[fits] = key(digits)
    return out


def full_match(column: pa.Array, pattern: str) -> Mask:
    """Which values match ``pattern`` from first to last character; null does not."""
    matches = pc.match_substring_regex(column, f"^(?:{pattern})$")
    return pc.fill_null(matches, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]  # pyarrow has no types


def valid(scheme: str, column: Any) -> Mask:
    """Which values of ``column`` (Arrow string array, chunked or not) are identifiers of ``scheme``; null is not.

    Raises:
        KeyError: there is no such scheme.
    """
    known = SCHEMES[scheme]
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # a chunked array without chunks, or over the limit of one
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    if known.key is not None and known.width is not None:
        mask = _keyed(column, known.width, known.key)
    else:
        mask = full_match(column, known.pattern)
    if known.refused and mask.any():
        specimens = pc.is_in(column, value_set=pa.array(known.refused, column.type))
        mask &= ~pc.fill_null(specimens, False).to_numpy(zero_copy_only=False)
    return mask
