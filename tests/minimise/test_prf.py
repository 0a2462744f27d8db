"""AES-CMAC of whole columns: published vectors, and equality with the library's one value at a time."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from passerelle.errors import UsageError
from passerelle.minimise import cmac, pseudonyms, row_tags

RFC_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
RFC_MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
RFC_TAGS = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}
keys = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


def one(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def test_rfc_4493_vectors() -> None:
    """The four messages of RFC 4493 §4, in one column, have the tags printed there."""
    tags = cmac(RFC_KEY, pa.array([RFC_MESSAGE[:length] for length in RFC_TAGS], pa.binary()))
    assert [tag.tobytes().hex() for tag in tags] == list(RFC_TAGS.values())


def test_wycheproof(shared: Path) -> None:
    """Every Wycheproof message whose key is an AES key has its tag, valid or not as they say."""
    suite = json.loads((shared / "vectors" / "wycheproof" / "aes_cmac_test.json").read_text())
    seen = 0
    for group in suite["testGroups"]:
        for case in group["tests"]:
            key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["msg"])
            if len(key) not in {16, 24, 32}:
                assert case["result"] == "invalid"
                with pytest.raises(UsageError):
                    cmac(key, pa.array([message], pa.binary()))
                continue
            tag = cmac(key, pa.array([message], pa.binary()))[0].tobytes()[: group["tagSize"] // 8]
            assert (tag.hex() == case["tag"]) == (case["result"] == "valid")
            seen += 1
    assert seen > 100


@given(keys, st.lists(st.one_of(st.none(), st.text(max_size=70))), st.integers(0, 5), st.integers(0, 5))
def test_equals_the_library_on_any_column(key: bytes, values: list[str | None], head: int, tail: int) -> None:
    """Any slice of any text column, nulls included, has the tags that the library gives value by value."""
    column = pa.array(values, pa.string()).slice(head)
    column = column.slice(0, max(0, len(column) - tail))
    expected = [bytes(16) if value is None else one(key, value.encode()) for value in column.to_pylist()]
    for form in (
        column,
        column.cast(pa.large_string()),
        pa.chunked_array([column.slice(0, 1), column.slice(1)], pa.string()),
    ):
        assert [tag.tobytes() for tag in cmac(key, form)] == expected


@given(keys, st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=20)), st.text(max_size=20)), min_size=1))
def test_row_tags_of_several_columns(key: bytes, rows: list[tuple[str | None, str]]) -> None:
    """The tag of two columns is the CMAC of their tags, and a null in one of them means no key."""
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.string()), "b": pa.array([b for _, b in rows], pa.string())}
    )
    tags, present = row_tags(key, table, ["a", "b"])
    assert present.tolist() == [a is not None for a, _ in rows]
    for (a, b), tag in zip(rows, tags, strict=True):
        first = bytes(16) if a is None else one(key, a.encode())
        assert tag.tobytes() == one(key, first + one(key, b.encode()))


@given(st.lists(st.one_of(st.none(), st.text(max_size=40))))
def test_pseudonyms_are_base32_of_the_tag(values: list[str | None]) -> None:
    """A pseudonym is the lower-case base32 of the CMAC without padding, and null stays null."""
    column = pa.array(values, pa.string())
    expected = [
        None if value is None else base64.b32encode(one(RFC_KEY, value.encode())).decode().rstrip("=").lower()
        for value in values
    ]
    result = pseudonyms(RFC_KEY, column)
    result.validate(full=True)
    assert result.to_pylist() == expected


def test_another_key_gives_another_pseudonym() -> None:
    """Two recipients cannot join their extracts on the pseudonyms."""
    column = pa.array(["123456789012345"])
    assert pseudonyms(bytes(16), column) != pseudonyms(bytes(15) + b"\1", column)


def test_very_long_values() -> None:
    """A text of a mebibyte among short ones is tagged like any other."""
    values = ["a", "b" * (1 << 20), "c" * 16, ""]
    tags = cmac(RFC_KEY, pa.array(values))
    assert [tag.tobytes() for tag in tags] == [one(RFC_KEY, value.encode()) for value in values]


@pytest.mark.parametrize("key", [b"", b"k" * 15, b"k" * 33])
def test_wrong_key_is_refused(key: bytes) -> None:
    """A key that AES does not have is refused."""
    with pytest.raises(UsageError):
        cmac(key, pa.array(["a"]))


def test_numbers_are_refused() -> None:
    """A column of numbers has no bytes to tag."""
    with pytest.raises(UsageError):
        cmac(RFC_KEY, pa.array([1, 2]))


def test_row_tags_need_a_column() -> None:
    """A key of no column would make every row a duplicate, so it is refused."""
    with pytest.raises(UsageError):
        row_tags(RFC_KEY, pa.table({"a": ["x"]}), [])


def test_nulls_have_zero_tags() -> None:
    """A null is no value: its tag is zero, unlike that of an empty text."""
    tags = cmac(RFC_KEY, pa.array([None, ""]))
    assert not tags[0].any()
    assert np.any(tags[1])
