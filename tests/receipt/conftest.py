"""A gateway that delivered parcels to a partner who signs with an SSH key, and what that partner holds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from passerelle.clock import iso
from passerelle.handover.evidence import trust_from
from passerelle.keys import parse_private, parse_recipient
from passerelle.keys.ssh import PrivateKey
from passerelle.parcel import Verified, verify
from passerelle.receipt import receipt_of, sign_receipt
from portal.cli import run
from tests.gateway import POOLS, Gateway, pools

PARTY = "mtfp"


@dataclass
class Partner:
    """A gateway and its partner."""

    gateway: Gateway
    key: PrivateKey
    key_file: Path

    def deliver(self, period: str) -> Path:
        """One more parcel, in the partner's folder."""
        before = set(self.gateway.parcels(PARTY))
        source = self.gateway.write(POOLS, 20, seed=int(period[-2:]), name=f"{period}.csv")
        self.gateway.run(POOLS, period, source)
        (new,) = set(self.gateway.parcels(PARTY)) - before
        return new

    def verified(self, parcel: Path) -> Verified:
        """The parcel, verified as its recipient does."""
        return verify(parcel, trust_from(self.gateway.home / "trust", PARTY))

    def receipt(self, parcel: Path) -> bytes:
        """The partner's receipt for it."""
        return sign_receipt(receipt_of(self.verified(parcel), self.gateway.workspace.now()), self.key)


def enrol(gateway: Gateway, party: str, public: str) -> None:
    """Enrol one more key, approved by two people."""
    gateway.enrol(party, parse_recipient(public))


def ssh_key(folder: Path, *kind: str, name: str = "key") -> Path:
    """A new SSH key in ``folder``, its public half beside it."""
    command = ["ssh-keygen", "-q", "-t", *(kind or ("ed25519",)), "-N", "", "-f", str(folder / name)]
    subprocess.run(command, check=True, timeout=60)
    return folder / name


def shell_signed(receipt: bytes, key: Path) -> bytes:
    """The same line, signed by ssh-keygen with the key in ``key``."""
    line = receipt[: receipt.index(b"\n") + 1]
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "passerelle-receipt", "-f", str(key)]
    done = subprocess.run(command, input=line, capture_output=True, check=True, timeout=60)
    return line + done.stdout


def make(folder: Path, *kind: str) -> Partner:
    """A gateway whose partner has an age key, and an SSH key that signs."""
    gateway = pools(folder)
    file = ssh_key(folder, *kind)
    enrol(gateway, PARTY, file.with_suffix(".pub").read_text())
    return Partner(gateway, parse_private(file.read_bytes()), file)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Partner, Path]:
    """A gateway and its partner, who signs with Ed25519, and a copy of them."""
    folder = tmp_path_factory.mktemp("partner")
    made = make(folder / "gateway")
    return made, made.gateway.saved(folder / "saved")


@pytest.fixture
def partner(saved: tuple[Partner, Path]) -> Iterator[Partner]:
    """The gateway and its partner as they were saved."""
    made, folder = saved
    again = replace(made, gateway=made.gateway.restored(folder))
    yield again
    again.gateway.workspace.close()


@pytest.fixture
def told(partner: Partner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command and gives its status and its JSON value, or what it printed."""
    monkeypatch.setenv("PASSERELLE_HOME", str(partner.gateway.home))
    monkeypatch.setenv("PASSERELLE_LANG", "en")

    def call(*words: object) -> tuple[int, Any]:
        monkeypatch.setenv("PASSERELLE_NOW", iso(partner.gateway.workspace.now()))
        status = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in words and status == 0 else out + err

    return call
