"""Sealing: steps in order, one write of the extract, and a crash between the steps costs nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyarrow import csv

from passerelle.errors import ParcelError, UsageError
from passerelle.keys import Identity
from passerelle.parcel import (
    Sealed,
    Sealer,
    build_manifest,
    notice_hashes,
    notices,
    open_parcel,
    read_parcel,
    sign,
    verify,
)
from tests.parcel.conftest import CREATED, CSV, Made, Maker, make_facts, proof_of

SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(32))


def seal(path: Path, plain: bytes = CSV, recipient: Identity | None = None) -> Sealed:
    """Seal the extract of a parcel and stop there."""
    sealer = Sealer(path, CREATED)
    with sealer.extract("extract.csv", [(recipient or Identity.generate()).recipient]) as sink:
        sink.write(plain)
    assert sealer.sealed is not None
    return sealer.sealed


def finish(path: Path, sealed: Sealed) -> bytes:
    """Go on from a sealed extract; the bytes of the parcel."""
    facts = make_facts()
    texts = notices(facts, sealed)
    manifest = build_manifest(facts, sealed, notice_hashes(texts))
    done = Sealer.resume(path, CREATED, Sealed.from_json(sealed.as_json()))
    return done.finish(manifest, sign(manifest, SIGNING), proof_of(manifest), texts).read_bytes()


def test_a_killed_sealing_goes_on(tmp_path: Path) -> None:
    """After the extract, after half of the rest, and after the end, resuming gives the same parcel."""
    path, part = tmp_path / "p.tar", tmp_path / "p.tar.part"
    sealed = seal(path)
    assert not path.exists()
    whole = finish(path, sealed)
    assert not part.exists()
    for cut in (*range(512 * 2, len(whole), 512), len(whole)):
        path.unlink(missing_ok=True)
        part.write_bytes(whole[:cut])
        assert finish(path, sealed) == whole
    assert finish(path, sealed) == whole
    part.write_bytes(whole + b"left over")
    assert finish(path, sealed) == whole


def test_another_extract_is_not_taken_for_the_sealed_one(tmp_path: Path) -> None:
    """Resuming finds an extract that was altered, cut, replaced or lost since."""
    path, part = tmp_path / "p.tar", tmp_path / "p.tar.part"
    sealed = seal(path)
    whole = part.read_bytes()
    for bad in (whole[:600] + bytes([whole[600] ^ 1]) + whole[601:], whole[:700], b"x" + whole[1:], whole[:-1] + b"x"):
        part.write_bytes(bad)
        with pytest.raises(ParcelError):
            Sealer.resume(path, CREATED, sealed)
    part.unlink()
    with pytest.raises(ParcelError, match="cannot be read"):
        Sealer.resume(path, CREATED, sealed)


def test_steps_out_of_order_are_refused(tmp_path: Path) -> None:
    """Finishing before sealing, sealing twice, to nobody or under another name is refused."""
    sealer = Sealer(tmp_path / "p.tar", CREATED)
    someone = [Identity.generate().recipient]
    with pytest.raises(UsageError, match="expected a sealed extract"):
        sealer.finish(b"", b"", b"", {})
    with pytest.raises(UsageError, match="at least one recipient"), sealer.extract("extract.csv", []):
        pass
    with pytest.raises(UsageError, match=r"extract\.csv or"), sealer.extract("people.csv", someone):
        pass
    with sealer.extract("extract.csv", someone) as sink:
        sink.write(CSV)
    with pytest.raises(UsageError, match="it is sealed"), sealer.extract("extract.csv", someone):
        pass


def test_a_failure_while_sealing_leaves_nothing(tmp_path: Path) -> None:
    """An exception inside the extract removes the file."""
    sealer = Sealer(tmp_path / "p.tar", CREATED)
    with pytest.raises(ZeroDivisionError), sealer.extract("extract.csv", [Identity.generate().recipient]):
        raise ZeroDivisionError
    assert (list(tmp_path.iterdir()), sealer.sealed) == ([], None)


def test_no_plain_byte_is_written(tmp_path: Path) -> None:
    """The unfinished file and the finished one hold no line of the extract, and only their owner reads the first."""
    secret = b"7,DUPONT-CANARY\n"
    sealed = seal(tmp_path / "p.tar", secret * 100_000)
    part = tmp_path / "p.tar.part"
    assert part.stat().st_mode & 0o777 == 0o600
    assert b"CANARY" not in part.read_bytes()
    assert (sealed.plain_bytes, sealed.cipher_bytes > sealed.plain_bytes) == (1_600_000, True)


def test_the_manifest_must_speak_of_this_extract(tmp_path: Path, make: Maker) -> None:
    """A manifest of another extract, of other notices or of another instant is refused at the end."""
    other = read_parcel(make().path)
    sealed = seal(tmp_path / "p.tar")
    texts = notices(make_facts(), sealed)
    good = build_manifest(make_facts(), sealed, notice_hashes(texts))
    later = build_manifest(make_facts(created=CREATED.replace(year=2027)), sealed, notice_hashes(texts))
    for manifest, with_texts, message in (
        (other.manifest_bytes, dict(other.notices), "another extract"),
        (good, {**texts, "README.txt": b""}, "other notices"),
        (later, texts, "another instant"),
    ):
        with pytest.raises(ParcelError, match=message):
            Sealer.resume(tmp_path / "p.tar", CREATED, sealed).finish(manifest, b"", b"", with_texts)


def test_pyarrow_writes_into_the_sink(tmp_path: Path) -> None:
    """The CSV writer of pyarrow takes the sink for a file, and what it wrote comes back."""
    table = pa.table({"code": ["A1"] * 5000, "count": list(range(5000))})
    recipient = Identity.generate()
    sealer = Sealer(tmp_path / "q.tar", CREATED)
    with (
        sealer.extract("extract.csv", [recipient.recipient]) as sink,
        csv.CSVWriter(sink, table.schema) as writer,
    ):
        for batch in table.to_batches(max_chunksize=700):
            writer.write(batch)
    assert sealer.sealed is not None
    facts = make_facts(counts=make_facts().counts.model_copy(update={"extracted": 5000}))
    texts = notices(facts, sealer.sealed)
    manifest = build_manifest(facts, sealer.sealed, notice_hashes(texts))
    path = sealer.finish(manifest, sign(manifest, SIGNING), proof_of(manifest), texts)
    opened = open_parcel(read_parcel(path), [recipient], None, tmp_path / "out")
    assert csv.read_csv(opened.path).equals(table)


def test_the_same_arguments_give_the_same_parcel(make: Maker) -> None:
    """Header, padding and order are functions of the members: the tar is rebuilt from them byte for byte."""
    made: Made = make(locks=2)
    before = made.path.read_bytes()
    parcel = verify(made.path, made.trust).parcel
    Sealer.resume(made.path, CREATED, made.sealed).finish(
        parcel.manifest_bytes, parcel.signature, parcel.proof, parcel.notices
    )
    assert made.path.read_bytes() == before
