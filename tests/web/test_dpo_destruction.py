"""What a DPO sees and decides of destructions: plans and their approval, certificates, attestations, backups, what does not come back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

from passerelle.errors import RefusedError
from passerelle.store import settings
from portal.picture.page import RED
from retention.approving import REQUIRED
from retention.backups import record
from retention.purge import purge
from tests.gateway import CSP_ENDED, POOLS, Gateway, at, pools
from tests.web.visitors import Portal, Visitor, words

ENDED = "csp-ft-2024"
DUE = "2025-10-10T05:00:00+02:00"
PLAN = re.compile(r"plan-[0-9a-f]{16}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Path]:
    """A convention that is over, and due, in a workspace that asks for approval."""
    folder = tmp_path_factory.mktemp("destruction")
    gateway = pools(folder / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30))
    gateway.record(CSP_ENDED).move_to(DUE)
    with gateway.workspace.database.begin() as connection:
        settings.write(connection, REQUIRED, 1)
    return gateway, gateway.saved(folder / "saved")


@pytest.fixture
def ended(stage: tuple[Gateway, Path]) -> Iterator[Gateway]:
    """That gateway as it was saved."""
    made = stage[0].restored(stage[1])
    yield made
    made.workspace.close()


@pytest.fixture
def dpo(ended: Gateway) -> Visitor:
    """Its DPO, who reads French."""
    one = Portal(ended).visitor("dpo", name="Claire")
    one.post("/language", {"lang": "fr"})
    return one


def plan_of(dpo: Visitor) -> str:
    """The number of the plan that the page shows."""
    found = PLAN.search(dpo.get(f"/destruction/plans/{ENDED}").text)
    assert found
    return found[0]


def approve(dpo: Visitor) -> None:
    """Approve the plan that the page shows."""
    assert dpo.post(f"/destruction/plans/{ENDED}", {"plan": plan_of(dpo)}).status_code == 303


def test_a_plan_says_what_when_and_why_then(dpo: Visitor) -> None:
    """The page has the deadline with its arithmetic and article, each kind of copies with count and size, and the number approved."""
    page = words(dpo.get(f"/destruction/plans/{ENDED}"))
    assert "10 octobre 2025" in page
    assert "10 août 2025" in page
    assert "art. 7" in page
    for kind in ("copies brutes", "seconds verrous", "colis remis à des partenaires"):
        assert kind in page
    assert f"/destruction/plans/{ENDED}" in dpo.get("/destruction").text


def test_the_calendar_is_drawn_from_the_same_dates(ended: Gateway, dpo: Visitor) -> None:
    """The picture has the convention and its last day, red once past, and nothing that the page's policy forbids."""
    assert "/destruction/calendar.svg" in dpo.get("/destruction").text
    answer = dpo.get("/destruction/calendar.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert ENDED in answer.text
    assert "10 oct. 2025" in answer.text
    assert "<style" not in answer.text
    assert RED not in answer.text
    ended.move_to("2025-10-11T05:00:00+02:00")
    assert RED in Portal(ended).visitor("dpo", name="Claire").get("/destruction/calendar.svg").text


def test_nobody_runs_what_they_approved_themselves(ended: Gateway, dpo: Visitor) -> None:
    """Approved on the page under the DPO's own account, the purge is refused to that person and runs for another."""
    with pytest.raises(RefusedError, match="waits for the DPO's approval"):
        purge(ended.workspace, ENDED, by="runner")
    approve(dpo)
    page = words(dpo.get(f"/destruction/plans/{ENDED}"))
    assert "approuvé Claire" in page
    assert "Approuver ce plan" not in page
    for myself in ("Claire", "claire", " CLAIRE "):
        with pytest.raises(RefusedError, match="waits for the DPO's approval"):
            purge(ended.workspace, ENDED, by=myself)
    assert purge(ended.workspace, ENDED, by="runner").state == "done"


def test_a_plan_that_changed_is_not_approved(ended: Gateway, dpo: Visitor) -> None:
    """The number of the page is approved or nothing: a hold placed meanwhile makes another plan."""
    number = plan_of(dpo)
    ended.record(
        (ENDED, "hold_placed", {"id": "h1", "kind": "litigation", "on": "2025-05-02", "scope": ["candidate-pools"]})
    )
    answer = dpo.post(f"/destruction/plans/{ENDED}", {"plan": number})
    assert answer.status_code == 400
    assert "aucun plan ne porte ce numéro" in words(answer)
    assert ended.entries("purge_approved") == []
    page = dpo.get(f"/destruction/plans/{ENDED}").text
    assert 'href="/holds/h1"' in page


def test_an_approval_needs_a_second_factor_just_given(ended: Gateway, dpo: Visitor) -> None:
    """Ten minutes after the second factor, approving asks for it again and approves nothing."""
    number = plan_of(dpo)
    ended.move_to("2025-10-10T05:10:00+02:00")
    answer = dpo.post(f"/destruction/plans/{ENDED}", {"plan": number})
    assert answer.headers["location"].startswith("/sign-in/again")
    assert ended.entries("purge_approved") == []


def test_a_part_has_a_plan_of_its_own(dpo: Visitor) -> None:
    """The plan of one exchange is another plan, and is approved as such; an exchange that is none is told."""
    whole = plan_of(dpo)
    page = dpo.get(f"/destruction/plans/{ENDED}", params={"exchange": "candidate-pools"})
    part = PLAN.search(page.text)
    assert part
    assert part[0] != whole
    form = {"plan": part[0], "exchange": "candidate-pools"}
    assert dpo.post(f"/destruction/plans/{ENDED}", form).status_code == 303
    assert dpo.get(f"/destruction/plans/{ENDED}", params={"exchange": "none"}).status_code == 400


def test_what_is_proved_anew_or_approved_comes_back_to_the_same_part(ended: Gateway, dpo: Visitor) -> None:
    """After the second factor, and after the approval, the page is that of the part, not of the whole convention."""
    place = f"/destruction/plans/{ENDED}"
    part = PLAN.search(dpo.get(place, params={"exchange": "candidate-pools"}).text)
    assert part
    form = {"plan": part[0], "exchange": "candidate-pools"}
    ended.move_to("2025-10-10T05:10:00+02:00")
    came = {"referer": f"http://testserver{place}?exchange=candidate-pools"}
    again = dpo.post(place, form, headers=came).headers["location"]
    assert again == f"/sign-in/again?next={quote(f'{place}?exchange=candidate-pools')}"
    fresh = Portal(ended).visitor("dpo", name="Claire")
    assert fresh.post(place, form).headers["location"] == f"{place}?exchange=candidate-pools"


def test_a_plan_is_exported(dpo: Visitor) -> None:
    """What goes, by exchange and kind of copies, comes as CSV and JSON with the number of the plan and its day."""
    place, number = f"/destruction/plans/{ENDED}", plan_of(dpo)
    assert f'href="{place}?format=csv"' in dpo.get(place).text
    rows = dpo.get(place, params={"format": "json"}).json()
    assert {(row["plan"], row["due"], row["fate"]) for row in rows} == {(number, "2025-10-10", "à détruire")}
    assert {"candidate-pools"} == {row["exchange"] for row in rows}
    assert number in dpo.get(place, params={"format": "csv"}).text


def test_what_a_hold_keeps_is_in_the_export(ended: Gateway, dpo: Visitor) -> None:
    """Copies under a hold stand beside those that go, with the hold's number."""
    ended.record((ENDED, "hold_placed", {"id": "h1", "kind": "litigation", "on": "2025-05-02", "scope": ["candidate-pools"]}))  # fmt: skip
    rows = dpo.get(f"/destruction/plans/{ENDED}", params={"format": "json"}).json()
    kept = [row for row in rows if row["fate"] == "conservé"]
    assert kept
    assert {row["hold"] for row in kept} == {"h1"}


def test_a_certificate_is_downloaded_and_checked_with_stock_tools(ended: Gateway, dpo: Visitor, tmp_path: Path) -> None:
    """The certificate's bytes and signature come from its page, and ssh-keygen verifies them."""
    approve(dpo)
    which = purge(ended.workspace, ENDED, by="runner").id
    page = words(dpo.get(f"/destruction/{which}"))
    assert "Ce que ce certificat ne peut pas prouver" in page
    for name in ("certificate.json", "certificate.json.sig"):
        (tmp_path / name).write_bytes(dpo.get(f"/destruction/{which}/{name}").content)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(ended.home / "trust" / "allowed_signers"), "-I", "passerelle", "-n", "passerelle-certificate", "-s", str(tmp_path / "certificate.json.sig")]  # fmt: skip
    checked = subprocess.run(
        command, input=(tmp_path / "certificate.json").read_bytes(), capture_output=True, check=False
    )
    assert b"Good" in checked.stdout


