"""A gateway of two conventions, one with receipts, refusals and accesses; its bundle; and the checker as it travels."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from passerelle.access import Look
from passerelle.errors import GateRefusedError
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.keys import parse_private, parse_recipient
from passerelle.parcel import verify
from passerelle.receipt import receipt_of, sign_receipt
from passerelle.receipt.recording import record
from passerelle.store import partners
from portal.bundle import pages
from portal.cli import run
from retention.bundle import Bundle, Options, write_bundle
from retention.bundle.folder import checker
from tests.gateway import CSP_FILED, PACA_RECORD, PACA_SIGNED, POOLS, STUDIES, Gateway
from tests.receipt.conftest import ssh_key

CSP, PARTY = "csp-ft-2024", "mtfp"
NOW = "2025-05-12T06:00:00+02:00"
RECIPIENT = "Anne-Sophie Trucmuche"  # who works with the gateway, not a person of a file


@dataclass
class Kept:
    """A gateway, and where its bundles are written."""

    gateway: Gateway
    folder: Path

    def bundle(self, name: str, convention: str = CSP, **options: bool) -> Bundle:
        """Write a bundle."""
        return write_bundle(
            self.gateway.workspace,
            convention,
            self.folder / name,
            look=Look("dpo", "bundle_export", convention, "annual control", convention=convention),
            pages=pages,
            options=Options(**options),
            told=lambda _: None,
        )


def enrolled(gateway: Gateway, party: str, public: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enrol and approve a key as people do: by the commands, which tell it in the trail."""
    for name, value in {"HOME": gateway.home, "NOW": gateway.workspace.now().isoformat(), "ACTOR": RECIPIENT}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    key = parse_recipient(public)
    assert run(["partner", "key", "add", party, "--recipient", public, "--by", RECIPIENT]) == 0
    for person in ("bruno", "carole"):
        assert run(["partner", "key", "approve", key.fingerprint, "--channel", "phone", "--by", person]) == 0


def delivered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """Two deliveries under one convention, one receipted, one refused request; one delivery under another convention."""
    gateway = (
        Gateway.create(folder, "2016-04-04T10:00:00+02:00").record(PACA_SIGNED, PACA_RECORD).partner("region-paca")
    )
    gateway.partner("pole-emploi").move_to("2019-06-03T06:00:00+02:00")
    gateway.run(STUDIES, "2019", gateway.write(STUDIES, 30))
    gateway.move_to("2025-05-06T10:00:00+02:00").record(*CSP_FILED)
    with gateway.workspace.database.begin() as connection:
        partners.add(connection, PARTY, PARTY, str(gateway.folder / "partners" / PARTY), at=gateway.workspace.now())
    key = ssh_key(folder)
    enrolled(gateway, PARTY, key.with_suffix(".pub").read_text(), monkeypatch)
    gateway.move_to(NOW).run(POOLS, "2025-05", gateway.write(POOLS, 40))
    gateway.run(POOLS, "2025-06", gateway.write(POOLS, 30, seed=2))
    with pytest.raises(GateRefusedError):
        gateway.run(POOLS, "2025-07", gateway.write(POOLS, 10, seed=3), sender="region-paca")
    first, _ = gateway.parcels(PARTY)
    seen = verify(first, trust_from(gateway.home / "trust", PARTY))
    record(gateway.workspace, sign_receipt(receipt_of(seen, gateway.workspace.now()), parse_private(key.read_bytes())))
    hand_release_key(gateway.workspace, first.stem, PARTY, actor=RECIPIENT, reason="asked by telephone")
    return gateway


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The gateway; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("bundled")
    with pytest.MonkeyPatch.context() as monkeypatch:
        gateway = delivered(folder / "gateway", monkeypatch)
    yield Kept(gateway, folder)
    gateway.workspace.close()


@pytest.fixture(scope="session")
def whole(kept: Kept) -> Path:
    """A bundle with the whole trail; tests that change it work on a copy."""
    return kept.bundle("whole").folder


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The checker, loaded from the one file that travels."""
    path = tmp_path_factory.mktemp("script") / "verify.py"
    path.write_bytes(checker())
    spec = importlib.util.spec_from_file_location("bundle_checker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bundle_checker"] = module  # dataclasses and pickles look there
    spec.loader.exec_module(module)
    return module
