"""What a DPO does beside reading: notes a breach, approves a changed file, takes a bundle, takes note of an alert."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from passerelle.errors import GateRefusedError
from passerelle.keys import Identity
from passerelle.persons.requesting import open_request
from passerelle.store import settings
from passerelle.workspace.partner_keys import enrol
from retention import attestations, watchdog
from retention.approving import REQUIRED
from retention.backups import record
from retention.suspending import Asked, place
from tests.gateway import CSP_ENDED, POOLS, Gateway, at, pools
from tests.web.visitors import Portal, Visitor, words

WHICH = "csp-ft-2024"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A gateway that delivered one pool of candidates."""
    folder = tmp_path_factory.mktemp("registers")
    gateway = pools(folder / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30))
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def gateway(stage: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """That gateway as it was saved."""
    made = stage[0].restored(stage[1])
    yield made
    made.workspace.close()


def dpo(gateway: Gateway, name: str = "Claire") -> Visitor:
    """A DPO who signed in just now and reads French."""
    one = Portal(gateway).visitor("dpo", name=name)
    one.post("/language", {"lang": "fr"})
    return one


def test_a_breach_is_recorded_and_its_notification_noted(gateway: Gateway) -> None:
    """From the instant it was known 72 hours run, told on the page and on /today, until the authority was told."""
    one = dpo(gateway)
    assert one.post("/registers/breaches", {"convention": WHICH, "known_at": "2025-05-13T08:00"}).status_code == 400
    assert one.post("/registers/breaches", {"convention": "none", "known_at": "2025-05-12T05:00"}).status_code == 400
    one.post("/registers/breaches", {"convention": WHICH, "known_at": "2025-05-12T05:00"})
    (row,) = one.get("/registers/breaches", params={"format": "json"}).json()
    assert (row["state"], row["due"][:13], row["hours_left"]) == ("à notifier", "2025-05-15T05", 71.0)
    assert "Violation à notifier" in words(one.get("/today"))
    assert one.post("/registers/breaches/notified", {"about": f"{WHICH}/b-other"}).status_code == 400
    one.post("/registers/breaches/notified", {"about": f"{WHICH}/{row['breach']}", "reference": "CNIL-1234"})
    (row,) = one.get("/registers/breaches", params={"format": "json"}).json()
    assert row["state"] == "notifiée"
    assert "Violation à notifier" not in words(one.get("/today"))


def test_a_changed_file_is_seen_at_once_and_approved_by_two_people_who_read_it(gateway: Gateway) -> None:
    """The portal sees the change without a restart and tells it once; each gives the hash of what they read, nobody counts twice."""
    file = gateway.home / "conventions" / f"{WHICH}.yaml"
    one, two = dpo(gateway), dpo(gateway, "Bruno")
    one.get("/registers/changes")
    shipped = Path(__file__).resolve().parents[2] / "conventions" / f"{WHICH}.yaml"
    file.write_text(shipped.read_text("utf-8") + "# relu\n", "utf-8")
    assert "changé, à approuver" in words(one.get("/registers/changes"))
    today = one.get("/today")
    assert "Texte changé sans approbation" in words(today)
    assert today.text.count('href="/registers/changes"') == 1, "told once, and as no obligation that fell due"
    assert f'href="/conventions/{WHICH}"' not in today.text
    sha256 = gateway.workspace.convention(WHICH).sha256
    assert sha256 not in one.get("/registers/changes").text
    form = {"convention": WHICH, "sha256": sha256}
    assert one.post("/registers/changes", {**form, "sha256": "0" * 64}).status_code == 400
    assert one.post("/registers/changes", {**form, "sha256": sha256[:6]}).status_code == 400
    assert one.post("/registers/changes", form).status_code == 303
    assert one.post("/registers/changes", form).status_code == 400
    assert "il manque une autre personne" in words(one.get("/registers/changes"))
    with pytest.raises(GateRefusedError):
        gateway.run(POOLS, "2025-06", gateway.write(POOLS, 30, seed=2))
    assert two.post("/registers/changes", form).status_code == 303
    first = one.get("/registers/changes", params={"format": "json"}).json()[0]
    assert (first["state"], first["sha256"]) == ("en vigueur ici", sha256)


def test_the_bundle_is_downloaded_checks_itself_and_leaves_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """The archive's own checker passes; the workspace has no file more than before; who took it and why is in the log."""
    one = dpo(gateway)
    before = sorted((gateway.home / "staging").rglob("*"))
    answer = one.post("/bundle", {"convention": WHICH, "reason": "contrôle de la CNIL"})
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    checked = subprocess.run([sys.executable, "-I", "-S", str(tmp_path / WHICH / "verify.py")], capture_output=True, timeout=60, check=False)  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    assert sorted((gateway.home / "staging").rglob("*")) == before
    (row,) = one.get("/access", params={"action": "bundle_export", "format": "json"}).json()
    assert (row["actor"], row["reason"]) == ("Claire", "contrôle de la CNIL")


def test_a_bundle_needs_a_reason_and_a_convention(gateway: Gateway) -> None:
    """Without either nothing is made, and the form says what is lacking."""
    one = dpo(gateway)
    assert "il faut un motif" in words(one.post("/bundle", {"convention": WHICH}))
    assert one.post("/bundle", {"convention": "none", "reason": "contrôle"}).status_code == 400
    assert gateway.entries("bundle_exported") == []


def test_an_alert_is_taken_note_of_with_a_reason(gateway: Gateway) -> None:
    """An alert of the watchdog stands on /today until somebody says what is done about it."""
    gateway.move_to("2025-06-20T06:00:00+02:00")
    watchdog.watch(gateway.workspace)
    one = dpo(gateway)
    page = one.get("/today").text
    assert "plan quotidien arrêté" in page
    path, *rest = re.findall(r'action="(/today/alerts/[^"]+)"', page)
    assert one.post(path, {"reason": ""}).status_code == 400
    assert one.post("/today/alerts/al-0000000000000000", {"reason": "vu"}).status_code == 404
    assert one.post(path, {"reason": "vu avec l'exploitation"}).status_code == 303
    assert re.findall(r'action="(/today/alerts/[^"]+)"', one.get("/today").text) == rest
    assert len(gateway.entries("alert_acknowledged")) == 1


def test_today_gathers_all_that_waits(gateway: Gateway) -> None:
    """A plan to approve, a late request, a late attestation, a hold past its review, a backup, a key: each leads to its page."""
    workspace = gateway.workspace
    open_request(workspace, "access", by="Claire", received_on=date(2025, 5, 5))
    record(
        workspace,
        "coffre-7",
        covers=["files"],
        taken_at=at("2025-05-12T06:00:00+02:00"),
        expires_on=date(2025, 6, 1),
        by="test",
    )
    attestations.request(workspace, WHICH)
    place(
        workspace,
        WHICH,
        Asked("litigation", "requête", "Claire", date(2025, 6, 1), names=("public-job-offers",)),
        by="Claire",
    )
    enrol(workspace, "mtfp", Identity.generate().recipient.text, by="mtfp")
    gateway.record(CSP_ENDED).move_to("2025-10-10T06:00:00+02:00")
    with workspace.database.begin() as connection:
        settings.write(connection, REQUIRED, 1)
    page = dpo(gateway).get("/today").text
    for title, href in {
        "Demande d&#39;une personne à traiter": "/persons/requests/q-",
        "Plan de destruction à approuver": f"/destruction/plans/{WHICH}",
        "Attestation de destruction en retard": "/destruction/attestations",
        "Suspension à réexaminer": "/holds/h-",
        "sauvegarde à détruire": "/destruction/backups",
        "Clé de partenaire à approuver": "/partner-keys",
    }.items():
        assert title in page.replace("\xa0", " "), title
        assert f'href="{href}' in page, href
