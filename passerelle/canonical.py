"""Canonical JSON (RFC 8785): one value, one sequence of bytes. Manifests and trail entries are signed in this form."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import rfc8785

from passerelle.errors import EvidenceError

LARGEST_INTEGER = 2**53 - 1
# RFC 8785 for text, integers within LARGEST_INTEGER and keys below U+10000, at ten times the speed of a general encoder.
_plainly = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_BEYOND = 0xF0  # the first byte of a character from U+10000 on; such keys are in another order in UTF-16


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
    doubles: list[float] = []

    def double(text: str) -> float:
        doubles.append(float(text))
        return doubles[-1]

    def number(text: str) -> int | float:
        # beyond 2**53 - 1 it is the double that RFC 8785 writes in digits below 1e21
        return double(text) if abs(float(text)) > LARGEST_INTEGER else int(text)

    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=number,
            parse_float=double,
        )
    except EvidenceError:
        raise
    except UnicodeDecodeError as error:
        raise EvidenceError(f"expected UTF-8, byte {error.start} is not", where="canonical JSON") from None
    except json.JSONDecodeError as error:
        raise EvidenceError(f"expected JSON, broken at character {error.pos}", where="canonical JSON") from None
    except (ValueError, RecursionError):
        raise EvidenceError("expected JSON within the limits of RFC 8785", where="canonical JSON") from None
    if not doubles and max(data) < _BEYOND and _plain(value) == data:
        return value
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


def _plain(value: Any) -> bytes:
    try:
        return _plainly(value).encode()
    except (ValueError, RecursionError):
        return b""


def _no_constant(_name: str) -> NoReturn:
    raise EvidenceError("NaN and infinity are not JSON", where="canonical JSON")


def _first_difference(left: bytes, right: bytes) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((offset for offset, (a, b) in pairs if a != b), min(len(left), len(right)))
