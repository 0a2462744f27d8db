"""Canonical JSON: the published vectors, and one sequence of bytes for each value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.canonical import canonical, parse
from passerelle.errors import EvidenceError

SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(SCALARS | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


def test_the_published_vectors_come_out(shared: Path) -> None:
    """Each input of RFC 8785's test data becomes its output, to the byte; the output parses and stays itself."""
    inputs = sorted((shared / "vectors" / "jcs" / "input").glob("*.json"))
    assert len(inputs) == 6
    for path in inputs:
        expected = (shared / "vectors" / "jcs" / "output" / path.name).read_bytes()
        outhex = (shared / "vectors" / "jcs" / "outhex" / f"{path.stem}.txt").read_text()
        assert canonical(json.loads(path.read_text(encoding="utf-8"))) == expected == bytes.fromhex(outhex)
        assert canonical(parse(expected)) == expected


@given(VALUES)
def test_parsing_undoes_canonical(value: Any) -> None:
    """What is canonical parses to a value with the same canonical form."""
    data = canonical(value)
    assert canonical(parse(data)) == data


@given(st.binary())
def test_bytes_raise_only_our_error(data: bytes) -> None:
    """Any bytes parse to a value whose canonical form they are, or raise EvidenceError."""
    try:
        value = parse(data)
    except EvidenceError:
        return
    assert canonical(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"NaN",
        b"Infinity",
        b"9007199254740993",
        b'"\\u00e9"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"",
        b"[" * 100_000,
        b"9" * 5000,
        b"1\n",
    ],
)
def test_what_is_not_canonical_is_refused(data: bytes) -> None:
    """A key twice, another order, white space, NaN, big numbers, needless escapes and their like are refused."""
    with pytest.raises(EvidenceError):
        parse(data)


@pytest.mark.parametrize("value", [float("nan"), 2**53, {1: "a"}, {"a": object()}, "\ud800", b"bytes"])
def test_values_without_canonical_form_are_refused(value: Any) -> None:
    """NaN, integers beyond 2**53 - 1, keys that are not text and types that JSON lacks have no canonical form."""
    with pytest.raises(EvidenceError, match="no canonical JSON form"):
        canonical(value)


def test_keys_are_in_the_order_of_utf_16() -> None:
    """A key beyond U+FFFF comes before one at its end; the order of code points is refused."""
    assert parse('{"\U00010000":1,"\uffff":2}'.encode()) == {"\U00010000": 1, "\uffff": 2}
    with pytest.raises(EvidenceError, match="not in canonical form"):
        parse('{"\uffff":2,"\U00010000":1}'.encode())
