"""The keyed tags of persons: AES-CMAC(index key, scheme:normalised identifier), 16 bytes, for whole columns at a time.

A weak scheme stands beside those of ``minimise.identifiers``: ``name-birth``, last name, first name and date of birth. Two persons
may share it, and one person may be written two ways: whoever answers by it says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from passerelle.contract import Column
from passerelle.errors import UsageError
from passerelle.minimise import SCHEMES as STRONG
from passerelle.minimise import cmac, normalise

NAME_BIRTH: Final = "name-birth"
SCHEMES: Final = (*sorted(STRONG), NAME_BIRTH)
_PARTS: Final = ("last_name", "first_name", "birth_date")

_OWN: Final = "trainee"
_ALIASES: Final = {
    "nss": "nir", "insee": "nir", "secu": "nir", "sécu": "nir", "numéro de sécurité sociale": "nir", "ahv": "avs", "avs13": "avs",
    "ft": "france-travail", "pole-emploi": "france-travail", "pôle-emploi": "france-travail", "idfr": "france-travail",
    "mail": "email", "e-mail": "email", "courriel": "email", "name": NAME_BIRTH, "nom": NAME_BIRTH,
    "nom-naissance": NAME_BIRTH, "stagiaire": _OWN,
}  # fmt: skip
# What an identifier must look like once normalised: one mistyped would leave nobody out, in silence.
_FORMS: Final = {
    "avs": r"756[0-9]{10}",
    "email": r"[^\s@]+@[^\s@]+\.[^\s@]+",
    "france-travail": r"[0-9]{7}[0-9A-Z]|[0-9]{11}",
    "nir": r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}",
    "trainee": r".{1,100}",
}


@dataclass(frozen=True, slots=True)
class Keyed:
    """One scheme by which the rows of a table name persons: ``columns`` is one identifier, or the parts of the weak key."""

    scheme: str
    columns: tuple[str, ...]

    def tags(self, key: bytes, table: pa.Table) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """The tag of each row, (n, 16) bytes, and whether the row has one, (n,)."""
        plain = [table.column(name) for name in self.columns]
        normal = _name_birth(plain) if self.scheme == NAME_BIRTH else normalise(self.scheme, plain[0])
        tagged = pc.binary_join_element_wise(f"{self.scheme}:", normal, "")
        return cmac(key, tagged), np.asarray(normal.is_valid())


def keyed(columns: Sequence[Column]) -> list[Keyed]:
    """The schemes by which a table of ``columns`` names persons."""
    return list(_keyed(columns))


def _keyed(columns: Sequence[Column]) -> Iterator[Keyed]:
    for column in columns:
        if column.identifier is not None:
            yield Keyed(column.identifier, (column.name,))
    parts = {column.part: column.name for column in columns if column.part is not None}
    if len(parts) == len(_PARTS):
        yield Keyed(NAME_BIRTH, tuple(parts[part] for part in _PARTS if part in parts))


def identifier_tag(key: bytes, scheme: str, identifier: str) -> bytes:
    """The tag of one identifier as a person gives it; of ``name-birth``: ``LAST NAME;FIRST NAME;YYYY-MM-DD``.

    Raises:
        UsageError: an unknown scheme, or an identifier that is not one of it; the message does not repeat it.
    """
    table = _read(scheme, identifier)
    tags, present = Keyed(scheme, tuple(table.column_names)).tags(key, table)
    if not present[0]:
        raise _malformed(scheme)
    return bytes(tags[0])


def kinds_of(identifier: str, kind: str | None = None) -> tuple[str, ...]:
    """The kinds that an identifier may be of: ``kind``, in the words people use for it, or those that its form and check digits allow.

    A sender's own number for a trainee has no form of its own: it is only tried when it is named.

    Raises:
        UsageError: it is of none, or not of the kind named; the message does not repeat it.
    """
    if kind is not None:
        named = scheme_named(kind)
        _read(named, identifier)
        return (named,)
    found = tuple(scheme for scheme in SCHEMES if scheme != _OWN and _fits(scheme, identifier))
    if found:
        return found
    raise UsageError(
        "expected an identifier of a person, came something that is none, or whose check digits are wrong",
        hint="check what was typed, its key included; a training provider's own number needs --kind trainee",
        fr="il faut un identifiant de personne ; celui-ci n'en est pas un, ou sa clé est fausse",
        hint_fr="vérifiez la saisie, clé comprise ; le numéro propre à un organisme de formation demande --kind trainee",
    )


def scheme_named(kind: str) -> str:
    """The scheme that a word names, as people write it.

    Raises:
        UsageError: none.
    """
    word = kind.strip().lower().replace("_", "-")
    found = _ALIASES.get(word, word)
    if found not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise UsageError(f"expected a kind of identifier among {known}", fr=f"types d'identifiant connus : {known}")
    return found


def _fits(scheme: str, identifier: str) -> bool:
    try:
        _read(scheme, identifier)
    except UsageError:
        return False
    return True


def _read(scheme: str, identifier: str) -> pa.Table:
    """One row that holds the identifier, once it is known to be one of ``scheme``."""
    if scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise UsageError(f"expected a kind of identifier among {known}", fr=f"types d'identifiant connus : {known}")
    values = _three(identifier) if scheme == NAME_BIRTH else [identifier]
    table = pa.Table.from_arrays([_cell(value) for value in values], names=[str(place) for place in range(len(values))])
    if scheme != NAME_BIRTH:
        _insist(scheme, normalise(scheme, table.column(0))[0].as_py() or "", identifier)
    return table


def _cell(value: str) -> pa.Array:
    """A column of one cell, from its bytes: from a list, pyarrow would first load pandas, a third of a second."""
    data = value.encode()
    offsets = np.array([0, len(data)], np.int32)
    return pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _three(identifier: str) -> list[str]:
    parts = [part.strip() for part in identifier.split(";")]
    if len(parts) == len(_PARTS) and all(parts):
        day = re.fullmatch(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})", parts[-1])  # as people in France write it
        iso = f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}" if day else parts[-1]
        try:
            if date.fromisoformat(iso).isoformat() == iso:
                return [*parts[:-1], iso]
        except ValueError:
            pass
    raise _malformed(NAME_BIRTH)


def _insist(scheme: str, normal: str, identifier: str) -> None:
    good = re.fullmatch(_FORMS[scheme], normal) is not None
    if good and scheme == "nir":
        good = _nir_key_agrees(normal, re.sub(r"[^0-9A-Za-z]", "", identifier)[len(normal) :])
    if good and scheme == "avs":
        good = sum(int(figure) * (3 if place % 2 else 1) for place, figure in enumerate(normal)) % 10 == 0
    if not good:
        raise _malformed(scheme)


def _nir_key_agrees(normal: str, key: str) -> bool:
    """The two digits of the key when they are given; without them nothing can be checked."""
    number = int(normal.replace("2A", "19").replace("2B", "18"))
    return not key or key == f"{97 - number % 97:02}"


def _malformed(scheme: str) -> UsageError:
    hint = "LAST NAME;FIRST NAME;YYYY-MM-DD" if scheme == NAME_BIRTH else "check what was typed, its key included"
    hint_fr = "NOM;PRÉNOM;AAAA-MM-JJ" if scheme == NAME_BIRTH else "vérifiez la saisie, clé comprise"
    return UsageError(
        f"expected an identifier of kind {scheme}, came something else",
        hint=hint,
        fr=f"il faut un identifiant de type {scheme}",
        hint_fr=hint_fr,
    )


def _name_birth(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Letters without accents, in capitals; of the first name what comes before a space or a comma; the date as ISO writes it."""
    last, first = (_letters(columns[0]), _letters(_before_blank(columns[1])))
    joined = pc.binary_join_element_wise(last, first, columns[2].cast(pa.string()), "|")
    whole = pc.and_(pc.greater(pc.binary_length(last), 0), pc.greater(pc.binary_length(first), 0))
    return pc.if_else(whole, joined, pa.scalar(None, pa.string()))


def _before_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.replace_substring_regex(trimmed, r"[\s\p{Z},].*", "")


def _letters(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each distinct name is rewritten once: a column has far fewer of them than rows."""
    encoded = pc.dictionary_encode(column.cast(pa.string())).combine_chunks()
    upper = pc.utf8_upper(encoded.dictionary)
    ligatures = pc.replace_substring(pc.replace_substring(upper, "Œ", "OE"), "Æ", "AE")
    letters = pc.replace_substring_regex(pc.utf8_normalize(ligatures, form="NFKD"), r"[^\p{L}]", "")
    return pa.chunked_array([letters.take(encoded.indices)])
