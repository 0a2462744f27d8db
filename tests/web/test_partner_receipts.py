"""A partner signs: the line is made for its own verified parcel, the signed receipt or attestation is recorded or refused as by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from passerelle.canonical import canonical
from passerelle.keys import parse_private
from passerelle.keys.ssh import NOTICE_NAMESPACE, PrivateKey, parse_allowed_signers
from passerelle.parcel import sign
from passerelle.receipt import NAMESPACE
from passerelle.receipt.attestation import NAMESPACE as ATTESTATION
from passerelle.receipt.attestation import verify_request
from retention.attestations import request
from tests.gateway import CSP_FILED, TWO, Gateway, shell, trail_holds, two_recipients
from tests.receipt.conftest import enrol, ssh_key
from tests.web.visitors import Portal, Visitor, words

NOW = "2025-05-12T10:00:00+02:00"
OWN, OTHER = "mtfp", "mtss"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path, Path]:
    """Two ministries that were delivered one pool each, both asked to attest; the first one's SSH key."""
    folder = tmp_path_factory.mktemp("receipts")
    made = Gateway.create(folder / "gateway", NOW).record(*CSP_FILED).partner(OWN)
    key = ssh_key(folder)
    enrol(made, OWN, key.with_suffix(".pub").read_text())
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 10))
    made.move_to("2025-06-12T10:00:00+02:00").run(which, "2025-06", made.write(which, 10, seed=6))
    request(made.workspace, TWO.partition("/")[0])
    return made, made.saved(folder / "saved"), key


@pytest.fixture
def gateway(saved: tuple[Gateway, Path, Path]) -> Iterator[Gateway]:
    made = saved[0].restored(saved[1])
    yield made
    made.workspace.close()


@pytest.fixture
def key(saved: tuple[Gateway, Path, Path]) -> PrivateKey:
    return parse_private(saved[2].read_bytes())


@pytest.fixture
def partner(gateway: Gateway) -> Visitor:
    return Portal(gateway).visitor("partner", OWN)


def parcels(gateway: Gateway, party: str) -> list[str]:
    return [one.id for one in gateway.deliveries(state="delivered", recipient=party)]


def asked(gateway: Gateway, party: str) -> str:
    (one,) = [one for one in gateway.entries("attestation_requested") if one["party"] == party]
    return str(one["request"])


def hand_in(visitor: Visitor, path: str, signed: bytes) -> Response:
    return visitor.post(path, files={"signed": ("signed", signed)})


def altered(line: bytes, **changes: Any) -> bytes:
    return canonical({**json.loads(line), **changes}) + b"\n"


def test_a_receipt_signed_with_stock_tools_is_recorded(
    saved: tuple[Gateway, Path, Path], gateway: Gateway, partner: Visitor, tmp_path: Path
) -> None:
    """The line is downloaded, signed by the very commands that the page gives, handed in, recorded once and shown."""
    parcel = parcels(gateway, OWN)[0]
    page = partner.get(f"/parcels/{parcel}/receipt")
    commands = [line for line in words(page).replace(" cat ", "\ncat ").splitlines() if parcel in line]
    assert any(line.startswith(f"cat {parcel}.line {parcel}.line.sig > {parcel}.receipt") for line in commands)
    line = partner.get(f"/parcels/{parcel}/receipt/line")
    assert line.headers["content-disposition"] == f'attachment; filename="{parcel}.line"'
    (tmp_path / f"{parcel}.line").write_bytes(line.content)
    shell(f"ssh-keygen -q -Y sign -n {NAMESPACE} -f {saved[2]} {parcel}.line", tmp_path)
    signed = shell(f"cat {parcel}.line {parcel}.line.sig", tmp_path).encode()
    for _ in range(2):
        answer = hand_in(partner, f"/parcels/{parcel}/receipt", signed)
        assert "Receipt recorded" in words(partner.get(answer.headers["location"]))
    (entry,) = gateway.entries("receipt_recorded")
    assert (entry["parcel"], entry["party"]) == (parcel, OWN)
    again = partner.get(f"/parcels/{parcel}/receipt")
    assert "given already" in words(again)
    assert f'href="/parcels/{parcel}/receipt/file"' in again.text
    kept = partner.get(f"/parcels/{parcel}/receipt/file")
    assert (kept.content, kept.headers["content-disposition"]) == (signed, f'attachment; filename="{parcel}.receipt"')
    trail_holds(gateway.workspace)


