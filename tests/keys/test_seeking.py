"""Reading anywhere in an age file: the same bytes as opening it whole, and no file that was cut or altered."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.registry import contract
from contracts.samples import sample
from passerelle.errors import EvidenceError
from passerelle.intake import open_original, open_source
from passerelle.keys import AgeFile, Identity, age_sink, parse_identities
from passerelle.keys.age import CHUNK, TAG
from tests.intake.packed import packed
from tests.keys.test_age import ALICE, read_vector

SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 33 * CHUNK + 5)


def sealed(path: Path, plain: bytes, identity: Identity = ALICE) -> Path:
    """An age file of ``plain``."""
    with path.open("wb") as file, age_sink(file, [identity.recipient]) as sink:
        sink.write(plain)
    return path


def whole(path: Path, identity: Identity = ALICE) -> bytes:
    """Everything in it, by places."""
    source = AgeFile(path, [identity])
    try:
        return source.pread(source.size_bytes + 1, 0)
    finally:
        source.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_byte_is_where_it_was(tmp_path: Path, size: int) -> None:
    """A file of any number of chunks gives back its bytes, whole and as a file to seek in, and says its size."""
    plain = bytes(range(251)) * (size // 251 + 1)
    path = sealed(tmp_path / "a.age", plain[:size])
    assert whole(path) == plain[:size]
    source = AgeFile(path, [ALICE])
    assert source.size_bytes == size
    with source.file() as file:
        assert file.seek(0, 2) == size
        assert file.seek(size // 2) == size // 2
        assert file.read() == plain[size // 2 : size]
    source.close()
    source.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 36 * CHUNK), size=st.integers(0, 3 * CHUNK))
def test_any_piece_is_the_piece_of_the_whole(tmp_path: Path, place: int, size: int) -> None:
    """Any stretch read by its place is that stretch of the plain bytes."""
    plain = hashlib.shake_128(b"seed").digest(33 * CHUNK + 5)
    path = tmp_path / "b.age"
    if not path.exists():
        sealed(path, plain)
    source = AgeFile(path, [ALICE])
    assert source.pread(size, place) == plain[place : place + size]
    source.close()


def test_what_was_cut_altered_or_is_of_another_is_refused(tmp_path: Path) -> None:
    """A file cut at a chunk or within one, lengthened, altered in a chunk, or sealed to another does not open."""
    data = sealed(tmp_path / "c.age", bytes(3 * CHUNK)).read_bytes()
    faults = {
        "cut at a chunk": data[: -(CHUNK + TAG)],
        "cut within a chunk": data[:-1],
        "no payload": data[: -3 * (CHUNK + TAG)],
        "lengthened": data + bytes(TAG + 1),
        "altered": data[:-CHUNK] + bytes([data[-CHUNK] ^ 1]) + data[-CHUNK + 1 :],
    }
    for name, altered in faults.items():
        (tmp_path / "d.age").write_bytes(altered)
        with pytest.raises(EvidenceError, match=r"altered or cut|malformed"):
            pytest.fail(f"{name}: {len(whole(tmp_path / 'd.age'))} bytes came")
    with pytest.raises(EvidenceError, match="no identity"):
        whole(tmp_path / "c.age", Identity.generate())
    with pytest.raises(EvidenceError, match="cannot be read"):
        whole(tmp_path / "none.age")


def test_the_public_vectors_agree(shared: Path, tmp_path: Path) -> None:
    """Each X25519 vector of the age test kit opens by places to its payload, or fails."""
    seen = {True: 0, False: 0}
    for path in sorted((shared / "vectors" / "age").iterdir()):
        lines, data = read_vector(path)
        native = [text for text in lines["identity"] if text.startswith("AGE-SECRET-KEY-1")]
        if not native or len(native) != len(lines["identity"]) or "armored" in lines or "passphrase" in lines:
            continue
        (tmp_path / "v.age").write_bytes(data)
        good = lines["expect"][0] == "success"
        seen[good] += 1
        if good:
            plain = whole(tmp_path / "v.age", parse_identities(native[0].encode())[0])
            assert hashlib.sha256(plain).hexdigest() == lines["payload"][0], path.name
            continue
        with pytest.raises(EvidenceError):
            pytest.fail(f"{path.name}: {len(whole(tmp_path / 'v.age', parse_identities(native[0].encode())[0]))} bytes")
    assert seen[True] >= 10
    assert seen[False] >= 30


@pytest.mark.parametrize("packing", ["plain", "zip", "gzip"])
def test_a_raw_copy_is_read_as_the_file_it_was(tmp_path: Path, packing: str) -> None:
    """The rows, hash and size of a sender's file are the same from its encrypted copy, however it was packed."""
    data = packed(b"".join(sample("studies_bmo", 300, 0.0, 0)), packing)
    (tmp_path / "sent").write_bytes(data)
    dialects = contract("studies_bmo").dialects
    sources = (
        open_source(tmp_path / "sent", dialects),
        open_original(AgeFile(sealed(tmp_path / "raw.age", data), [ALICE]), dialects),
    )
    found = []
    for source in sources:
        with source:
            for _ in source.digest_pass([]):
                pass
            rows = [row for batch in source.batches() for row in batch.rows.to_pylist()]
            found.append((source.sha256, source.size_bytes, source.packing, rows))
    assert found[0] == found[1]
    assert found[0][0] == hashlib.sha256(data).hexdigest()
