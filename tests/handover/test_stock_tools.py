"""A partner with nothing of ours: tar, ssh-keygen, age, and a verifier of proofs written from its page alone."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from passerelle.handover.evidence import hand_release_key
from tests.gateway import POOLS, Gateway, pools, rows_of, shell
from tests.trail import tlog


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A pool of candidates, delivered with two locks."""
    made = pools(tmp_path_factory.mktemp("stock"))
    made.run(POOLS, "2025-05", made.write(POOLS, 50))
    return made


def test_a_two_lock_parcel_is_verified_proven_and_opened(gateway: Gateway, tmp_path: Path) -> None:
    """Stock tools verify the signature and open both locks; the second verifier finds the manifest in the trail."""
    (parcel,) = gateway.parcels("mtfp")
    shell(f"tar -xf {parcel}", tmp_path)
    for name in ("allowed_signers", "trail.vkey"):
        (tmp_path / name).write_bytes((gateway.home / "trust" / name).read_bytes())
    (tmp_path / "mine.txt").write_text(gateway.identities["mtfp"].secret + "\n")
    release = hand_release_key(gateway.workspace, parcel.stem, "mtfp", actor="test")
    (tmp_path / "parcel.txt").write_text(release.secret + "\n")
    good = shell(
        "ssh-keygen -Y verify -f allowed_signers -I passerelle -n passerelle-manifest -s manifest.json.sig < manifest.json",
        tmp_path,
    )
    assert good.startswith('Good "passerelle-manifest" signature for passerelle')
    shell("age -d -i parcel.txt extract.csv.age | age -d -i mine.txt -o extract.csv", tmp_path)
    manifest = (tmp_path / "manifest.json").read_bytes()
    extract = (tmp_path / "extract.csv").read_bytes()
    assert json.loads(manifest)["resources"][0]["hash"] == f"sha256:{hashlib.sha256(extract).hexdigest()}"
    assert len(rows_of(extract)) == 50
    proof = (tmp_path / "manifest.tlog-proof").read_bytes()
    leaf = base64.b64decode(next(line for line in proof.splitlines() if line.startswith(b"extra "))[6:])
    index, size = tlog.verify(proof, leaf, (tmp_path / "trail.vkey").read_text().strip())
    assert index < size
    assert json.loads(leaf)["body"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()


def test_the_second_verifier_shares_nothing_with_the_engine() -> None:
    """The verifier of proofs imports nothing of the engine, and refuses a proof of other data."""
    source = Path(tlog.__file__).read_text("utf-8")
    assert not [line for line in source.splitlines() if line.startswith(("import", "from")) and "passerelle" in line]
    assert "cryptography" in source
