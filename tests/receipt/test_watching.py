"""What partners watch the gateway with: exported trail, witnesses, and announced signing keys."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.errors import RefusedError, UsageError
from passerelle.handover.signing import rotate_signing
from passerelle.handover.witnesses import enrol_witness, insist_on_witnesses, require_witnesses
from passerelle.keys import fingerprint
from passerelle.trail import verify_entry
from passerelle.trail.note import TIMED, VerifierKey, encode64
from tests.gateway import pools, trail_holds
from tests.receipt.conftest import PARTY, Partner
from tests.trail.tiles import Client

NAME = "mtfp.example/witness"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = replace(VerifierKey.of(NAME, KEY), kind=TIMED)


def head(partner: Partner) -> str:
    """The latest head, signed if need be."""
    workspace = partner.gateway.workspace
    with workspace.database.begin() as connection:
        return workspace.ledger.checkpoint(connection, workspace.now())


def cosigned(partner: Partner) -> str:
    """The latest head with the witness's line."""
    note, seconds = head(partner), int(partner.gateway.workspace.now().timestamp())
    body = note[: note.index("\n\n") + 1]
    signature = KEY.sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
    return f"{note}— {NAME} {encode64(VKEY.id + seconds.to_bytes(8, 'big') + signature)}\n"


def test_the_trail_is_exported_and_proven(partner: Partner, told: Any, tmp_path: Path) -> None:
    """The exported folder convinces an independent client, twice, and one head is proven to continue another."""
    for period in ("2025-05", "2025-06"):
        partner.deliver(period)
        status, value = told("trail", "export", "--out", tmp_path / "log", "--json")
        assert status == 0
        client = Client(tmp_path / "log", (tmp_path / "log" / "trail.vkey").read_text().strip())
        assert len(client.verified()) == value["size"]
    assert told("trail", "consistency", 5, "--json")[1]["newer"] == value["size"]
    assert told("trail", "consistency", value["size"] + 1)[0] == 1


def test_a_purge_needs_witnesses_of_every_delivery(partner: Partner, told: Any, tmp_path: Path) -> None:
    """Once k witnesses are required, a purge is refused until that many cosigned a head over the last delivery."""
    partner.deliver("2025-05")
    workspace = partner.gateway.workspace
    (tmp_path / "vkey").write_text(f"{VKEY}\n")
    assert told("trail", "witness", "require", 1)[0] == 2
    assert told("trail", "witness", "add", tmp_path / "vkey", "--as", PARTY)[0] == 0
    assert told("trail", "witness", "require", 1)[0] == 0
    with workspace.database.read() as connection, pytest.raises(RefusedError, match="expected 1 witnesses"):
        insist_on_witnesses(workspace, connection, "csp-ft-2024")
    (tmp_path / "note").write_text(cosigned(partner))
    assert told("trail", "witness", "record", tmp_path / "note")[0] == 0
    with workspace.database.read() as connection:
        assert insist_on_witnesses(workspace, connection, "csp-ft-2024") == (NAME,)
        size = workspace.ledger.size(connection)
    assert told("trail", "witness", "list", "--json")[1][0]["size"] == size
    partner.deliver("2025-06")
    with workspace.database.read() as connection, pytest.raises(RefusedError, match="found 0"):
        insist_on_witnesses(workspace, connection, "csp-ft-2024")
    assert [entry.get("required") for entry in partner.gateway.entries("witness_enrolled")] == [None, 1]
    assert trail_holds(workspace)


def test_nothing_is_required_by_default(partner: Partner) -> None:
    """A gateway without witnesses purges as before; a stranger is no witness."""
    workspace = partner.gateway.workspace
    with workspace.database.read() as connection:
        assert insist_on_witnesses(workspace, connection, "csp-ft-2024") == ()
    with pytest.raises(UsageError, match="unknown partner"):
        enrol_witness(workspace, str(VKEY), "nobody")
    with pytest.raises(UsageError, match="from 0 to 0"):
        require_witnesses(workspace, 1)


