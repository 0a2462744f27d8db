"""Canonical JSON (RFC 8785): one value, one sequence of bytes. Manifests and trail entries are signed in this form."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import rfc8785

from passerelle.errors import EvidenceError

LARGEST_INTEGER = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value (RFC 8785 section 3.2).

    Raises:
        EvidenceError: the value has no canonical form: NaN or infinity, an integer beyond 2**53 - 1, a lone surrogate, a
            key that is not text, or a type that is not JSON's.
    """
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError, TypeError, AttributeError):
        raise EvidenceError("the value has no canonical JSON form", where="canonical JSON") from None


def parse(data: bytes) -> Any:
    """The value whose canonical form is exactly ``data``.

    Raises:
        EvidenceError: not UTF-8, not JSON, a key twice, or any byte that differs from the canonical form. The message
            gives the offset, never the content.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_number
        )
    except EvidenceError:
        raise
    except UnicodeDecodeError as error:
        raise EvidenceError(f"expected UTF-8, byte {error.start} is not", where="canonical JSON") from None
    except json.JSONDecodeError as error:
        raise EvidenceError(f"expected JSON, broken at character {error.pos}", where="canonical JSON") from None
    except (ValueError, RecursionError):
        raise EvidenceError("expected JSON within the limits of RFC 8785", where="canonical JSON") from None
    if (again := canonical(value)) != data:
        raise EvidenceError(
            f"not in canonical form (RFC 8785) from byte {_first_difference(again, data)}", where="canonical JSON"
        )
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise EvidenceError("an object has a key twice", where="canonical JSON")
    return value


def _number(text: str) -> int | float:
    """An integer, or beyond 2**53 - 1 the double that RFC 8785 writes in digits below 1e21."""
    value = float(text)
    return value if abs(value) > LARGEST_INTEGER else int(text)


def _no_constant(_name: str) -> NoReturn:
    raise EvidenceError("NaN and infinity are not JSON", where="canonical JSON")


def _first_difference(left: bytes, right: bytes) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((offset for offset, (a, b) in pairs if a != b), min(len(left), len(right)))
