"""A certificate of destruction is verified by whoever holds it, with neither workspace nor database."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.canonical import canonical
from passerelle.errors import EvidenceError
from passerelle.keys import parse_allowed_signers
from passerelle.keys.ssh import CERTIFICATE_NAMESPACE, Signer
from portal.cli import run
from retention.certified import read_certificate, verify_certificate
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, Gateway, pools, shell
from tests.retention.make_certificate_vectors import CERTIFICATE, FOLDER, SIGNING, vectors

DUE = "2025-10-10T05:00:00+02:00"
VECTORS = sorted(FOLDER.glob("*.txt"))
RETIRED = Signer(SIGNING.public_key(), datetime(2026, 3, 1, 9, 30, tzinfo=UTC))


def parts(path: Path) -> tuple[dict[str, str], bytes]:
    """Header lines and bytes of a vector."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    return dict(line.split(": ", 1) for line in head.decode().splitlines()), data


def test_there_are_vectors() -> None:
    """The folder holds each vector that is made, byte for byte, and no other."""
    made = {name: vector.text for name, vector in vectors()}
    assert len(made) > 25
    assert {path.stem: path.read_bytes() for path in VECTORS} == made


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_vector_ends_as_it_says(path: Path) -> None:
    """A certificate verifies, or fails in the place that its vector names."""
    head, data = parts(path)
    signature, proof = (base64.b64decode(head[name]) for name in ("signature", "proof"))
    signers = parse_allowed_signers(
        f'passerelle namespaces="passerelle-certificate" {head["key"]}\n', namespace=CERTIFICATE_NAMESPACE
    )
    if head["expect"] == "ok":
        assert verify_certificate(data, signature, proof, signers, head["trail"]).entry == 1
        return
    with pytest.raises(EvidenceError) as caught:
        verify_certificate(data, signature, proof, signers, head["trail"])
    assert head["where"] in str(caught.value)


@pytest.mark.parametrize("signers", [[], [RETIRED]], ids=["none", "retired"])
def test_a_key_that_was_not_in_use_vouches_for_nothing(signers: list[Signer]) -> None:
    """Without a key to trust, or under one that was retired when the purge was completed, the certificate is refused."""
    head, data = parts(FOLDER / "certificate.txt")
    signature, proof = (base64.b64decode(head[name]) for name in ("signature", "proof"))
    with pytest.raises(EvidenceError, match="at least one key to trust"):
        verify_certificate(data, signature, proof, signers, head["trail"])


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_our_error(data: bytes) -> None:
    """Bytes that are no certificate raise EvidenceError."""
    with pytest.raises(EvidenceError):
        read_certificate(data)


@pytest.mark.parametrize("name", sorted(CERTIFICATE))
def test_null_is_refused(name: str) -> None:
    """No member of a certificate is null."""
    with pytest.raises(EvidenceError, match="certificate"):
        read_certificate(canonical({**CERTIFICATE, name: None}))


@pytest.fixture
def purged(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose convention is over and purged."""
    gateway = pools(tmp_path / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30, bad_rate=0.02))
    purge(gateway.record(CSP_ENDED).move_to(DUE).workspace, "csp-ft-2024")
    yield gateway
    gateway.workspace.close()


def test_what_the_gateway_wrote_verifies_without_it(
    purged: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of a certificate verifies by the command and by ssh-keygen, and not once a byte of it was changed."""
    for name, value in {"HOME": str(purged.home), "NOW": DUE, "LANG": "en", "ACTOR": "dpo"}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", value)
    out, trust = tmp_path / "certificate", purged.home / "trust"
    assert run(["purge", "certificate", "csp-ft-2024", "--out", str(out)]) == 0
    monkeypatch.delenv("PASSERELLE_HOME")
    capsys.readouterr()
    assert run(["purge", "verify", str(out), "--trust", str(trust), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["purge"], told["whole"]) == ("csp-ft-2024.1", True)
    stock = f"ssh-keygen -Y verify -f {trust}/allowed_signers -I passerelle -n passerelle-certificate -s certificate.json.sig"
    assert "Good" in shell(f"{stock} < certificate.json", out)
    certificate = out / "certificate.json"
    certificate.write_bytes(certificate.read_bytes().replace(b'"whole":true', b'"whole":false'))
    assert run(["purge", "verify", str(out), "--trust", str(trust)]) == 1
    assert "certificate: signature" in capsys.readouterr().err
