"""After a purge nothing of the convention opens any more, whoever kept a copy; and the proof of it verifies."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.assembly import place_order
from passerelle.errors import EvidenceError, KeyStoreError, OurWayError, RefusedError, UsageError, WorkspaceError
from passerelle.handover.evidence import hand_release_key
from passerelle.keys import Identity, KeyRing, decrypt
from passerelle.parcel import read_parcel
from passerelle.store import purges
from passerelle.store.purges import Purge
from retention.plan import plan
from retention.purge import purge
from tests.gateway import (
    CSP_ENDED,
    POOLS,
    Gateway,
    assert_no_orphans,
    files_under,
    pools,
    rows_of,
    trail_holds,
    two_recipients,
)

ENDED, OTHER = "csp-ft-2024", "two-ministries"
AGE = b"age-encryption.org/v1\n"
DUE = "2025-10-10T05:00:00+02:00"


@dataclass
class Kept:
    """What someone kept: a copy of every file of the workspace but the root keys, and of the partners' folders."""

    folder: Path

    def ciphertexts(self, convention: str | None = None) -> list[bytes]:
        """Every age file: raw copies, quarantine and the extracts in parcels; of one convention, or of all."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            if path.suffix == ".tar" and convention in {None, read_parcel(path).manifest.passerelle.convention}:
                extract = read_parcel(path).extract
                found.append(path.read_bytes()[extract.offset : extract.offset + extract.size])
            elif path.suffix == ".age" and convention in {None, path.parent.parent.name}:
                found.append(path.read_bytes())
        assert found
        assert all(data.startswith(AGE) for data in found)
        return found

    def wrapped(self, suffix: str) -> list[Path]:
        """Every wrapped key of one kind."""
        return sorted(self.folder.rglob(f"*{suffix}"))


def keep(gateway: Gateway, to: Path) -> Kept:
    """Keep a copy of everything but root keys, which a backup of data does not hold."""
    shutil.copytree(gateway.folder, to, ignore=shutil.ignore_patterns("root.key", "sent"))
    return Kept(to)


def keys_left(gateway: Gateway, kept: Kept) -> list[Identity]:
    """Every identity that the keys of the workspace, the partners' own and whatever was kept still give."""
    ring = KeyRing.open(gateway.home / "keys")
    identities = list(gateway.identities.values())
    names = {path.stem for path in (gateway.home / "keys").rglob("*.keyset")}
    keys = [ring.copy_key(name, copy) for name in sorted(names) for copy in ring.copy_keys(name)]
    identities += [key.identity for key in keys]
    releases = [path for path in kept.wrapped(".key") if path.parent.name == "releases"]
    releases += sorted((gateway.home / "releases").glob("*.key"))
    for path in releases:
        for key in keys:
            try:
                identities.append(key.unwrap_release(path.read_bytes(), path.stem))
            except KeyStoreError:
                continue
    return identities


def opened(ciphertext: bytes, identities: Sequence[Identity]) -> bytes | None:
    """What a ciphertext says once any of the identities opens it; None when none does."""
    for identity in identities:
        plain = io.BytesIO()
        try:
            decrypt(io.BytesIO(ciphertext), plain, [identity])
        except EvidenceError:
            continue
        return plain.getvalue()
    return None


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Gateway]:
    """Two conventions with pools delivered, one quarantine each and an order waiting; one convention is over, and due."""
    gateway = pools(tmp_path / "gateway")
    other = two_recipients(gateway)
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 100, bad_rate=0.02))
    gateway.run(other, "2025-05", gateway.write(other, 60, bad_rate=0.02))
    gateway.record(CSP_ENDED).move_to(DUE)
    yield gateway
    gateway.workspace.close()


def certificate_of(gateway: Gateway) -> Purge:
    """The one purge on record, done."""
    with gateway.workspace.database.read() as connection:
        (done,) = purges.purges(connection)
    assert done.state == "done"
    return done


def test_no_former_ciphertext_opens_with_any_key_left(ended: Gateway, tmp_path: Path) -> None:
    """Every kept copy, and the parcel in the partner's folder, opened before the purge and opens with no key that is left."""
    kept = keep(ended, tmp_path / "kept")
    before = keys_left(ended, kept)
    assert len(kept.ciphertexts(ENDED)) == 3
    assert [data for data in kept.ciphertexts() if opened(data, before) is None] == []
    purge(ended.workspace, ENDED)
    after = keys_left(ended, kept)
    assert len(after) < len(before)
    assert [opened(data, after) for data in kept.ciphertexts(ENDED)] == [None] * 3
    in_the_partner_folder = Kept(ended.folder / "partners").ciphertexts(ENDED)
    assert [opened(data, after) for data in in_the_partner_folder] == [None]


