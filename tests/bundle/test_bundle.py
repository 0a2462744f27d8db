"""What an auditor is given stands alone, says who got what on which ground, and names nobody whom it need not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from passerelle.access import Search, page
from passerelle.errors import UsageError
from passerelle.keys import parse_private
from passerelle.receipt.attestation import attest, read_request, sign_attestation
from passerelle.store import partners
from passerelle.workspace import Settings, Workspace
from portal.cli import run
from retention.attestations import follow_up
from retention.attesting import record
from retention.purge import purge
from tests.bundle.conftest import CSP, NOW, PARTY, RECIPIENT, Kept
from tests.canary import sweep
from tests.gateway import CSP_ENDED, POOLS, Gateway, rows_of, trail_holds

CHECKS = 13


def copied(kept: Kept, to: Path) -> Kept:
    """The same gateway, in another place."""
    kept.gateway.workspace.close()
    shutil.copytree(kept.gateway.folder, to / "gateway", symlinks=True)
    kept.gateway = kept.gateway.reopened()
    own = replace(kept.gateway, folder=to / "gateway")
    own.workspace = Workspace.open(Settings(to / "gateway" / "workspace", None, kept.gateway.workspace.now()))
    return Kept(own, to)


def states(found: list[dict[str, str]]) -> dict[str, str]:
    """Each check and how it came out."""
    return {one["check"]: one["state"] for one in found}


def attested(gateway: Gateway) -> None:
    """The partner attests that it destroyed what it was sent."""
    follow_up(gateway.workspace)
    with gateway.workspace.database.read() as connection:
        partner = partners.find(connection, PARTY)  # its folder is that of the gateway that was copied
    assert partner is not None
    (file,) = Path(partner.folder or "").glob("*.request")
    key = parse_private((gateway.folder / "key").read_bytes())
    record(gateway.workspace, sign_attestation(attest(read_request(file.read_bytes()), gateway.workspace.now()), key))


def test_it_verifies_itself_with_python_alone(whole: Path) -> None:
    """The script that travels runs isolated, without packages, in an empty environment, and every check holds."""
    command = [sys.executable, "-I", "-S", str(whole / "verify.py"), "--json"]
    done = subprocess.run(command, env={}, cwd="/", capture_output=True, check=True, timeout=60)
    told = json.loads(done.stdout)
    assert told["holds"]
    assert [one["state"] for one in told["checks"]] == ["held"] * CHECKS
    assert not list(whole.rglob("__pycache__"))


def test_it_is_checked_with_stock_tools_too(whole: Path) -> None:
    """sha256sum and ssh-keygen verify the list of files and its signature."""
    command = (
        "sha256sum --quiet -c SHA256SUMS && ssh-keygen -Y verify -f trust/allowed_signers -I passerelle -n passerelle-bundle"
        " -s SHA256SUMS.sig < SHA256SUMS"
    )
    done = subprocess.run(["sh", "-c", command], cwd=whole, capture_output=True, check=True, timeout=60)
    assert done.stdout.startswith(b'Good "passerelle-bundle" signature for passerelle')


def test_the_evidence_says_what_left(whole: Path) -> None:
    """Deliveries, refusals, receipts, keys and accesses of the convention are there with their figures."""
    about = json.loads((whole / "bundle.json").read_text())
    assert about["figures"] | {"entries": 0} == {
        "entries": 0, "deliveries": 2, "rows": 70, "recipients": 1, "refusals": 1, "receipts": 1, "runs": 2, "certificates": 0,
    }  # fmt: skip
    sent = json.loads((whole / "evidence/deliveries.json").read_text())
    assert [(one["recipient"], one["sequence"], one["rows"], bool(one["article"])) for one in sent] == [
        (PARTY, 1, 40, True), (PARTY, 2, 30, True),
    ]  # fmt: skip
    (key,) = json.loads((whole / "evidence/keys.json").read_text())["partners"]
    assert (key["party"], key["state"], len(key["approvals"])) == (PARTY, "approved", 2)
    (judged,) = {
        one["judged"]["accepted"]
        for one in json.loads((whole / "evidence/runs.json").read_text())
        if one["period"] == "2025-05"
    }
    assert judged == 40
    assert "release_key" in {
        one["action"] for one in json.loads((whole / "evidence/accesses.json").read_text())["lines"]
    }


def test_it_is_told_in_the_access_log_and_in_the_trail(kept: Kept, tmp_path: Path) -> None:
    """Who exported and why is in the access log, and the hash of the signed list in the trail, before the folder is there."""
    own = copied(kept, tmp_path)
    done = own.bundle("told")
    (told,) = [one for one in own.gateway.entries("bundle_exported") if one["bundle_sha256"] == done.sha256]
    assert (told["convention"], told["size"], told["entries"]) == (CSP, done.trail_size, done.entries)
    with own.gateway.workspace.database.read() as connection:
        line = page(connection, Search(action="bundle_export"), limit=1)[-1]
    assert (line.actor, line.subject, line.reason) == ("dpo", CSP, "annual control")
    trail_holds(own.gateway.workspace)
    own.gateway.workspace.close()


def test_the_same_state_gives_the_same_bytes(kept: Kept, tmp_path: Path) -> None:
    """Two copies of one workspace give, at one instant, two bundles that are equal byte for byte."""
    found = []
    for name in ("one", "two"):
        own = copied(kept, tmp_path / name)
        folder = own.bundle("same").folder
        found.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
        own.gateway.workspace.close()
    assert len(found[0]) > 40
    assert found[0] == found[1]


def test_no_value_of_a_person_is_in_it(kept: Kept, whole: Path) -> None:
    """Nothing that the files said of persons is in any byte of a bundle."""
    parcel = kept.gateway.folder / "sent" / "sample.csv"
    rows = rows_of(parcel.read_bytes().decode("cp1252").replace(";", ",").encode())
    assert len(rows) == 10
    kept.gateway.write(POOLS, 40)
    rows += rows_of(parcel.read_bytes().decode("cp1252").replace(";", ",").encode())
    names = [
        name
        for name in rows[0]
        if name in {"candidate_id", "france_travail_id", "last_name", "first_name", "email", "phone"}
    ]
    assert len(names) >= 3
    canaries = {
        f"{number} {name}": row[name] for number, row in enumerate(rows) for name in names if len(row[name] or "") > 7
    }
    assert len(canaries) > 40
    assert sweep([whole], canaries) == []


def test_those_who_work_are_numbered_unless_asked(kept: Kept, whole: Path, tmp_path: Path) -> None:
    """By default no name of who works is in the bundle; with ``names`` they are, in the same places."""
    everything = b"".join(path.read_bytes() for path in whole.rglob("*") if path.is_file())
    assert b"Trucmuche" not in everything
    assert b"trucmuche" not in everything
    assert b"by telephone" not in everything
    own = copied(kept, tmp_path)
    named = own.bundle("named", names=True).folder
    lines = json.loads((named / "evidence/accesses.json").read_text())["lines"]
    assert (RECIPIENT, "asked by telephone") in {(one["actor"], one["reason"]) for one in lines}
    own.gateway.workspace.close()


def test_other_conventions_can_be_left_out(kept: Kept, tmp_path: Path, script: ModuleType) -> None:
    """Without the rest of the trail no byte tells of another convention, and the checker says what it can then not say."""
    own = copied(kept, tmp_path)
    folder = own.bundle("alone", whole_trail=False).folder
    assert all(b"paca-pe-2016" not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    found = states(script.examined(folder))
    assert found.pop("trail_whole") == "absent"
    assert set(found.values()) == {"held"}
    own.gateway.workspace.close()


def test_every_state_of_a_convention_has_its_bundle(kept: Kept, tmp_path: Path, script: ModuleType) -> None:
    """Never run, in force, disputed, ended, held, purged: each bundle verifies, and its page says how things stand."""
    own = copied(kept, tmp_path)
    gateway, said = own.gateway, {}

    def tell(name: str, convention: str = CSP) -> None:
        folder = own.bundle(name, convention).folder
        assert set(states(script.examined(folder)).values()) == {"held"}, name
        said[name] = (folder / "index.html").read_text()

    tell("never", "oce-ge-charter")
    tell("in force")
    gateway.move_to("2026-12-14T09:00:00+01:00").record(
        (CSP, "denounced", {"by": "unml", "received_on": "2026-12-12"})
    ).move_to("2027-03-12T09:00:00+01:00")
    tell("disputed")
    own.gateway.workspace.close()
    own = copied(kept, tmp_path / "ended")
    gateway = own.gateway.move_to("2025-06-10T11:00:00+02:00").record(CSP_ENDED).move_to("2025-10-10T05:00:00+02:00")
    tell("ended")
    gateway.record((CSP, "litigation_opened", {"on": "2025-09-01", "dataset": "candidate_pool"}))
    gateway.record((CSP, "breach_known", {"at": "2025-10-09T10:00:00+02:00", "id": "b-one"}))
    tell("held")
    gateway.record((CSP, "litigation_closed", {"on": "2025-10-10", "dataset": "candidate_pool"}))
    purge(gateway.workspace, CSP)
    attested(gateway)
    tell("purged")
    assert len(list((own.folder / "purged" / "evidence" / "attestations").iterdir())) == 1
    assert "Rien n'a quitté la passerelle" in said["never"].replace("&#39;", "'")
    assert "Convention en vigueur" in said["in force"]
    assert "contesté" in said["disputed"]
    assert "hors vigueur" in said["ended"]
    assert "contentieux" in said["held"]
    none = "Aucun incident n&#39;est consigné"
    assert [none in said[name] for name in ("ended", "held")] == [True, False]
    assert "le 9 octobre 2025 à 10 h 00" in said["held"]
    assert "ont été détruites le 10 octobre 2025" in said["purged"]
    gateway.workspace.close()


def test_the_page_stands_alone_in_two_languages(whole: Path) -> None:
    """It loads and runs nothing, has a picture in each language, no id twice, and each part in both languages."""
    html = (whole / "index.html").read_text("utf-8")
    assert not re.search(r"<script|<link|<iframe|@import|(?:src|href)=\"(?!#)", html)
    assert "default-src 'none'" in html
    assert html.count("<svg ") == 2
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) > 30
    assert set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    parts = {lang: re.findall(rf'<h2 id="{lang}-(\w+)"', html) for lang in ("fr", "en")}
    assert parts["fr"] == parts["en"]
    assert len(parts["fr"]) == 17


def test_the_command_writes_and_refuses(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It answers as JSON with the hash that the trail has, and never writes over anything."""
    own = copied(kept, tmp_path)
    for name, value in {"HOME": own.gateway.home, "NOW": NOW, "ACTOR": "dpo", "LANG": "fr"}.items():
        monkeypatch.setenv(f"PASSERELLE_{name}", str(value))
    own.gateway.workspace.close()
    out = tmp_path / "deep" / "dossier"
    assert run(["bundle", CSP, "--out", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["convention"], told["folder"], told["names"], told["whole_trail"]) == (CSP, str(out), False, True)
    assert run(["bundle", CSP, "--out", str(out)]) == 2
    assert "il y a déjà quelque chose" in capfd.readouterr().err
    assert run(["bundle", "no-such-convention", "--out", str(tmp_path / "none")]) == 2
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["dossier"]
    assert not (tmp_path / "none").exists()


def test_a_file_in_the_way_is_refused(kept: Kept, tmp_path: Path) -> None:
    """A file, or a folder with something in it, is not written over; what lies there stays."""
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(UsageError, match="already"):
        Kept(kept.gateway, tmp_path).bundle("taken")
    assert (tmp_path / "taken").read_text() == "mine"