def test_a_receipt_that_does_not_hold_is_refused_in_the_engines_words(
    gateway: Gateway, partner: Visitor, key: PrivateKey
) -> None:
    """Another parcel's, another key's, an altered, an unsigned and an empty one are refused, each with its reason; nothing is kept."""
    first, second = parcels(gateway, OWN)
    line = partner.get(f"/parcels/{first}/receipt/line").content
    good = line + sign(line, key, NAMESPACE)
    stranger = parse_private(ssh_key(gateway.folder).read_bytes())
    wrong = altered(line, manifest_sha256="0" * 64)
    for path, signed, said in (
        (second, good, "the receipt of another parcel"),
        (first, line + sign(line, stranger, NAMESPACE), "expected a trusted key"),
        (first, line + sign(line, key, ATTESTATION), "another came"),
        (first, wrong + sign(wrong, key, NAMESPACE), "manifest_sha256 is not that of the delivery"),
        (first, line, "expected an armored SSH signature"),
        (first, b"", "expected a line and its signature"),
        (first, b"x" * (600 * 1024), "expected a line and its signature"),
    ):
        answer = hand_in(partner, f"/parcels/{path}/receipt", signed)
        assert (answer.status_code, said in words(answer)) == (400, True), said
    assert partner.post(f"/parcels/{first}/receipt", {"signed": "no file"}).status_code == 400
    assert gateway.entries("receipt_recorded") == []


def test_another_partys_receipts_and_requests_are_not_there(
    gateway: Gateway, partner: Visitor, key: PrivateKey
) -> None:
    """The line, the page and the record of another party's parcel or request answer as if there were none."""
    theirs, request_id = parcels(gateway, OTHER)[0], asked(gateway, OTHER)
    line = partner.get(f"/parcels/{parcels(gateway, OWN)[0]}/receipt/line").content
    assert hand_in(partner, f"/parcels/{theirs}/receipt", line + sign(line, key, NAMESPACE)).status_code == 404
    for path in ("", "/request", "/line"):
        assert partner.get(f"/attestations/{request_id}{path}").status_code == 404
    assert hand_in(partner, f"/attestations/{request_id}", line).status_code == 404
    assert request_id not in partner.get("/attestations").text


def test_an_attestation_is_asked_signed_and_recorded(gateway: Gateway, partner: Visitor, key: PrivateKey) -> None:
    """First with one parcel kept, which is recorded as partial, then for all; the list and the page say what is left."""
    which, (kept, _) = asked(gateway, OWN), parcels(gateway, OWN)
    path = f"/attestations/{which}"
    signers = parse_allowed_signers(
        (gateway.home / "trust" / "allowed_signers").read_text(), namespace=NOTICE_NAMESPACE
    )
    assert verify_request(partner.get(f"{path}/request").content, signers).party == OWN
    (row,) = partner.get("/attestations?format=json").json()
    assert (row["request"], row["parcels"], row["attested"]) == (which, 2, 0)
    line = partner.get(f"{path}/line", params={"kept": kept, "destroyed_on": "2025-06-12"}).content
    assert kept not in line.decode()
    answer = hand_in(partner, path, line + sign(line, key, ATTESTATION))
    assert "parcels left: 1" in words(partner.get(answer.headers["location"]))
    assert partner.get(path).text.count('name="kept"') == 1
    line = partner.get(f"{path}/line").content
    answer = hand_in(partner, path, line + sign(line, key, ATTESTATION))
    assert answer.headers["location"] == "/attestations"
    assert "everything is attested" in words(partner.get("/attestations"))
    assert "everything is attested" in words(partner.get(path))
    assert [one["missing"] for one in gateway.entries("attestation_recorded")] == [1, 0]


def test_an_attestation_that_does_not_hold_is_refused(gateway: Gateway, partner: Visitor, key: PrivateKey) -> None:
    """A day to come, one before the delivery, nothing attested, another key and another line are refused; nothing is kept."""
    path, own = f"/attestations/{asked(gateway, OWN)}", parcels(gateway, OWN)
    assert partner.get(f"{path}/line", params={"kept": own}).status_code == 400
    assert partner.get(f"{path}/line?destroyed_on=soon").status_code == 400
    line = partner.get(f"{path}/line").content
    stranger = parse_private(ssh_key(gateway.folder).read_bytes())
    early, late = altered(line, destroyed_on="2025-01-01"), altered(line, destroyed_on="2025-07-01")
    for signed, said in (
        (line + sign(line, stranger, ATTESTATION), "expected a trusted key"),
        (early + sign(early, key, ATTESTATION), "destroyed before it was delivered"),
        (late + sign(late, key, ATTESTATION), "destroyed after it was signed"),
        (line, "expected an armored SSH signature"),
        (b"", "expected a line and its signature"),
    ):
        answer = hand_in(partner, path, signed)
        assert (answer.status_code, said in words(answer)) == (400, True), said
    assert gateway.entries("attestation_recorded") == []
