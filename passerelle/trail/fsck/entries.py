"""Entries, read for the checker alone: canonical JSON of an allowed kind (docs/spec/trail.md, "Entries")."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from typing import Any

Test = Callable[[Any], bool]

ENTRY_BYTES = 0xFFFF  # the length of an entry in a bundle has 16 bits
NAME_CHARACTERS = 128
ARTICLE_CHARACTERS = 160
ERROR_CHARACTERS = 64
PERIOD_CHARACTERS = (4, 24)  # a year; two dates
CONTRACT_CHARACTERS = 64
VERSION_NUMBERS = 3
ITEMS = 512
HEX_CHARACTERS = 64  # SHA-256
FINGERPRINT_CHARACTERS = 50  # "SHA256:" and 32 bytes in base64 without padding

_ALNUM = frozenset(string.ascii_letters + string.digits)
_HEX = frozenset("0123456789abcdef")
_LOWER = frozenset(string.ascii_lowercase + string.digits)
_ARTICLE = frozenset(string.ascii_letters + string.digits + " .,;:§()[]'’-Œœ") | {
    chr(code) for code in range(0xC0, 0x100) if code not in {0xD7, 0xF7}
}
_SEPARATORS = str.maketrans("._:/-", "     ")
_NINE_DIGITS = re.compile("[0-9]{9}")
_THREE_DIGITS = re.compile("[0-9]{3}")
_VERSION = re.compile("[0-9]{1,4}")
_INSTANT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_PERIOD = re.compile("[0-9]{4}(-[A-Z]?[0-9]{1,2}){0,2}")


def _joined(value: str, letters: frozenset[str]) -> bool:
    """Runs of ``letters`` joined by single separators."""
    if not 0 < len(value) <= NAME_CHARACTERS or " " in value:
        return False
    parts = value.translate(_SEPARATORS).split(" ")
    return all(parts) and letters.issuperset("".join(parts))


@lru_cache(maxsize=4096)
def _is_word(value: str) -> bool:
    if not value or not value[0].isalpha() or _NINE_DIGITS.search(value):
        return False
    return len(value) <= NAME_CHARACTERS and _joined(value.removesuffix("+"), _ALNUM)


def _word(value: Any) -> bool:
    """Words come again and again: parties, conventions, rules."""
    return type(value) is str and _is_word(value)


def _ref(value: Any) -> bool:
    return type(value) is str and _joined(value, _LOWER) and not value.translate(_SEPARATORS).replace(" ", "").isdigit()


def _contract(value: Any) -> bool:
    if type(value) is not str:
        return False
    name, mark, version = value.partition("@")
    numbers = version.split(".")
    if mark and not (len(numbers) <= VERSION_NUMBERS and all(_VERSION.fullmatch(number) for number in numbers)):
        return False
    return 0 < len(name) <= CONTRACT_CHARACTERS and name[0].isalpha() and (_ALNUM | {"_", "-"}).issuperset(name)


def _hex(value: Any) -> bool:
    return type(value) is str and len(value) == HEX_CHARACTERS and _HEX.issuperset(value)


def _fingerprint(value: Any) -> bool:
    if type(value) is str and value.startswith("SHA256:"):
        return len(value) == FINGERPRINT_CHARACTERS and (_ALNUM | {"+", "/"}).issuperset(value[7:])
    return _hex(value)


def _day(value: str) -> bool:
    return "01" <= value[5:7] <= "12" and "01" <= value[8:10] <= "31"


def instant(value: Any) -> bool:
    """An instant as entries write it: RFC 3339, UTC, seconds."""
    if type(value) is not str or not _INSTANT.fullmatch(value) or not _day(value):
        return False
    return value[11:13] <= "23" and value[14:16] <= "59" and value[17:19] <= "59"


def _date(value: Any) -> bool:
    return type(value) is str and instant(f"{value}T00:00:00Z")


def _moment(value: Any) -> bool:
    """A date, or an instant with its offset and perhaps its seconds."""
    if type(value) is not str or "T" not in value:
        return _date(value)
    time, zone = value[:-1], "+00:00"
    if not value.endswith("Z"):
        time, zone = value[: -len(zone)], value[-len(zone) :]
    if len(time) == len("2026-01-31T12:00"):
        time += ":00"
    return instant(f"{time}Z") and zone[0] in "+-" and instant(f"2026-01-01T{zone[1:]}:00Z")


def _period(value: Any) -> bool:
    if type(value) is not str or not PERIOD_CHARACTERS[0] <= len(value) <= PERIOD_CHARACTERS[1]:
        return False
    return value.count("/") <= 1 and all(_PERIOD.fullmatch(half) for half in value.split("/"))


def _article(value: Any) -> bool:
    if type(value) is not str or not 0 < len(value) <= ARTICLE_CHARACTERS:
        return False
    return _ARTICLE.issuperset(value) and not _THREE_DIGITS.search(value)


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _error(value: Any) -> bool:
    return (
        type(value) is str
        and 0 < len(value) <= ERROR_CHARACTERS
        and value.isascii()
        and value.isalpha()
        and value[0].isupper()
    )


def _one_of(*allowed: str) -> Test:
    return lambda value: type(value) is str and value in allowed


_TESTS: dict[str, Test] = {
    "word": _word,
    "words": lambda value: type(value) is list and len(value) <= ITEMS and all(map(_word, value)),
    "ref": _ref,
    "contract": _contract,
    "sha256": _hex,
    "commitment": _hex,
    "fingerprint": _fingerprint,
    "date": _date,
    "moment": _moment,
    "period": _period,
    "article": _article,
    "count": _count,
    "counts": lambda value: (
        type(value) is dict and len(value) <= ITEMS and all(map(_word, value)) and all(map(_count, value.values()))
    ),
    "flag": lambda value: value is True or value is False,
    "outcome": _one_of("allow", "allow_with_warning", "block"),
    "stage": _one_of("start", "delivery"),
    "basis": _one_of("stated", "interpreted", "hub_policy"),
    "error": _error,
}


def _kinds() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    data = json.loads(resources.files("passerelle.trail").joinpath("kinds.json").read_bytes())
    return {name: (fields["required"], fields["required"] | fields["optional"]) for name, fields in data.items()}


_KINDS = _kinds()
# The canonical form (RFC 8785) of all that an entry may hold: sorted ASCII keys, text, integers, booleans.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def read(data: bytes) -> tuple[str | None, str | None, str | None]:
    """What is wrong with an entry (None: nothing), its instant and its kind as far as they can be read."""
    if len(data) > ENTRY_BYTES:
        return f"{len(data)} bytes, more than an entry may have", None, None
    try:
        value = json.loads(data.decode())
        again = _canonical(value).encode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8", None, None
    except json.JSONDecodeError as error:
        return f"not JSON at character {error.pos}", None, None
    except (ValueError, RecursionError):
        return "not JSON", None, None
    if again != data:
        return f"not in canonical form at byte {_first_difference(again, data)}", None, None
    if type(value) is not dict or list(value) != ["at", "body", "kind"]:
        return "the members are not at, body and kind", None, None
    at = value["at"] if instant(value["at"]) else None
    kind = value["kind"] if type(value["kind"]) is str else None
    return _fault(value, at, kind), at, kind


def _fault(value: dict[str, Any], at: str | None, kind: str | None) -> str | None:
    if at is None:
        return "field at: not an instant"
    if kind not in _KINDS:
        return "field kind: not a kind of the trail"
    required, allowed = _KINDS[kind]
    body = value["body"]
    if type(body) is not dict:
        return "field body: not an object"
    for name, item in body.items():
        if name not in allowed:
            return f"a field is not allowed in {kind}"
        if not _TESTS[allowed[name]](item):
            return f"field {name}: not of type {allowed[name]}"
    missing = required.keys() - body.keys()
    return f"the field {min(missing)} is missing" if missing else None


def _first_difference(left: bytes, right: bytes) -> int:
    both = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in both if a != b), min(len(left), len(right)))
