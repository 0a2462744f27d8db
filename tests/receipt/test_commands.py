"""The commands of both sides: the partner's need no workspace, the gateway's tell what came."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.receipt.conftest import PARTY, Partner


def test_a_receipt_goes_from_the_partner_to_the_trail(partner: Partner, told: Any, tmp_path: Path) -> None:
    """The partner gives a receipt without a workspace, the gateway records and lists it, and the trail is checked with it."""
    parcel, out = partner.deliver("2025-05"), tmp_path / "receipt"
    give = (
        "receipt",
        "give",
        parcel,
        "--as",
        PARTY,
        "--trust",
        partner.gateway.home / "trust",
        "--key",
        partner.key_file,
    )
    assert told(*give, "--out", out)[0] == 0
    assert out.read_bytes() == partner.receipt(parcel)
    assert told(*give)[1].encode() == out.read_bytes()
    assert told("receipt", "check", out, parcel)[0] == 0
    assert told("receipt", "list", "--json")[1][0]["receipted_at"] is None
    status, value = told("receipt", "record", out, "--json")
    assert (status, value["party"], value["sequence"]) == (0, PARTY, 1)
    assert told("receipt", "list", "--json")[1][0]["receipted_at"] == value["at"]
    assert told("receipt", "list", "--late")[1] == "No delivery.\n"
    assert told("trail", "verify", "--receipt", out, "--json")[1]["receipts"] == 1
    (tmp_path / "proof").write_bytes(partner.verified(parcel).parcel.proof)
    assert told("trail", "verify", "--receipt", tmp_path / "proof", "--json")[1]["receipts"] == 1
    assert told("receipt", "give", parcel, "--after", out)[0] == 1
    second = partner.deliver("2025-06")
    assert told("receipt", "give", second, "--after", out, "--key", partner.key_file)[0] == 0


def test_the_line_can_be_signed_by_ssh_keygen(partner: Partner, told: Any, tmp_path: Path) -> None:
    """Without a key the line to sign is written, and what ssh-keygen signs is recorded."""
    line = tmp_path / "line"
    status, said = told("receipt", "give", partner.deliver("2025-05"), "--out", line)
    assert status == 0
    assert "ssh-keygen -Y sign -n passerelle-receipt" in said
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "passerelle-receipt", "-f", str(partner.key_file), str(line)]
    subprocess.run(command, check=True, timeout=60)
    (tmp_path / "receipt").write_bytes(line.read_bytes() + (tmp_path / "line.sig").read_bytes())
    assert told("receipt", "record", tmp_path / "receipt")[0] == 0


def test_what_is_no_receipt_or_no_key_is_refused(partner: Partner, told: Any, tmp_path: Path) -> None:
    """A file that is no receipt and a key with nothing to sign with end with status 1 and say why."""
    parcel = partner.deliver("2025-05")
    (tmp_path / "nothing").write_bytes(b"nothing\n")
    assert told("receipt", "record", tmp_path / "nothing")[0] == 1
    assert told("receipt", "check", tmp_path / "nothing", parcel)[0] == 1
    status, said = told("receipt", "give", parcel, "--key", tmp_path / "nothing")
    assert (status, "without passphrase" in said) == (1, True)
