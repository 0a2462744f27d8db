"""What may enter the trail, and what may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.canonical import canonical
from passerelle.errors import TrailError
from passerelle.trail import Entry, commitment
from passerelle.trail.entry import _PATTERNS, KINDS
from passerelle.trail.fsck import entries as checker

AT = "2026-03-01T09:00:00Z"
EXAMPLES: dict[str, Any] = {
    "word": "missing_instrument:candidate-pool-agreement",
    "words": ["row_count", "null_rate:siret"],
    "ref": "p-0123456789abcdef01234567",
    "contract": "training_entries@1.2",
    "sha256": "ab" * 32,
    "commitment": "cd" * 32,
    "fingerprint": "SHA256:" + "aB3/" * 10 + "aB3",
    "date": "2026-12-31",
    "moment": "2026-12-31T23:30:00+01:00",
    "period": "2026-03",
    "article": "art. 3 (opérateurs), point 4 ; Engagements d'AMILAURA, § 1",
    "count": 2**53 - 1,
    "counts": {"siret": 3, "date": 0},
    "flag": False,
    "outcome": "allow_with_warning",
    "stage": "delivery",
    "basis": "hub_policy",
    "error": "IntakeError",
}
# As good as each pattern, or nearly: characters that the types accept, their neighbours, and the rest of Unicode.
letters = st.sampled_from([*"abzAZ019_-.:/+@ §Éé()[]'’,;×÷", "\n", "\x00", "\u0661", "ſ"])


def one_off(text: str) -> st.SearchStrategy[str]:
    """``text`` with one character replaced, dropped or doubled."""
    place = st.integers(0, len(text) - 1)
    return st.tuples(place, letters | st.sampled_from(["", *text])).map(
        lambda at: text[: at[0]] + at[1] + text[at[0] + 1 :]
    )


near = st.lists(letters | st.characters(codec="utf-8"), max_size=12).map("".join)
digits = st.text("0123456789-/QSTWZ:+", max_size=24)
numbers = st.integers(-2, 3) | st.sampled_from([2**53 - 1, 2**53, -(2**53), 10**20])
scalars = near | digits | numbers | st.booleans() | st.none() | st.floats() | st.sampled_from(list(EXAMPLES.values()))
values = (
    scalars
    | st.sampled_from([value for value in EXAMPLES.values() if isinstance(value, str)]).flatmap(one_off)
    | st.lists(scalars, max_size=3)
    | st.dictionaries(near, scalars, max_size=3)
    | st.one_of([st.from_regex(pattern, fullmatch=True) for pattern in _PATTERNS.values()])
)


def body_of(kind: str) -> dict[str, Any]:
    return {name: EXAMPLES[expected] for name, expected in KINDS[kind].types.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_with_every_field(kind: str) -> None:
    """An entry with every field of its kind is written, read back, and read alike by the separate checker."""
    entry = Entry(kind, AT, body_of(kind))
    assert Entry.parse(entry.leaf()) == entry
    assert checker.read(entry.leaf()) == (None, AT, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_with_its_required_fields_alone(kind: str) -> None:
    """Optional fields may be absent or None; a required one may not."""
    known = KINDS[kind]
    body = {name: value if name in known.required else None for name, value in body_of(kind).items()}
    assert set(Entry(kind, AT, body).body) == known.required
    for name in known.required:
        with pytest.raises(TrailError, match="expected the fields"):
            Entry(kind, AT, {**body, name: None})


@settings(max_examples=300)
@given(st.sampled_from(sorted(EXAMPLES)), values)
def test_writer_and_checker_agree_on_every_type(expected: str, value: Any) -> None:
    """A value of a field is accepted by both readers or by none, and what is accepted is canonical JSON."""
    kind, name = next((k, n) for k, known in KINDS.items() for n, found in known.types.items() if found == expected)
    body = {**body_of(kind), name: value}
    try:
        leaf = Entry(kind, AT, body).leaf() if value is not None else None
    except TrailError:
        leaf = None
    raw = json.dumps({"at": AT, "body": body, "kind": kind}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    fault, _, _ = checker.read(raw.encode("utf-8", "surrogatepass"))
    assert (leaf is None) == (fault is not None)
    if leaf is not None:
        assert leaf == canonical({"at": AT, "body": body, "kind": kind}) == raw.encode()


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_from_outside_raise_only_our_error(data: bytes) -> None:
    """Whatever bytes come for an entry, the answer is our error."""
    with pytest.raises(TrailError):
        Entry.parse(data)
    assert checker.read(data)[0]


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        (b'"run_duplicate"}', b'"run_duplicate"}\n'),
        (b'{"at"', b' {"at"'),
        (b'{"at"', b'\xef\xbb\xbf{"at"'),
        (b'{"at"', b'{"also":1,"at"'),
        (b'"body":{', b'"body":{"also":1,'),
        (b'"body":{', b'"body":{"run":null,'),
        (b'"convention":', b'"convention":"other","convention":'),
        (b'"kind":', b'"\\u006bind":'),
        (b":3,", b":3.0,"),
        (b":3,", b":03,"),
        (b":3,", b":NaN,"),
        (b":3,", b": 3,"),
        (b'"exchange":"offers",', b'"exchange":"\\ud800",'),
    ],
)  # fmt: skip
def test_an_entry_has_one_spelling(written: bytes, otherwise: bytes) -> None:
    """A leaf that says the same in other bytes, or something more, is no entry."""
    body = {"run": "r-1", "deliveries": 3, "convention": "csp-ft-2024", "exchange": "offers"}
    leaf = Entry("run_duplicate", AT, body).leaf()
    assert leaf.count(written) == 1
    with pytest.raises(TrailError):
        Entry.parse(leaf.replace(written, otherwise))


@pytest.mark.parametrize("field", ["word", "ref", "article", "period", "contract", "error", "fingerprint"])
@pytest.mark.parametrize(
    "value", ["héloïse.trucmuche@example.org", "2 85 01 75 123 456 78", "285017512345678", "0612345678"]
)
def test_a_person_has_no_form_that_fits(field: str, value: str) -> None:
    """An address, a number of social security or a telephone number fits no type, and the error does not repeat it."""
    kind, name = next((k, n) for k, known in KINDS.items() for n, found in known.types.items() if found == field)
    with pytest.raises(TrailError) as caught:
        Entry(kind, AT, {**body_of(kind), name: value})
    assert value not in str(caught.value) + str(caught.value.hint)


@pytest.mark.parametrize(
    "at", ["2026-03-01", "2026-03-01T09:00:00+00:00", "2026-13-01T09:00:00Z", "2026-03-01T24:00:00Z", ""]
)
def test_an_instant_has_one_form(at: str) -> None:
    """The instant of an entry is RFC 3339 in UTC with seconds."""
    with pytest.raises(TrailError, match="instant"):
        Entry("keys_destroyed", at, {"convention": "csp-ft-2024"})


def test_a_commitment_needs_a_salt() -> None:
    """A commitment binds to its salt and its data, and refuses a salt that could be guessed."""
    assert commitment(b"s" * 16, b"data") != commitment(b"t" * 16, b"data")
    assert len(commitment(b"s" * 16, b"data")) == 64
    with pytest.raises(TrailError, match="salt"):
        commitment(b"", b"data")


def test_commitments_agree_with_the_hmac_vectors(shared: Path) -> None:
    """Every HMAC-SHA256 vector with a key long enough to be a salt gives its tag, or not, as it says."""
    groups = json.loads((shared / "vectors" / "wycheproof" / "hmac_sha256_test.json").read_text())["testGroups"]
    seen = {"valid": 0, "invalid": 0}
    for group in groups:
        for case in group["tests"]:
            seen[case["result"]] += 1
            made = commitment(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))
            assert made.startswith(case["tag"]) == (case["result"] == "valid"), case["tcId"]
    assert min(seen.values()) > 50