def test_a_new_signing_key_is_announced_and_old_signatures_stay_good(partner: Partner, tmp_path: Path) -> None:
    """After a rotation, parcels of before and after verify, with ours and with ssh-keygen, and the trail names both keys."""
    first = partner.deliver("2025-05")
    workspace = partner.gateway.workspace
    old = fingerprint(workspace.keys.signing_key.public_key())
    partner.gateway.move_to("2025-05-20T06:00:00+02:00")
    new = fingerprint(rotate_signing(workspace).key)
    (entry,) = partner.gateway.entries("signing_key_rotated")
    assert entry == {"fingerprint": new, "retired": old}
    second = partner.deliver("2025-06")
    assert [partner.verified(parcel).signer for parcel in (first, second)] == [old, new]
    for parcel, at in ((first, "20250512040000Z"), (second, "20250520040000Z")):
        folder = tmp_path / parcel.stem
        folder.mkdir()
        subprocess.run(["tar", "-xf", parcel, "-C", folder], check=True, timeout=60)
        command = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            str(partner.gateway.home / "trust" / "allowed_signers"),
            "-I",
            "passerelle",
        ]
        command += ["-n", "passerelle-manifest", "-s", str(folder / "manifest.json.sig"), f"-Overify-time={at}"]
        with (folder / "manifest.json").open("rb") as manifest:
            done = subprocess.run(command, stdin=manifest, capture_output=True, check=False, timeout=60)
        assert done.stdout.startswith(b'Good "passerelle-manifest" signature'), done.stderr
    with workspace.database.read() as connection:
        (found,) = workspace.ledger.find(connection, "signing_key_rotated")
        proven = verify_entry(workspace.ledger.prove(connection, found.index), workspace.ledger.verifier_key)
    assert proven.entry.body["fingerprint"] == new


def test_an_interrupted_rotation_is_finished_at_the_next_opening(partner: Partner) -> None:
    """Killed between the ring and the trail, the key in use is told and published by the next opening, once."""
    workspace = partner.gateway.workspace
    signers = workspace.home / "trust" / "allowed_signers"
    made = workspace.keys.rotate_signing(workspace.now())
    assert signers.read_text() != workspace.keys.allowed_signers
    for _ in range(2):
        partner.gateway = partner.gateway.reopened()
        told = [entry["fingerprint"] for entry in partner.gateway.entries("signing_key_rotated")]
        assert told == [fingerprint(made.key)]
        assert signers.read_text() == partner.gateway.workspace.keys.allowed_signers
    assert rotate_signing(partner.gateway.workspace) != made


def test_a_rotation_killed_between_trail_and_publication_is_published(partner: Partner) -> None:
    """Told in the trail and not yet published, the new signers are published by the next opening, and told no second time."""
    signers = partner.gateway.home / "trust" / "allowed_signers"
    old = signers.read_text()
    rotate_signing(partner.gateway.workspace)
    signers.write_text(old)
    gateway = partner.gateway.reopened()
    assert signers.read_text() == gateway.workspace.keys.allowed_signers != old
    assert len(gateway.entries("signing_key_rotated")) == 1


def test_a_head_is_signed_when_enough_stands_unsigned(tmp_path: Path) -> None:
    """A head is signed at N unsigned entries, or when the oldest of them is T old, and not before."""
    gateway = pools(tmp_path)
    workspace = gateway.workspace
    with workspace.database.begin() as connection:
        workspace.ledger.checkpoint(connection, workspace.now())
        assert workspace.ledger.sign_when_due(connection, workspace.now(), entries=1) is None
        for _ in range(3):
            workspace.append(connection, "keys_destroyed", {"convention": "csp-ft-2024"})
        assert workspace.ledger.sign_when_due(connection, workspace.now(), entries=4) is None
        assert workspace.ledger.sign_when_due(connection, workspace.now() + timedelta(minutes=59)) is None
        hour = workspace.now() + timedelta(hours=1)
        assert workspace.ledger.sign_when_due(connection, hour)
        gateway.move_to(hour.isoformat())
        workspace.append(connection, "keys_destroyed", {"convention": "csp-ft-2024"})
        assert workspace.ledger.sign_when_due(connection, hour, entries=1)
    assert trail_holds(workspace).unsigned == 0


def test_heads_are_signed_as_often_as_the_gateway_set(partner: Partner, told: Any) -> None:
    """An entry that makes too many unsigned, or comes too late after one, is signed with it; so does the watchdog later."""
    gateway, workspace = partner.gateway, partner.gateway.workspace
    head(partner)
    assert told("trail", "checkpoints", "--json") == (0, {"entries": 256, "minutes": 60})
    assert told("trail", "checkpoints", "--entries", 4, "--minutes", 10, "--json")[1] == {"entries": 4, "minutes": 10}
    assert gateway.entries("checkpoints_set") == [{"entries": 4, "minutes": 10}]
    unsigned = []
    for minutes in (0, 1, 2, 0, 11, 0):
        gateway.move_to((workspace.now() + timedelta(minutes=minutes)).isoformat())
        with workspace.database.begin() as connection:
            workspace.append(connection, "keys_destroyed", {"convention": "csp-ft-2024"})
        unsigned.append(trail_holds(workspace).unsigned)
    assert unsigned == [2, 3, 0, 1, 0, 1]
    gateway.move_to((workspace.now() + timedelta(minutes=10)).isoformat())
    with workspace.database.begin() as connection:
        assert workspace.sign_when_due(connection)
    assert trail_holds(workspace).unsigned == 0
