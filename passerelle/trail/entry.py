"""What one line of the trail may say: allow-listed kinds and fields, of types that cannot hold a person (GDPR art. 5(1)(c)).

The kinds are in ``kinds.json``; docs/spec/trail.md defines their types.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import orjson

from passerelle.canonical import parse
from passerelle.errors import EvidenceError, TrailError

MAX_LEAF_BYTES = 65_535  # an entry bundle of c2sp.org/tlog-tiles prefixes each entry with a 16-bit length
MAX_COUNT = 2**53 - 1  # RFC 8785, 3.2.2.3: integers that every reader reads alike
MAX_ITEMS = 512  # of one list or one map of counts
MIN_SALT_BYTES = 16

_AT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")
_PATTERNS = {
    # Starts with a letter; no run of nine digits, so that no number of a person (NIR, phone, SIRET) is a word.
    "word": r"(?=.{1,128}\Z)(?!.*[0-9]{9})[A-Za-z][A-Za-z0-9]*([._:/-][A-Za-z0-9]+)*[+]?",
    # An opaque id; holds a letter, so that no number of a person is an id.
    "ref": r"(?=.{1,128}\Z)(?=.*[a-z])[a-z0-9]+([._:/-][a-z0-9]+)*",
    "contract": r"[A-Za-z][A-Za-z0-9_-]{0,63}(@[0-9]{1,4}([.][0-9]{1,4}){0,2})?",
    "sha256": r"[0-9a-f]{64}",
    "commitment": r"[0-9a-f]{64}",
    "fingerprint": r"SHA256:[A-Za-z0-9+/]{43}|[0-9a-f]{64}",
    "date": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "moment": r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?",
    "period": r"(?=.{4,24}\Z)[0-9]{4}(-[A-Z]?[0-9]{1,2}){0,2}([/][0-9]{4}(-[A-Z]?[0-9]{1,2}){0,2})?",
    # A clause as the convention file writes it, whose SHA-256 stands beside it; no digits enough for a person's number.
    "article": r"(?=.{1,160}\Z)(?!.*[0-9]{3})[A-Za-zÀ-ÖØ-öø-ÿŒœ0-9 .,;:§()\[\]'’-]+",
    "outcome": r"allow|allow_with_warning|block",
    "stage": r"start|delivery",
    "basis": r"stated|interpreted|hub_policy",
    "error": r"[A-Z][A-Za-z]{0,63}",
}


_Test = Callable[[Any], object]
"""Something true for a value of the type; something false, or a TypeError, for any other."""
_word: _Test = re.compile(_PATTERNS["word"]).fullmatch


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _counts(value: Any) -> bool:
    return (
        type(value) is dict
        and len(value) <= MAX_ITEMS
        and all(type(name) is str and _word(name) and _count(number) for name, number in value.items())
    )


def _words(value: Any) -> bool:
    return type(value) is list and len(value) <= MAX_ITEMS and all(_word(item) for item in value)


_TYPES: dict[str, _Test] = {
    **{name: re.compile(pattern).fullmatch for name, pattern in _PATTERNS.items()},
    "count": _count,
    "counts": _counts,
    "words": _words,
    "flag": lambda value: type(value) is bool,
}


@dataclass(frozen=True, slots=True)
class _Kind:
    required: frozenset[str]
    types: Mapping[str, str]
    tests: Mapping[str, _Test]


def _load() -> dict[str, _Kind]:
    text = resources.files(__package__).joinpath("kinds.json").read_text("utf-8")
    return {
        name: _kind(fields["required"], {**fields["required"], **fields["optional"]})
        for name, fields in json.loads(text).items()
    }


def _kind(required: Mapping[str, str], types: Mapping[str, str]) -> _Kind:
    return _Kind(frozenset(required), types, {name: _TYPES[type_] for name, type_ in types.items()})


KINDS = _load()


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of the trail: ``kind``, the instant ``at`` (RFC 3339, UTC, seconds) and the fields of its kind.

    A field that is None is left out, so an optional field may be passed unknown.

    Raises:
        TrailError: an unknown kind or field, a missing field, or a value that its type does not allow; the message names
            the field, never the value.
    """

    kind: str
    at: str
    body: Mapping[str, Any] = field(hash=False)

    def __post_init__(self) -> None:
        body = dict(self.body)
        if None in body.values():
            body = {name: value for name, value in body.items() if value is not None}
        _check(self.kind, self.at, body)
        object.__setattr__(self, "body", body)

    def leaf(self) -> bytes:
        """The entry as canonical JSON: the data of its leaf."""
        # For what an entry can hold (keys of ASCII, text, integers up to MAX_COUNT, booleans) this is the form of RFC 8785.
        return orjson.dumps({"at": self.at, "body": self.body, "kind": self.kind}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def parse(cls, leaf: bytes) -> Entry:
        """Read the data of a leaf.

        Raises:
            TrailError: it is not canonical JSON, or not an allowed entry.
        """
        if (found := _written_as(leaf)) is not None:
            return found
        try:
            value = parse(leaf)
        except EvidenceError as error:
            raise TrailError(error.message, where="trail entry") from None
        if type(value) is not dict or value.keys() != {"at", "body", "kind"} or type(value["body"]) is not dict:
            raise TrailError("expected the members at, body and kind", where="trail entry")
        if None in value["body"].values():
            raise TrailError("a field is null", where="trail entry")
        return cls(value["kind"], value["at"], value["body"])


def _written_as(leaf: bytes) -> Entry | None:
    """The entry that is written as exactly ``leaf``, which proves that ``leaf`` is canonical; None where there is none."""
    try:
        value = orjson.loads(leaf)
        found = Entry(value["kind"], value["at"], value["body"])
        return found if found.leaf() == leaf else None
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, TrailError):
        return None


def is_of(name: str, value: Any) -> bool:
    """Whether ``value`` is of the type ``name`` (docs/spec/trail.md, "Types"): what is, names no person."""
    try:
        return bool(_TYPES[name](value))
    except TypeError:
        return False


def _check(kind: Any, at: Any, body: Mapping[str, Any]) -> None:
    known = KINDS.get(kind) if type(kind) is str else None
    if known is None:
        raise TrailError("unknown kind of entry", where="trail entry", hint="docs/spec/trail.md lists the kinds")
    if type(at) is not str or not _AT.fullmatch(at):
        raise TrailError("expected an instant like 2026-01-31T12:00:00Z", where=f"{kind}.at")
    if missing := known.required - body.keys():
        raise TrailError(f"expected the fields {', '.join(sorted(missing))}", where=kind)
    tests = known.tests
    for name, value in body.items():
        if type(name) is not str or name not in tests:
            raise TrailError(
                "a field is not allowed in this kind", where=kind, hint=f"allowed: {', '.join(known.types)}"
            )
        try:
            passes = tests[name](value)
        except TypeError:
            passes = False
        if not passes:
            raise TrailError(
                f"expected {known.types[name]}", where=f"{kind}.{name}", hint="docs/spec/trail.md defines the types"
            )


def commitment(salt: bytes, data: bytes) -> str:
    """HMAC-SHA256 in hex: binds the trail to ``data`` without telling it; who has salt and data can open it.

    Raises:
        TrailError: the salt is too short to stop a guess by enumeration.
    """
    if len(salt) < MIN_SALT_BYTES:
        raise TrailError(f"expected a salt of at least {MIN_SALT_BYTES} bytes, got {len(salt)}", where="commitment")
    return hmac.digest(salt, data, hashlib.sha256).hex()
