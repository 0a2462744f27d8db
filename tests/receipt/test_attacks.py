"""Attacks on what partners hold: parcels, proofs, receipts, attestations, keys and witnesses, each refused by words that say why."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from passerelle.canonical import canonical
from passerelle.clock import iso
from passerelle.errors import EvidenceError, PasserelleError, RefusedError, UsageError
from passerelle.handover.evidence import trust_from
from passerelle.handover.witnesses import enrol_witness, insist_on_witnesses, require_witnesses
from passerelle.keys import parse_recipient
from passerelle.keys.ssh import public_blob, public_text
from passerelle.parcel import archive, read_parcel, sign, verify
from passerelle.receipt.form import NAMESPACE
from passerelle.receipt.recording import record
from passerelle.trail import Ledger
from passerelle.trail.checkpoint import sign_checkpoint
from passerelle.trail.fsck import TrailFaultsError, check
from passerelle.trail.note import VerifierKey, encode64
from passerelle.trail.witness import record as record_cosignatures
from passerelle.workspace.agreement import TablesDisagreeError, verified_keys
from tests.receipt.conftest import PARTY, make
from tests.receipt.test_watching import KEY, NAME, VKEY, cosigned

Change = Callable[["World"], dict[str, bytes]]
INTENT = "delivery_intent"


class World:
    """A partner with two parcels, what it trusts, and the gateway's own keys for what an insider could do."""

    def __init__(self, folder: Path) -> None:
        self.partner, self.folder = make(folder), folder
        self.parcel, self.second = (self.partner.deliver(period) for period in ("2025-05", "2025-06"))
        self.workspace = self.partner.gateway.workspace
        self.ledger = self.workspace.ledger
        self.members = members_of(self.parcel)
        self.receipt = self.partner.receipt(self.parcel)

    @property
    def manifest(self) -> bytes:
        return self.members[archive.MANIFEST]

    @property
    def proof(self) -> bytes:
        return self.members[archive.PROOF]

    def altered(self, **edits: Any) -> bytes:
        """The manifest with some terms changed, in canonical form."""
        value = json.loads(self.manifest)
        value["passerelle"] |= edits
        return canonical(value)

    def signed(self, manifest: bytes) -> dict[str, bytes]:
        """A manifest with the signature of the gateway's own key."""
        return {archive.MANIFEST: manifest, archive.SIGNATURE: sign(manifest, self.workspace.keys.signing_key)}

    def retold(self, **trail: Any) -> dict[str, bytes]:
        """A manifest that says something else of its trail, signed and proven by the gateway itself."""
        told = json.loads(self.manifest)["passerelle"]["trail"]
        manifest = self.altered(trail={**told, **trail})
        proof = self.proven(INTENT, manifest_sha256=hashlib.sha256(manifest).hexdigest())
        return {**self.signed(manifest), archive.PROOF: proof}

    def proven(self, kind: str, **edits: Any) -> bytes:
        """The proof of another entry that tells this very manifest; ``edits`` append one of that kind first."""
        with self.workspace.database.begin() as connection:
            last = [
                one for one in self.ledger.find(connection, kind) if one.entry.body.get("parcel") == self.parcel.stem
            ]
            index = last[0].index
            if edits:
                index = self.workspace.append(connection, kind, {**last[0].entry.body, **edits})
            self.ledger.checkpoint(connection, self.workspace.now())
            return self.ledger.prove(connection, index)


def members_of(path: Path) -> dict[str, bytes]:
    """The members of a parcel, in their order."""
    data = path.read_bytes()
    return {one.name: data[one.offset : one.offset + one.size] for one in read_parcel(path).members}


def tar_of(members: dict[str, bytes], mtime: int) -> bytes:
    """A parcel's tar of these members, every header right."""
    parts = [archive.header(n, len(d), mtime) + d + archive.padding(len(d)) for n, d in members.items()]
    return b"".join(parts) + archive.END


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("attacked"))
    yield made
    made.workspace.close()


def twice(manifest: bytes) -> bytes:
    return manifest.replace(b'"passerelle":{', b'"passerelle":{"article":"x",', 1)