def test_no_kept_key_unwraps(ended: Gateway, tmp_path: Path) -> None:
    """The wrapped keys that a backup kept do not unwrap under the new root key: it is another generation."""
    kept = keep(ended, tmp_path / "kept")
    keysets = kept.wrapped(".keyset")
    assert {path.stem for path in keysets} == {ENDED, OTHER}
    ring = KeyRing.open(ended.home / "keys")
    assert all(ring._in_force()[1].unwrap(path.read_bytes(), path.name) for path in keysets)
    purge(ended.workspace, ENDED)
    for path in keysets:
        with pytest.raises(KeyStoreError):
            ring._in_force()[1].unwrap(path.read_bytes(), path.name)
    assert len(list((ended.home / "keys").rglob("root.key"))) == 1
    restored = ended.home / "keys" / "gen-0002" / f"{ENDED}.keyset"
    shutil.copy(next(path for path in keysets if path.stem == ENDED), restored)
    with pytest.raises(KeyStoreError):
        KeyRing.open(ended.home / "keys").keyset(ENDED)


def test_the_partner_cannot_open_its_copy_with_stock_tools(ended: Gateway, tmp_path: Path) -> None:
    """With its own key the partner's `age` no longer opens its parcel, and the gateway has no second key to give."""
    (parcel,) = (path for path in ended.parcels("mtfp") if read_parcel(path).manifest.passerelle.convention == ENDED)
    assert len(rows_of(ended.opened(parcel, "mtfp", tmp_path / "out"))) == 98
    purge(ended.workspace, ENDED)
    with pytest.raises(RefusedError, match="the second lock of this parcel was destroyed"):
        hand_release_key(ended.workspace, parcel.stem, "mtfp", actor="test")
    (tmp_path / "key").write_text(ended.identities["mtfp"].secret + "\n")
    (tmp_path / "cipher").write_bytes(Kept(ended.folder / "partners").ciphertexts(ENDED)[0])
    done = subprocess.run(["age", "-d", "-i", "key", "cipher"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no identity matched" in done.stderr


def test_nothing_of_another_convention_is_lost(ended: Gateway, tmp_path: Path) -> None:
    """The parcels, copies and keys of a convention that lives on open after the purge of another, and exchanges go on."""
    copies = ended.present(convention=OTHER)
    kept = keep(ended, tmp_path / "kept")
    purge(ended.workspace, ENDED)
    assert ended.present(convention=OTHER) == copies
    assert all(ended.workspace.path(copy.location).exists() for copy in copies)
    assert [data for data in kept.ciphertexts(OTHER)[:2] if opened(data, keys_left(ended, kept)) is None] == []
    (parcel,) = ended.parcels("mtss")
    assert len(rows_of(ended.opened(parcel, "mtss", tmp_path / "out"))) == 59
    assert ended.run(f"{OTHER}/candidate-pools", "2025-10", ended.write(POOLS, 40)).state == "delivered"
    assert_no_orphans(ended)


def test_the_register_the_trail_and_the_disk_agree(ended: Gateway) -> None:
    """After the purge no file of the convention is left but its person index, the register knows it, and the trail holds."""
    purge(ended.workspace, ENDED)
    assert sorted(copy.kind for copy in ended.present(convention=ENDED)) == ["index", "parcel"]
    assert_no_orphans(ended)
    assert [path for path in files_under(ended.home) if ENDED in str(path) and path.suffix != ".tags"] == []
    assert list((ended.home / "reports").glob(f"*{ENDED}*")) == []
    assert list((ended.home / "reports").glob(f"*{OTHER}*"))
    trail_holds(ended.workspace)
    assert [entry["holdings"] for entry in ended.entries("holding_destroyed")] == [3]
    assert len(ended.entries("purge_certificate")) == len(ended.entries("keys_destroyed")) == 1


def test_the_certificate_says_what_it_proves_and_what_not(ended: Gateway) -> None:
    """The certificate has the deadline with its arithmetic, counts by kind, and both lists in French and English."""
    purge(ended.workspace, ENDED)
    body = json.loads(certificate_of(ended).certificate or "")
    assert (body["convention"], body["deadline"]["value"], body["reason"]) == (ENDED, "2025-10-10", "deadline_reached")
    assert "10 octobre 2025" in body["deadline"]["arithmetic"]["fr"]
    assert {one["kind"]: one["count"] for one in body["destroyed"]} == {"quarantine": 1, "raw": 1, "release": 1}
    assert all(one["bytes"] > 0 for one in body["destroyed"])
    assert body["handed_to_partners"] == [{"party": "mtfp", "parcels": 1}]
    assert body["person_index"]["kept"] is True
    assert body["keys"] == {"destroyed": True, "root_generation": 2}
    for sentences, words in (
        (
            body["proved"],
            {
                "fr": ("que garde la passerelle", "registre", "n'avait pas"),
                "en": ("gateway keeps", "regist", "had not"),
            },
        ),
        (
            body["not_proved"],
            {"fr": ("partenaire", "support", "keys/", "remise"), "en": ("partner", "medium", "keys/", "handed")},
        ),
    ):
        assert len(sentences) >= 3
        for language, expected in words.items():
            text = " ".join(one[language] for one in sentences).lower()
            assert [word for word in expected if word not in text] == []


def test_stock_tools_verify_the_certificate(ended: Gateway, tmp_path: Path) -> None:
    """`ssh-keygen -Y verify` accepts the certificate with the file that partners hold, and refuses it changed by a letter."""
    purge(ended.workspace, ENDED)
    done = certificate_of(ended)
    body = (done.certificate or "").encode()
    (tmp_path / "certificate.sig").write_text(done.signature or "")
    command = [
        "ssh-keygen", "-Y", "verify", "-f", str(ended.home / "trust" / "allowed_signers"), "-I", "passerelle",
        "-n", "passerelle-certificate", "-s", str(tmp_path / "certificate.sig"),
    ]  # fmt: skip
    assert b"Good" in subprocess.run(command, input=body, capture_output=True, check=True).stdout
    assert subprocess.run(command, input=body.replace(b"2025", b"2026", 1), capture_output=True, check=False).returncode


def test_a_purge_before_its_day_is_refused_with_the_arithmetic(ended: Gateway) -> None:
    """A day before its target a purge is refused, the arithmetic is said, and nothing has changed."""
    ended.move_to("2025-10-09T23:59:59+02:00")
    before = ended.kinds()
    with pytest.raises(RefusedError, match=r"10 August 2025 [+] 2 months = 10 October 2025"):
        purge(ended.workspace, ENDED)
    assert ended.kinds() == before
    assert ended.entries("purge_started") == []
    assert ended.workspace.keys.destroyed() == frozenset()


def test_a_convention_in_force_is_not_purged(ended: Gateway) -> None:
    """A convention that has not ended is not purged, and one that nobody knows is a wrong usage."""
    with pytest.raises(RefusedError, match="not_due"):
        purge(ended.workspace, OTHER)
    with pytest.raises(UsageError):
        purge(ended.workspace, "no-such-convention")


def test_a_purge_is_done_once(ended: Gateway) -> None:
    """Once done a purge is not done again, for nothing is held, and its certificate stays as it is."""
    first = purge(ended.workspace, ENDED)
    with pytest.raises(RefusedError, match="nothing is held"):
        purge(ended.workspace, ENDED)
    assert certificate_of(ended) == first
    assert len(ended.entries("purge_certificate")) == 1


def test_a_plan_destroys_nothing(ended: Gateway) -> None:
    """The plan counts copies and bytes by kind, tells the partners' copies apart, and changes nothing."""
    before = {path: path.stat().st_mtime_ns for path in files_under(ended.home)}
    with ended.workspace.database.read() as connection:
        planned = plan(ended.workspace, connection, ENDED).as_json()
    assert planned["allowed"] is True
    assert [one["kind"] for one in planned["copies"]] == ["quarantine", "raw", "release"]
    assert planned["handed_to_partners"] == 1
    assert {path: path.stat().st_mtime_ns for path in files_under(ended.home)} == before


def test_tables_keep_no_byte_of_what_they_held(ended: Gateway) -> None:
    """The sealed paths of orders and the manifests are in no file of the database after the purge, though they were before."""
    source = ended.write(POOLS, 20)
    place_order(ended.workspace, ended.order(POOLS, "2025-06", source))
    (delivery,) = ended.deliveries(convention=ENDED)
    with ended.workspace.database.read() as connection:
        sealed = connection.exec_driver_sql("select input from exchange_order").scalar_one()
        body = connection.exec_driver_sql("select body from profile order by convention").scalars().first()
    needles = {"order": sealed[40:120], "manifest": delivery.manifest[200:300], "profile": str(body)[:100].encode()}

    def held() -> set[str]:
        ended.workspace.close()
        data = b"".join(path.read_bytes() for path in ended.home.glob("passerelle.db*"))
        return {name for name, needle in needles.items() if needle in data}

    assert held() >= {"order", "manifest"}
    purge(ended.workspace, ENDED)
    assert held() <= {"profile"}  # both conventions' profiles begin alike
    (delivery,) = ended.deliveries(convention=ENDED)
    assert (delivery.manifest, delivery.notices) == (b"", "{}")
    assert len(delivery.manifest_sha256) == 64


def test_what_cannot_be_removed_does_not_stop_the_rest(ended: Gateway) -> None:
    """A copy that cannot be removed is told, the others and the keys are gone; removable again, the same purge ends."""
    (raw,) = ended.present(convention=ENDED, kind="raw")
    path = ended.workspace.path(raw.location)
    path.unlink()
    (path / "obstacle").mkdir(parents=True)
    with pytest.raises(OurWayError, match="1 files of csp-ft-2024 could not be removed; their keys are destroyed"):
        purge(ended.workspace, ENDED)
    assert sorted(copy.kind for copy in ended.present(convention=ENDED)) == ["index", "parcel", "raw"]
    assert ended.workspace.keys.destroyed() == {ENDED}
    assert ended.entries("purge_certificate") == []
    shutil.rmtree(path)
    assert purge(ended.workspace, ENDED).state == "done"
    assert [entry["holdings"] for entry in ended.entries("holding_destroyed")] == [2, 1]
    body = json.loads(certificate_of(ended).certificate or "")
    assert {one["kind"]: one["count"] for one in body["destroyed"]} == {"quarantine": 1, "raw": 1, "release": 1}


def test_no_certificate_while_a_copy_is_there(ended: Gateway) -> None:
    """A copy that reappears before the certificate is found when every place is read again; no certificate is written."""
    (raw,) = ended.present(convention=ENDED, kind="raw")
    path = ended.workspace.path(raw.location)
    data = path.read_bytes()

    def restore(stage: str) -> None:
        if stage == "rotated":
            path.write_bytes(data)

    with pytest.raises(OurWayError, match="1 copies are still there"):
        purge(ended.workspace, ENDED, restore)
    assert ended.entries("purge_certificate") == []
    path.unlink()
    assert purge(ended.workspace, ENDED).state == "done"


def test_one_purge_at_a_time(ended: Gateway) -> None:
    """While a purge runs a second one on the same convention is told so."""
    told = []

    def meanwhile(stage: str) -> None:
        if stage == "files":
            with pytest.raises(WorkspaceError, match="another process is at work"):
                purge(ended.workspace, ENDED)
            told.append(stage)

    assert purge(ended.workspace, ENDED, meanwhile).state == "done"
    assert told == ["files"]


def test_a_parcel_in_the_outbox_goes_too(tmp_path: Path) -> None:
    """A parcel that its recipient has not fetched is still ours: the purge removes it, and counts it."""
    gateway = pools(tmp_path).partner("mtss")
    two = two_recipients(gateway)
    with gateway.workspace.database.begin() as connection:
        connection.exec_driver_sql("update partner set folder = null where id = 'mtfp'")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30))
    gateway.run(two, "2025-05", gateway.write(two, 30))
    assert len(list((gateway.home / "outbox" / "mtfp").iterdir())) == 2
    gateway.record(CSP_ENDED).move_to(DUE)
    purge(gateway.workspace, ENDED)
    (left,) = (gateway.home / "outbox" / "mtfp").glob("*.tar")
    assert read_parcel(left).manifest.passerelle.convention == OTHER
    body = json.loads(certificate_of(gateway).certificate or "")
    assert {"kind": "parcel", "count": 1}.items() <= next(one for one in body["destroyed"] if one["kind"] == "parcel").items()  # fmt: skip
    assert_no_orphans(gateway)
    gateway.workspace.close()
