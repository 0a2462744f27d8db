"""A plan waits for the DPO's approval where the workspace asks for it; what cannot be removed is told until it is gone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerelle.errors import OurWayError, RefusedError, UsageError
from passerelle.store import settings
from portal.papers import plan_page
from retention.approving import REQUIRED, approve, plan_id
from retention.plan import plan
from retention.purge import purge
from retention.standing import standings
from tests.gateway import CSP_ENDED, POOLS, Gateway, pools

ENDED = "csp-ft-2024"
DUE = "2025-10-10T05:00:00+02:00"


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Gateway]:
    """A convention that is over, and due, in a workspace that asks for approval."""
    gateway = pools(tmp_path / "gateway")
    gateway.run(POOLS, "2025-05", gateway.write(POOLS, 30))
    gateway.record(CSP_ENDED).move_to(DUE)
    with gateway.workspace.database.begin() as connection:
        settings.write(connection, REQUIRED, 1)
    yield gateway
    gateway.workspace.close()


def number(gateway: Gateway) -> str:
    """The number of the plan as it stands."""
    with gateway.workspace.database.read() as connection:
        return plan_id(plan(gateway.workspace, connection, ENDED))


def test_who_runs_a_purge_does_not_approve_it_alone(ended: Gateway) -> None:
    """Refused without approval and with the runner's own; approved by another person, it runs, and the trail tells both."""
    for approved_by in (None, "runner"):
        if approved_by:
            approve(ended.workspace, number(ended), by=approved_by)
        with pytest.raises(RefusedError, match="waits for the DPO's approval"):
            purge(ended.workspace, ENDED, by="runner")
    assert ended.entries("purge_started") == []
    approve(ended.workspace, number(ended), by="dpo")
    assert purge(ended.workspace, ENDED, by="runner").state == "done"
    (started,) = ended.entries("purge_started")
    assert {entry["plan_sha256"] for entry in ended.entries("purge_approved")} == {started["plan_sha256"]}


def test_an_approval_is_of_one_plan_and_runs_out(ended: Gateway) -> None:
    """Thirty days later the approval is over; a number that no plan has is not approved."""
    approve(ended.workspace, number(ended), by="dpo")
    ended.move_to("2025-11-10T05:00:00+01:00")
    with pytest.raises(RefusedError, match="waits for the DPO's approval"):
        purge(ended.workspace, ENDED, by="runner")
    with pytest.raises(UsageError, match="no plan has this number"):
        approve(ended.workspace, "plan-0123456789abcdef", by="dpo")


def test_what_is_stuck_is_told_until_it_is_gone(ended: Gateway) -> None:
    """A copy that cannot be removed is in the status by its number, all else is done; gone, the certificate comes."""
    (raw,) = ended.present(convention=ENDED, kind="raw")
    path = ended.workspace.path(raw.location)
    path.unlink()
    (path / "obstacle").mkdir(parents=True)
    approve(ended.workspace, number(ended), by="dpo")
    for _ in range(2):
        with pytest.raises(OurWayError, match="could not be removed"):
            purge(ended.workspace, ENDED, by="runner")
        with ended.workspace.database.read() as connection:
            (told,) = standings(connection)
        assert (told.state, told.stage, [one.subject for one in told.left]) == ("stuck", "rotated", [f"h-{raw.id}"])
    assert [entry["left"] for entry in ended.entries("purge_stuck")] == [1]
    shutil.rmtree(path)
    assert purge(ended.workspace, ENDED, by="runner").state == "done"


def test_the_page_of_a_plan_stands_alone(ended: Gateway) -> None:
    """The page has both languages, the number and the arithmetic, and loads nothing."""
    with ended.workspace.database.read() as connection:
        planned = plan(ended.workspace, connection, ENDED)
    page = plan_page({**planned.as_json(), "plan": plan_id(planned), "approvals": []}).decode()
    assert {word for word in ("http", "<script", "src=") if word in page} == set()
    assert all(word in page for word in ('lang="fr"', 'lang="en"', plan_id(planned), "10 octobre 2025"))