def sshsig(message: bytes, key: Ed25519PrivateKey, namespace: str, algorithm: str) -> bytes:
    """An SSH signature as ``ssh-keygen -Y sign -O hashalg=`` makes it."""

    def wire(*parts: bytes) -> bytes:
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)

    digest = hashlib.new(algorithm, message).digest()
    raw = key.sign(b"SSHSIG" + wire(namespace.encode(), b"", algorithm.encode(), digest))
    signature = wire(b"ssh-ed25519", raw)
    blob = b"SSHSIG\0\0\0\x01" + wire(
        public_blob(key.public_key()), namespace.encode(), b"", algorithm.encode(), signature
    )
    folded = base64.b64encode(blob).decode()
    lines = [folded[at : at + 70] for at in range(0, len(folded), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]).encode()


def by_gateway(world: World, namespace: str, algorithm: str = "sha512") -> dict[str, bytes]:
    return {archive.SIGNATURE: sshsig(world.manifest, world.workspace.keys.signing_key, namespace, algorithm)}


def line_of(world: World, number: int) -> bytes:
    return world.proof.split(b"\n")[number] + b"\n"


def stranger(world: World) -> bytes:
    key = VerifierKey.of("stranger.example/x", Ed25519PrivateKey.generate())
    return world.proof + f"— {key.name} {encode64(key.id + bytes(64))}\n".encode()


def last_line(world: World) -> bytes:
    return world.proof.split(b"\n")[-2] + b"\n"


