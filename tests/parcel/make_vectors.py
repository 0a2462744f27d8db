"""Writes tests/vectors/parcel: one fault for each file. Run as ``python -m tests.parcel.make_vectors`` from the checkout.

Keys in age files are random, so that each run writes other bytes with the same expectations.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.canonical import canonical
from passerelle.keys import Identity, public_text
from passerelle.parcel import Counts, Facts, Sealer, build_manifest, notice_hashes, notices, read_parcel, sign
from passerelle.parcel.archive import BLOCK, END, header, padding
from tests.parcel.conftest import CREATED, CSV, make_facts

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "parcel"
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ALICE = Identity.generate()
RELEASE = Identity.generate()
Members = dict[str, bytes]


@dataclass(frozen=True)
class Vector:
    """One vector: the tar and what must come of it."""

    name: str
    tar: bytes
    expect: str = "verify failure"
    where: str = ""
    comment: str = ""
    identity: Identity = ALICE
    release: Identity | None = None
    recipient: str = "face"

    def text(self) -> bytes:
        lines = [
            f"expect: {self.expect}", f"where: {self.where}", f"payload: {hashlib.sha256(CSV).hexdigest()}",
            f"recipient: {self.recipient}", f"signer: {public_text(SIGNING.public_key())}",
            f"identity: {self.identity.secret}", f"release: {self.release.secret}" if self.release else "",
            f"comment: {self.comment}", "encoded: zlib, base64",
        ]  # fmt: skip
        kept = [line for line in lines if not line.endswith(": ") and line]
        return "\n".join([*kept, "", ""]).encode() + base64.encodebytes(zlib.compress(self.tar, 9))


def stand_in(manifest: bytes) -> bytes:
    """The proof of these vectors: the digest of the manifest."""
    return hashlib.sha256(manifest).hexdigest().encode() + b"\n"


def members(
    release: Identity | None = None,
    facts: Facts | None = None,
    edit: Callable[[Any], object] = lambda _: None,
    encode: Callable[[Any], bytes] = canonical,
) -> Members:
    """The members of a good parcel, its manifest edited and encoded before it is signed."""
    facts = facts or make_facts()
    with TemporaryDirectory() as folder:
        sealer = Sealer(Path(folder) / "p.tar", CREATED)
        with sealer.extract("extract.csv", [ALICE.recipient], release.recipient if release else None) as sink:
            sink.write(CSV)
        assert sealer.sealed is not None
        texts = notices(facts, sealer.sealed)
        good = build_manifest(facts, sealer.sealed, notice_hashes(texts))
        path = sealer.finish(good, b"", b"", texts)
        value = json.loads(good)
        extract = read_parcel(path).extract
        cipher = path.read_bytes()[extract.offset : extract.offset + extract.size]
    edit(value)
    manifest = encode(value)
    return {
        "extract.csv.age": cipher, "manifest.json": manifest, "manifest.json.sig": sign(manifest, SIGNING),
        "manifest.tlog-proof": stand_in(manifest), **texts,
    }  # fmt: skip


def tar(parts: Members | list[tuple[str, bytes]], end: bytes = END, mtime: int = int(CREATED.timestamp())) -> bytes:
    """The tar of ``parts``, in their order."""
    items = parts.items() if isinstance(parts, dict) else parts
    return b"".join(header(name, len(data), mtime) + data + padding(len(data)) for name, data in items) + end


def without(parts: Members, name: str) -> Members:
    """``parts`` less one."""
    return {key: data for key, data in parts.items() if key != name}


def whole() -> Iterator[Vector]:
    """Parcels that verify and open."""
    yield Vector("one_lock", tar(members()), "success", comment="one lock: the recipient's key")
    yield Vector(
        "two_locks", tar(members(RELEASE)), "success", release=RELEASE, comment="release key outside, recipient inside"
    )


def tars() -> Iterator[Vector]:
    """Faults of the tar."""
    good = members()
    whole = tar(good)
    size = len(good["extract.csv.age"])
    at = BLOCK + size
    octet = whole[:at] + b"\x01" + whole[at + 1 :]
    yield Vector("tar_padding", octet, where="extract.csv.age", comment="a byte of padding is 1")
    yield Vector(
        "tar_mode", whole.replace(b"0000644\0", b"0000755\0", 1), where="extract.csv.age", comment="mode, checksum not"
    )
    owned = bytearray(header("extract.csv.age", size, int(CREATED.timestamp())))
    owned[265:269] = b"root"
    owned[148:156] = b"%06o\0 " % (sum(owned[:148]) + 8 * 32 + sum(owned[156:]))
    yield Vector(
        "tar_owner", bytes(owned) + whole[BLOCK:], where="extract.csv.age", comment="an owner's name, checksum right"
    )
    later = header("README.txt", len(good["README.txt"]), 0)
    old = header("README.txt", len(good["README.txt"]), int(CREATED.timestamp()))
    yield Vector(
        "tar_instant", whole.replace(old, later), where="README.txt", comment="an mtime that is not the manifest's"
    )
    negative = tar(members(edit=lambda value: value.update(created="1969-12-31T23:59:59Z")), mtime=-1)
    yield Vector("tar_instant_negative", negative, where="byte 0", comment="an mtime with a sign")
    yield Vector("tar_cut", whole[:-BLOCK], where="end of the tar", comment="one block of zeros at the end")
    yield Vector("tar_garbage", whole + b"\n", where="end of the tar", comment="a byte after the end")
    yield Vector(
        "tar_records", whole + bytes(-len(whole) % 10240 or 10240), where="end of the tar", comment="padded to 10240"
    )


def orders() -> Iterator[Vector]:
    """Faults in the list of members."""
    good = members()
    items = list(good.items())
    yield Vector("member_missing", tar(without(good, "manifest.tlog-proof")), where="LISEZMOI.txt", comment="no proof")
    yield Vector("member_twice", tar([*items, items[-1]]), where="README.txt", comment="README.txt twice")
    yield Vector(
        "member_order", tar([items[0], items[2], items[1], *items[3:]]), where="manifest.json.sig", comment="order"
    )
    yield Vector(
        "member_unknown", tar([*items, ("a.txt", b"")]), where="end of the tar", comment="a member that is none"
    )


def manifests() -> Iterator[Vector]:
    """Faults of the manifest, each of them signed."""

    def spaced(value: Any) -> bytes:
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()

    def doubled(value: Any) -> bytes:
        return canonical(value).replace(b'{"$schema"', b'{"$schema":"x","$schema"', 1)

    yield Vector("manifest_spaced", tar(members(encode=spaced)), where="manifest.json", comment="white space")
    yield Vector("manifest_key_twice", tar(members(encode=doubled)), where="manifest.json", comment="a key twice")
    edits: dict[str, Callable[[Any], object]] = {
        "unknown_key": lambda value: value["passerelle"].update(note="x"),
        "version": lambda value: value["passerelle"].update(version=2),
        "counts": lambda value: value["passerelle"]["counts"].update(read=5),
        "rows_counted": lambda value: value["resources"][0].update(rows=2),
        "locks_none": lambda value: value["passerelle"].update(locks=[]),
        "created_local": lambda value: value.update(created="2026-03-01T10:30:00+01:00"),
        "version_true": lambda value: value["passerelle"].update(version=True),
        "header_one": lambda value: value["resources"][0]["dialect"].update(header=1),
        "formulas_null": lambda value: value["passerelle"].update(formulas=None),
        "licenses_null": lambda value: value.update(licenses=None),
        "left_out_null": lambda value: value["passerelle"]["counts"].update(left_out=None),
    }
    for name, edit in edits.items():
        yield Vector(f"manifest_{name}", tar(members(edit=edit)), where="manifest.json", comment=name.replace("_", " "))


def signatures() -> Iterator[Vector]:
    """Faults of the signature, and swapped members."""
    good = members()
    manifest, where = good["manifest.json"], "manifest.json.sig"
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    bad = {
        "key": sign(manifest, other),
        "namespace": sign(manifest, SIGNING, "file"),
        "message": sign(manifest + b" ", SIGNING),
        "armor": good["manifest.json.sig"].replace(b"\n", b"\r\n"),
    }
    for name, signature in bad.items():
        swapped = {**good, "manifest.json.sig": signature}
        yield Vector(f"signature_{name}", tar(swapped), where=where, comment=f"another {name}")
    another = members()
    for name in ("extract.csv.age", "manifest.tlog-proof"):
        swapped = {**good, name: another[name]}
        yield Vector(f"swapped_{name.split('.')[-1]}", tar(swapped), where=name, comment="of another parcel")
    changed = {**good, "LISEZMOI.txt": good["LISEZMOI.txt"] + b"\n"}
    yield Vector("notice_changed", tar(changed), where="LISEZMOI.txt", comment="a line feed more")
    yield Vector(
        "recipient_other", tar(good), where="manifest.json", recipient="region", comment="verified by another party"
    )


def openings() -> Iterator[Vector]:
    """Parcels that verify and do not open as they say."""
    fewer = replace(make_facts(), counts=Counts(read=4, accepted=4, rejected=0, extracted=4))
    yield Vector("open_rows", tar(members(facts=fewer)), "open failure", "extract.csv", "four rows said, three there")

    def hashed(value: Any) -> None:
        value["resources"][0]["hash"] = "sha256:" + "00" * 32

    yield Vector("open_hash", tar(members(edit=hashed)), "open failure", "extract.csv", "another plain text was said")

    def upgraded(value: Any) -> None:
        (lock,) = value["passerelle"]["locks"]
        value["passerelle"]["locks"] = [{**lock, "kind": "release"}, lock]

    said = tar(members(edit=upgraded))
    yield Vector("open_one_lock", said, "open failure", "extract.csv.age", "two locks said, one there", release=ALICE)
    two, lost = tar(members(RELEASE)), Identity.generate()
    yield Vector("open_no_release", two, "open failure", "extract.csv.age", "no release key")
    yield Vector("open_wrong_release", two, "open failure", "extract.csv.age", "another release key", release=lost)
    yield Vector(
        "open_stranger", two, "open failure", "extract.csv.age", "a stranger's key", identity=lost, release=RELEASE
    )


def main() -> None:
    """Write every vector."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for vectors in (whole, tars, orders, manifests, signatures, openings):
        for vector in vectors():
            (FOLDER / vector.name).write_bytes(vector.text())


if __name__ == "__main__":
    main()
