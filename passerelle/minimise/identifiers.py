"""Identifiers of persons, written one way, so that one person has one tag whoever wrote the file.

| scheme | normal form |
|---|---|
| nir | first 13 characters, without separators, upper case: the two key digits follow from them |
| france-travail | without separators, upper case (old form 7 digits and a character, new form 11 digits) |
| avs | 13 digits, without separators |
| email | lower case |
| trainee | without white space, upper case: a sender's own number for a person |

All forms begin with NFC and surrounding white space dropped; separators are white space, ``.``, ``-`` and ``/``. Empty becomes null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from passerelle.errors import UsageError

_SPACES: Final = r"[\s\p{Z}\x0b\x1c-\x1f\x{85}]+"
_SEPARATORS: Final = r"[\s\p{Z}\x0b\x1c-\x1f\x{85}./\-]+"
_NIR_CHARACTERS: Final = 13


def _without(pattern: str, column: pa.Array) -> pa.Array:
    if pc.all(
        pc.ascii_is_alnum(column), min_count=0
    ).as_py():  # nothing to drop: the common case, and ten times quicker
        return column
    return pc.replace_substring_regex(column, pattern, "")


def _compact(column: pa.Array) -> pa.Array:
    return pc.utf8_upper(_without(_SEPARATORS, column))


def _nir(column: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(_compact(column), 0, _NIR_CHARACTERS)


def _own_number(column: pa.Array) -> pa.Array:
    return pc.utf8_upper(_without(_SPACES, column))


SCHEMES: Final[Mapping[str, Callable[[pa.Array], pa.Array]]] = {
    "avs": _compact,
    "email": pc.utf8_lower,
    "france-travail": _compact,
    "nir": _nir,
    "trainee": _own_number,
}


def normalise(scheme: str, column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Each identifier in the normal form of ``scheme``; text in, text out, null where nothing is left.

    Raises:
        UsageError: a scheme that is not in ``SCHEMES``.
    """
    if scheme not in SCHEMES:
        raise UsageError(f"expected an identifier scheme of {', '.join(SCHEMES)}, came {scheme}")
    text = column.cast(pa.string())
    if not pc.all(pc.string_is_ascii(text), min_count=0).as_py():  # ASCII is in its normal form already
        text = pc.utf8_normalize(text, form="NFC")
    plain = pc.utf8_trim_whitespace(text)
    normal = SCHEMES[scheme](plain)
    return pc.if_else(pc.equal(pc.binary_length(normal), 0), pa.scalar(None, pa.string()), normal)
