"""The gateway verifies each receipt before it keeps it, and tells what is owed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.canonical import canonical
from passerelle.errors import EvidenceError, PasserelleError, RefusedError
from passerelle.handover.evidence import hand_release_key
from passerelle.keys.ssh import PrivateKey
from passerelle.parcel import sign
from passerelle.receipt import NAMESPACE
from passerelle.receipt.recording import Standing, reconcile, record
from passerelle.store import partners
from passerelle.trail import Ledger
from tests.gateway import trail_holds
from tests.receipt.conftest import PARTY, Partner, enrol, make, shell_signed, ssh_key


def standing(partner: Partner, days: int = 7) -> list[Standing]:
    with partner.gateway.workspace.database.read() as connection:
        return reconcile(partner.gateway.workspace, connection, days=days)


def altered(receipt: bytes, key: PrivateKey, **changes: Any) -> bytes:
    """The receipt with other values, signed anew."""
    value = {**json.loads(receipt.partition(b"\n")[0]), **changes}
    line = canonical(value) + b"\n"
    return line + sign(line, key, NAMESPACE)


@pytest.mark.parametrize("kind", [("ed25519",), ("rsa", "-b", "2048")], ids=["ed25519", "rsa"])
def test_a_receipt_is_kept_once_and_told(tmp_path: Path, kind: tuple[str, ...]) -> None:
    """A receipt signed by ssh-keygen or by us, which give the same bytes, is recorded once, in the trail too."""
    partner = make(tmp_path, *kind)
    receipt = partner.receipt(partner.deliver("2025-05"))
    assert shell_signed(receipt, partner.key_file) == receipt
    for _ in range(2):
        received = record(partner.gateway.workspace, receipt)
    (entry,) = partner.gateway.entries("receipt_recorded")
    assert entry["receipt_sha256"] == received.sha256
    assert (entry["party"], entry["sequence"], entry["size"]) == (PARTY, 1, received.checkpoint.size)
    assert trail_holds(partner.gateway.workspace).unsigned == 0


def test_what_is_delivered_opened_receipted_and_late(partner: Partner) -> None:
    """The list shows each parcel's delivery, opening and receipt, and is late after the days it is given."""
    first, second = partner.deliver("2025-05"), partner.deliver("2025-06")
    workspace = partner.gateway.workspace
    hand_release_key(workspace, partner.verified(first).parcel.manifest.name, PARTY, actor="test")
    record(workspace, partner.receipt(first))
    one, two = standing(partner)
    assert (one.opened_at, one.receipted_at, one.late) == (one.delivered_at, one.delivered_at, False)
    assert (two.parcel, two.opened_at, two.receipted_at) == (second.stem, None, None)
    later = datetime.fromisoformat(two.delivered_at) + timedelta(days=7, seconds=1)
    partner.gateway.move_to(later.isoformat())
    assert [found.late for found in standing(partner)] == [False, True]
    assert [found.late for found in standing(partner, days=8)] == [False, False]


ALTERED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "manifest_sha256 is not that": lambda _: {"manifest_sha256": "ab" * 32},
    "sequence is not that": lambda _: {"sequence": 2},
    "exchange is not that": lambda _: {"exchange": "public-job-offers"},
    "before the delivery": lambda _: {"at": "2025-05-01T00:00:00Z"},
    "after the present": lambda _: {"at": "2025-06-01T00:00:00Z"},
    "no parcel of that id": lambda _: {"parcel": "p-0"},
    "delivered to cheops": lambda _: {"party": "cheops"},
    "does not verify": lambda said: {"checkpoint": said["checkpoint"].replace("\n", "1\n", 2).replace("1\n", "\n", 1)},
}


@pytest.mark.parametrize("fault", ALTERED)
def test_a_receipt_that_is_not_of_its_delivery_is_refused(partner: Partner, fault: str) -> None:
    """A receipt signed by its party that says another thing than the delivery is refused by name, and nothing is kept."""
    receipt = partner.receipt(partner.deliver("2025-05"))
    said = json.loads(receipt.partition(b"\n")[0])
    with pytest.raises(PasserelleError, match=fault):
        record(partner.gateway.workspace, altered(receipt, partner.key, **ALTERED[fault](said)))
    assert partner.gateway.entries("receipt_recorded") == []


def test_only_an_approved_key_of_the_party_signs(partner: Partner, tmp_path: Path) -> None:
    """A stranger's key, a revoked key and an age key alone do not sign for a party; a second SSH key does."""
    receipt, workspace = partner.receipt(partner.deliver("2025-05")), partner.gateway.workspace
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(EvidenceError, match="expected a trusted key"):
        record(workspace, altered(receipt, stranger))
    second = ssh_key(tmp_path, name="second")
    enrol(partner.gateway, PARTY, second.with_suffix(".pub").read_text())
    record(workspace, shell_signed(receipt, second))
    with workspace.database.begin() as connection:
        for key in partners.keys(connection, PARTY):
            if key.kind != "x25519":
                partners.revoke(connection, key.fingerprint, at=workspace.now())
    with pytest.raises(RefusedError, match="no approved SSH key"):
        record(workspace, receipt)


def test_a_head_of_another_history_is_named(partner: Partner) -> None:
    """A receipt over a head that the hub signed for another history is refused as a fork."""
    receipt, workspace = partner.receipt(partner.deliver("2025-05")), partner.gateway.workspace
    from passerelle.trail.checkpoint import sign_checkpoint

    key = workspace.keys.trail_key
    assert Ledger(workspace.origin, key).verifier_key == workspace.ledger.verifier_key
    with workspace.database.read() as connection:
        size = workspace.ledger.size(connection)
    forged = sign_checkpoint(workspace.origin, size, b"x" * 32, key, workspace.now())
    with pytest.raises(EvidenceError, match="forked"):
        record(workspace, altered(receipt, partner.key, checkpoint=forged))
    longer = sign_checkpoint(workspace.origin, size + 1, b"x" * 32, key, workspace.now())
    with pytest.raises(EvidenceError, match="truncated"):
        record(workspace, altered(receipt, partner.key, checkpoint=longer))


def test_whoever_brings_a_receipt_brings_its_own(partner: Partner) -> None:
    """Where the party or the parcel is known beforehand, the receipt of another is refused and nothing is kept."""
    first, second = partner.deliver("2025-05"), partner.deliver("2025-06")
    workspace, receipt = partner.gateway.workspace, partner.receipt(first)
    for expected in ({"party": "other"}, {"parcel": second.stem}, {"party": PARTY, "parcel": second.stem}):
        with pytest.raises(RefusedError, match="the receipt of another"):
            record(workspace, receipt, **expected)
    assert partner.gateway.entries("receipt_recorded") == []
    record(workspace, receipt, party=PARTY, parcel=first.stem)
    assert len(partner.gateway.entries("receipt_recorded")) == 1