PARCELS: dict[str, tuple[Change, str]] = {
    "a duplicate key in the manifest": (lambda w: w.signed(twice(w.manifest)), "a key twice"),
    "a newline after the manifest": (lambda w: w.signed(w.manifest + b"\n"), "not in canonical form"),
    "CRLF in the manifest": (lambda w: w.signed(w.manifest + b"\r\n"), "not in canonical form"),
    "a later destroy-by date under the old arithmetic": (
        lambda w: {archive.MANIFEST: w.altered(destroy_by={**json.loads(w.manifest)["passerelle"]["destroy_by"], "date": "2099-01-01"})},
        "the signature is not of these bytes",
    ),
    "the same, signed by the gateway": (
        lambda w: w.signed(w.altered(destroy_by={**json.loads(w.manifest)["passerelle"]["destroy_by"], "date": "2099-01-01"})),
        "the proof is of another manifest",
    ),
    "a recipient in look-alike letters": (lambda w: w.signed(w.altered(recipient="mtfр")), "should match pattern"),
    "a signature of another namespace": (lambda w: by_gateway(w, NAMESPACE), "expected a trusted key in namespace"),
    "a signature with another hash": (lambda w: by_gateway(w, "passerelle-manifest", "sha256"), "expected a trusted key"),
    "CRLF in the signature": (
        lambda w: {archive.SIGNATURE: w.members[archive.SIGNATURE].replace(b"\n", b"\r\n")}, "expected a trusted key",
    ),
    "a byte after the signature": (lambda w: {archive.SIGNATURE: w.members[archive.SIGNATURE] + b"\n"}, "expected"),
    "the proof of another parcel": (lambda w: {archive.PROOF: members_of(w.second)[archive.PROOF]}, "of another manifest"),
    "the proof of an outcome": (lambda w: {archive.PROOF: w.proven("delivered")}, "expected the entry of an intent"),
    "an intent that tells another number": (
        lambda w: {archive.PROOF: w.proven(INTENT, sequence=99)}, "the trail tells another sequence than the manifest",
    ),
    "an intent that tells another recipient": (lambda w: {archive.PROOF: w.proven(INTENT, recipient="mtss")}, "another recipient"),
    "an intent that tells another deadline": (
        lambda w: {archive.PROOF: w.proven(INTENT, destroy_by="2030-01-01")}, "another destroy_by",
    ),
    "a manifest that names another trail": (lambda w: w.retold(origin="passerelle.example/other"), "names another trail"),
    "a manifest made of a larger trail": (lambda w: w.retold(size=10**6), "the trail was larger than this"),
    "a line of the proof twice": (
        lambda w: {archive.PROOF: w.proof.replace(line_of(w, 2), line_of(w, 2) * 2, 1)}, "expected standard base64",
    ),
    "a second extra line": (
        lambda w: {archive.PROOF: w.proof.replace(line_of(w, 1), line_of(w, 1) * 2, 1)}, "expected a line with the index",
    ),
    "CRLF in the proof": (lambda w: {archive.PROOF: w.proof.replace(b"\n", b"\r\n")}, "expected the first line"),
    "bytes after the proof": (lambda w: {archive.PROOF: w.proof + b"more\n"}, "expected a signature line"),
    "a stranger's signature on the head": (lambda w: {archive.PROOF: stranger(w)}, "signed twice by the trail's key"),
    "the head signed once": (lambda w: {archive.PROOF: w.proof.removesuffix(last_line(w))}, "signed twice by the trail's key"),
    "one signature of the head twice": (
        lambda w: {archive.PROOF: w.proof.removesuffix(last_line(w)) + w.proof.split(b"\n")[-3] + b"\n"},
        "two signature lines of one type",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARCELS)
def test_an_altered_parcel_says_what_is_wrong(world: World, tmp_path: Path, name: str) -> None:
    """A parcel with one part exchanged, also by who holds the gateway's key, is refused by words of its own."""
    change, expected = PARCELS[name]
    path = tmp_path / "parcel.tar"
    mtime = read_parcel(world.parcel).members[0].mtime
    path.write_bytes(tar_of({**world.members, **change(world)}, mtime))
    with pytest.raises(EvidenceError, match=expected):
        verify(path, trust_from(world.partner.gateway.home / "trust", PARTY))


def endless(_world: World) -> bytes:
    """A tar with more members than any parcel has, and then one that nobody reads."""
    return archive.header("README.txt", 0, 0) * 50 + b"x" * 512


TARS: dict[str, tuple[Callable[[World], bytes], str]] = {
    "members without end": (endless, "expected no further member"),
    "a length of 2^80 bytes": (
        lambda _: archive.header("extract.csv.age", 2**80, 0) + bytes(1024), "expected more bytes, the file is cut",
    ),
    "a name in look-alike letters": (
        lambda _: archive.header("README.txt", 0, 0).replace(b"README", "RЕADME".encode()[:6], 1) + archive.END, "expected a ustar header",
    ),
    "a negative length": (
        lambda _: archive.header("extract.csv.age", 0, 0)[:124] + b"-0000000001\0" + bytes(376) + archive.END, "expected|differs",
    ),
    "a link for a member": (
        lambda w: w.parcel.read_bytes()[:156] + b"2" + w.parcel.read_bytes()[157:], "the header differs from what a parcel writes",
    ),
    "nothing at all": (lambda _: b"", "expected a header, the file is cut"),
}  # fmt: skip


@pytest.mark.parametrize("name", TARS)
def test_a_hostile_tar_is_refused_in_bounded_time(world: World, tmp_path: Path, name: str) -> None:
    """A tar that no gateway writes is refused at its first wrong byte, and no more of it is read."""
    made, expected = TARS[name]
    path = tmp_path / "parcel.tar"
    path.write_bytes(made(world))
    with pytest.raises(EvidenceError, match=expected):
        read_parcel(path)


@pytest.mark.parametrize("name", ["trail.vkey", "allowed_signers"])
@pytest.mark.parametrize("data", ["x".encode("utf-16"), b"x" * (1024 * 1024 + 1)])
def test_a_trust_file_of_another_kind_is_named(world: World, tmp_path: Path, name: str, data: bytes) -> None:
    """A file of trust saved in another encoding, or without end, is named as such."""
    for known in ("trail.vkey", "allowed_signers"):
        (tmp_path / known).write_bytes((world.partner.gateway.home / "trust" / known).read_bytes())
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=f"{name}: expected text in UTF-8"):
        trust_from(tmp_path)


def forked(world: World) -> bytes:
    """A receipt over a head of another history, signed with the trail's own key."""
    root = base64.b64encode(bytes(32)).decode()
    line = json.loads(world.receipt.partition(b"\n")[0])
    origin, size, _ = line["checkpoint"].split("\n")[:3]
    key, now = world.workspace.keys.trail_key, world.workspace.now()
    line["checkpoint"] = sign_checkpoint(origin, int(size), bytes(32), key, now)
    assert root in line["checkpoint"]
    return again(world, canonical(line))