def test_attestations_are_asked_again_and_told_when_late(ended: Gateway, dpo: Visitor) -> None:
    """A request goes out from the page, is asked once for the same parcels, and is late after its day."""
    assert "Aucune demande" in words(dpo.get("/destruction/attestations"))
    for _ in range(2):
        dpo.post("/destruction/attestations", {"about": f"{ENDED}/mtfp"})
    (row,) = dpo.get("/destruction/attestations", params={"format": "json"}).json()
    assert (row["party"], row["parcels"], row["attested"], row["state"]) == ("mtfp", 1, 0, "demandée")
    ended.move_to("2025-11-20T05:00:00+01:00")
    later = Portal(ended).visitor("dpo", name="Claire")
    (row,) = later.get("/destruction/attestations", params={"format": "json", "state": "overdue"}).json()
    assert row["state"] == "overdue"
    assert dpo.post("/destruction/attestations", {"about": "none"}).status_code in {303, 400}


def test_backups_that_still_hold_purged_data_are_named(ended: Gateway, dpo: Visitor) -> None:
    """A backup taken before the purge stands with what it holds, whether it opens, and the day on which it has to go."""
    assert "Aucune sauvegarde" in words(dpo.get("/destruction/backups"))
    record(ended.workspace, "vault-7", covers=["database", "files"], taken_at=at("2025-06-01T03:00:00+02:00"), expires_on=date(2025, 12, 31), by="test")  # fmt: skip
    approve(dpo)
    purge(ended.workspace, ENDED, by="runner")
    (row,) = dpo.get("/destruction/backups", params={"format": "json", "convention": ENDED}).json()
    assert (row["opens"], row["expires_on"], row["deadline"]) == ("non", "2025-12-31", "2025-10-10")
    assert row["copies"] > 0
    assert row["late_by"] == 82
    assert row["purged_on"] is not None


def test_what_does_not_come_back_is_listed(ended: Gateway, dpo: Visitor) -> None:
    """After a purge, keys, copies and the certificate stand in the list of what a restored database destroys again."""
    approve(dpo)
    purge(ended.workspace, ENDED, by="runner")
    ended.workspace.close()
    opened = ended.reopened()
    one = Portal(opened).visitor("dpo", name="Claire")
    kinds = {row["kind"] for row in one.get("/destruction/destroyed", params={"format": "json"}).json()}
    assert {"key destroyed", "copy destroyed", "certified purge"} <= kinds
    opened.workspace.close()
