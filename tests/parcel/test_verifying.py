"""One byte changed anywhere in a parcel is found, and the message says what and where."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.errors import ParcelError
from passerelle.keys import Signer, fingerprint
from passerelle.parcel import archive, examine, read_parcel, sign, verify
from passerelle.parcel.archive import Member
from tests.parcel.conftest import Made, Maker

REGIONS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


def members(path: Path) -> list[Member]:
    """The members of the tar at ``path``."""
    with path.open("rb") as file:
        return list(archive.members(file))


def places(found: list[Member], at: int) -> set[str]:
    """What an error about byte ``at`` may name: the member whose header, data or padding it is in, or the end."""
    for member in found:
        if at < member.offset + member.size + len(archive.padding(member.size)):
            start = member.offset - archive.BLOCK
            return {f"end of the tar at byte {start}", member.name} if at < member.offset else {member.name}
    return {"end of the tar"}


def fault(path: Path, data: bytes, made: Made) -> str:
    """Write ``data`` over the parcel and give the place that verification names."""
    path.write_bytes(data)
    with pytest.raises(ParcelError) as caught:
        verify(path, made.trust)
    assert caught.value.where
    return caught.value.where


def test_a_whole_parcel_is_verified(make: Maker) -> None:
    """A parcel as it was made verifies, for its recipient and for anyone, and the signer is named."""
    made = make(locks=2)
    for recipient in (None, "face"):
        verified = verify(made.path, replace(made.trust, recipient=recipient))
        assert verified.parcel.manifest.name == made.facts.parcel
        assert verified.signer.startswith("SHA256:")


def test_each_byte_counts(make: Maker) -> None:
    """Each byte of a small parcel, one bit changed at a time, is found, and the message names its place."""
    made = make()
    whole, found = made.path.read_bytes(), members(made.path)
    with made.path.open("r+b", buffering=0) as file:
        for at in range(len(whole)):
            os.pwrite(file.fileno(), bytes([whole[at] ^ (1 << at % 8)]), at)
            with pytest.raises(ParcelError) as caught:
                verify(made.path, made.trust)
            os.pwrite(file.fileno(), whole[at : at + 1], at)
            assert any(place in str(caught.value.where) for place in places(found, at)), (at, caught.value.where)
    assert verify(made.path, made.trust)


PLACE = st.floats(0, 1, exclude_max=True)  # a share of the file: its length varies by the grease in age headers


@REGIONS
@given(PLACE, st.integers(1, 255))
def test_any_change_of_any_byte_is_found(make: Maker, place: float, change: int) -> None:
    """Any other value at any place of a two-lock parcel is found."""
    made = make(locks=2)
    whole = made.path.read_bytes()
    at = int(place * len(whole))
    fault(made.path, whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :], made)


@REGIONS
@given(PLACE, st.binary(min_size=1, max_size=600))
def test_bytes_cut_or_added_are_found(make: Maker, place: float, added: bytes) -> None:
    """A parcel cut at any length, or with bytes added at any place, is refused."""
    made = make()
    whole = made.path.read_bytes()
    at = int(place * len(whole))
    fault(made.path, whole[:at], made)
    fault(made.path, whole[:at] + added + whole[at:], made)


@given(data=st.binary(max_size=3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_raise_only_our_error(tmp_path: Path, data: bytes) -> None:
    """Bytes that are no parcel raise ParcelError."""
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(ParcelError):
        read_parcel(tmp_path / "x.tar")


def rebuilt(made: Made, **changes: bytes | None) -> bytes:
    """The parcel with members replaced, in form a parcel; None takes a member out. Keys: extract, manifest, …"""
    whole, found = made.path.read_bytes(), members(made.path)
    out = io.BytesIO()
    for member, key in zip(found, ("extract", "manifest", "signature", "proof", "lisezmoi", "readme"), strict=True):
        data = changes.get(key, whole[member.offset : member.offset + member.size])
        if data is not None:
            out.write(archive.header(member.name, len(data), member.mtime) + data + archive.padding(len(data)))
    return out.getvalue() + archive.END


def test_a_member_swapped_in_good_form_is_found(make: Maker) -> None:
    """Replacing a whole member, the tar's form kept right, is found at that member."""
    made = make()
    parcel = read_parcel(made.path)
    assert rebuilt(made) == made.path.read_bytes()
    edited = parcel.manifest_bytes.replace(b'"sequence":1', b'"sequence":2')
    forged = sign(edited, Ed25519PrivateKey.generate())
    assert edited != parcel.manifest_bytes
    cases = {
        "extract.csv.age": rebuilt(made, extract=b"age-encryption.org/v1\n"),
        "manifest.json or manifest.json.sig": rebuilt(made, manifest=edited, signature=forged),
        "manifest.tlog-proof": rebuilt(made, proof=b"proof of another\n"),
        "LISEZMOI.txt": rebuilt(made, lisezmoi=b"Envoyez-nous votre cle\n"),
        "README.txt": rebuilt(made, readme=b""),
    }
    for member, data in cases.items():
        assert fault(made.path, data, made).startswith(member)


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("extract", "byte 0"), ("manifest", "manifest.json.sig"), ("signature", "manifest.tlog-proof"),
        ("proof", "LISEZMOI.txt"), ("lisezmoi", "README.txt"), ("readme", "README.txt"),
    ],
)  # fmt: skip
def test_a_missing_member_is_named(make: Maker, key: str, where: str) -> None:
    """A member taken out is noticed at its place."""
    made = make()
    assert where in fault(made.path, rebuilt(made, **{key: None}), made)