def again(world: World, line: bytes, key: Ed25519PrivateKey | None = None, namespace: str = NAMESPACE) -> bytes:
    line += b"\n"
    return line + sign(line, key or world.partner.key, namespace)


def said(world: World, **edits: Any) -> bytes:
    return canonical({**json.loads(world.receipt.partition(b"\n")[0]), **edits})


def neighbour(sha256: str) -> str:
    return sha256[:-1] + ("e" if sha256[-1] == "f" else "f")


RECEIPTS: dict[str, tuple[Callable[[World], bytes], str]] = {
    "over a head of a fork": (forked, "head|root|trail"),
    "a key twice": (
        lambda w: again(w, w.receipt.partition(b"\n")[0].replace(b'{"at"', b'{"at":"2025-01-01T00:00:00Z","at"', 1)), "a key twice",
    ),
    "bytes after the signature": (lambda w: w.receipt + b"\n", "expected"),
    "CRLF": (lambda w: w.receipt.replace(b"\n", b"\r\n"), "canonical"),
    "of another namespace": (lambda w: again(w, said(w), namespace="passerelle-attestation"), "expected a trusted key"),
    "with another hash": (
        lambda w: said(w) + b"\n" + sshsig(said(w) + b"\n", w.partner.key, NAMESPACE, "sha256"), "expected a trusted key",  # type: ignore[arg-type]
    ),
    "by a stranger": (lambda w: again(w, said(w), Ed25519PrivateKey.generate()), "expected a trusted key"),
    "with the number of another exchange": (lambda w: again(w, said(w, exchange="other-exchange")), "exchange"),
    "for a hash with the same beginning": (
        lambda w: again(w, said(w, manifest_sha256=neighbour(json.loads(said(w))["manifest_sha256"]))), "manifest_sha256",
    ),
    "from the time to come": (lambda w: again(w, said(w, at="2999-01-01T00:00:00Z")), "after the present|no approved|later"),
    "of a party in look-alike letters": (lambda w: again(w, said(w, party="mtfр")), "should match pattern"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_hostile_receipt_is_not_recorded(world: World, name: str) -> None:
    """What is no receipt of this parcel by this party is refused, and nothing of it is kept."""
    made, expected = RECEIPTS[name]
    before = world.partner.gateway.entries("receipt_recorded")
    with pytest.raises(PasserelleError, match=expected):
        record(world.workspace, made(world))
    assert world.partner.gateway.entries("receipt_recorded") == before


def undone(world: World, *statements: str) -> Iterator[Connection]:
    """The tables with something altered, taken back afterwards."""
    with world.workspace.database.begin() as connection, connection.begin_nested() as savepoint:
        for statement in statements:
            connection.execute(text(statement))
        yield connection
        savepoint.rollback()


KEYS = {
    "another key under the fingerprint": (
        "UPDATE partner_key SET recipient = 'OTHER'", "not the one whose fingerprint was approved",
    ),
    "no key under the fingerprint": ("UPDATE partner_key SET recipient = 'x'", "not the one whose fingerprint was approved"),
    "a key counted earlier than it may": ("UPDATE partner_key SET not_before = NULL", "begins later in the trail"),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_a_key_row_that_was_altered_signs_and_opens_nothing(world: World, name: str) -> None:
    """A key row that is not what was enrolled is named before anything is sealed to it, or believed of it."""
    statement, expected = KEYS[name]
    statement = statement.replace("OTHER", public_text(KEY.public_key()))
    later = Ed25519PrivateKey.generate().public_key()
    if "not_before" in statement:
        world.partner.gateway.enrol(
            PARTY, parse_recipient(public_text(later)), not_before=world.workspace.now() + timedelta(days=30)
        )
    for connection in undone(world, statement):
        with pytest.raises(TablesDisagreeError, match=expected):
            verified_keys(world.ledger, connection)


def test_a_receipt_by_a_key_slipped_under_a_fingerprint_is_refused(tmp_path: Path) -> None:
    """Who can write the database cannot have a receipt recorded in a partner's name."""
    partner = make(tmp_path)
    parcel, forger = partner.deliver("2025-05"), Ed25519PrivateKey.generate()
    workspace = partner.gateway.workspace
    line = partner.receipt(parcel).partition(b"\n")[0] + b"\n"
    with workspace.database.begin() as connection:
        connection.execute(
            text("UPDATE partner_key SET recipient = :new WHERE kind = 'ssh-ed25519'"),
            {"new": public_text(forger.public_key())},
        )
    with pytest.raises(TablesDisagreeError, match="not the one whose fingerprint was approved"):
        record(workspace, line + sign(line, forger, NAMESPACE))


WITNESSES = {
    "made up": (
        "UPDATE trail_cosignature SET note = replace(note, '— mtfp', '— x')", "expected a cosignature of an enrolled witness",
    ),
    "of an earlier head": ("UPDATE trail_cosignature SET size = size + 100", "of another head or instant"),
    "of another instant": ("UPDATE trail_cosignature SET at = '2020-01-01T00:00:00Z'", "of another head or instant"),
    "no longer required": (
        "DELETE FROM trail_cosignature; DELETE FROM meta WHERE key = 'witnesses_required'", "expected 1 witnesses",
    ),
    "of a key of the forger's": (
        "UPDATE trail_witness SET key = 'OTHER'", "expected 1 witnesses",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway whose purges need one witness, who has cosigned the last head."""
    made = World(tmp_path_factory.mktemp("witnessed"))
    enrol_witness(made.workspace, str(VKEY), PARTY)
    require_witnesses(made.workspace, 1)
    note = cosigned(made.partner)
    with made.workspace.database.begin() as connection:
        record_cosignatures(connection, made.ledger, note, made.workspace.now())
        assert insist_on_witnesses(made.workspace, connection, "csp-ft-2024") == (NAME,)
    yield made
    made.workspace.close()


@pytest.mark.parametrize("name", WITNESSES)
def test_a_cosignature_counts_by_its_signature_alone(witnessed: World, name: str) -> None:
    """Rows of cosignatures, witnesses or the rule that were made up or changed let no purge through."""
    statements, expected = WITNESSES[name]
    statements = statements.replace("OTHER", str(VerifierKey(NAME, bytes(31) + b"1", 4)))
    for connection in undone(witnessed, *statements.split("; ")):
        with pytest.raises((EvidenceError, RefusedError), match=expected):
            insist_on_witnesses(witnessed.workspace, connection, "csp-ft-2024")


HOSTILE = {
    "text that is not UTF-8": ("UPDATE trail_entry SET kind = CAST(X'80ff' AS TEXT)", "text that is not UTF-8"),
    "text for a hash": ("UPDATE trail_entry SET leaf_hash = 'zz'", "entry 0"),
    "a body that is text": ("UPDATE trail_entry SET body = CAST(body AS TEXT)", "entry 0"),
    "a size that is text": ("UPDATE trail_head SET size = 'zz'", "trail_head: the column size"),
    "a note that is bytes": ("UPDATE trail_checkpoint SET note = X'00ff'", "checkpoint"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_column_of_another_type_is_a_fault_and_no_failure(witnessed: World, name: str) -> None:
    """Values that the tables' types do not foresee are faults that the checker names."""
    statement, expected = HOSTILE[name]
    for connection in undone(witnessed, statement):
        with pytest.raises(TrailFaultsError, match=expected):
            check(connection, witnessed.ledger.verifier_key)


def test_a_witness_of_a_fork_is_not_recorded(witnessed: World) -> None:
    """A cosigned head of another history, under the trail's own key, is refused."""
    other = Ledger(witnessed.ledger.origin, Ed25519PrivateKey.generate())
    note = cosigned(witnessed.partner)
    with witnessed.workspace.database.begin() as connection:
        swapped = note.replace(note.split("\n")[2], base64.b64encode(bytes(32)).decode())
        for hostile in (swapped, note.replace(witnessed.ledger.origin, other.origin + "x")):
            with pytest.raises(EvidenceError):
                record_cosignatures(connection, witnessed.ledger, hostile, witnessed.workspace.now())


def test_the_receipt_itself_is_recorded(world: World) -> None:
    """The receipt that none of the attacks is, holds."""
    assert record(world.workspace, world.receipt).receipt.at == iso(world.workspace.now())