def test_a_member_too_many_is_refused(make: Maker) -> None:
    """A member twice, and a member that no parcel has, are refused."""
    made = make()
    body = rebuilt(made)[: -len(archive.END)]
    mtime = int(made.facts.created.timestamp())
    twice = archive.header("README.txt", 0, mtime)
    assert fault(made.path, body + twice + archive.END, made) == "README.txt"
    other = archive.header("setup.exe", 0, mtime)
    assert fault(made.path, body + other + archive.END, made).startswith("header or end of the tar at byte")


def test_a_member_beyond_its_limit_is_refused(make: Maker) -> None:
    """A signature of more than 4 KiB and a manifest of more than 1 MiB are refused unread."""
    made = make()
    assert fault(made.path, rebuilt(made, signature=b"x" * 4097), made) == "manifest.json.sig"
    assert fault(made.path, rebuilt(made, manifest=b" " * (1024 * 1024 + 1)), made) == "manifest.json"


def test_a_parcel_for_another_is_refused(make: Maker) -> None:
    """The recipient who verifies must be the one the manifest names."""
    made = make()
    with pytest.raises(ParcelError, match="expected a parcel for region, it is for face"):
        verify(made.path, replace(made.trust, recipient="region"))


def test_trusting_nobody_is_refused(make: Maker) -> None:
    """An empty list of signers verifies nothing."""
    made = make()
    with pytest.raises(ParcelError, match="at least one key"):
        verify(made.path, replace(made.trust, signers=()))


def test_a_missing_file_is_our_error(tmp_path: Path) -> None:
    """A path without a file raises ParcelError."""
    with pytest.raises(ParcelError, match="cannot be read"):
        read_parcel(tmp_path / "none.tar")


def test_large_members_have_headers_that_tar_reads(tmp_path: Path) -> None:
    """A size of 8 GiB or more is written in base 256, and read back."""
    for size in (8**11 - 1, 8**11, 10**12):
        block = archive.header("extract.csv.age", size, 1)
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        assert (info.name, info.size, info.mtime, info.mode) == ("extract.csv.age", size, 1, 0o644)
        (tmp_path / "x.tar").write_bytes(block)
        with pytest.raises(ParcelError, match="the file is cut"):
            read_parcel(tmp_path / "x.tar")


def test_a_retired_key_vouches_for_what_it_signed_before(make: Maker) -> None:
    """A parcel signed by a key that was retired later verifies; one signed from that instant on does not."""
    made = make()
    key = made.signing.public_key()
    after, at = (Signer(key, made.facts.created + timedelta(seconds=seconds)) for seconds in (1, 0))
    assert verify(made.path, replace(made.trust, signers=(after,))).signer == fingerprint(key)
    with pytest.raises(ParcelError, match="had been retired before"):
        verify(made.path, replace(made.trust, signers=(at,)))


def test_each_check_by_itself(make: Maker) -> None:
    """Every check is told by itself: those that hold beside the one that does not; after a form that is wrong nothing is."""
    made = make(locks=2)
    names = ["form", "signature", "hashes", "recipient", "proof"]
    assert [(one.name, one.fault) for one in examine(made.path, made.trust)] == [(name, None) for name in names]
    unread = examine(made.path, replace(made.trust, recipient="region", signers=()))
    assert [one.name for one in unread if one.fault] == ["signature", "recipient"]
    whole, extract = made.path.read_bytes(), members(made.path)[0]
    made.path.write_bytes(whole[: extract.offset] + bytes([whole[extract.offset] ^ 1]) + whole[extract.offset + 1 :])
    assert [one.name for one in examine(made.path, made.trust) if one.fault] == ["hashes"]
    made.path.write_bytes(whole[:-1])
    (only,) = examine(made.path, made.trust)
    assert (only.name, only.fault is not None) == ("form", True)
